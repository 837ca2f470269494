/**
 * Whether a statement reads one table and its WHERE fixes columns to values: then only rows with these values can change what
 * it answers. Told from the tokens, on the safe side: what is not plainly `column = value`, joined by AND to the rest, fixes
 * nothing, and a second table, a query in it or a set operation makes it no point read at all.
 */

import type { LexicalContext } from './lexical-context.ts';
import { type PlainValue, StatementTokens, type Verbs } from './statement-tokens.ts';

/** `column = value`. */
export interface PinnedColumn extends PlainValue {
  /** In lower case. */
  readonly column: string;
}

export interface PointRead {
  /** null: the session's. */
  readonly schema: string | null;
  readonly table: string;
  readonly pins: readonly PinnedColumn[];
  /** Columns that UPDATE gives values, in lower case. */
  readonly assigned: readonly string[];
  /** Without a row it answers nothing: it makes no row of its own, as `COUNT(*)` does. */
  readonly needsRow: boolean;
}

const NO_NAMES: readonly string[] = Object.freeze([]);

/**
 * Words behind which more tables come, that make more than one query, or that bring other rows into the answer: how well a row
 * matches depends on how often its words stand in others.
 */
const MORE_TABLES: ReadonlySet<string> = new Set(
  'EXCEPT INTERSECT INTO JOIN MATCH NATURAL PROCEDURE SELECT STRAIGHT_JOIN TABLE UNION VALUES WITH'.split(
    ' ',
  ),
);
const READS: Verbs = new Map([['SELECT', MORE_TABLES]]);
const WRITES: Verbs = new Map([
  ['DELETE', MORE_TABLES],
  ['UPDATE', MORE_TABLES],
]);
/** These look like a table, and the table like its alias. */
const MODIFIERS: ReadonlySet<string> = new Set(['IGNORE', 'LOW_PRIORITY']);
/** What ends WHERE; reserved by all servers, so that no name looks like it. */
const BEHIND_WHERE: ReadonlySet<string> = new Set(['GROUP', 'HAVING', 'LIMIT', 'ORDER']);
/** What an aggregate cannot do without, and what may make a group without one. */
const MAKES_GROUP: ReadonlySet<string> = new Set(['(', 'HAVING']);
/** Bind less than AND, or keep an AND of their own. */
const NO_CONJUNCTION: ReadonlySet<string> = new Set(['CASE', 'OR', 'XOR']);
/** Without quotes these are values and no columns. */
const VALUE_WORDS: ReadonlySet<string> = new Set(
  (
    'CURRENT_DATE CURRENT_ROLE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEFAULT FALSE LOCALTIME LOCALTIMESTAMP ' +
    'NULL ROWNUM SESSION_USER SYSDATE SYSTEM_USER TRUE UNKNOWN USER UTC_DATE UTC_TIME UTC_TIMESTAMP'
  ).split(' '),
);

/** @returns null if it is none; with no pins at all it is none either. Keeps nothing of the buffer. */
export function pointReadOf(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
): PointRead | null {
  return scanned(buf, start, end, context, READS);
}

/** Likewise UPDATE and DELETE of one table, without any modifier. */
export function pointWriteOf(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
): PointRead | null {
  return scanned(buf, start, end, context, WRITES);
}

function scanned(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
  verbs: Verbs,
): PointRead | null {
  try {
    const verb = scanner.scan(buf, start, end, context, verbs);
    if (verb === '') return null;
    if (verb === 'SELECT') return scanner.read();
    return verb === 'UPDATE' ? scanner.update() : scanner.remove();
  } finally {
    scanner.release();
  }
}

class PointReadScanner {
  readonly #tokens = new StatementTokens();
  #qualifier = '';
  #pins: PinnedColumn[] = [];
  #schema: string | null = null;
  #table = '';

  release(): void {
    this.#tokens.release();
    this.#pins = [];
  }

  scan(buf: Buffer, start: number, end: number, context: LexicalContext, verbs: Verbs): string {
    return this.#tokens.scan(buf, start, end, context, verbs);
  }

  read(): PointRead | null {
    const where = this.#target(this.#tokens.find('FROM', 1) + 1, 'WHERE');
    return where === 0 ? null : this.#pinnedBy(where, NO_NAMES);
  }

