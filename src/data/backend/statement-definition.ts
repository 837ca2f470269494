/**
 * What a prepared statement means, whoever prepared it: its text, and what the session was when it was parsed.
 * Equal definitions of one worker are one object, so that a connection that has one serves every client of it.
 */

import { keptCopy } from '../../common/kept-copy.ts';
import type { SessionVariables } from './session-variables.ts';

/** From 8.0.22 on MySQL (not MariaDB) resolves a statement when it is prepared, with all that its session says then. */
const RESOLVES_AT_PREPARE = 80_000;
/** What the servers before read when they parse; the rest is looked at in each execution. */
const PARSED_WITH = ['sql_mode', 'character_set_client', 'character_set_connection', 'collation_connection'];
/** Setting these would end a transaction, or change the next one. */
const OF_TRANSACTION: ReadonlySet<string> = new Set(['autocommit', 'tx_isolation', 'tx_read_only']);
/** A longer text is not looked for among those of others. */
const MAX_SHARED_BYTES = 256 * 1024;
/** Definitions that no client has, kept for the next who prepares the same. */
const MAX_UNUSED = 4096;
const MAX_UNUSED_BYTES = 16 << 20;
/** States in which one definition is executed, beside its own. */
const MAX_VARIANTS = 16;

let lastId = 0;

export class StatementDefinition {
  /** Of this worker, never given twice. */
  readonly id = ++lastId;
  readonly text: Buffer;
  readonly schema: string | null;
  readonly variables: SessionVariables;
  /** Under sessions of equal keys, with the same schema, the text is parsed alike. */
  readonly parseKey: string;
  /** Under which state it is executed: a `parseKey`, its own unless it is a variant (see `under`). */
  readonly runKey: string;
  /** Under which it is known, '' if it is not shared. */
  readonly sharedKey: string;
  /** Of its text, see `hashTokens`; null until somebody has asked. */
  tokenHash: number | null = null;
  /** Client statements that stand for it. */
  users = 0;
  #variants: Map<string, StatementDefinition> | null = null;

  constructor(
    text: Buffer,
    schema: string | null,
    variables: SessionVariables,
    parseKey: string,
    sharedKey: string,
    runKey = parseKey,
  ) {
    this.text = text;
    this.schema = schema;
    this.variables = variables;
    this.parseKey = parseKey;
    this.sharedKey = sharedKey;
    this.runKey = runKey;
  }

  /** It is prepared in one state, and executed in another one. */
  get isVariant(): boolean {
    return this.runKey !== this.parseKey;
  }

  /**
   * The same for executions in a state with this key. When a table has changed (ALTER, FLUSH TABLES) servers prepare a
   * statement again by themselves, in the state of the execution that finds out: from then on it means what it would have
   * meant there. So a connection has one backend statement for each state in which a definition is executed.
   */
  under(runKey: string): StatementDefinition {
    if (runKey === this.runKey) return this;
    this.#variants ??= new Map();
    const variants = this.#variants;
    let variant = variants.get(runKey);
    if (variant === undefined) {
      if (variants.size >= MAX_VARIANTS) variants.clear();
      const { text, schema, variables, parseKey, sharedKey } = this;
      variant = new StatementDefinition(text, schema, variables, parseKey, sharedKey, runKey);
      variants.set(runKey, variant);
    }
    return variant;
  }

  /** What a session is given for the moment in which it prepares this; never anything of its transaction. */
  parseVariables(): [string, string][] {
    return [...this.variables.values].filter(([name]) => !OF_TRANSACTION.has(name));
  }
}

interface Dialect {
  readonly flavor: 'mysql' | 'mariadb';
  readonly versionId: number;
}

export interface DefinitionLimits {
  /** Client statements of one worker. */
  readonly maxPreparedStatements: number;
  /** Their texts, each counted once. */
  readonly maxPreparedBytes: number;
}

export class StatementDefinitions {
  readonly #shared = new Map<string, StatementDefinition>();
  /** Of `#shared`, those without users, the longest unused first. */
  readonly #unused = new Set<StatementDefinition>();
  readonly #parseKeys = new WeakMap<SessionVariables, string>();
  #unusedBytes = 0;
  #statements = 0;
  #textBytes = 0;

  /** Client statements there are. */
  get statements(): number {
    return this.#statements;
  }

  /** Different ones, those that nobody uses now included. */
  get definitions(): number {
    return this.#shared.size;
  }

  /** Bytes of the texts of definitions in use. */
  get textBytes(): number {
    return this.#textBytes;
  }

  /** The definition of `buffer[start, end)` under this state; not in use until `acquire`. */
  of(
    buffer: Buffer,
    start: number,
    end: number,
    schema: string | null,
    variables: SessionVariables,
    dialect: Dialect,
  ): StatementDefinition {
    const parseKey = this.parseKeyOf(variables, dialect);
    const isShared = end - start <= MAX_SHARED_BYTES;
    const sharedKey = isShared
      ? `${schema ?? '\0'}\0${parseKey}\0${buffer.toString('latin1', start, end)}`
      : '';
    const known = isShared ? this.#shared.get(sharedKey) : undefined;
    if (known !== undefined) return known;
    const text = keptCopy(buffer, start, end);
    const made = new StatementDefinition(text, schema, variables, parseKey, sharedKey);
    if (isShared) this.#keepUnused(made);
    return made;
  }

  parseKeyOf(variables: SessionVariables, { flavor, versionId }: Dialect): string {
    if (flavor === 'mysql' && versionId >= RESOLVES_AT_PREPARE) return variables.key;
    let key = this.#parseKeys.get(variables);
    if (key === undefined) {
      key = PARSED_WITH.map((name) => variables.values.get(name) ?? '').join('\0');
      this.#parseKeys.set(variables, key);
    }
    return key;
  }

  /** @returns the limit that one more client statement would break, null if there is room. */
  limitFor(definition: StatementDefinition, limits: DefinitionLimits): keyof DefinitionLimits | null {
    if (this.#statements >= limits.maxPreparedStatements) return 'maxPreparedStatements';
    const more = definition.users === 0 ? definition.text.length : 0;
    return this.#textBytes + more > limits.maxPreparedBytes ? 'maxPreparedBytes' : null;
  }

  acquire(definition: StatementDefinition): void {
    this.#statements++;
    if (definition.users++ > 0) return;
    this.#textBytes += definition.text.length;
    if (this.#unused.delete(definition)) this.#unusedBytes -= definition.text.length;
  }

  release(definition: StatementDefinition): void {
    this.#statements--;
    if (--definition.users > 0) return;
    this.#textBytes -= definition.text.length;
    if (this.#shared.get(definition.sharedKey) === definition) this.#keepUnused(definition);
  }

  #keepUnused(definition: StatementDefinition): void {
    this.#shared.set(definition.sharedKey, definition);
    this.#unused.add(definition);
    this.#unusedBytes += definition.text.length;
    for (const oldest of this.#unused) {
      if (this.#unused.size <= MAX_UNUSED && this.#unusedBytes <= MAX_UNUSED_BYTES) return;
      this.#unused.delete(oldest);
      this.#unusedBytes -= oldest.text.length;
      this.#shared.delete(oldest.sharedKey);
    }
  }
}
