/**
 * The tokens of libconfig's files, as libconfig 1.7 reads them: comments of three kinds, texts with its few escapes
 * (any other backslash is one), whole numbers in decimal and hex, with an L or two behind.
 */
import { ConfigSyntaxError, type Place } from './config-syntax-error.ts';

export const TokenKind = {
  /** `= : , ; { } [ ] ( )`, each its own text. */
  sign: 'sign',
  name: 'name',
  text: 'text',
  number: 'number',
  boolean: 'boolean',
  /** `@include "path"` at the beginning of a line; the value is the path. */
  include: 'include',
  end: 'end',
} as const;
export type TokenKind = (typeof TokenKind)[keyof typeof TokenKind];

export interface Token {
  readonly kind: TokenKind;
  readonly value: string | number | bigint | boolean;
  readonly place: Place;
}

const BLANKS = /[ \t\r\n\f\v\uFEFF]+/y;
const LINE_COMMENT = /(?:#|\/\/)[^\n]*/y;
const BLOCK_COMMENT = /\/\*[\s\S]*?\*\//y;
const INCLUDE = /@include[ \t]+"/y;
const NAME = /[A-Za-z*][-A-Za-z0-9_*]*/y;
const HEX = /0[xX]([0-9A-Fa-f]+)L{0,2}/y;
const FLOAT = /[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+/y;
const INTEGER = /[-+]?[0-9]+L{0,2}/y;
const BEHIND_NUMBER = /[-A-Za-z0-9_.]/;
const SIGNS = '=:,;{}[]()';
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  f: '\f',
  '\\': '\\',
  '"': '"',
};
const HEX_ESCAPE = /\\x([0-9A-Fa-f]{2})/y;
const MAX_DIGITS = 20;

export class Lexer {
  readonly #file: string;
  readonly #text: string;
  #offset = 0;
  #line = 1;
  #lineStart = 0;
  /** The next one, looked for once: a line may be long, and have many tokens. */
  #lineBreak: number;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
    this.#lineBreak = this.#breakFrom(0);
  }

  /** @throws ConfigSyntaxError */
  next(): Token {
    this.#skip();
    const place = this.#place();
    const sign = this.#text[this.#offset];
    if (sign === undefined) return { kind: TokenKind.end, value: '', place };
    if (SIGNS.includes(sign)) {
      this.#offset++;
      return { kind: TokenKind.sign, value: sign, place };
    }
    if (sign === '"') {
      this.#offset++;
      return { kind: TokenKind.text, value: this.#quoted(place), place };
    }
    if (sign === '@') return this.#include(place);
    return this.#word(place) ?? this.#number(place) ?? this.#garbage(place);
  }

  #place(): Place {
    return { file: this.#file, line: this.#line, column: this.#offset - this.#lineStart + 1 };
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#offset;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#advanceTo(pattern.lastIndex);
    return match;
  }

  #advanceTo(offset: number): void {
    while (this.#lineBreak < offset) {
      this.#line++;
      this.#lineStart = this.#lineBreak + 1;
      this.#lineBreak = this.#breakFrom(this.#lineStart);
    }
    this.#offset = offset;
  }

  #breakFrom(offset: number): number {
    const found = this.#text.indexOf('\n', offset);
    return found === -1 ? this.#text.length : found;
  }

  /** Blanks and comments. */
  #skip(): void {
    for (;;) {
      if (this.#match(BLANKS) !== null || this.#match(LINE_COMMENT) !== null) continue;
      if (!this.#text.startsWith('/*', this.#offset)) return;
      const place = this.#place();
      if (this.#match(BLOCK_COMMENT) === null)
        throw new ConfigSyntaxError(place, 'this comment is not closed, */ is missing');
    }
  }

  /** The opening quote has been read. */
  #quoted(opening: Place): string {
    const parts: string[] = [];
    for (;;) {
      const start = this.#offset;
      let end = start;
      while (end < this.#text.length && this.#text[end] !== '"' && this.#text[end] !== '\\') end++;
      parts.push(this.#text.slice(start, end));
      this.#advanceTo(end);
      const stop = this.#text[end];
      if (stop === undefined) throw new ConfigSyntaxError(opening, 'this text is not closed, " is missing');
      if (stop === '"') {
        this.#offset++;
        return parts.join('');
      }
      parts.push(this.#escape());
    }
  }

  #escape(): string {
    const hex = this.#match(HEX_ESCAPE)?.[1];
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const meant = ESCAPES[this.#text[this.#offset + 1] ?? ''];
    this.#offset += meant === undefined ? 1 : 2;
    return meant ?? '\\';
  }

  #include(place: Place): Token {
    const before = this.#text.slice(this.#lineStart, this.#offset);
    if (before.trim() !== '')
      throw new ConfigSyntaxError(place, '@include must stand at the beginning of a line');
    if (this.#match(INCLUDE) === null)
      throw new ConfigSyntaxError(place, 'expected @include "path of a file"');
    return { kind: TokenKind.include, value: this.#quoted(place), place };
  }

  #word(place: Place): Token | null {
    const name = this.#match(NAME)?.[0];
    if (name === undefined) return null;
    if (/^(?:true|false)$/i.test(name))
      return { kind: TokenKind.boolean, value: name.toLowerCase() === 'true', place };
    return { kind: TokenKind.name, value: name, place };
  }

  #number(place: Place): Token | null {
    const hex = this.#match(HEX);
    const float = hex === null ? this.#match(FLOAT) : null;
    const integer = hex === null && float === null ? this.#match(INTEGER) : null;
    const found = (hex ?? float ?? integer)?.[0];
    if (found === undefined) return null;
    if (BEHIND_NUMBER.test(this.#text[this.#offset] ?? '') || found.length > MAX_DIGITS)
      throw new ConfigSyntaxError(place, 'this is no number; text needs quotes');
    const digits = found.replace(/^\+/, '').replace(/L+$/, '');
    const value = float === null ? BigInt(digits) : Number(digits);
    const isSafe = typeof value === 'bigint' && Number.isSafeInteger(Number(value));
    return { kind: TokenKind.number, value: isSafe ? Number(value) : value, place };
  }

  #garbage(place: Place): never {
    const sign = this.#text[this.#offset] ?? '';
    const shown = /^[\x21-\x7e]$/.test(sign) ? ` ${sign}` : '';
    throw new ConfigSyntaxError(place, `this character${shown} has no meaning here; text needs quotes`);
  }
}
