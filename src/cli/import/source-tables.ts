/** The tables of ProxySQL, with their columns and what stands in these where nothing is said. */
import type { SqlValue } from '../../common/admin-tables/admin-table.ts';
import { LOADABLE_TABLES } from '../../common/admin-tables/config-tables.ts';
import type { ColumnDefinition } from '../../common/admin-tables/table-definition.ts';
import type { SourceRow } from './proxysql-source.ts';

/** Tables that Sluice knows by column; all others of ProxySQL are for what it has not. */
export const KNOWN_TABLES: readonly string[] = LOADABLE_TABLES.map(({ name }) => name).filter(
  (name) => name !== 'global_variables' && !name.startsWith('sluice_'),
);

/** Of other protocols, and of ProxySQL itself: only whether they have rows is looked at. */
export const FOREIGN_TABLES: readonly string[] = [
  'pgsql_servers',
  'pgsql_users',
  'pgsql_query_rules',
  'pgsql_query_rules_fast_routing',
  'pgsql_hostgroup_attributes',
  'pgsql_replication_hostgroups',
  'pgsql_ldap_mapping',
  'pgsql_firewall_whitelist_users',
  'pgsql_firewall_whitelist_rules',
  'pgsql_firewall_whitelist_sqli_fingerprints',
  'clickhouse_users',
  'coredump_filters',
  'debug_filters',
  'genai_config',
  'mcp_config',
  'mcp_query_rules',
];

const DEFAULT = /\bDEFAULT (?:'((?:[^']|'')*)'|(-?[0-9]+))/;

function defaultOf({ rules }: ColumnDefinition): SqlValue {
  const match = DEFAULT.exec(rules);
  if (match === null) return null;
  const [, text, number] = match;
  return number === undefined ? (text ?? '').replaceAll("''", "'") : Number(number);
}

interface SourceTable {
  readonly columns: readonly string[];
  readonly defaults: ReadonlyMap<string, SqlValue>;
  readonly numbers: ReadonlySet<string>;
  readonly nullable: ReadonlySet<string>;
}

const TABLES: ReadonlyMap<string, SourceTable> = new Map(
  LOADABLE_TABLES.map(({ name, columns }) => [
    name,
    {
      columns: columns.map((column) => column.name),
      defaults: new Map(columns.map((column) => [column.name, defaultOf(column)])),
      numbers: new Set(columns.filter(({ type }) => type !== 'VARCHAR').map((column) => column.name)),
      nullable: new Set(
        columns.filter(({ rules }) => !rules.includes('NOT NULL')).map((column) => column.name),
      ),
    },
  ]),
);

function tableNamed(name: string): SourceTable {
  const table = TABLES.get(name);
  if (table === undefined) throw new TypeError(`There is no table ${name}`);
  return table;
}

export function columnsOf(table: string): readonly string[] {
  return tableNamed(table).columns;
}

function defaultOfColumn(table: string, column: string): SqlValue {
  return tableNamed(table).defaults.get(column) ?? null;
}

export function isNumberColumn(table: string, column: string): boolean {
  return tableNamed(table).numbers.has(column);
}

/** Its value, or the column's default. A negative number where there may be nothing is how files say "nothing". */
export function cellOf(table: string, row: SourceRow, column: string): SqlValue {
  const { nullable, numbers } = tableNamed(table);
  const value = row.values.get(column);
  if (value === undefined) return defaultOfColumn(table, column);
  if (nullable.has(column) && numbers.has(column) && Number(value) < 0) return null;
  return value;
}

/** Whether something else than the default is said, `null` and '' being the same. */
export function isSaid(table: string, row: SourceRow, column: string): boolean {
  const text = (value: SqlValue) => (value === null ? '' : String(value));
  return text(cellOf(table, row, column)) !== text(defaultOfColumn(table, column));
}
