/** The unique keys of all tables that rows can be told apart by (`row-slots.ts`), as the server describes them. */

import type { TableKeyFacts } from '../../common/key-catalog.ts';
import { isPreciseCollation, type KeyColumn, KeyColumnKind } from '../../common/row-slots.ts';
import type { MonitorConnection, Row } from './monitor-connection.ts';
import type { TableFacts } from './table-facts.ts';
import { SYSTEM_SCHEMAS } from './view-safety-closure.ts';

/** Of a server with more columns, or more of them in unique keys, none is known. */
const MAX_ROWS = 200_000;
/** Each key costs something for each row that changes. */
const MAX_KEYS = 4;
const MAX_KEY_COLUMNS = 8;
const INTEGER_BYTES: Readonly<Record<string, number>> = {
  tinyint: 1,
  smallint: 2,
  mediumint: 3,
  int: 4,
  bigint: 8,
};
const TEXTS: ReadonlySet<string> = new Set(['char', 'varchar']);
const GENERATED = /generated|virtual|persistent/i;
const MADE = /auto_increment/i;
const PRIMARY = 'PRIMARY';

const EXCLUDED = SYSTEM_SCHEMAS.map((name) => `'${name}'`).join(', ');

interface Table {
  readonly schema: string;
  readonly table: string;
  width: number;
  /** By name in lower case; null: not to be used. */
  readonly columns: Map<string, KeyColumn | null>;
  /** Of the column whose numbers the server makes. */
  made: string | null;
  readonly keys: Map<string, { readonly columns: string[]; isUsable: boolean }>;
}

export async function readKeyFacts(
  connection: MonitorConnection,
  facts: TableFacts,
  signal: AbortSignal,
): Promise<readonly TableKeyFacts[]> {
  const parts = await connection.query(
    'SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, INDEX_NAME AS key_name, COLUMN_NAME AS column_name, ' +
      'SUB_PART AS sub_part, SEQ_IN_INDEX AS place FROM information_schema.STATISTICS ' +
      `WHERE NON_UNIQUE = 0 AND TABLE_SCHEMA NOT IN (${EXCLUDED}) LIMIT ${MAX_ROWS + 1}`,
    signal,
  );
  const columns = await connection.query(
    'SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, COLUMN_NAME AS column_name, ' +
      'ORDINAL_POSITION AS place, DATA_TYPE AS data_type, COLUMN_TYPE AS column_type, ' +
      'COLLATION_NAME AS collation_name, CHARACTER_MAXIMUM_LENGTH AS max_length, EXTRA AS extra FROM information_schema.COLUMNS ' +
      `WHERE TABLE_SCHEMA NOT IN (${EXCLUDED}) LIMIT ${MAX_ROWS + 1}`,
    signal,
  );
  const transactional = await connection.query(
    'SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name FROM information_schema.TABLES ' +
      `WHERE ENGINE = 'InnoDB' AND TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN (${EXCLUDED}) LIMIT ${MAX_ROWS}`,
    signal,
  );
  if (parts.length > MAX_ROWS || columns.length > MAX_ROWS) return [];
  return keyFactsOf(parts, columns, facts, transactional);
}

export function keyFactsOf(
  parts: readonly Row[],
  columns: readonly Row[],
  facts: TableFacts,
  transactional: readonly Row[],
): readonly TableKeyFacts[] {
  const tables = new Map<string, Table>();
  for (const row of parts) addPart(tableOf(tables, row), row);
  for (const row of columns) {
    const table = tables.get(nameOf(row.table_schema, row.table_name));
    if (table !== undefined) addColumn(table, row);
  }
  for (const [schema, table] of facts.composed) tables.delete(nameOf(schema, table));
  const lone = loneTables(facts, transactional);
  const isLone = ({ schema, table }: Table): boolean => lone.has(foldedName(schema, table));
  return [...tables.values()]
    .map((table) => factsOf(table, isLone(table)))
    .filter(({ keys }) => keys.length > 0);
}

