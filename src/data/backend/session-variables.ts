/**
 * The system variables of a session, or of a backend connection, as far as they are carried from one connection to
 * another: an immutable value. Equal values are one object (interned), so that "does this connection fit?" is one
 * comparison of references on the hot path.
 */

import { MalformedPacketError } from '../../../protocol/index.ts';

/** Lower-case variable name to value, as the server reports it. */
export type VariableMap = ReadonlyMap<string, string>;

/** Beyond this many different sets the table starts anew: equality then costs a string comparison, no more. */
const MAX_INTERNED = 16_384;
const NAME = /^[A-Za-z0-9_$.]+$/;

/** Two spellings of one variable: MySQL 5.7 reports the one that was written. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['transaction_isolation', 'tx_isolation'],
  ['transaction_read_only', 'tx_read_only'],
  ['storage_engine', 'default_storage_engine'],
  ['identity', 'last_insert_id'],
]);

/**
 * Not a variable of the server: the collation of the last SET NAMES, or of the handshake. It says more than the
 * character sets that SET NAMES reports, since servers keep collations with them and describe columns by these.
 */
export const NAMES_COLLATION = 'names collation';

/**
 * @throws MalformedPacketError for what is no name: it comes from a server, and goes into the SET that brings another
 * connection in line.
 */
export function canonicalVariableName(name: string): string {
  if (!NAME.test(name)) throw new MalformedPacketError('variable name', 0);
  const lower = name.toLowerCase();
  return ALIASES.get(lower) ?? lower;
}

export class SessionVariables {
  static readonly #interned = new Map<string, SessionVariables>();

  readonly values: VariableMap;
  /** Equal for equal sets. */
  readonly key: string;
  readonly sqlMode: string;
  readonly characterSetClient: string;
  readonly autocommit: boolean;
  /** After which the server ends an idle connection; null where that is not known. */
  readonly waitTimeoutMs: number | null;

  private constructor(values: VariableMap, key: string) {
    this.values = values;
    this.key = key;
    this.sqlMode = values.get('sql_mode') ?? '';
    this.characterSetClient = values.get('character_set_client') ?? '';
    this.autocommit = isOn(values.get('autocommit') ?? 'ON');
    const waitTimeout = values.get('wait_timeout');
    this.waitTimeoutMs = waitTimeout === undefined ? null : Number(waitTimeout) * 1000;
  }

  /** @param entries canonical names; of several values of one name the last counts. */
  static of(entries: Iterable<readonly [string, string]>): SessionVariables {
    const sorted = [...new Map(entries)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    // With the length in front no value, whatever is in it, looks like the next entry.
    const key = sorted.map(([name, value]) => `${name}=${value.length}:${value}`).join('\0');
    const known = SessionVariables.#interned.get(key);
    if (known !== undefined) return known;
    if (SessionVariables.#interned.size >= MAX_INTERNED) SessionVariables.#interned.clear();
    const made = new SessionVariables(new Map(sorted), key);
    SessionVariables.#interned.set(key, made);
    return made;
  }

  equals(other: SessionVariables): boolean {
    return this === other || this.key === other.key;
  }

  /** The set after the server has reported these changes. */
  with(changes: Iterable<readonly [string, string]>): SessionVariables {
    const values = new Map(this.values);
    for (const [name, value] of changes) values.set(name, value);
    return SessionVariables.of(values);
  }
}

export function isOn(value: string): boolean {
  return value === 'ON' || value === '1';
}
