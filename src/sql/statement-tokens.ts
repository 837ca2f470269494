/**
 * The tokens of a short statement at a glance, for those who look for values that stand plainly in it: told on the safe side,
 * and kept until the next one.
 */

import { ConditionalMode, Lexer, TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';

/** A value as it stands in the text. */
export interface PlainValue {
  /** A number, or a string with its quotes. Nowhere if it is a parameter. */
  readonly start: number;
  readonly end: number;
  /** A sign stands before the number. */
  readonly isNegative: boolean;
  /** Which of the statement's parameters it is, from 0; -1: none. */
  readonly parameter: number;
}

export interface NamedTable {
  /** null: the session's. */
  readonly schema: string | null;
  readonly table: string;
  /** The index of what stands behind it. */
  readonly behind: number;
}

/** First words, each with those that must not come behind it. */
export type Verbs = ReadonlyMap<string, ReadonlySet<string>>;

/** A text with more tokens is no short one. */
const MAX_TOKENS = 1024;
const QUESTION = 0x3f;
const PLAIN_NAME = /^[\w$-]+$/;

export class StatementTokens {
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

  get count(): number {
    return this.#count;
  }

  release(): void {
    this.#buf = Buffer.alloc(0);
    this.#words.length = 0;
  }

  /** @returns its first word; '' if the text is not worth a look. */
  scan(buf: Buffer, start: number, end: number, context: LexicalContext, verbs: Verbs): string {
    const lexer = this.#lexer;
    this.#buf = buf;
    this.#count = 0;
    lexer.reset(buf, start, end, context, ConditionalMode.byServer);
    let parameters = 0;
    let unwanted: ReadonlySet<string> | undefined;
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
      if (at === 0) unwanted = verbs.get(word);
      else if (unwanted?.has(word) === true) unwanted = undefined;
      if (unwanted === undefined) return this.#give('');
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
    return this.#give(open.length === 0 && !lexer.sawConditional ? this.word(0) : '');
  }

  #give(result: string): string {
    this.#lexer.release();
    return result;
  }

  #wordOf(kind: number, at: number): string {
    const start = this.#starts[at]!;
    if (kind === TokenKind.operator) return String.fromCharCode(this.#buf[start]!);
    if (kind !== TokenKind.name || this.word(at - 1) === '.') return '';
    return this.#buf.toString('latin1', start, this.#ends[at]!).toUpperCase();
  }

  word(at: number): string {
    return at >= 0 && at < this.#count ? this.#words[at]! : '';
  }

  /** The token behind this one, and behind its parenthesis if it opens one. */
  next(at: number): number {
    return this.#words[at] === '(' ? this.#closes[at]! + 1 : at + 1;
  }

  /** Of a `(`, where its `)` is. */
  closeOf(at: number): number {
    return this.#closes[at]!;
  }

  /** Outside of parentheses. @returns `count` if it is nowhere */
  find(word: string, from: number): number {
    for (let i = from; i < this.#count; i = this.next(i)) if (this.#words[i] === word) return i;
    return this.#count;
  }

  isName(at: number): boolean {
    if (at >= this.#count) return false;
    const kind = this.#kinds[at];
    return kind === TokenKind.name || kind === TokenKind.quotedName;
  }

  name(at: number): string {
    const text = this.#buf.toString('latin1', this.#starts[at]!, this.#ends[at]!);
    if (this.#kinds[at] !== TokenKind.quotedName) return text;
    const quote = text[0]!;
    return text.slice(1, -1).replaceAll(quote + quote, quote);
  }

  /** null if it is none, or one that a server may compare in ways of its own. */
  plainName(at: number): string | null {
    if (!this.isName(at)) return null;
    const name = this.name(at);
    return PLAIN_NAME.test(name) ? name : null;
  }

  /** `[schema.]table`; null for anything else, or if a server may compare its name in ways of its own. */
  table(at: number): NamedTable | null {
    const first = this.plainName(at);
    if (first === null) return null;
    if (this.word(at + 1) !== '.') return { schema: null, table: first, behind: at + 1 };
    const table = this.plainName(at + 2);
    return table === null ? null : { schema: first, table, behind: at + 3 };
  }

  /** All of `[from, to)`. @returns null if that is anything else */
  value(from: number, to: number): PlainValue | null {
    const at = this.isSign(from) ? from + 1 : from;
    if (at + 1 !== to) return null;
    const kind = this.#kinds[at];
    const isSigned = at > from;
    if (kind !== TokenKind.number && (kind !== TokenKind.string || isSigned)) return null;
    const parameter = this.#parameters[at]!;
    if (parameter >= 0 && isSigned) return null;
    const [start, end] = parameter < 0 ? [this.#starts[at]!, this.#ends[at]!] : [0, 0];
    return { start, end, isNegative: isSigned && this.#words[from] === '-', parameter };
  }

  isSign(at: number): boolean {
    const word = this.word(at);
    return word === '-' || word === '+';
  }

  /** `[[schema.]table.]column = value, …`, in lower case; null for anything else. */
  assigned(from: number, to: number): readonly string[] | null {
    const columns: string[] = [];
    for (let at = from; ; at++) {
      while (this.isName(at) && this.word(at + 1) === '.') at += 2;
      const column = this.plainName(at);
      if (column === null || this.word(at + 1) !== '=') return null;
      columns.push(column.toLowerCase());
      while (at < to && this.word(at) !== ',') at = this.next(at);
      if (at >= to) return columns;
    }
  }
}
