/**
 * Can the monitor account see every view with its definition, and every trigger? `information_schema` shows only what an account has
 * privileges on, without saying what it left out, so that the grants decide whether a list is complete.
 */

import { ServerFlavor } from '../../topology/server-description.ts';
import type { MonitorConnection, Row } from './monitor-connection.ts';

/** For the definitions of all views. */
export const VIEW_PRIVILEGES: readonly string[] = ['SELECT', 'SHOW VIEW'];

/** `GRANT a, b (column), c ON *.* TO …`; of MariaDB and MySQL, with or without options at the end. */
const GLOBAL_GRANT = /^GRANT (.+?) ON \*\.\* TO /is;
/** With `partial_revokes` MySQL shows what a global grant does not cover. */
const PARTIAL_REVOKE = /^REVOKE (.+?) ON (.+?) FROM /is;

function privilegesIn(list: string): Set<string> {
  const names = list.replace(/\([^)]*\)/g, '').split(',');
  return new Set(names.map((name) => name.trim().replace(/\s+/g, ' ').toUpperCase()));
}

export function missingViewGrants(grants: readonly string[]): string {
  return missingGrants(grants, VIEW_PRIVILEGES, 'views');
}

/** Why the account cannot see all of `what`, naming the grant to give; `''` when it can. */
export function missingGrants(grants: readonly string[], needed: readonly string[], what: string): string {
  const held = new Set<string>();
  for (const grant of grants) {
    const match = GLOBAL_GRANT.exec(grant);
    if (match !== null) for (const privilege of privilegesIn(match[1]!)) held.add(privilege);
    const revoke = PARTIAL_REVOKE.exec(grant);
    if (revoke === null) continue;
    const revoked = privilegesIn(revoke[1]!);
    if (needed.some((privilege) => revoked.has(privilege)) || revoked.has('ALL PRIVILEGES')) {
      return `the monitor account has a partial revoke on ${revoke[2]}; ${what} there cannot be seen`;
    }
  }
  if (held.has('ALL PRIVILEGES') || held.has('ALL')) return '';
  const missing = needed.filter((privilege) => !held.has(privilege));
  if (missing.length === 0) return '';
  return `the monitor account lacks ${missing.join(', ')} ON *.*; GRANT ${missing.join(', ')} ON *.* TO it`;
}

function firstValues(rows: readonly Row[]): string[] {
  return rows.map((row) => Object.values(row)[0] ?? '');
}

/** The account's own grants and those of its active roles. */
export async function readGrants(
  connection: MonitorConnection,
  signal: AbortSignal,
  needed: readonly string[] = VIEW_PRIVILEGES,
): Promise<readonly string[]> {
  const own = firstValues(await connection.query('SHOW GRANTS FOR CURRENT_USER()', signal));
  if (missingGrants(own, needed, '') === '') return own;
  const { flavor, id } = connection.version;
  if (flavor === ServerFlavor.mysql && id < 80_000) return own;
  const [row] = await connection.query('SELECT CURRENT_ROLE() AS roles', signal);
  const roles = row?.roles ?? '';
  if (roles === '' || roles.toUpperCase() === 'NONE') return own;
  // MySQL gives a list that is quoted already, MariaDB the one role that a session can have.
  const sql =
    flavor === ServerFlavor.mariadb
      ? 'SHOW GRANTS FOR CURRENT_ROLE'
      : `SHOW GRANTS FOR CURRENT_USER() USING ${roles}`;
  return [...own, ...firstValues(await connection.query(sql, signal))];
}
