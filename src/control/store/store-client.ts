/** What the main thread asks of the store process: SQL of operators, and the tables of the layers. */

import type { SqlRow, SqlValue, TableRows } from '../../common/admin-tables/admin-table.ts';
import type {
  StatementContext,
  StoreLayer,
  StoreValue,
  TrustedStatement,
} from '../../common/store-messages.ts';

/** In `dataDir`. */
export const DISK_FILE = 'sluice.db';
export const HISTORY_FILE = 'sluice-history.db';

export interface StoreStatement {
  readonly sql: string;
  /** For the `?` in it, in order. */
  readonly parameters?: readonly SqlValue[];
  /** A `stats` user sees the schemas stats, monitor and stats_history. */
  readonly role: 'admin' | 'stats';
  readonly context: StatementContext;
}

export interface StoreResult {
  /** Empty for a statement without a result set. */
  readonly columns: readonly string[];
  /** Decoded as it is gone through, and only once. */
  readonly rows: Iterable<readonly StoreValue[]>;
  /** How many there are. */
  readonly rowCount: number;
  /** Rows inserted, changed or deleted. */
  readonly changes: number;
  /** The number that SQLite gave to the last row that was inserted; 0 for none. */
  readonly lastRowid: number | bigint;
  /** The tables that were written to, with their schema. */
  readonly written: readonly string[];
}

export interface StoreClient {
  /** Null where `dataDir` is not set: then there is no layer `disk`, and asking for it is a StoreError. */
  readonly dataDir: string | null;
  /** What is wrong with the files of `dataDir`, as sentences; known once the store has been used. */
  readonly notices: readonly string[];
  /** Whether there are tables yet: they are made at the first need. */
  readonly isRunning: boolean;
  /** @throws StoreError */
  execute(statement: StoreStatement): Promise<StoreResult>;
  /** In the order asked for; rows in the order of their primary key. @throws StoreError */
  readTables(layer: StoreLayer, tables: readonly string[]): Promise<readonly TableRows[]>;
  /** Deletes what the tables hold and inserts the rows: all of it, or nothing. @throws StoreError */
  replaceTables(layer: StoreLayer, tables: readonly TableRows[]): Promise<void>;
  /** Replaces tables of one layer by those of the other: all, or none. @throws StoreError */
  copyTables(from: StoreLayer, to: StoreLayer, tables: readonly string[]): Promise<void>;
  /**
   * SQL of Sluice's own, which may write to every table (`stats_history.…`): all of them in one transaction. The rows
   * are those of the last statement. @throws StoreError
   */
  internal(statements: readonly TrustedStatement[]): Promise<readonly SqlRow[]>;
  close(): Promise<void>;
}
