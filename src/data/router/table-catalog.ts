/** What a worker knows of tables beyond their names: views' base tables, triggers, cascades. One for each snapshot. */

import type { SnapshotTables } from '../../common/snapshot.ts';
import { TableRelations } from '../../common/table-relations.ts';

export interface TableCatalog {
  /** Another number when anything that is known of the tables is another. */
  readonly version: number;
  /** False: any table may be related to any other. */
  readonly complete: boolean;
  readonly relations: TableRelations;
  /** False while a statement through this Sluice may have changed the schema and it has not been read again. */
  isCurrent(): boolean;
}

export const UNKNOWN_TABLES: TableCatalog = Object.freeze({
  version: 0,
  complete: false,
  relations: new TableRelations(null),
  isCurrent: () => false,
});

/** @param before of the snapshot before. */
export function tableCatalogOf(
  { version, complete, relations }: SnapshotTables,
  isCurrent: () => boolean,
  before: TableCatalog,
): TableCatalog {
  const isSame = before.version === version;
  return {
    version,
    complete,
    relations: isSame ? before.relations : new TableRelations(relations),
    isCurrent,
  };
}
