/** What kinds of block comments there are, and which of them a server runs. `pos` is the offset of the slash. */

import type { LexicalContext } from './lexical-context.ts';
import { isDigit } from './token-ends.ts';

const STAR = 0x2a;
const SLASH = 0x2f;
const BANG = 0x21;
const QUOTE = 0x27;

/** Offset of the first comment end at or behind `from`, or -1. */
export function commentEnd(buf: Buffer, from: number, limit: number): number {
  for (let pos = from; pos < limit - 1; pos++) if (buf[pos] === STAR && buf[pos + 1] === SLASH) return pos;
  return -1;
}

/** `/*!` or MariaDB's `/*M!` */
export function isConditional(buf: Buffer, pos: number): boolean {
  return buf[pos + 2] === BANG || (buf[pos + 2] === 0x4d && buf[pos + 3] === BANG);
}

/** The servers' hint scanner knows quotes: a comment end between them would not end the hint. */
export function isPlainHint(buf: Buffer, from: number, close: number): boolean {
  let backticks = 0;
  let doubleQuotes = 0;
  for (let pos = from; pos < close; pos++) {
    const byte = buf[pos]!;
    if (byte === 0x60) backticks++;
    else if (byte === 0x22) doubleQuotes++;
    else if (byte === QUOTE || byte === 0) return false;
  }
  return backticks % 2 === 0 && doubleQuotes % 2 === 0;
}

/** Offset behind the opening marker of a conditional comment, without the version number. */
export function conditionalBody(buf: Buffer, pos: number): number {
  return buf[pos + 2] === BANG ? pos + 3 : pos + 4;
}

/** How many digits the version number has: 5 or 6, or 0 where there is none. */
export function versionDigits(buf: Buffer, body: number, close: number): number {
  let digits = 0;
  while (digits < 6 && body + digits < close && isDigit(buf[body + digits])) digits++;
  return digits < 5 ? 0 : digits;
}

/** Whether another comment begins in `[from, close)`. */
export function holdsComment(buf: Buffer, from: number, close: number): boolean {
  for (let pos = from; pos + 1 < close; pos++) if (buf[pos] === SLASH && buf[pos + 1] === STAR) return true;
  return false;
}

/** Whether a server of the context's flavor and version runs the conditional comment that ends at `close`. */
export function runsConditional(buf: Buffer, pos: number, close: number, context: LexicalContext): boolean {
  const isForMariadb = buf[pos + 2] !== BANG;
  if (isForMariadb && context.flavor === 'mysql') return false;
  const body = conditionalBody(buf, pos);
  const digits = versionDigits(buf, body, close);
  if (digits === 0 || context.versionId === 0) return true;
  let version = 0;
  for (let i = 0; i < digits; i++) version = version * 10 + buf[body + i]! - 0x30;
  if (version > context.versionId) return false;
  // MariaDB takes these numbers for features of MySQL 5.7 and later that it does not have.
  return context.flavor === 'mysql' || isForMariadb || version < 50700 || version > 50999;
}
