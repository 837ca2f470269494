/**
 * Cuts a statement into tokens by the servers' own lexical rules (MySQL 5.7 to 8.4 `sql_lex.cc`, MariaDB 10 and
 * 11 likewise), on bytes, without allocating. Where the servers' rules differ among themselves, or where bytes
 * mean nothing to them, the rest of the text becomes one `malformed` token: such a statement is never proven.
 */

import { ByteClass, type LexicalContext } from './lexical-context.ts';

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
  /** A comment that begins with `sluice:`, with its markers. */
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
const SLASH = 0x2f;
const BANG = 0x21;
const QUOTE = 0x27;
const BACKSLASH = 0x5c;
const ROUTE_HINT = Buffer.from('sluice:');
const NO_BYTES = Buffer.alloc(0);
const NO_CLASSES = new Uint8Array(256);

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const lower = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

/** Whether a class may stand inside an unquoted name. */
function continuesName(byteClass: number): boolean {
  return byteClass === ByteClass.name || byteClass === ByteClass.digit || byteClass === ByteClass.prefix;
}

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
  #tailed = false;
  #ignoreSpace = false;
  /** Where the conditional comment ends in which we are. */
  #conditionalEnd = NOWHERE;
  /** The next token is a name whatever it looks like: it stands behind a dot. */
  #nameFollows = false;

  reset(buf: Buffer, start: number, end: number, context: LexicalContext, mode: ConditionalMode): void {
    this.#buf = buf;
    this.#pos = start;
    this.#limit = Math.min(end, buf.length);
    this.#context = context;
    this.#classes = context.byteClasses;
    this.#tailed = context.charset !== 'safe';
    this.#ignoreSpace = context.ignoreSpace;
    this.#mode = mode;
    this.#conditionalEnd = NOWHERE;
    this.#nameFollows = false;
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
    let commented = false;
    for (;;) {
      const skipped = this.#skipSpace();
      if (skipped === 0) break;
      if (skipped === 2) commented = true;
    }
    const pos = this.#pos;
    this.start = pos;
    this.gap = pos !== from;
    this.detached = this.#ignoreSpace ? commented : this.gap;
    if (this.kind === TokenKind.malformed || pos >= this.#limit) {
      if (this.#conditionalEnd !== NOWHERE) return this.#malformed();
      this.kind = TokenKind.end;
      this.end = pos;
      return TokenKind.end;
    }
    const kind = this.#token(pos);
    if (this.#pos > this.#conditionalEnd && kind !== TokenKind.conditionalClose) return this.#malformed();
    this.kind = kind;
    this.end = this.#pos;
    return kind;
  }

  /** Skips a stretch of white space (1) or a comment (2); 0 when there is none. */
  #skipSpace(): number {
    const buf = this.#buf;
    const classes = this.#classes;
    const limit = this.#limit;
    let pos = this.#pos;
    if (pos >= limit) return 0;
    const byteClass = classes[buf[pos]!]!;
    if (byteClass === ByteClass.space) {
      do pos++;
      while (pos < limit && classes[buf[pos]!] === ByteClass.space);
      this.#pos = pos;
      return 1;
    }
    if (byteClass === ByteClass.slash) return this.#skipBlockComment(pos) ? 2 : 0;
    if (byteClass === ByteClass.hash) return this.#skipLineComment(pos) ? 2 : 0;
    if (byteClass === ByteClass.minus && buf[pos + 1] === 0x2d && pos + 1 < limit) {
      const after = pos + 2 < limit ? buf[pos + 2]! : 0;
      if (after <= 0x20 || after === 0x7f) return this.#skipLineComment(pos) ? 2 : 0;
    }
    return 0;
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
    if (pos + 1 >= this.#limit || buf[pos + 1] !== STAR) return false;
    const close = this.#commentEnd(pos + 2);
    if (close < 0 || this.#conditionalEnd !== NOWHERE) return false;
    const first = buf[pos + 2]!;
    if (first === 0x2b) return false;
    if (first === BANG || (first === 0x4d && buf[pos + 3] === BANG)) {
      this.sawConditional = true;
      if (this.#runsConditional(pos, close)) return false;
    } else if (this.#isRouteHint(pos + 2, close)) return false;
    this.#pos = close + 2;
    return true;
  }

  /** Offset of the first comment end at or behind `from`, or -1. */
  #commentEnd(from: number): number {
    const buf = this.#buf;
    const last = this.#limit - 1;
    for (let pos = from; pos < last; pos++) if (buf[pos] === STAR && buf[pos + 1] === SLASH) return pos;
    return -1;
  }

  #isRouteHint(from: number, close: number): boolean {
    const buf = this.#buf;
    let pos = from;
    while (pos < close && this.#classes[buf[pos]!] === ByteClass.space) pos++;
    if (close - pos < ROUTE_HINT.length) return false;
    for (let i = 0; i < ROUTE_HINT.length; i++) {
      const byte = buf[pos + i]!;
      const lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
      if (lower !== ROUTE_HINT[i]) return false;
    }
    return true;
  }

  /** Offset behind the opening marker, without the version number. */
  #conditionalBody(pos: number): number {
    return this.#buf[pos + 2] === BANG ? pos + 3 : pos + 4;
  }

  /** How many digits the version number has: 5 or 6, or 0 where there is none. */
  #versionDigits(body: number, close: number): number {
    let digits = 0;
    while (digits < 6 && body + digits < close && isDigit(this.#buf[body + digits])) digits++;
    return digits < 5 ? 0 : digits;
  }

  #runsConditional(pos: number, close: number): boolean {
    const mode = this.#mode;
    if (mode === ConditionalMode.skipAll) return false;
    if (mode === ConditionalMode.runAll) return true;
    const context = this.#context!;
    const forMariadb = this.#buf[pos + 2] !== BANG;
    if (forMariadb && context.flavor === 'mysql') return false;
    const body = this.#conditionalBody(pos);
    const digits = this.#versionDigits(body, close);
    if (digits === 0 || context.versionId === 0) return true;
    let version = 0;
    for (let i = 0; i < digits; i++) version = version * 10 + this.#buf[body + i]! - 0x30;
    if (version > context.versionId) return false;
    // MariaDB takes these numbers for features of MySQL 5.7 and later that it does not have.
    return context.flavor === 'mysql' || forMariadb || version < 50700 || version > 50999;
  }

  #malformed(): number {
    this.#pos = this.#limit;
    this.#conditionalEnd = NOWHERE;
    this.end = this.#limit;
    this.kind = TokenKind.malformed;
    return TokenKind.malformed;
  }

  /** Reads the token at `pos` and leaves `#pos` behind it. */
  #token(pos: number): number {
    if (pos === this.#conditionalEnd) {
      this.#conditionalEnd = NOWHERE;
      this.#pos = pos + 2;
      return TokenKind.conditionalClose;
    }
    const byteClass = this.#classes[this.#buf[pos]!]!;
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

  /** Length of the character of several bytes at `pos`, 0 if there is none. Only for charsets with tails below 0x80. */
  #characterAt(pos: number, limit: number): number {
    const buf = this.#buf;
    if (pos + 1 >= limit || this.#classes[buf[pos]!] !== ByteClass.lead) return 0;
    const second = buf[pos + 1]!;
    switch (this.#context!.charset) {
      case 'big5':
        return (second >= 0x40 && second <= 0x7e) || (second >= 0xa1 && second <= 0xfe) ? 2 : 0;
      case 'sjis':
        return (second >= 0x40 && second <= 0x7e) || (second >= 0x80 && second <= 0xfc) ? 2 : 0;
      case 'gb18030':
        if (isDigit(second)) {
          if (pos + 3 >= limit) return 0;
          return this.#classes[buf[pos + 2]!] === ByteClass.lead && isDigit(buf[pos + 3]) ? 4 : 0;
        }
    }
    return second >= 0x40 && second <= 0xfe && second !== 0x7f ? 2 : 0;
  }

  #name(start: number): number {
    const buf = this.#buf;
    const classes = this.#classes;
    const limit = this.#limit;
    let pos = start;
    for (; pos < limit; pos++) {
      const byteClass = classes[buf[pos]!]!;
      if (continuesName(byteClass)) continue;
      if (byteClass !== ByteClass.lead) break;
      const length = this.#characterAt(pos, limit);
      if (length === 0) return this.#malformed();
      pos += length - 1;
    }
    this.#pos = pos;
    return TokenKind.name;
  }

  /** x'..' and b'..' hold digits only; N'..' is an ordinary string. */
  #prefixed(start: number): number {
    const letter = this.#buf[start]! | 0x20;
    if (letter === 0x6e) return this.#string(start + 1);
    const buf = this.#buf;
    let pos = start + 2;
    while (pos < this.#limit && isHexDigit(buf[pos])) pos++;
    if (pos >= this.#limit || buf[pos] !== QUOTE) return this.#malformed();
    this.#pos = pos + 1;
    return TokenKind.string;
  }

  #string(start: number): number {
    const buf = this.#buf;
    const limit = this.#limit;
    const quote = buf[start]!;
    const escapeByte = this.#context!.noBackslashEscapes ? -1 : BACKSLASH;
    const tailed = this.#tailed;
    let pos = start + 1;
    while (pos < limit) {
      const byte = buf[pos]!;
      if (byte === quote) {
        if (pos + 1 >= limit || buf[pos + 1] !== quote) {
          this.#pos = pos + 1;
          return TokenKind.string;
        }
        pos += 2;
      } else if (byte === escapeByte) pos += 2;
      else if (byte >= 0x80 && tailed) pos += this.#characterAt(pos, limit) || 1;
      else pos++;
    }
    return this.#malformed();
  }

  /** MySQL skips a character's tail unseen in quoted names and MariaDB checks it, so only whole characters pass. */
  #quotedName(start: number): number {
    const buf = this.#buf;
    const limit = this.#limit;
    const lengths = this.#context!.characterLengths;
    const quote = buf[start]!;
    let pos = start + 1;
    while (pos < limit) {
      const byte = buf[pos]!;
      if (byte === quote) {
        if (pos + 1 >= limit || buf[pos + 1] !== quote) {
          this.#pos = pos + 1;
          return TokenKind.quotedName;
        }
        pos += 2;
      } else if (byte >= 0x80) {
        let length = lengths[byte]!;
        if (length > 1)
          length = this.#tailed ? this.#characterAt(pos, limit) : this.#wholeLength(pos, length);
        if (length === 0) break;
        pos += length;
      } else if (byte === 0) break;
      else pos++;
    }
    return this.#malformed();
  }

  /** `length` if that many bytes above 0x7f stand at `pos`, else 0. */
  #wholeLength(pos: number, length: number): number {
    if (pos + length > this.#limit) return 0;
    for (let i = 1; i < length; i++) if (this.#buf[pos + i]! < 0x80) return 0;
    return length;
  }

  #numberOrName(start: number): number {
    const buf = this.#buf;
    const limit = this.#limit;
    let pos = start + 1;
    const second = pos < limit ? buf[pos]! : 0;
    if (buf[start] === 0x30 && (second === 0x78 || second === 0x62)) {
      pos++;
      if (second === 0x78) while (pos < limit && isHexDigit(buf[pos])) pos++;
      else while (pos < limit && (buf[pos] === 0x30 || buf[pos] === 0x31)) pos++;
      if (pos - start < 3 || this.#isNameByte(pos)) return this.#name(start);
      this.#pos = pos;
      return TokenKind.number;
    }
    while (pos < limit && isDigit(buf[pos])) pos++;
    if (pos < limit && buf[pos] === 0x2e) return this.#fraction(pos + 1);
    if (!this.#isNameByte(pos)) {
      this.#pos = pos;
      return TokenKind.number;
    }
    if ((buf[pos]! | 0x20) === 0x65) {
      let digits = pos + 1;
      if (buf[digits] === 0x2b || buf[digits] === 0x2d) digits++;
      if (digits < limit && isDigit(buf[digits])) {
        while (digits < limit && isDigit(buf[digits])) digits++;
        this.#pos = digits;
        return TokenKind.number;
      }
    }
    return this.#name(start);
  }

  #isNameByte(pos: number): boolean {
    if (pos >= this.#limit) return false;
    const byteClass = this.#classes[this.#buf[pos]!]!;
    return continuesName(byteClass) || byteClass === ByteClass.lead;
  }

  /** Digits behind a decimal point, and the exponent. */
  #fraction(from: number): number {
    const buf = this.#buf;
    const limit = this.#limit;
    let pos = from;
    while (pos < limit && isDigit(buf[pos])) pos++;
    if (pos < limit && (buf[pos]! | 0x20) === 0x65) {
      pos++;
      if (pos < limit && (buf[pos] === 0x2b || buf[pos] === 0x2d)) pos++;
      if (pos >= limit || !isDigit(buf[pos])) return this.#malformed();
      while (pos < limit && isDigit(buf[pos])) pos++;
    }
    this.#pos = pos;
    return TokenKind.number;
  }

  /** Behind an unquoted name `.5` is a dot and a name, anywhere else a number. */
  #dot(pos: number): number {
    const directly =
      this.end === pos && (this.kind === TokenKind.name || this.kind === TokenKind.systemVariable);
    if (!directly && pos + 1 < this.#limit && isDigit(this.#buf[pos + 1])) return this.#fraction(pos + 1);
    this.#pos = pos + 1;
    this.#nameFollows = this.#isNameByte(pos + 1);
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
      while (pos < this.#limit && (this.#isNameByte(pos) || buf[pos] === 0x2e)) {
        pos += this.#tailed && buf[pos]! >= 0x80 ? this.#characterAt(pos, this.#limit) || 1 : 1;
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
    const close = this.#commentEnd(pos + 2);
    if (close < 0 || this.#conditionalEnd !== NOWHERE) return this.#malformed();
    const first = buf[pos + 2]!;
    if (first === 0x2b) {
      if (!this.#isPlainHint(pos + 3, close)) return this.#malformed();
      this.#pos = close + 2;
      return TokenKind.optimizerHint;
    }
    if (first !== BANG && !(first === 0x4d && buf[pos + 3] === BANG)) {
      this.#pos = close + 2;
      return TokenKind.routeHint;
    }
    return this.#openConditional(pos, close);
  }

  /** The servers' hint scanner knows quotes: a comment end between them would not end the hint. */
  #isPlainHint(from: number, close: number): boolean {
    let quotes = 0;
    for (let pos = from; pos < close; pos++) {
      const byte = this.#buf[pos]!;
      if (byte === 0x60) quotes += 1;
      else if (byte === 0x22) quotes += 0x1_0000;
      else if (byte === QUOTE || byte === 0) return false;
    }
    return (quotes & 0x1_0001) === 0;
  }

  /**
   * Reads on behind the marker. Content in which another comment stands would be cut differently by a server that
   * skips it, and so would a six-digit number that a name follows: both are left malformed.
   */
  #openConditional(pos: number, close: number): number {
    const buf = this.#buf;
    const body = this.#conditionalBody(pos);
    if (body > close || buf[body] === BANG) return this.#malformed();
    const digits = this.#versionDigits(body, close);
    if (digits === 6 && this.#isNameByte(body + 6)) return this.#malformed();
    for (let i = body; i + 1 < close; i++) {
      if (buf[i] === SLASH && buf[i + 1] === STAR) return this.#malformed();
    }
    this.#conditionalEnd = close;
    this.#pos = body + digits;
    return TokenKind.conditionalOpen;
  }
}
