/**
 * Cuts a statement into tokens by the servers' own lexical rules (MySQL 5.7 to 8.4 `sql_lex.cc`, MariaDB 10 and
 * 11 likewise), on bytes, without allocating. Where the servers' rules differ among themselves, or where bytes
 * mean nothing to them, the rest of the text becomes one `malformed` token: such a statement is never proven.
 */

import {
  commentEnd,
  conditionalBody,
  holdsComment,
  isConditional,
  isPlainHint,
  runsConditional,
  versionDigits,
} from './block-comments.ts';
import { isProxysqlHint, isSluiceHint } from './hint-comment.ts';
import { ByteClass, type LexicalContext } from './lexical-context.ts';
import {
  continuesName,
  fractionEnd,
  isDigit,
  isHexDigit,
  isNameByte,
  MALFORMED,
  NOT_A_NUMBER,
  nameEnd,
  numberEnd,
  quotedNameEnd,
  stringEnd,
  tailedLength,
} from './token-ends.ts';

export const TokenKind = {
  end: 0,
  /** Unquoted name or keyword. */
  name: 1,
  /** `..`, or ".." under ANSI_QUOTES; the token includes the quotes. */
  quotedName: 2,
  /** '..', "..", N'..', x'..', b'..' */
  string: 3,
  /** Numbers, 0x.., 0b.., \N, and the ? of a statement to prepare */
  number: 4,
  /** @x, @'x', @`x`, @"x"; also the host part of an account name */
  userVariable: 5,
  /** @@x with what follows directly; a scope (`@@session.x`) is followed by a dot and a name. */
  systemVariable: 6,
  /** One byte: ( ) , . + - … */
  operator: 7,
  /** := */
  assign: 8,
  semicolon: 9,
  /** An optimizer hint with its markers. */
  optimizerHint: 10,
  /** A comment that says something of the route (see hint-comment.ts), with its markers. */
  routeHint: 11,
  /** The opening marker of a conditional comment whose content is read as code, with its version number. */
  conditionalOpen: 12,
  conditionalClose: 13,
  malformed: 14,
} as const;
export type TokenKind = (typeof TokenKind)[keyof typeof TokenKind];

/** What to do with the content of conditional comments. */
export const ConditionalMode = {
  /** As a server of the context's flavor and version does. */
  byServer: 0,
  runAll: 1,
  skipAll: 2,
} as const;
export type ConditionalMode = (typeof ConditionalMode)[keyof typeof ConditionalMode];

const NOWHERE = 0x3fff_ffff;
const STAR = 0x2a;
const QUOTE = 0x27;
const PLUS = 0x2b;
const NO_BYTES = Buffer.alloc(0);
const NO_CLASSES = new Uint8Array(256);

export class Lexer {
  /** The current token: `buf[start, end)`. */
  kind: number = TokenKind.end;
  start = 0;
  end = 0;
  /** White space or a comment stands between this token and the one before. */
  gap = false;
  /**
   * A `(` with this set does not make a function call of the name before it, in the servers' eyes: white space
   * counts unless IGNORE_SPACE is on, a comment always.
   */
  detached = false;
  /** A conditional comment was met, read or skipped. */
  sawConditional = false;

  #buf: Buffer = NO_BYTES;
  #classes: Uint8Array = NO_CLASSES;
  #context: LexicalContext | null = null;
  #pos = 0;
  #limit = 0;
  #mode: number = ConditionalMode.byServer;
  #ignoreSpace = false;
  /** Where the conditional comment ends in which we are. */
  #conditionalEnd = NOWHERE;
  /** The next token is a name whatever it looks like: it stands behind a dot. */
  #nameFollows = false;
  /** A comment that might have been ProxySQL's hint has been met, and where it was one. */
  #sawComment = false;
  #hintAt = -1;

