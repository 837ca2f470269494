/**
 * Values that stand in a statement's literals and say what its session holds afterwards: names of locks, texts of
 * prepared statements. A class is made once per digest and has no literals, so these are read from each text.
 */

import { ConditionalMode, Lexer, TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';

const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Means the same in every character set and `sql_mode`: printable ASCII without quotes and backslash. */
const PLAIN = /^[ !#-&(-[\]-~]+$/;
const ESCAPES: ReadonlyMap<number, number> = new Map(
  Object.entries({ '0': 0, b: 8, t: 9, n: 10, r: 13, Z: 26 }).map(([letter, byte]) => [
    letter.charCodeAt(0),
    byte,
  ]),
);

/** The names behind GET_LOCK; null where there is none, or one that is no plain literal. */
export function lockNames(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
): readonly string[] | null {
  const lexer = new Lexer();
  lexer.reset(buf, start, end, context, ConditionalMode.runAll);
  const names: string[] = [];
  let kind = lexer.next();
  while (kind !== TokenKind.end) {
    const isCall = kind === TokenKind.name && textOf(buf, lexer).toUpperCase() === 'GET_LOCK';
    kind = lexer.next();
    if (!isCall) continue;
    if (textOf(buf, lexer) !== '(') return null;
    if (lexer.next() !== TokenKind.string) return null;
    const literal = textOf(buf, lexer);
    const name = literal.slice(1, -1);
    if (!/^['"]/.test(literal) || !PLAIN.test(name)) return null;
    kind = lexer.next();
    if (textOf(buf, lexer) !== ',') return null;
    names.push(name);
  }
  lexer.release();
  return names.length === 0 ? null : names;
}

/** The statement in `PREPARE s FROM '…'` and `EXECUTE IMMEDIATE '…'`; null where it is no plain literal. */
export function preparedText(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
): Buffer | null {
  const lexer = new Lexer();
  lexer.reset(buf, start, end, context, ConditionalMode.byServer);
  let before = '';
  let kind = lexer.next();
  while (kind === TokenKind.name || kind === TokenKind.quotedName) {
    before = textOf(buf, lexer).toUpperCase();
    kind = lexer.next();
  }
  if (kind !== TokenKind.string || (before !== 'FROM' && before !== 'IMMEDIATE')) return null;
  const text = unquoted(buf.subarray(lexer.start, lexer.end), context);
  kind = lexer.next();
  while (kind === TokenKind.semicolon) kind = lexer.next();
  const isAlone =
    kind === TokenKind.end || (before === 'IMMEDIATE' && textOf(buf, lexer).toUpperCase() === 'USING');
  lexer.release();
  return isAlone ? text : null;
}

/** What a literal between quotes stands for; null for one of another kind. */
export function unquoted(literal: Buffer, context: LexicalContext): Buffer | null {
  const quote = literal[0];
  if (quote !== QUOTE && quote !== DOUBLE_QUOTE) return null;
  const out: number[] = [];
  for (let i = 1; i < literal.length - 1; i++) {
    const byte = literal[i]!;
    // The tail of a character may look like a quote.
    if (byte >= 0x80 && context.charset !== 'safe') return null;
    if (byte === quote) i++;
    if (byte !== BACKSLASH || context.noBackslashEscapes) {
      out.push(byte);
      continue;
    }
    const escaped = literal[++i]!;
    out.push(ESCAPES.get(escaped) ?? escaped);
  }
  return Buffer.from(out);
}

function textOf(buf: Buffer, lexer: Lexer): string {
  return buf.toString('latin1', lexer.start, lexer.end);
}
