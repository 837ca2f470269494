/** The statements that bring a backend connection's session state to a client's: the difference only. */

import type { SessionVariables } from './session-variables.ts';
import { isDerived } from './variable-policy.ts';

const NUMBER = /^-?\d+(\.\d+)?$/;
const MAX_CACHED = 4096;

/** A value as the server reports it, as it can be assigned. */
export function literalOf(name: string, value: string): string {
  // NULL is reported as an empty string, and no character set has an empty name.
  if (value === '' && name === 'character_set_results') return 'NULL';
  if (NUMBER.test(value)) return value;
  // The statement runs under the connection's own sql_mode: doubling quotes works in all of them, a backslash
  // would not. A value with a backslash is written as hex, which every mode reads alike.
  if (value.includes('\\')) return `CONVERT(0x${Buffer.from(value, 'utf8').toString('hex')} USING utf8)`;
  return `'${value.replaceAll("'", "''")}'`;
}

/**
 * @returns `SET …`, or `''` when nothing differs. A variable that the connection has and the session has not goes
 * back to its default, which is what a new connection would have.
 */
function build(from: SessionVariables, to: SessionVariables): string {
  const assignments: string[] = [];
  let collation = '';
  for (const [name, value] of to.values) {
    if (from.values.get(name) === value || isDerived(name)) continue;
    const assignment = `@@session.${name}=${literalOf(name, value)}`;
    // After the other character set variables, since those of the connection change it.
    if (name === 'collation_connection') collation = assignment;
    else assignments.push(assignment);
  }
  for (const name of from.values.keys()) {
    if (!to.values.has(name) && !isDerived(name)) assignments.push(`@@session.${name}=DEFAULT`);
  }
  if (collation !== '') assignments.push(collation);
  return assignments.length === 0 ? '' : `SET ${assignments.join(',')}`;
}

/** Remembers the statements: sessions of one application differ from pooled connections in the same few ways. */
export class StateDifferences {
  readonly #cache = new Map<string, string>();

  /** @returns the SET statement, `''` when both are equal. */
  between(from: SessionVariables, to: SessionVariables): string {
    if (from.equals(to)) return '';
    const key = `${from.key}\x01${to.key}`;
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
    const statement = build(from, to);
    this.#cache.set(key, statement);
    return statement;
  }
}
