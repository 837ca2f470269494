/**
 * Whether a statement reads one table and its WHERE fixes columns to values: then only rows with these values can change what
 * it answers. Told from the tokens, on the safe side: what is not plainly `column = value`, joined by AND to the rest, fixes
 * nothing, and a second table, a query in it or a set operation makes it no point read at all.
 */

import { ConditionalMode, Lexer, TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';

/** `column = value`. */
export interface PinnedColumn {
  /** In lower case. */
  readonly column: string;
  /** Where the value stands: a number, or a string with its quotes. Nowhere if it is a parameter. */
  readonly start: number;
  readonly end: number;
  /** A sign stands before the number. */
  readonly isNegative: boolean;
  /** Which of the statement's parameters it is, from 0; -1: none. */
  readonly parameter: number;
}

export interface PointRead {
  /** null: the session's. */
  readonly schema: string | null;
  readonly table: string;
  readonly pins: readonly PinnedColumn[];
  /** Columns that UPDATE gives values, in lower case. */
  readonly assigned: readonly string[];
}

/** A text with more tokens is no short read of one row. */
const MAX_TOKENS = 1024;
const READS: ReadonlySet<string> = new Set(['SELECT']);
const WRITES: ReadonlySet<string> = new Set(['DELETE', 'UPDATE']);
const QUESTION = 0x3f;
const NO_NAMES: readonly string[] = Object.freeze([]);
const PLAIN_NAME = /^[\w$-]+$/;

/**
 * Words behind which more tables come, that make more than one query, or that bring other rows into the answer: how well a row
 * matches depends on how often its words stand in others.
 */
const MORE_TABLES: ReadonlySet<string> = new Set(
  'EXCEPT INTERSECT INTO JOIN MATCH NATURAL PROCEDURE SELECT STRAIGHT_JOIN TABLE UNION VALUES WITH'.split(
    ' ',
  ),
);
/** These look like a table, and the table like its alias. */
const MODIFIERS: ReadonlySet<string> = new Set(['IGNORE', 'LOW_PRIORITY']);
/** What ends WHERE; reserved by all servers, so that no name looks like it. */
const BEHIND_WHERE: ReadonlySet<string> = new Set(['GROUP', 'HAVING', 'LIMIT', 'ORDER']);
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
  verbs: ReadonlySet<string>,
): PointRead | null {
  try {
    const verb = scanner.scan(buf, start, end, context);
    if (!verbs.has(verb)) return null;
    if (verb === 'SELECT') return scanner.read();
    return verb === 'UPDATE' ? scanner.update() : scanner.remove();
  } finally {
    scanner.release();
  }
}

class PointReadScanner {
  readonly #lexer = new Lexer();
  readonly #kinds = new Uint8Array(MAX_TOKENS);
  readonly #starts = new Int32Array(MAX_TOKENS);
  readonly #ends = new Int32Array(MAX_TOKENS);
  /** Of a `?`, which one it is. */
  readonly #parameters = new Int16Array(MAX_TOKENS);
  /** By the index of a `(`, that of its `)`. */
  readonly #closes = new Int16Array(MAX_TOKENS);
  /** A word in capitals unless it is quoted or stands behind a dot, an operator; '' for all else. */
  readonly #words: string[] = [];
  #count = 0;
  #buf: Buffer = Buffer.alloc(0);
  #qualifier = '';
  #pins: PinnedColumn[] = [];
  #schema: string | null = null;
  #table = '';

  release(): void {
    this.#buf = Buffer.alloc(0);
    this.#pins = [];
    this.#words.length = 0;
  }