/** By name: those of which a row changes for itself. A trigger may change the row's key as well. */
function loneTables({ triggers, cascades }: TableFacts, transactional: readonly Row[]): ReadonlySet<string> {
  const lone = new Set(transactional.map((row) => foldedName(row.table_schema, row.table_name)));
  for (const { schema, table } of triggers) lone.delete(foldedName(schema, table));
  for (const { parent, child } of cascades)
    for (const name of [parent, child]) lone.delete(foldedName(...name));
  return lone;
}

function foldedName(schema: string | null | undefined, table: string | null | undefined): string {
  return nameOf(schema, table).toLowerCase();
}

function nameOf(schema: string | null | undefined, table: string | null | undefined): string {
  return `${schema}\0${table}`;
}

function tableOf(tables: Map<string, Table>, row: Row): Table {
  const name = nameOf(row.table_schema, row.table_name);
  const known = tables.get(name);
  if (known !== undefined) return known;
  const table: Table = {
    schema: row.table_schema ?? '',
    table: row.table_name ?? '',
    width: 0,
    columns: new Map(),
    made: null,
    keys: new Map(),
  };
  tables.set(name, table);
  return table;
}

function addPart(
  { keys }: Table,
  { key_name: name, column_name: column, sub_part: prefix, place }: Row,
): void {
  const key = keys.get(name ?? '') ?? { columns: [], isUsable: true };
  keys.set(name ?? '', key);
  // A prefix is a column of long texts; MySQL 8 has expressions as parts.
  if (column == null || prefix != null) key.isUsable = false;
  else key.columns[Number(place) - 1] = column.toLowerCase();
}

function addColumn(table: Table, row: Row): void {
  const place = Number(row.place);
  table.width = Math.max(table.width, place);
  const name = (row.column_name ?? '').toLowerCase();
  const kind = kindOf(row);
  if (MADE.test(row.extra ?? '')) table.made = name;
  table.columns.set(name, kind === null ? null : { name, index: place - 1, kind, size: sizeOf(row) });
}

function sizeOf(row: Row): number {
  return INTEGER_BYTES[typeOf(row)] ?? Number(row.max_length ?? 0);
}

function typeOf(row: Row): string {
  return (row.data_type ?? '').toLowerCase();
}

/** null: its values cannot be compared for certain. */
function kindOf(row: Row): KeyColumnKind | null {
  const type = typeOf(row);
  if (GENERATED.test(row.extra ?? '')) return null;
  if (TEXTS.has(type)) return isPreciseCollation(row.collation_name ?? '') ? KeyColumnKind.text : null;
  if (INTEGER_BYTES[type] === undefined) return null;
  return /unsigned|zerofill/i.test(row.column_type ?? '') ? KeyColumnKind.unsigned : KeyColumnKind.signed;
}

function factsOf({ schema, table, width, columns, keys, made }: Table, isLone: boolean): TableKeyFacts {
  const usable: KeyColumn[][] = [];
  const inOrder = [...keys].sort(([one], [other]) => Number(other === PRIMARY) - Number(one === PRIMARY));
  let isFirstPrimary = false;
  for (const [name, key] of inOrder) {
    const found = Array.from(key.columns, (name) => columns.get(name) ?? null);
    const all = found.filter((column) => column !== null);
    const isWhole = all.length === found.length && all.length > 0 && all.length <= MAX_KEY_COLUMNS;
    if (!key.isUsable || !isWhole || usable.length === MAX_KEYS) continue;
    if (name === PRIMARY) isFirstPrimary = true;
    usable.push(all);
  }
  const hasLoneRows = isLone && isFirstPrimary;
  const makesKey = hasLoneRows && usable[0]!.length === 1 && usable[0]![0]!.name === made;
  return { schema, table, width, keys: usable, hasLoneRows, isOnlyKey: keys.size === 1, makesKey };
}