  reset(buf: Buffer, start: number, end: number, context: LexicalContext, mode: ConditionalMode): void {
    this.#buf = buf;
    this.#pos = start;
    this.#limit = Math.min(end, buf.length);
    this.#context = context;
    this.#classes = context.byteClasses;
    this.#ignoreSpace = context.ignoreSpace;
    this.#mode = mode;
    this.#conditionalEnd = NOWHERE;
    this.#nameFollows = false;
    this.#sawComment = false;
    this.#hintAt = -1;
    this.sawConditional = false;
    this.kind = TokenKind.end;
    this.start = start;
    this.end = start;
  }

  /** Lets go of the buffer, so that a scanner kept between statements does not hold a client's chunk. */
  release(): void {
    this.#buf = NO_BYTES;
  }

  /** Moves to the next token and returns its kind; after `end` it stays there. */
  next(): number {
    const from = this.end;
    const buf = this.#buf;
    const classes = this.#classes;
    const limit = this.#limit;
    let commented = false;
    let byteClass: number = ByteClass.other;
    let pos = this.#pos;
    for (; pos < limit; pos++) {
      byteClass = classes[buf[pos]!]!;
      if (byteClass === ByteClass.space) continue;
      if (byteClass < ByteClass.hash || !this.#skipComment(pos, byteClass)) break;
      commented = true;
      pos = this.#pos - 1;
    }
    this.start = pos;
    this.gap = pos !== from;
    this.detached = this.#ignoreSpace ? commented : this.gap;
    if (this.kind === TokenKind.malformed || pos >= limit) {
      if (this.#conditionalEnd !== NOWHERE) return this.#malformed();
      this.kind = TokenKind.end;
      this.end = pos;
      return TokenKind.end;
    }
    const kind = byteClass === ByteClass.name ? this.#name(pos) : this.#token(pos, byteClass);
    if (this.#pos > this.#conditionalEnd && kind !== TokenKind.conditionalClose) return this.#malformed();
    this.kind = kind;
    this.end = this.#pos;
    return kind;
  }

  /** Skips the comment at `pos`, if there is one that is nothing but white space. */
  #skipComment(pos: number, byteClass: number): boolean {
    if (byteClass === ByteClass.slash) return this.#skipBlockComment(pos);
    if (byteClass === ByteClass.hash) return this.#skipLineComment(pos);
    if (this.#buf[pos + 1] !== 0x2d || pos + 1 >= this.#limit) return false;
    const after = pos + 2 < this.#limit ? this.#buf[pos + 2]! : 0;
    return (after <= 0x20 || after === 0x7f) && this.#skipLineComment(pos);
  }

  /** A comment to the end of the line. A NUL in it ends it early at the servers, so it is not skipped then. */
  #skipLineComment(start: number): boolean {
    const buf = this.#buf;
    const limit = Math.min(this.#limit, this.#conditionalEnd);
    let pos = start;
    while (pos < limit) {
      const byte = buf[pos]!;
      if (byte === 0x0a) break;
      if (byte === 0) return false;
      pos++;
    }
    // Inside a conditional comment the servers disagree on whether the end of the line or the marker comes first.
    if (pos === this.#conditionalEnd) return false;
    this.#pos = pos;
    return true;
  }

  /** Skips a plain comment, and a conditional one whose code does not run here. */
  #skipBlockComment(pos: number): boolean {
    const buf = this.#buf;
    if (pos + 1 >= this.#limit || buf[pos + 1] !== STAR || this.#conditionalEnd !== NOWHERE) return false;
    const close = commentEnd(buf, pos + 2, this.#limit);
    if (close < 0 || buf[pos + 2] === PLUS) return false;
    if (isConditional(buf, pos)) {
      this.sawConditional = true;
      if (this.#readsConditional(pos, close)) return false;
    } else if (this.#isRouteHint(pos, close)) return false;
    this.#pos = close + 2;
    return true;
  }

  /** ProxySQL reads the first comment of a text, wherever it stands. */
  #isRouteHint(pos: number, close: number): boolean {
    if (isSluiceHint(this.#buf, pos + 2, close, this.#classes)) return true;
    if (this.#sawComment && this.#hintAt !== pos) return false;
    this.#sawComment = true;
    if (!isProxysqlHint(this.#buf, pos + 2, close)) return false;
    this.#hintAt = pos;
    return true;
  }

  #readsConditional(pos: number, close: number): boolean {
    if (this.#mode !== ConditionalMode.byServer) return this.#mode === ConditionalMode.runAll;
    return runsConditional(this.#buf, pos, close, this.#context!);
  }

  #malformed(): number {
    this.#pos = this.#limit;
    this.#conditionalEnd = NOWHERE;
    this.end = this.#limit;
    this.kind = TokenKind.malformed;
    return TokenKind.malformed;
  }

  /** Reads the token at `pos` and leaves `#pos` behind it. */
  #token(pos: number, byteClass: number): number {
    if (pos === this.#conditionalEnd) {
      this.#conditionalEnd = NOWHERE;
      this.#pos = pos + 2;
      return TokenKind.conditionalClose;
    }
    if (this.#nameFollows) {
      this.#nameFollows = false;
      if (continuesName(byteClass) || byteClass === ByteClass.lead) return this.#name(pos);
    }
    switch (byteClass) {
      case ByteClass.name:
      case ByteClass.lead:
        return this.#name(pos);
      case ByteClass.prefix:
        return this.#buf[pos + 1] === QUOTE && pos + 1 < this.#limit ? this.#prefixed(pos) : this.#name(pos);
      case ByteClass.digit:
        return this.#numberOrName(pos);
      case ByteClass.singleQuote:
      case ByteClass.doubleQuote:
        return this.#string(pos);
      case ByteClass.backtick:
        return this.#quotedName(pos);
      case ByteClass.dot:
        return this.#dot(pos);
      case ByteClass.at:
        return this.#variable(pos);
      case ByteClass.slash:
        return this.#slash(pos);
      case ByteClass.colon:
        if (this.#buf[pos + 1] === 0x3d && pos + 1 < this.#limit) {
          this.#pos = pos + 2;
          return TokenKind.assign;
        }
        break;
      case ByteClass.semicolon:
        this.#pos = pos + 1;
        return TokenKind.semicolon;
      case ByteClass.backslash:
        if (this.#buf[pos + 1] !== 0x4e || pos + 1 >= this.#limit) return this.#malformed();
        this.#pos = pos + 2;
        return TokenKind.number;
      case ByteClass.hash:
      case ByteClass.invalid:
        return this.#malformed();
    }
    return this.#operator(pos);
  }

  #operator(pos: number): number {
    const byte = this.#buf[pos]!;
    // What looks like a comment here was refused as one: it holds a NUL or crosses a conditional comment's end.
    if (byte === 0x2d && this.#buf[pos + 1] === 0x2d && pos + 1 < this.#limit) {
      const after = pos + 2 < this.#limit ? this.#buf[pos + 2]! : 0;
      if (after <= 0x20 || after === 0x7f || this.#classes[after] === ByteClass.invalid)
        return this.#malformed();
      if (after === 0xa0 && this.#classes[after] === ByteClass.space) return this.#malformed();
    }
    this.#pos = pos + 1;
    return byte === 0x3f ? TokenKind.number : TokenKind.operator;
  }

  /** Moves behind a token that ends at `end`, if it does. */
  #take(kind: number, end: number): number {
    if (end === MALFORMED) return this.#malformed();
    this.#pos = end;
    return kind;
  }

  #name(start: number): number {
    this.#nameFollows = false;
    return this.#take(TokenKind.name, nameEnd(this.#buf, start, this.#limit, this.#context!));
  }

  #string(start: number): number {
    return this.#take(TokenKind.string, stringEnd(this.#buf, start, this.#limit, this.#context!));
  }

  #quotedName(start: number): number {
    return this.#take(TokenKind.quotedName, quotedNameEnd(this.#buf, start, this.#limit, this.#context!));
  }

  #numberOrName(start: number): number {
    const end = numberEnd(this.#buf, start, this.#limit, this.#classes);
    return end === NOT_A_NUMBER ? this.#name(start) : this.#take(TokenKind.number, end);
  }

  /** x'..' and b'..' hold digits only; N'..' is an ordinary string. */
  #prefixed(start: number): number {
    const buf = this.#buf;
    if ((buf[start]! | 0x20) === 0x6e) return this.#string(start + 1);
    let pos = start + 2;
    while (pos < this.#limit && isHexDigit(buf[pos])) pos++;
    if (pos >= this.#limit || buf[pos] !== QUOTE) return this.#malformed();
    this.#pos = pos + 1;
    return TokenKind.string;
  }

  /** Behind an unquoted name `.5` is a dot and a name, anywhere else a number. */
  #dot(pos: number): number {
    const directly =
      this.end === pos && (this.kind === TokenKind.name || this.kind === TokenKind.systemVariable);
    if (!directly && pos + 1 < this.#limit && isDigit(this.#buf[pos + 1])) {
      return this.#take(TokenKind.number, fractionEnd(this.#buf, pos + 1, this.#limit));
    }
    this.#pos = pos + 1;
    this.#nameFollows = isNameByte(this.#buf, pos + 1, this.#limit, this.#classes);
    return TokenKind.operator;
  }

  #variable(start: number): number {
    const buf = this.#buf;
    let pos = start + 1;
    const byteClass = pos < this.#limit ? this.#classes[buf[pos]!]! : ByteClass.space;
    if (byteClass === ByteClass.at) return this.#systemVariable(start);
    let quoted: number = TokenKind.name;
    if (byteClass === ByteClass.backtick) quoted = this.#quotedName(pos);
    else if (byteClass === ByteClass.singleQuote || byteClass === ByteClass.doubleQuote)
      quoted = this.#string(pos);
    else {
      while (isNameByte(buf, pos, this.#limit, this.#classes) || (pos < this.#limit && buf[pos] === 0x2e)) {
        pos += tailedLength(buf, pos, this.#limit, this.#context!) || 1;
      }
      this.#pos = pos;
    }
    return quoted === TokenKind.malformed ? quoted : TokenKind.userVariable;
  }

  #systemVariable(start: number): number {
    const pos = start + 2;
    const byteClass = pos < this.#limit ? this.#classes[this.#buf[pos]!]! : ByteClass.space;
    let name: number = TokenKind.malformed;
    if (byteClass === ByteClass.backtick) name = this.#quotedName(pos);
    else if (continuesName(byteClass) || byteClass === ByteClass.lead) name = this.#name(pos);
    return name === TokenKind.malformed ? this.#malformed() : TokenKind.systemVariable;
  }

  /** A division, or a comment that is more than white space. */
  #slash(pos: number): number {
    const buf = this.#buf;
    if (pos + 1 >= this.#limit || buf[pos + 1] !== STAR) return this.#operator(pos);
    const close = commentEnd(buf, pos + 2, this.#limit);
    if (close < 0 || this.#conditionalEnd !== NOWHERE) return this.#malformed();
    if (isConditional(buf, pos)) return this.#openConditional(pos, close);
    const isHint = buf[pos + 2] === PLUS;
    if (isHint && !isPlainHint(buf, pos + 3, close)) return this.#malformed();
    this.#pos = close + 2;
    return isHint ? TokenKind.optimizerHint : TokenKind.routeHint;
  }

  /**
   * Reads on behind the marker. Content in which another comment stands would be cut differently by a server that
   * skips it, and so would a six-digit number that a name follows: both are left malformed.
   */
  #openConditional(pos: number, close: number): number {
    const buf = this.#buf;
    const body = conditionalBody(buf, pos);
    if (body > close || buf[body] === 0x21 || holdsComment(buf, body, close)) return this.#malformed();
    const digits = versionDigits(buf, body, close);
    if (digits === 6 && isNameByte(buf, body + 6, close, this.#classes)) return this.#malformed();
    this.#conditionalEnd = close;
    this.#pos = body + digits;
    return TokenKind.conditionalOpen;
  }
}
