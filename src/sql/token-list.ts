/** The tokens of a text as arrays that can be looked at in any order. One list is reused for all statements. */

import { hintText } from './hint-comment.ts';
import { type ConditionalMode, Lexer, TokenKind } from './lexer.ts';
import { ASCII, isUtf8, type LexicalContext } from './lexical-context.ts';

/** A text with more tokens than this (lists of literals count as one) is not looked at further. */
const MAX_TOKENS = 1_000_000;
/** What the arrays may keep between statements. */
const KEPT_TOKENS = 16_384;

export class TokenList {
  count = 0;
  malformed = false;
  tooLong = false;
  sawConditional = false;
  /** The opening marker of the first conditional comment read as code, e.g. `/*!50001`. */
  conditionalMarker = '';
  /** Conditional comments with different markers: a server may run some and skip others. */
  mixedConditionals = false;
  /** What comments say of the route, in order: see `hintText`. */
  readonly routeHints: string[] = [];

  readonly #lexer = new Lexer();
  #kinds = new Uint8Array(256);
  #detached = new Uint8Array(256);
  #starts = new Int32Array(256);
  #ends = new Int32Array(256);
  #texts: string[] = [];
  /** By the index of a `(`, the index behind its `)`, or 0. */
  #behind = new Int32Array(256);
  #isMatched = false;
  #buf: Buffer = Buffer.alloc(0);
  #isUtf8 = true;

  collect(buf: Buffer, start: number, end: number, context: LexicalContext, mode: ConditionalMode): void {
    const lexer = this.#lexer;
    this.#clear(buf, context);
    lexer.reset(buf, start, end, context, mode);
    let apart = false;
    for (let kind = lexer.next(); kind !== TokenKind.end; kind = lexer.next()) {
      if (kind >= TokenKind.optimizerHint && kind !== TokenKind.malformed) {
        apart = true;
        if (kind === TokenKind.routeHint)
          this.routeHints.push(hintText(buf, lexer.start, lexer.end, context.byteClasses));
        if (kind === TokenKind.conditionalOpen)
          this.#noteConditional(buf.toString('latin1', lexer.start, lexer.end));
        continue;
      }
      if (this.count >= MAX_TOKENS) {
        this.tooLong = true;
        break;
      }
      if (kind === TokenKind.malformed) this.malformed = true;
      this.#append(kind, lexer.start, lexer.end, apart || lexer.detached);
      if (this.isLiteral(this.count - 1)) this.#collapse();
      apart = false;
    }
    this.sawConditional = lexer.sawConditional;
    lexer.release();
  }

  /** Lets go of the buffer and of excess memory. */
  release(): void {
    this.#buf = Buffer.alloc(0);
    if (this.#kinds.length <= KEPT_TOKENS) return;
    this.#kinds = new Uint8Array(256);
    this.#detached = new Uint8Array(256);
    this.#starts = new Int32Array(256);
    this.#ends = new Int32Array(256);
    this.#behind = new Int32Array(256);
    this.#texts = [];
  }

  kind(index: number): number {
    return index >= 0 && index < this.count ? this.#kinds[index]! : TokenKind.end;
  }

  /**
   * What a token is to a grammar: an unquoted name in upper case, an operator's character, `:=`, `;`, and for
   * every other kind (quoted names, literals, variables) the empty string.
   */
  text(index: number): string {
    return index >= 0 && index < this.count ? this.#texts[index]! : '';
  }

  /** Whether something stands before this token that keeps a `(` from making a call of the name before it. */
  isDetached(index: number): boolean {
    return this.#detached[index] === 1;
  }

  isName(index: number): boolean {
    const kind = this.kind(index);
    return kind === TokenKind.name || kind === TokenKind.quotedName;
  }

  /** NULL counts: the digest writes it like a literal in lists. */
  isLiteral(index: number): boolean {
    const kind = this.kind(index);
    return kind === TokenKind.number || kind === TokenKind.string || this.text(index) === 'NULL';
  }

  start(index: number): number {
    return this.#starts[index]!;
  }

  end(index: number): number {
    return this.#ends[index]!;
  }

  /** The bytes of a token as they stand, one character per byte. */
  raw(index: number): string {
    return this.#buf.toString('latin1', this.#starts[index]!, this.#ends[index]!);
  }

  /** What stands from one token to another, both included. */
  rawRange(first: number, last: number): string {
    return this.#buf.toString('latin1', this.#starts[first]!, this.#ends[last]!);
  }

  /** The name that a token stands for, without quotes; null where its bytes cannot be read as text safely. */
  name(index: number): string | null {
    let text = this.#buf.toString('utf8', this.#starts[index]!, this.#ends[index]!);
    if (this.#kinds[index] === TokenKind.quotedName) {
      const quote = text[0]!;
      text = text.slice(1, -1).replaceAll(quote + quote, quote);
    }
    if (ASCII.test(text)) return text;
    return this.#isUtf8 && !text.includes('\ufffd') ? text : null;
  }

  /** The name of a system variable behind `@@`, in lower case. */
  variableName(index: number): string {
    const text = this.raw(index).slice(2).toLowerCase();
    return text.startsWith('`') || text.startsWith('"') ? text.slice(1, -1) : text;
  }

  /** Index behind the parenthesis that closes the one at `open`; `to` if it is not closed before that. */
  behindParenthesis(open: number, to: number): number {
    if (!this.#isMatched) this.#matchParentheses();
    const behind = this.#behind[open]!;
    return behind === 0 || behind > to ? to : behind;
  }

  /** All at once: one search per call would take quadratic time in a text made for that. */
  #matchParentheses(): void {
    this.#isMatched = true;
    if (this.#behind.length < this.count) this.#behind = new Int32Array(this.#kinds.length);
    this.#behind.fill(0, 0, this.count);
    const open: number[] = [];
    for (let i = 0; i < this.count; i++) {
      const text = this.#texts[i];
      if (text === '(') open.push(i);
      else if (text === ')') {
        const at = open.pop();
        if (at !== undefined) this.#behind[at] = i + 1;
      } else if (text === ';') open.length = 0;
    }
  }

  #clear(buf: Buffer, context: LexicalContext): void {
    this.#buf = buf;
    this.#isUtf8 = isUtf8(context);
    this.count = 0;
    this.#isMatched = false;
    this.malformed = false;
    this.tooLong = false;
    this.conditionalMarker = '';
    this.mixedConditionals = false;
    this.routeHints.length = 0;
  }

  #noteConditional(marker: string): void {
    if (this.conditionalMarker === '') this.conditionalMarker = marker;
    else if (this.conditionalMarker !== marker) this.mixedConditionals = true;
  }