  update(): PointRead | null {
    const set = MODIFIERS.has(this.#tokens.word(1)) ? 0 : this.#target(1, 'SET');
    const where = this.#tokens.find('WHERE', set);
    if (set === 0 || where === this.#tokens.count) return null;
    const assigned = this.#tokens.assigned(set + 1, where);
    return assigned === null ? null : this.#pinnedBy(where, assigned);
  }

  remove(): PointRead | null {
    const where = this.#tokens.word(1) === 'FROM' ? this.#target(2, 'WHERE') : 0;
    return where === 0 ? null : this.#pinnedBy(where, NO_NAMES);
  }

  /** `[schema.]table [[AS] alias]`. @returns the index of the word behind it; 0 if that is another one */
  #target(from: number, behind: string): number {
    const tokens = this.#tokens;
    const named = tokens.table(from);
    if (named === null) return 0;
    this.#schema = named.schema;
    this.#table = named.table;
    this.#qualifier = named.table;
    let at = named.behind;
    const isNamedAs = tokens.word(at) === 'AS';
    if (isNamedAs) at++;
    if (isNamedAs || tokens.word(at) !== behind) {
      if (!tokens.isName(at)) return 0;
      this.#qualifier = tokens.name(at);
      at++;
    }
    return tokens.word(at) === behind ? at : 0;
  }

  #pinnedBy(where: number, assigned: readonly string[]): PointRead | null {
    const behind = this.#behindWhere(where + 1);
    this.#conjunction(where + 1, behind);
    if (this.#pins.length === 0) return null;
    const needsRow = this.#callsNothing(1, where) && this.#callsNothing(behind, this.#tokens.count);
    return { schema: this.#schema, table: this.#table, pins: this.#pins, assigned, needsRow };
  }

  /** No aggregate: these make a group of no rows. (WHERE has none.) */
  #callsNothing(from: number, to: number): boolean {
    for (let i = from; i < to; i++) if (MAKES_GROUP.has(this.#tokens.word(i))) return false;
    return true;
  }

  #behindWhere(from: number): number {
    for (let i = from; i < this.#tokens.count; i = this.#tokens.next(i))
      if (BEHIND_WHERE.has(this.#tokens.word(i))) return i;
    return this.#tokens.count;
  }

  #conjunction(from: number, to: number): void {
    if (from >= to) return;
    if (this.#tokens.word(from) === '(' && this.#tokens.closeOf(from) === to - 1) {
      this.#conjunction(from + 1, to - 1);
      return;
    }
    for (let i = from; i < to; i = this.#tokens.next(i)) if (this.#isLoose(i)) return;
    let begin = from;
    // `a BETWEEN 1 AND id = 2` compares the BETWEEN with 2.
    let betweens = 0;
    for (let i = from; i < to; i = this.#tokens.next(i)) {
      if (this.#tokens.word(i) === 'BETWEEN') betweens++;
      if (this.#tokens.word(i) !== 'AND' || betweens-- > 0) continue;
      betweens = 0;
      this.#condition(begin, i);
      begin = i + 1;
    }
    this.#condition(begin, to);
  }

  /** Something that binds less than AND. */
  #isLoose(at: number): boolean {
    const word = this.#tokens.word(at);
    return NO_CONJUNCTION.has(word) || (word === '|' && this.#tokens.word(at + 1) === '|');
  }

  #condition(from: number, to: number): void {
    if (this.#tokens.word(from) === '(' && this.#tokens.closeOf(from) === to - 1) {
      this.#conjunction(from, to);
      return;
    }
    const behindColumn = this.#behindColumn(from);
    if (behindColumn > 0) {
      if (this.#tokens.word(behindColumn) === '=') this.#value(behindColumn - 1, behindColumn + 1, to);
      const isList = this.#tokens.word(behindColumn) === 'IN' && this.#tokens.word(behindColumn + 1) === '(';
      if (isList && this.#tokens.word(to - 1) === ')')
        this.#value(behindColumn - 1, behindColumn + 2, to - 1);
      return;
    }
    const equals = this.#tokens.isSign(from) ? from + 2 : from + 1;
    if (this.#tokens.word(equals) !== '=' || this.#behindColumn(equals + 1) !== to) return;
    this.#value(to - 1, from, equals);
  }

  /** @returns 0 if no column of the table begins there. */
  #behindColumn(at: number): number {
    if (!this.#tokens.isName(at)) return 0;
    if (this.#tokens.word(at + 1) !== '.') return VALUE_WORDS.has(this.#tokens.word(at)) ? 0 : at + 1;
    const isOurs = this.#tokens.name(at).toLowerCase() === this.#qualifier.toLowerCase();
    return isOurs && this.#tokens.isName(at + 2) && this.#tokens.word(at + 3) !== '.' ? at + 3 : 0;
  }

  #value(column: number, from: number, to: number): void {
    const value = this.#tokens.value(from, to);
    const name = this.#tokens.plainName(column);
    if (value !== null && name !== null) this.#pins.push({ column: name.toLowerCase(), ...value });
  }
}

const scanner = new PointReadScanner();
