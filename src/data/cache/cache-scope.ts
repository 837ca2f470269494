/**
 * Sessions that may be shown each other's results: the same account with the same capabilities, in the same schema, with the
 * same variables. A small number for each kind of session, so that it can stand in keys.
 */

import type { ConnectionKey } from '../backend/connection-key.ts';
import type { SessionVariables } from '../backend/session-variables.ts';

/** Beyond it the table starts anew; its numbers are never given twice, so that old entries are of no harm. */
const MAX_SCOPES = 16_384;

/** They decide how long a session lives, what its writes and transactions do, or what a server logs; not what a read answers. */
const IRRELEVANT: ReadonlySet<string> = new Set([
  'autocommit',
  'auto_increment_increment',
  'auto_increment_offset',
  'completion_type',
  'default_storage_engine',
  'foreign_key_checks',
  'innodb_lock_wait_timeout',
  'interactive_timeout',
  'lock_wait_timeout',
  'net_read_timeout',
  'net_write_timeout',
  'sql_log_bin',
  'tx_isolation',
  'tx_read_only',
  'unique_checks',
  'wait_timeout',
]);

export interface CacheScope {
  readonly id: number;
  readonly username: string;
  readonly schema: string | null;
  /** How its texts are read. */
  readonly lexical: { readonly charset: string; readonly sqlMode: string };
  /** Not so where a read may see what nobody has committed. */
  readonly isCacheable: boolean;
  /**
   * The same in all processes, and no secret of its account in it: two Sluices may not share what two accounts of one name do
   * not. null where too little is known of its variables, or nobody else may have its connections.
   */
  readonly identity: string | null;
}

/** What a scope is made of. */
export interface ScopedSession {
  readonly connectionKey: ConnectionKey;
  readonly schema: string | null;
  readonly variables: SessionVariables;
}

export class CacheScopes {
  readonly #known = new Map<string, CacheScope>();
  readonly #keys = new WeakMap<SessionVariables, string>();
  #lastId = 0;

  of({ connectionKey, schema, variables }: ScopedSession): CacheScope {
    const name = schema === null ? '' : `${schema.length}:${schema}`;
    const key = `${connectionKey.text.length}:${connectionKey.text}\0${name}\0${this.#keyOf(variables)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_SCOPES) this.#known.clear();
    const identity = identityOf(connectionKey, name, variables, this.#keyOf(variables));
    const { username } = connectionKey.credentials;
    const isCacheable = !readsUncommitted(variables);
    const lexical = { charset: variables.characterSetClient, sqlMode: variables.sqlMode };
    const scope = { id: ++this.#lastId, username, schema, lexical, isCacheable, identity };
    this.#known.set(key, scope);
    return scope;
  }

  /** Those that sessions have had by now. @param username null: of any */
  *known(username: string | null, schema: string | null): Generator<CacheScope> {
    for (const scope of this.#known.values())
      if (scope.schema === schema && (username === null || scope.username === username)) yield scope;
  }

  #keyOf(variables: SessionVariables): string {
    let key = this.#keys.get(variables);
    if (key === undefined) {
      const relevant = [...variables.values].filter(([name]) => !IRRELEVANT.has(name));
      const values = relevant.map(([name, value]) => `${name}=${value.length}:${value}`).join('\0');
      key = `${readsUncommitted(variables)}\0${values}`;
      this.#keys.set(variables, key);
    }
    return key;
  }
}

function identityOf(
  { credentials, behaviourFlags, mariadbFlags, ownerId }: ConnectionKey,
  schema: string,
  { values }: SessionVariables,
  variables: string,
): string | null {
  // A server that does not tell its variables has others than their defaults, perhaps.
  if (ownerId !== null || !values.has('sql_mode') || !values.has('time_zone')) return null;
  const { username } = credentials;
  return `${username.length}:${username}\0${behaviourFlags}\0${mariadbFlags}\0${schema}\0${variables}`;
}

function readsUncommitted({ values }: SessionVariables): boolean {
  return values.get('tx_isolation') === 'READ-UNCOMMITTED';
}

/** One session's scope, found anew when what it is made of has changed. */
export class SessionScope {
  readonly #scopes: CacheScopes;
  #scope: CacheScope | null = null;
  #connectionKey: ConnectionKey | null = null;
  #schema: string | null = null;
  #variables: SessionVariables | null = null;

  constructor(scopes: CacheScopes) {
    this.#scopes = scopes;
  }

  /** The one that was found last. */
  get last(): CacheScope | null {
    return this.#scope;
  }

  of(connectionKey: ConnectionKey, schema: string | null, variables: SessionVariables): CacheScope {
    const known = this.#scope;
    const isSame =
      this.#connectionKey === connectionKey && this.#schema === schema && this.#variables === variables;
    if (known !== null && isSame) return known;
    this.#connectionKey = connectionKey;
    this.#schema = schema;
    this.#variables = variables;
    this.#scope = this.#scopes.of({ connectionKey, schema, variables });
    return this.#scope;
  }
}