  /** @returns its first word; '' if the text is not worth a look. */
  scan(buf: Buffer, start: number, end: number, context: LexicalContext): string {
    const lexer = this.#lexer;
    this.#buf = buf;
    this.#count = 0;
    lexer.reset(buf, start, end, context, ConditionalMode.byServer);
    let parameters = 0;
    const open: number[] = [];
    for (let kind = lexer.next(); kind !== TokenKind.end; kind = lexer.next()) {
      if (kind === TokenKind.optimizerHint || kind === TokenKind.routeHint) continue;
      const at = this.#count;
      if (at === MAX_TOKENS || kind > TokenKind.operator) return this.#give('');
      this.#kinds[at] = kind;
      this.#starts[at] = lexer.start;
      this.#ends[at] = lexer.end;
      const word = this.#wordOf(kind, at);
      this.#words[at] = word;
      if (at > 0 && MORE_TABLES.has(word)) return this.#give('');
      this.#parameters[at] = -1;
      if (kind === TokenKind.number && buf[lexer.start] === QUESTION) this.#parameters[at] = parameters++;
      if (word === '(') open.push(at);
      else if (word === ')') {
        const from = open.pop();
        if (from === undefined) return this.#give('');
        this.#closes[from] = at;
      }
      this.#count++;
    }
    return this.#give(open.length === 0 && !lexer.sawConditional ? this.#word(0) : '');
  }