  /**
   * With a literal just added, `(-1` becomes `(1`, `(1, 2` becomes `(2` and `VALUES (1), (2)` becomes `VALUES (2)`:
   * long lists would only cost memory, and the digest does not tell these apart either.
   */
  #collapse(): void {
    let last = this.count - 1;
    const sign = this.text(last - 1);
    const before = this.text(last - 2);
    if ((sign === '-' || sign === '+') && (before === '(' || before === ',')) last = this.#moveDown(1);
    if (this.text(last - 1) === ',') {
      if (this.isLiteral(last - 2) && this.text(last - 3) === '(') this.#moveDown(2);
    } else if (
      this.text(last - 1) === '(' &&
      this.text(last - 2) === ',' &&
      this.text(last - 3) === ')' &&
      this.isLiteral(last - 4) &&
      this.text(last - 5) === '(' &&
      this.text(last - 6) === 'VALUES'
    )
      this.#moveDown(4);
  }

  /** Takes out the tokens before the last one; returns the new index of that one. */
  #moveDown(by: number): number {
    const from = this.count - 1;
    const to = from - by;
    this.#kinds[to] = this.#kinds[from]!;
    this.#detached[to] = this.#detached[from]!;
    this.#starts[to] = this.#starts[from]!;
    this.#ends[to] = this.#ends[from]!;
    this.#texts[to] = this.#texts[from]!;
    this.count = to + 1;
    return to;
  }

  #append(kind: number, start: number, end: number, detached: boolean): void {
    const at = this.count++;
    if (at === this.#kinds.length) this.#grow();
    this.#kinds[at] = kind;
    this.#starts[at] = start;
    this.#ends[at] = end;
    this.#detached[at] = detached ? 1 : 0;
    this.#texts[at] = this.#textOf(kind, start, end);
  }

  #textOf(kind: number, start: number, end: number): string {
    switch (kind) {
      case TokenKind.name:
        return this.#buf.toString('latin1', start, end).toUpperCase();
      case TokenKind.operator:
        return String.fromCharCode(this.#buf[start]!);
      case TokenKind.assign:
        return ':=';
      case TokenKind.semicolon:
        return ';';
      default:
        return '';
    }
  }

  #grow(): void {
    const capacity = this.#kinds.length * 2;
    const kinds = new Uint8Array(capacity);
    kinds.set(this.#kinds);
    const detached = new Uint8Array(capacity);
    detached.set(this.#detached);
    const starts = new Int32Array(capacity);
    starts.set(this.#starts);
    const ends = new Int32Array(capacity);
    ends.set(this.#ends);
    this.#kinds = kinds;
    this.#detached = detached;
    this.#starts = starts;
    this.#ends = ends;
  }
}
