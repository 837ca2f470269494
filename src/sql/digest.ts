/**
 * The normal form of a statement and its 64-bit hash, made in one pass over the tokens without allocating.
 *
 * What is normalised away must never change a statement's class: literals become `?`, plain comments and the
 * amount of white space go, lists of literals behind IN and VALUES shrink, and reserved words that every server
 * reserves are written in capitals. Everything else stays as it is, byte for byte: names with their quotes and
 * case, user variables, hints, conditional comments with their version numbers, and whatever the lexer calls
 * malformed.
 */

import { FOLDED_WORDS, foldedWordAt } from './folded-words.ts';
import { hintValueEnd, hintValueStart, isSluiceHint, partEnd, partValue } from './hint-comment.ts';
import { ConditionalMode, Lexer, TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';

const SPACE = 0x20;
const OPEN = 0x28;
const CLOSE = 0x29;
const COMMA = 0x2c;
const DOT = 0x2e;
const PLUS = 0x2b;
const MINUS = 0x2d;
const QUESTION = 0x3f;
const SEMICOLON = 0x3b;

const IN = FOLDED_WORDS.indexOf('IN');
const VALUES = FOLDED_WORDS.indexOf('VALUES');
const SELECT = FOLDED_WORDS.indexOf('SELECT');
const NULL = FOLDED_WORDS.indexOf('NULL');

const NO_CLASSES = new Uint8Array(256);

/** What was written last, for spacing and for folding signs and lists. */
const Last = {
  nothing: 0,
  word: 1,
  literal: 2,
  operator: 3,
  sign: 4,
  open: 5,
  close: 6,
  comma: 7,
  dot: 8,
  foldedWord: 9,
  other: 10,
} as const;

/** Not inside a list that shrinks. */
const NO_LIST = -1;

export class DigestScanner {
  /** Scratch memory: valid until the next scan, and only `normalizedLength` bytes of it. */
  normalized: Buffer = Buffer.allocUnsafeSlow(4096);
  normalizedLength = 0;
  hashHigh = 0;
  hashLow = 0;
  /** Statements with at least one token, `;` between them. */
  statementCount = 0;

  readonly #lexer = new Lexer();
  readonly #seedHigh: number;
  readonly #seedLow: number;
  #words = new Int32Array(this.normalized.buffer, 0, this.normalized.length >> 2);
  #last: number = Last.nothing;
  #beforeLast: number = Last.nothing;
  #depth = 0;
  /** Depth inside the parenthesis of an IN or VALUES list, or NO_LIST. */
  #listDepth = NO_LIST;
  #isValues = false;
  #rowStart = 0;
  #previousRowStart = -1;
  #previousRowEnd = -1;
  #pendingSemicolon = false;
  #classes: Uint8Array = NO_CLASSES;

  /** The seed is to be a secret of the process, so that nobody can craft statements whose hashes collide. */
  constructor(seed: number) {
    this.#seedHigh = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 0;
    this.#seedLow = Math.imul((seed / 0x1_0000_0000) ^ seed ^ 0x7f4a7c15, 0xc2b2ae35) | 0;
  }

  scan(buf: Buffer, start: number, end: number, context: LexicalContext): void {
    const lexer = this.#lexer;
    lexer.reset(buf, start, end, context, ConditionalMode.runAll);
    this.#begin(end - start);
    this.#classes = context.byteClasses;
    for (let kind = lexer.next(); kind !== TokenKind.end; kind = lexer.next()) {
      if (this.#pendingSemicolon && kind !== TokenKind.semicolon) this.#writeSemicolon();
      switch (kind) {
        case TokenKind.name:
          this.#writeWord(buf, lexer.start, lexer.end);
          break;
        case TokenKind.number:
        case TokenKind.string:
          this.#writeLiteral();
          break;
        case TokenKind.operator:
          this.#writeOperator(buf[lexer.start]!, lexer);
          break;
        case TokenKind.semicolon:
          this.#pendingSemicolon = true;
          break;
        case TokenKind.routeHint:
          this.#separate();
          this.#writeHint(buf, lexer.start, lexer.end);
          this.#push(Last.other);
          break;
        default:
          this.#separate();
          // What is malformed must not read like something that is not.
          if (kind === TokenKind.malformed) this.normalized[this.normalizedLength++] = 0;
          this.#copy(buf, lexer.start, lexer.end);
          this.#push(kind === TokenKind.quotedName ? Last.word : Last.other);
      }
    }
    lexer.release();
    this.#finish();
  }

  #begin(byteLength: number): void {
    // No token grows by more than the space in front of it.
    const needed = byteLength * 2 + 16;
    if (this.normalized.length < needed) this.#resize(2 ** Math.ceil(Math.log2(needed)));
    else if (this.normalized.length > 0x4_0000 && needed < 0x1_0000) this.#resize(0x1_0000);
    this.normalizedLength = 0;
    this.statementCount = 0;
    this.#last = Last.nothing;
    this.#beforeLast = Last.nothing;
    this.#depth = 0;
    this.#listDepth = NO_LIST;
    this.#previousRowStart = -1;
    this.#pendingSemicolon = false;
  }

  #resize(byteLength: number): void {
    this.normalized = Buffer.allocUnsafeSlow(byteLength);
    this.#words = new Int32Array(this.normalized.buffer, 0, byteLength >> 2);
  }

  #push(last: number): void {
    this.#beforeLast = this.#last;
    this.#last = last;
    if (this.statementCount === 0) this.statementCount = 1;
  }

  #space(): void {
    this.normalized[this.normalizedLength++] = SPACE;
  }

  /** A space, unless what was written last sticks to what follows. */
  #separate(): void {
    const last = this.#last;
    if (last !== Last.nothing && last !== Last.open && last !== Last.dot) this.#space();
  }

  #copy(buf: Buffer, start: number, end: number): void {
    const out = this.normalized;
    let at = this.normalizedLength;
    if (end - start > 64) at += buf.copy(out, at, start, end);
    else for (let pos = start; pos < end; pos++) out[at++] = buf[pos]!;
    this.normalizedLength = at;
  }

  /** A hint as far as it says something, with `?` for the values that change from one statement to the next. */
  #writeHint(buf: Buffer, start: number, end: number): void {
    const close = end - 2;
    if (isSluiceHint(buf, start + 2, close, this.#classes)) {
      this.#copyHint(buf, start, close);
    } else {
      this.#copy(buf, start, start + 2);
      for (let pos = start + 2; pos < close; ) {
        const semicolon = partEnd(buf, pos, close);
        if (partValue(buf, pos, semicolon) >= 0) {
          this.normalized[this.normalizedLength++] = SEMICOLON;
          this.#copyHint(buf, pos, semicolon);
        }
        pos = semicolon + 1;
      }
    }
    this.#copy(buf, close, end);
  }

  #copyHint(buf: Buffer, start: number, end: number): void {
    let pos = start;
    for (let value = hintValueStart(buf, pos, end); value >= 0; value = hintValueStart(buf, pos, end)) {
      this.#copy(buf, pos, value);
      this.normalized[this.normalizedLength++] = QUESTION;
      pos = hintValueEnd(buf, value, end);
    }
    this.#copy(buf, pos, end);
  }

  /** Semicolons are written late: those at the end stand for nothing. */
  #writeSemicolon(): void {
    this.#pendingSemicolon = false;
    if (this.#last === Last.nothing) return;
    this.statementCount++;
    this.normalized[this.normalizedLength++] = SEMICOLON;
    this.#last = Last.other;
    this.#depth = 0;
    this.#listDepth = NO_LIST;
  }

  #writeWord(buf: Buffer, start: number, end: number): void {
    const afterDot = this.#last === Last.dot;
    this.#separate();
    const folded = afterDot ? -1 : foldedWordAt(buf, start, end);
    if (folded < 0) {
      this.#copy(buf, start, end);
      this.#push(Last.word);
      return;
    }
    const startsItem = this.#last === Last.open || this.#last === Last.comma;
    if (folded === NULL && startsItem && this.#depth === this.#listDepth) {
      // Take back the space written above.
      if (this.#last === Last.comma) this.normalizedLength--;
      this.#writeLiteral();
      return;
    }
    const out = this.normalized;
    let at = this.normalizedLength;
    for (let pos = start; pos < end; pos++) out[at++] = buf[pos]! & 0xdf;
    this.normalizedLength = at;
    const opens = this.#last === Last.open;
    this.#push(Last.foldedWord);
    // A subquery is no list of literals; what follows it may hold lists of its own.
    if (folded === SELECT && opens && this.#depth === this.#listDepth) this.#listDepth = NO_LIST;
    if (folded === IN || folded === VALUES) {
      if (this.#listDepth !== NO_LIST && this.#depth >= this.#listDepth) return;
      this.#listDepth = this.#depth + 1;
      this.#isValues = folded === VALUES;
      this.#previousRowStart = -1;
    }
  }

  /** `?`; a sign before it goes where it cannot be an operation, and a list of literals stays one literal. */
  #writeLiteral(): void {
    if (this.#last === Last.sign) this.#dropSign();
    if (this.#depth === this.#listDepth && this.#last === Last.comma && this.#beforeLast === Last.literal) {
      this.normalizedLength--;
      this.#last = Last.literal;
      this.#beforeLast = Last.open;
      return;
    }
    this.#separate();
    this.normalized[this.normalizedLength++] = QUESTION;
    this.#push(Last.literal);
  }

  #dropSign(): void {
    const before = this.#beforeLast;
    const isListItem = before === Last.open || before === Last.comma;
    if (!isListItem && before !== Last.operator && before !== Last.foldedWord) return;
    this.normalizedLength -= before === Last.open ? 1 : 2;
    this.#last = before;
    // What stood before a comma: the byte there tells.
    const isListed = before === Last.comma && this.normalized[this.normalizedLength - 2] === QUESTION;
    this.#beforeLast = isListed ? Last.literal : Last.nothing;
  }

  #writeOperator(byte: number, lexer: Lexer): void {
    switch (byte) {
      case OPEN:
        this.#writeOpen(lexer.detached);
        return;
      case CLOSE:
        this.#writeClose();
        return;
      case COMMA:
        this.normalized[this.normalizedLength++] = COMMA;
        this.#push(Last.comma);
        return;
      case DOT:
        this.normalized[this.normalizedLength++] = DOT;
        this.#push(Last.dot);
        return;
    }
    const last = this.#last;
    const isSign = byte === MINUS || byte === PLUS;
    const joined = !isSign && !lexer.gap && (last === Last.operator || last === Last.sign);
    if (!joined) this.#separate();
    this.normalized[this.normalizedLength++] = byte;
    this.#push(isSign ? Last.sign : Last.operator);
  }

  /** Whether a parenthesis touches the name before it can decide what the name means, so it stays. */
  #writeOpen(detached: boolean): void {
    if (this.#last !== Last.word || detached) this.#separate();
    this.#depth++;
    if (this.#depth === this.#listDepth) this.#rowStart = this.normalizedLength;
    this.normalized[this.normalizedLength++] = OPEN;
    this.#push(Last.open);
  }

  #writeClose(): void {
    this.normalized[this.normalizedLength++] = CLOSE;
    const closesList = this.#depth === this.#listDepth;
    this.#depth--;
    this.#push(Last.close);
    if (!closesList) {
      if (this.#depth < this.#listDepth - 1) this.#listDepth = NO_LIST;
      return;
    }
    if (!this.#isValues) this.#listDepth = NO_LIST;
    else if (this.#previousRowStart >= 0 && this.#repeatsRow()) this.normalizedLength = this.#previousRowEnd;
    else {
      this.#previousRowStart = this.#rowStart;
      this.#previousRowEnd = this.normalizedLength;
    }
  }

  /** Whether the row that ends here reads like the one right before it, with nothing but a comma between. */
  #repeatsRow(): boolean {
    const length = this.normalizedLength - this.#rowStart;
    if (length !== this.#previousRowEnd - this.#previousRowStart) return false;
    if (this.#rowStart !== this.#previousRowEnd + 2) return false;
    const out = this.normalized;
    if (out[this.#previousRowEnd] !== COMMA) return false;
    for (let i = 0; i < length; i++) {
      if (out[this.#rowStart + i] !== out[this.#previousRowStart + i]) return false;
    }
    return true;
  }

  /** Two lanes of multiply and rotate over 32-bit words; the tail is padded with zeros, the length is mixed in. */
  #finish(): void {
    const length = this.normalizedLength;
    const padded = (length + 3) & ~3;
    for (let at = length; at < padded; at++) this.normalized[at] = 0;
    const words = this.#words;
    let high = this.#seedHigh ^ length;
    let low = this.#seedLow;
    for (let i = 0; i < padded >> 2; i++) {
      const word = words[i]!;
      high = Math.imul(high ^ word, 0xcc9e2d51);
      high ^= high >>> 15;
      low = Math.imul(low, 0x1b873593) ^ word;
      low = Math.imul((low << 13) | (low >>> 19), 5) + high;
    }
    high = Math.imul(high ^ (low >>> 16), 0x85ebca6b);
    low = Math.imul(low ^ (high >>> 13), 0xc2b2ae35);
    this.hashHigh = (high ^ (low >>> 16)) >>> 0;
    this.hashLow = (low ^ (this.hashHigh >>> 15)) >>> 0;
  }
}
