/** The statements that bring a backend connection's session state to a client's: the difference only. */

import { collationNamed } from '../../../protocol/index.ts';
import { NAMES_COLLATION, type SessionVariables } from './session-variables.ts';
import { isDerived } from './variable-policy.ts';

/** As servers report numbers; anything else that consists of digits is a text. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/;
/** Printable ASCII without the backslash. */
const PLAIN = /^[ -[\]-~]*$/;
const MAX_CACHED = 4096;
/** MySQL 8 has dropped the old names, MariaDB 10 does not have the new ones. */
const MYSQL_NAMES: ReadonlyMap<string, string> = new Map([
  ['tx_isolation', 'transaction_isolation'],
  ['tx_read_only', 'transaction_read_only'],
]);
const MYSQL_NAMES_SINCE = 50720;
const CHARACTER_SETS = [
  NAMES_COLLATION,
  'character_set_client',
  'character_set_results',
  'collation_connection',
];

/** The server that the statement is for. */
export interface DifferenceTarget {
  readonly flavor: 'mysql' | 'mariadb';
  readonly versionId: number;
}

/** A value as the server reports it, as it can be assigned. */
export function literalOf(name: string, value: string): string {
  // NULL is reported as an empty string, and no character set has an empty name.
  if (value === '' && name === 'character_set_results') return 'NULL';
  if (NUMBER.test(value)) return value;
  // The statement runs under the connection's own sql_mode and character set: doubling quotes works in all of them, a
  // backslash or a letter beyond ASCII would not. Such values are written as hex, which is read alike everywhere.
  if (!PLAIN.test(value)) return `CONVERT(0x${Buffer.from(value, 'utf8').toString('hex')} USING utf8mb4)`;
  // Without the introducer the connection's own character set would count, which may be ucs2: no time zone is named so.
  return `_utf8mb4'${value.replaceAll("'", "''")}'`;
}

/**
 * @returns `SET …`, or `''` when nothing differs. A variable that the connection has and the session has not goes
 * back to its default, which is what a new connection would have.
 */
function build(from: SessionVariables, to: SessionVariables, server: DifferenceTarget): string {
  const assignments: string[] = [];
  let collation = '';
  let current = from.values;
  const names = to.values.get(NAMES_COLLATION);
  const charset = names === undefined ? undefined : collationNamed(names)?.charset;
  if (names !== undefined && charset !== undefined && namesDiffer(from, to)) {
    // MySQL takes no COLLATE behind `binary`, which has but the one.
    assignments.push(
      charset === 'binary' ? 'NAMES binary' : `NAMES ${spelling(charset, to)} COLLATE ${names}`,
    );
    const set = spelling(charset, to);
    current = new Map(current)
      .set('character_set_client', set)
      .set('character_set_results', set)
      .set('character_set_connection', set)
      .set('collation_connection', names);
  }
  for (const [name, value] of to.values) {
    if (current.get(name) === value || isDerived(name) || name === NAMES_COLLATION) continue;
    const assignment = `@@session.${serverName(name, server)}=${literalOf(name, value)}`;
    // After the other character set variables, since those of the connection change it.
    if (name === 'collation_connection') collation = assignment;
    else assignments.push(assignment);
  }
  for (const name of from.values.keys()) {
    if (!to.values.has(name) && !isDerived(name) && name !== NAMES_COLLATION)
      assignments.push(`@@session.${serverName(name, server)}=DEFAULT`);
  }
  if (collation !== '') assignments.push(collation);
  return assignments.length === 0 ? '' : `SET ${assignments.join(',')}`;
}

function namesDiffer(from: SessionVariables, to: SessionVariables): boolean {
  for (const name of CHARACTER_SETS) if (from.values.get(name) !== to.values.get(name)) return true;
  return false;
}

/** MariaDB 10.6 and later say utf8mb3 where MySQL 5.7 says utf8; the server's own word is in the session. */
function spelling(charset: string, variables: SessionVariables): string {
  if (charset !== 'utf8mb3') return charset;
  for (const name of CHARACTER_SETS) if (variables.values.get(name) === 'utf8') return 'utf8';
  return charset;
}

function serverName(name: string, server: DifferenceTarget): string {
  const isNew = server.flavor === 'mysql' && server.versionId >= MYSQL_NAMES_SINCE;
  return (isNew ? MYSQL_NAMES.get(name) : undefined) ?? name;
}

/** Remembers the statements: sessions of one application differ from pooled connections in the same few ways. */
export class StateDifferences {
  readonly #cache = new Map<string, string>();

  /** @returns the SET statement, `''` when both are equal. */
  between(from: SessionVariables, to: SessionVariables, server: DifferenceTarget): string {
    if (from.equals(to)) return '';
    const key = `${server.flavor} ${server.versionId}\x01${from.key}\x01${to.key}`;
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
    const statement = build(from, to, server);
    this.#cache.set(key, statement);
    return statement;
  }
}
