/** Reads system variables of which a server may not have all: a missing one is just not in the map. */

import type { MonitorConnection } from './monitor-connection.ts';

/** Values longer than 1024 characters are cut by old servers: not for GTID sets. */
export async function readGlobalVariables(
  connection: MonitorConnection,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const list = names.map((name) => `'${name}'`).join(', ');
  const sql = `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${list})`;
  const variables = new Map<string, string>();
  for (const row of await connection.query(sql, signal)) {
    // Named lower or upper case, depending on the server's version.
    const [name, value] = Object.values(row);
    if (typeof name === 'string') variables.set(name.toLowerCase(), value ?? '');
  }
  return variables;
}

/** Only OFF counts as off: MariaDB 12 knows more than two values for `read_only`. */
export function isSwitchedOn(value: string | undefined): boolean {
  return value !== undefined && value.toUpperCase() !== 'OFF' && value !== '0' && value !== '';
}
