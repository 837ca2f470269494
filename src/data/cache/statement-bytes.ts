/**
 * What of a statement's text decides its answer: all of it but white space, comments and semicolons at either end. What lies
 * between stays byte for byte, since servers name columns by it.
 *
 * Only together with the statement's plan does it stand for one statement: comments that the lexer reads as code or as hints
 * are part of that, and so is whatever else could end in a comment's last two bytes.
 */

const SLASH = 0x2f;
const STAR = 0x2a;
const BANG = 0x21;
const PLUS = 0x2b;
const UPPER_M = 0x4d;
const SEMICOLON = 0x3b;

/** White space of all lexical contexts. */
function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** A comment that is nothing but that begins at `at`. */
function isComment(buffer: Buffer, at: number, end: number): boolean {
  if (at + 4 > end || buffer[at] !== SLASH || buffer[at + 1] !== STAR) return false;
  const first = buffer[at + 2]!;
  if (first === BANG || first === PLUS) return false;
  return first !== UPPER_M || buffer[at + 3] !== BANG;
}

/** Where the statement in `buffer[start, end)` begins. */
export function statementStart(buffer: Buffer, start: number, end: number): number {
  let at = start;
  for (;;) {
    while (at < end && isSpace(buffer[at]!)) at++;
    if (!isComment(buffer, at, end)) return at;
    const close = buffer.indexOf('*/', at + 2, 'latin1');
    if (close < 0 || close + 2 > end) return at;
    at = close + 2;
  }
}

/** Behind its last byte. @param start from `statementStart`. */
export function statementEnd(buffer: Buffer, start: number, end: number): number {
  let at = end;
  for (;;) {
    while (at > start && (isSpace(buffer[at - 1]!) || buffer[at - 1] === SEMICOLON)) at--;
    if (at - start < 4 || buffer[at - 1] !== SLASH || buffer[at - 2] !== STAR) return at;
    const open = buffer.lastIndexOf('/*', at - 4, 'latin1');
    if (open < start || !isComment(buffer, open, at)) return at;
    at = open;
  }
}
