/**
 * The user variables of a session, or of a connection, each as an expression that makes the same value again: type,
 * character set and collation as well. An immutable value.
 */

import { ColumnType } from '../../../protocol/index.ts';

/** Of a connection: names are never forgotten there. */
const MAX_NAMES = 256;
/** A session with more than this stays on its connection. */
const MAX_TOTAL_LENGTH = 65_536;
/** Bytes of a value that is asked for. */
const MAX_VALUE_BYTES = 16_384;
const COLLATION = /^[a-z0-9_]+$/;
const UNSIGNED_FLAG = 32;

const STRINGS: ReadonlySet<number> = new Set<number>([
  ColumnType.MYSQL_TYPE_VAR_STRING,
  ColumnType.MYSQL_TYPE_STRING,
  ColumnType.MYSQL_TYPE_VARCHAR,
  ColumnType.MYSQL_TYPE_TINY_BLOB,
  ColumnType.MYSQL_TYPE_MEDIUM_BLOB,
  ColumnType.MYSQL_TYPE_LONG_BLOB,
  ColumnType.MYSQL_TYPE_BLOB,
]);

/** What NULL is where nothing else has been in the variable. */
export const PLAIN_NULL = "x'' NULL";
const TYPED_NULL = ' NULL';

export interface ValueAnswer {
  readonly type: number;
  readonly flags: number;
  readonly collation: string;
  /** Both null for NULL. */
  readonly hex: string | null;
  readonly text: string | null;
}

/** The two questions about these variables; the answer to the first is its columns, to the second its row. */
export function questionsFor(names: readonly string[]): readonly [string, string] {
  const values = names.map((name) => {
    const isLong = `LENGTH(@${name})>${MAX_VALUE_BYTES}`;
    return `${isLong},COLLATION(@${name}),IF(${isLong},NULL,HEX(@${name})),IF(${isLong},NULL,CONVERT(@${name} USING latin1))`;
  });
  return [`SELECT ${names.map((name) => `@${name}`).join(',')} LIMIT 0`, `SELECT ${values.join(',')}`];
}

/** The expression that makes the value again; null if there is none that certainly does. */
export function expressionOf({ type, flags, collation, hex, text }: ValueAnswer): string | null {
  if (!COLLATION.test(collation)) return null;
  const isNull = hex === null || text === null;
  const suffix = isNull ? TYPED_NULL : '';
  if (type === ColumnType.MYSQL_TYPE_LONGLONG) {
    const target = (flags & UNSIGNED_FLAG) !== 0 ? 'UNSIGNED' : 'SIGNED';
    return `CAST(_latin1'${isNull ? '0' : text}' AS ${target})${suffix}`;
  }
  // A decimal point makes a DECIMAL, an exponent a DOUBLE.
  if (type === ColumnType.MYSQL_TYPE_NEWDECIMAL) {
    const number = isNull ? '0.' : text;
    return `${number.includes('.') ? number : `${number}.`}${suffix}`;
  }
  if (type === ColumnType.MYSQL_TYPE_DOUBLE) {
    const number = isNull ? '0' : text;
    return `${number.includes('e') ? number : `${number}e0`}${suffix}`;
  }
  if (!STRINGS.has(type)) return null;
  const bytes = isNull || hex === '' ? "x''" : `0x${hex}`;
  if (collation === 'binary') return `${bytes}${suffix}`;
  const charset = collation.slice(0, `${collation}_`.indexOf('_'));
  return `_${charset} ${bytes} COLLATE ${collation}${suffix}`;
}

export class UserVariables {
  static readonly none = new UserVariables(new Map());
  readonly #values: ReadonlyMap<string, string>;
  readonly #length: number;

  private constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
    let length = 0;
    for (const [name, value] of values) length += name.length + value.length;
    this.#length = length;
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  /** More than a session may have replayed. */
  get isTooLong(): boolean {
    return this.#length > MAX_TOTAL_LENGTH;
  }

  /** A connection that has known more names than this is not worth keeping. */
  get hasTooManyNames(): boolean {
    return this.#values.size > MAX_NAMES;
  }

  /** Whether there is no name that the others have not got. */
  isWithin(others: UserVariables): boolean {
    for (const name of this.#values.keys()) if (!others.has(name)) return false;
    return true;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  get(name: string): string | null {
    return this.#values.get(name) ?? null;
  }

  with(changes: Iterable<readonly [string, string]>): UserVariables {
    return new UserVariables(new Map([...this.#values, ...changes]));
  }

  /**
   * What makes a connection that has `from` have these. Of what it has and these have not the value is NULL then, as
   * if it had never been set, but it is not forgotten.
   * @returns the assignments, '' for none, and what the connection has after them.
   */
  assignmentsFrom(from: UserVariables): {
    readonly text: string;
    readonly shape: string;
    readonly result: UserVariables;
  } {
    if (from === this) return { text: '', shape: '', result: this };
    const parts: string[] = [];
    const changes: [string, string][] = [];
    for (const [name, value] of this.#values) {
      if (from.get(name) === value) continue;
      parts.push(...assignmentsOf(name, value));
      changes.push([name, value]);
    }
    for (const [name, value] of from.#values) {
      if (this.has(name) || value === PLAIN_NULL) continue;
      parts.push(...assignmentsOf(name, PLAIN_NULL));
      changes.push([name, PLAIN_NULL]);
    }
    if (parts.length === 0) return { text: '', shape: '', result: from };
    // Values change with every session, and never whether they are taken.
    const shape = changes.map(([name, value]) => `${name}=${shapeOf(value)}`).join(',');
    return { text: `SET ${parts.join(',')}`, shape: `@ ${shape}`, result: from.with(changes) };
  }
}

/** NULL keeps the type that the variable has. */
function assignmentsOf(name: string, value: string): string[] {
  if (!value.endsWith(TYPED_NULL)) return [`@${name}=${value}`];
  return [`@${name}=${value.slice(0, -TYPED_NULL.length)}`, `@${name}=NULL`];
}

function shapeOf(value: string): string {
  return value
    .replace(/0x[0-9A-F]+/i, '0x')
    .replace(/_latin1'[^']*'/, '0')
    .replace(/^-?[\d.e+-]+/, '0');
}