  #give(result: string): string {
    this.#lexer.release();
    return result;
  }

  #wordOf(kind: number, at: number): string {
    const start = this.#starts[at]!;
    if (kind === TokenKind.operator) return String.fromCharCode(this.#buf[start]!);
    if (kind !== TokenKind.name || this.#word(at - 1) === '.') return '';
    return this.#buf.toString('latin1', start, this.#ends[at]!).toUpperCase();
  }

  #word(at: number): string {
    return at >= 0 && at < this.#count ? this.#words[at]! : '';
  }

  read(): PointRead | null {
    const where = this.#target(this.#find('FROM', 1) + 1, 'WHERE');
    return where === 0 ? null : this.#pinnedBy(where, NO_NAMES);
  }

  update(): PointRead | null {
    const set = MODIFIERS.has(this.#word(1)) ? 0 : this.#target(1, 'SET');
    const where = this.#find('WHERE', set);
    if (set === 0 || where === this.#count) return null;
    const assigned = this.#assigned(set + 1, where);
    return assigned === null ? null : this.#pinnedBy(where, assigned);
  }

  remove(): PointRead | null {
    const where = this.#word(1) === 'FROM' ? this.#target(2, 'WHERE') : 0;
    return where === 0 ? null : this.#pinnedBy(where, NO_NAMES);
  }

  /** `[schema.]table [[AS] alias]`. @returns the index of the word behind it; 0 if that is another one */
  #target(from: number, behind: string): number {
    let at = from;
    if (!this.#isName(at)) return 0;
    let schema: string | null = null;
    let table = this.#name(at);
    if (this.#word(at + 1) === '.' && this.#isName(at + 2)) {
      schema = table;
      table = this.#name(at + 2);
      at += 2;
    }
    this.#schema = schema;
    this.#table = table;
    this.#qualifier = table;
    if (this.#word(at + 1) === 'AS') at++;
    if (this.#word(at + 1) !== behind || this.#word(at) === 'AS') {
      at++;
      if (!this.#isName(at)) return 0;
      this.#qualifier = this.#name(at);
    }
    if (this.#word(at + 1) !== behind || !PLAIN_NAME.test(table)) return 0;
    return schema === null || PLAIN_NAME.test(schema) ? at + 1 : 0;
  }

  #pinnedBy(where: number, assigned: readonly string[]): PointRead | null {
    this.#conjunction(where + 1, this.#behindWhere(where + 1));
    if (this.#pins.length === 0) return null;
    return { schema: this.#schema, table: this.#table, pins: this.#pins, assigned };
  }

  /** `[[schema.]table.]column = value, …`; null for anything else. */
  #assigned(from: number, to: number): readonly string[] | null {
    const columns: string[] = [];
    for (let at = from; ; at++) {
      while (this.#isName(at) && this.#word(at + 1) === '.') at += 2;
      const column = this.#isName(at) ? this.#name(at) : '';
      if (!PLAIN_NAME.test(column) || this.#word(at + 1) !== '=') return null;
      columns.push(column.toLowerCase());
      while (at < to && this.#word(at) !== ',') at = this.#next(at);
      if (at >= to) return columns;
    }
  }

  /** Outside of parentheses. */
  #find(word: string, from: number): number {
    for (let i = from; i < this.#count; i = this.#next(i)) if (this.#words[i] === word) return i;
    return this.#count;
  }

  #behindWhere(from: number): number {
    for (let i = from; i < this.#count; i = this.#next(i)) if (BEHIND_WHERE.has(this.#words[i]!)) return i;
    return this.#count;
  }

  /** The token behind this one, and behind its parenthesis if it opens one. */
  #next(at: number): number {
    return this.#words[at] === '(' ? this.#closes[at]! + 1 : at + 1;
  }

  #conjunction(from: number, to: number): void {
    if (from >= to) return;
    if (this.#words[from] === '(' && this.#closes[from] === to - 1) {
      this.#conjunction(from + 1, to - 1);
      return;
    }
    for (let i = from; i < to; i = this.#next(i)) if (this.#isLoose(i)) return;
    let begin = from;
    // `a BETWEEN 1 AND id = 2` compares the BETWEEN with 2.
    let betweens = 0;
    for (let i = from; i < to; i = this.#next(i)) {
      if (this.#words[i] === 'BETWEEN') betweens++;
      if (this.#words[i] !== 'AND' || betweens-- > 0) continue;
      betweens = 0;
      this.#condition(begin, i);
      begin = i + 1;
    }
    this.#condition(begin, to);
  }

  /** Something that binds less than AND. */
  #isLoose(at: number): boolean {
    const word = this.#words[at]!;
    return NO_CONJUNCTION.has(word) || (word === '|' && this.#word(at + 1) === '|');
  }

  #condition(from: number, to: number): void {
    if (this.#words[from] === '(' && this.#closes[from] === to - 1) {
      this.#conjunction(from, to);
      return;
    }
    const behindColumn = this.#behindColumn(from);
    if (behindColumn > 0) {
      if (this.#word(behindColumn) === '=') this.#value(behindColumn - 1, behindColumn + 1, to);
      const isList = this.#word(behindColumn) === 'IN' && this.#word(behindColumn + 1) === '(';
      if (isList && this.#word(to - 1) === ')') this.#value(behindColumn - 1, behindColumn + 2, to - 1);
      return;
    }
    const equals = this.#isSign(from) ? from + 2 : from + 1;
    if (this.#word(equals) !== '=' || this.#behindColumn(equals + 1) !== to) return;
    this.#value(to - 1, from, equals);
  }

  /** @returns 0 if no column of the table begins there. */
  #behindColumn(at: number): number {
    if (!this.#isName(at)) return 0;
    if (this.#word(at + 1) !== '.') return VALUE_WORDS.has(this.#words[at]!) ? 0 : at + 1;
    const isOurs = this.#name(at).toLowerCase() === this.#qualifier.toLowerCase();
    return isOurs && this.#isName(at + 2) && this.#word(at + 3) !== '.' ? at + 3 : 0;
  }

  #value(column: number, from: number, to: number): void {
    const at = this.#isSign(from) ? from + 1 : from;
    if (at + 1 !== to) return;
    const kind = this.#kinds[at];
    const isSigned = at > from;
    if (kind !== TokenKind.number && (kind !== TokenKind.string || isSigned)) return;
    const name = this.#name(column);
    const parameter = this.#parameters[at]!;
    if (!PLAIN_NAME.test(name) || (parameter >= 0 && isSigned)) return;
    const [start, end] = parameter < 0 ? [this.#starts[at]!, this.#ends[at]!] : [0, 0];
    const isNegative = isSigned && this.#words[from] === '-';
    this.#pins.push({ column: name.toLowerCase(), start, end, isNegative, parameter });
  }

  #isSign(at: number): boolean {
    const word = this.#word(at);
    return word === '-' || word === '+';
  }

  #isName(at: number): boolean {
    if (at >= this.#count) return false;
    const kind = this.#kinds[at];
    return kind === TokenKind.name || kind === TokenKind.quotedName;
  }

  #name(at: number): string {
    const text = this.#buf.toString('latin1', this.#starts[at]!, this.#ends[at]!);
    if (this.#kinds[at] !== TokenKind.quotedName) return text;
    const quote = text[0]!;
    return text.slice(1, -1).replaceAll(quote + quote, quote);
  }
}

const scanner = new PointReadScanner();
