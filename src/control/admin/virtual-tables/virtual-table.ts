/** A table of the admin port whose rows are made when a statement reads it. */

import type { SqlRow } from '../../../common/admin-tables/admin-table.ts';
import type { AdminState } from '../admin-state.ts';

/** An iterable is taken in slices, a turn of the event loop each: prefer a generator where there may be many rows. */
export type VirtualRows = Iterable<SqlRow> | AsyncIterable<SqlRow>;

export interface VirtualTable {
  /** One of `src/common/admin-tables`, of kind runtime, stats or monitor. */
  readonly table: string;
  /** In the order of the table's columns. Called once for each statement that reads the table. */
  rows(state: AdminState): VirtualRows | Promise<VirtualRows>;
  /** What TRUNCATE of the table does; there is no TRUNCATE where it is missing. */
  reset?(state: AdminState): void | Promise<void>;
}
