/** Where a name, a string or a number ends. Offsets into `buf`, never behind `limit`; `MALFORMED` if it does not. */

import { ByteClass, type LexicalContext } from './lexical-context.ts';

export const MALFORMED = -1;
/** What begins like a number goes on like a name. */
export const NOT_A_NUMBER = -2;

const BACKSLASH = 0x5c;
const DOT = 0x2e;

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

export function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const lower = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

/** Whether a class may stand inside an unquoted name, other than as a character of several bytes. */
export function continuesName(byteClass: number): boolean {
  return byteClass >= ByteClass.name && byteClass <= ByteClass.prefix;
}

export function isNameByte(buf: Buffer, pos: number, limit: number, classes: Uint8Array): boolean {
  if (pos >= limit) return false;
  const byteClass = classes[buf[pos]!]!;
  return continuesName(byteClass) || byteClass === ByteClass.lead;
}

/** Length of the character at `pos` in a charset with tails below 0x80; 0 if its bytes are no whole character. */
export function tailedLength(buf: Buffer, pos: number, limit: number, context: LexicalContext): number {
  const classes = context.byteClasses;
  if (pos + 1 >= limit || classes[buf[pos]!] !== ByteClass.lead) return 0;
  const second = buf[pos + 1]!;
  switch (context.charset) {
    case 'big5':
      return (second >= 0x40 && second <= 0x7e) || (second >= 0xa1 && second <= 0xfe) ? 2 : 0;
    case 'sjis':
      return (second >= 0x40 && second <= 0x7e) || (second >= 0x80 && second <= 0xfc) ? 2 : 0;
    case 'gb18030':
      if (isDigit(second)) {
        if (pos + 3 >= limit) return 0;
        return classes[buf[pos + 2]!] === ByteClass.lead && isDigit(buf[pos + 3]) ? 4 : 0;
      }
  }
  return second >= 0x40 && second <= 0xfe && second !== 0x7f ? 2 : 0;
}

export function nameEnd(buf: Buffer, start: number, limit: number, context: LexicalContext): number {
  const classes = context.byteClasses;
  let pos = start;
  for (; pos < limit; pos++) {
    const byteClass = classes[buf[pos]!]!;
    if (continuesName(byteClass)) continue;
    if (byteClass !== ByteClass.lead) break;
    const length = tailedLength(buf, pos, limit, context);
    if (length === 0) return MALFORMED;
    pos += length - 1;
  }
  return pos;
}

/** `start` is the opening quote, single or double; the end lies behind the closing one. */
export function stringEnd(buf: Buffer, start: number, limit: number, context: LexicalContext): number {
  const quote = buf[start]!;
  const escapeByte = context.noBackslashEscapes ? -1 : BACKSLASH;
  const isTailed = context.charset !== 'safe';
  let pos = start + 1;
  while (pos < limit) {
    const byte = buf[pos]!;
    if (byte === quote) {
      if (pos + 1 >= limit || buf[pos + 1] !== quote) return pos + 1;
      pos += 2;
    } else if (byte === escapeByte) {
      // The servers skip one byte here, even if it is the first of a character.
      pos += 2;
    } else if (byte >= 0x80 && isTailed) pos += tailedLength(buf, pos, limit, context) || 1;
    else pos++;
  }
  return MALFORMED;
}

/**
 * A name in backticks, or in double quotes under ANSI_QUOTES. MySQL skips a character's tail unseen and MariaDB
 * checks it, so only whole characters pass; a NUL ends the text at both.
 */
export function quotedNameEnd(buf: Buffer, start: number, limit: number, context: LexicalContext): number {
  const isTailed = context.charset !== 'safe';
  const quote = buf[start]!;
  let pos = start + 1;
  while (pos < limit) {
    const byte = buf[pos]!;
    if (byte === quote) {
      if (pos + 1 >= limit || buf[pos + 1] !== quote) return pos + 1;
      pos += 2;
    } else if (byte >= 0x80) {
      let length = context.characterLengths[byte]!;
      if (length > 1) {
        length = isTailed ? tailedLength(buf, pos, limit, context) : wholeLength(buf, pos, limit, length);
      }
      if (length === 0) return MALFORMED;
      pos += length;
    } else if (byte === 0) return MALFORMED;
    else pos++;
  }
  return MALFORMED;
}

/** `length` if that many bytes above 0x7f stand at `pos`, else 0. */
function wholeLength(buf: Buffer, pos: number, limit: number, length: number): number {
  if (pos + length > limit) return 0;
  for (let i = 1; i < length; i++) if (buf[pos + i]! < 0x80) return 0;
  return length;
}

/** A number that starts with a digit; names may do so too, in which case the answer is NOT_A_NUMBER. */
export function numberEnd(buf: Buffer, start: number, limit: number, classes: Uint8Array): number {
  let pos = start + 1;
  const second = pos < limit ? buf[pos]! : 0;
  if (buf[start] === 0x30 && (second === 0x78 || second === 0x62)) {
    pos++;
    if (second === 0x78) while (pos < limit && isHexDigit(buf[pos])) pos++;
    else while (pos < limit && (buf[pos] === 0x30 || buf[pos] === 0x31)) pos++;
    return pos - start < 3 || isNameByte(buf, pos, limit, classes) ? NOT_A_NUMBER : pos;
  }
  while (pos < limit && isDigit(buf[pos])) pos++;
  if (pos < limit && buf[pos] === DOT) return fractionEnd(buf, pos + 1, limit);
  if (!isNameByte(buf, pos, limit, classes)) return pos;
  if ((buf[pos]! | 0x20) === 0x65) {
    let digits = pos + 1;
    if (buf[digits] === 0x2b || buf[digits] === 0x2d) digits++;
    if (digits < limit && isDigit(buf[digits])) {
      while (digits < limit && isDigit(buf[digits])) digits++;
      return digits;
    }
  }
  return NOT_A_NUMBER;
}

/** The digits behind a decimal point, and the exponent. */
export function fractionEnd(buf: Buffer, from: number, limit: number): number {
  let pos = from;
  while (pos < limit && isDigit(buf[pos])) pos++;
  if (pos < limit && (buf[pos]! | 0x20) === 0x65) {
    pos++;
    if (pos < limit && (buf[pos] === 0x2b || buf[pos] === 0x2d)) pos++;
    if (pos >= limit || !isDigit(buf[pos])) return MALFORMED;
    while (pos < limit && isDigit(buf[pos])) pos++;
  }
  return pos;
}
