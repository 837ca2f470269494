/** What a worker knows of tables beyond their names: views' base tables, triggers, cascades. One for each snapshot. */

import { KeyCatalog } from '../../common/key-catalog.ts';
import { NO_KEYS, type SnapshotTables } from '../../common/snapshot.ts';
import { TableRelations } from '../../common/table-relations.ts';

export interface TableCatalog {
  /** Another number when anything that is known of the tables is another. */
  readonly version: number;
  /** False: any table may be related to any other. */
  readonly complete: boolean;
  readonly relations: TableRelations;
  /** By which rows are told apart; of another version, another object. */
  readonly keys: { readonly version: number; readonly catalog: KeyCatalog; readonly definitions: number };
  /** False while a statement through this Sluice may have changed the schema and it has not been read again. */
  isCurrent(): boolean;
}

export const UNKNOWN_TABLES: TableCatalog = Object.freeze({
  version: 0,
  complete: false,
  relations: new TableRelations(null),
  keys: { ...NO_KEYS, catalog: new KeyCatalog(null) },
  isCurrent: () => false,
});

/** @param before of the snapshot before. */
export function tableCatalogOf(
  { version, complete, relations, keys }: SnapshotTables,
  isCurrent: () => boolean,
  before: TableCatalog,
): TableCatalog {
  const isSame = before.version === version;
  return {
    version,
    complete,
    keys:
      before.keys.version === keys.version ? before.keys : { ...keys, catalog: new KeyCatalog(keys.catalog) },
    relations: isSame ? before.relations : new TableRelations(relations),
    isCurrent,
  };
}
