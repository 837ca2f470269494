/** Two layers row by row, column by column. */

import type { SqlRow, SqlValue, TableRows } from '../../common/admin-tables/admin-table.ts';
import { configTableNamed } from '../../common/admin-tables/all-tables.ts';
import { keyText, namedRow } from './element-mapping.ts';

export interface RuntimeDifference {
  readonly table: string;
  /** `rule_id 7` */
  readonly key: string;
  /** '' where the row is in one of them only. */
  readonly column: string;
  /** null where there is no such row, or the value is NULL. Secrets are masked. */
  readonly runtime: string | null;
  readonly memory: string | null;
}

/** Columns that name a row, by table. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  mysql_servers: ['hostgroup_id', 'hostname', 'port'],
  mysql_replication_hostgroups: ['writer_hostgroup'],
  mysql_hostgroup_attributes: ['hostgroup_id'],
  mysql_servers_ssl_params: ['hostname', 'port', 'username'],
  mysql_users: ['username'],
  mysql_query_rules: ['rule_id'],
  mysql_query_rules_fast_routing: ['username', 'schemaname', 'flagIN'],
  sluice_cache_rules: ['rule_id'],
  mysql_firewall_whitelist_users: ['username', 'client_address'],
  mysql_firewall_whitelist_rules: ['username', 'client_address', 'schemaname', 'flagIN', 'digest'],
  mysql_firewall_whitelist_sqli_fingerprints: ['fingerprint'],
  global_variables: ['variable_name'],
};
const SECRET = /password|credentials|ssl_key/i;
const MASK = '***';
const HERE = 'the row is here';

function shown(value: SqlValue, isSecret: boolean): string | null {
  if (value === null) return null;
  return isSecret && value !== '' ? MASK : String(value);
}

function byKey(table: string, rows: readonly SqlRow[]): Map<string, SqlRow> {
  const key = KEYS[table] ?? configTableNamed(table).columns;
  return new Map(rows.map((row) => [keyText(key, namedRow(table, row)), row]));
}

function ofRow(table: string, key: string, inForce: SqlRow, memory: SqlRow): RuntimeDifference[] {
  const isSecretRow = table === 'global_variables' && SECRET.test(key);
  return configTableNamed(table).columns.flatMap((column, index) => {
    const a = inForce[index] ?? null;
    const b = memory[index] ?? null;
    if (a === b || (a !== null && b !== null && String(a) === String(b))) return [];
    const isSecret = SECRET.test(column) || (isSecretRow && column === 'variable_value');
    return { table, key, column, runtime: shown(a, isSecret), memory: shown(b, isSecret) };
  });
}

/** In the order of the tables of `runtime`, and of the keys. */
export function differencesOf(
  runtime: readonly TableRows[],
  memory: readonly TableRows[],
): RuntimeDifference[] {
  const others = new Map(memory.map(({ table, rows }) => [table, rows]));
  return runtime.flatMap(({ table, rows }) => {
    const inForce = byKey(table, rows);
    const wanted = byKey(table, others.get(table) ?? []);
    const keys = [...new Set([...inForce.keys(), ...wanted.keys()])].sort();
    return keys.flatMap((key): RuntimeDifference[] => {
      const a = inForce.get(key);
      const b = wanted.get(key);
      if (a === undefined) return [{ table, key, column: '', runtime: null, memory: HERE }];
      if (b === undefined) return [{ table, key, column: '', runtime: HERE, memory: null }];
      return ofRow(table, key, a, b);
    });
  });
}
