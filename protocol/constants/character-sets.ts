/**
 * Collation ids, as they stand in handshakes and column definitions, and what they mean.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_character_set.html
 * https://mariadb.com/kb/en/supported-character-sets-and-collations/
 *
 * MySQL's and MariaDB's ids do not collide. `utf8` (`utf8_general_ci` …) is called `utf8mb3` here, as by newer
 * servers; MySQL 5.7 and MariaDB before 10.6 know it under the old name only.
 */

import { CHARSETS, COLLATIONS } from './character-sets-table.ts';

export interface Collation {
  readonly id: number;
  readonly collation: string;
  readonly charset: string;
  readonly maxBytesPerCharacter: number;
}

const maxBytes: ReadonlyMap<string, number> = new Map(CHARSETS.map(([charset, bytes]) => [charset, bytes]));
const defaults: ReadonlyMap<string, number> = new Map(CHARSETS.map(([charset, , id]) => [charset, id]));
/** Those that were asked for. As objects all of them would take half a megabyte in every thread; few are ever met. */
const byId = new Map<number, Collation>();
const byName = new Map<string, Collation>();

/** @param index of the end in front of its line */
function entryAt(index: number): Collation {
  const start = index + 1;
  const [id = '', collation = ''] = COLLATIONS.slice(start, COLLATIONS.indexOf('\n', start)).split(' ');
  const [charset = ''] = collation.split('_');
  return Object.freeze({
    id: Number(id),
    collation,
    charset,
    maxBytesPerCharacter: maxBytes.get(charset)!,
  });
}

const UTF8MB4_0900_AI_CI = 255;
const MYSQL_8 = 80_000;

/** null for an id that no known server has. */
export function collationOf(id: number): Collation | null {
  const known = byId.get(id);
  if (known !== undefined) return known;
  // The few ids with two names (MySQL's and MariaDB's) are shown under the first, MySQL's.
  const index = COLLATIONS.indexOf(`\n${id} `);
  if (index === -1) return null;
  const entry = entryAt(index);
  byId.set(id, entry);
  return entry;
}

/** By name in any case; `utf8_…` is `utf8mb3_…`. */
export function collationNamed(name: string): Collation | null {
  const canonical = canonicalName(name);
  const known = byName.get(canonical);
  if (known !== undefined) return known;
  if (!/^\w+$/.test(canonical)) return null;
  const index = COLLATIONS.indexOf(` ${canonical}\n`);
  if (index === -1) return null;
  const entry = entryAt(COLLATIONS.lastIndexOf('\n', index));
  byName.set(canonical, entry);
  return entry;
}

/** Canonical names of all charsets. */
export function charsetNames(): string[] {
  return [...defaults.keys()];
}

/**
 * The collation id that `SET NAMES charset` brings on a server with default settings; null for an unknown charset.
 * Without `server` it is that of MySQL 5.7 and MariaDB up to 11.4; MySQL 8 differs for utf8mb4.
 */
export function defaultCollationIdOf(
  charset: string,
  server?: { readonly isMariadb: boolean; readonly versionId: number },
): number | null {
  const name = canonicalName(charset);
  if (name === 'utf8mb4' && server !== undefined && !server.isMariadb && server.versionId >= MYSQL_8) {
    return UTF8MB4_0900_AI_CI;
  }
  return defaults.get(name) ?? null;
}

/**
 * An id of the same charset that fits the single byte of the handshake: itself up to 255, else the charset's default.
 * null for an unknown id.
 */
export function handshakeCollationId(id: number): number | null {
  const entry = collationOf(id);
  if (entry === null) return null;
  return id <= 255 ? id : (defaults.get(entry.charset) ?? null);
}

function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower === 'utf8' ? 'utf8mb3' : lower.replace(/^utf8_/, 'utf8mb3_');
}
