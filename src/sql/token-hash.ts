/**
 * A hash of a statement with its literals: the same in every process, and for texts that differ in comments, white
 * space or the case of words only. One pass over the tokens, without allocating.
 */

import { ConditionalMode, Lexer, TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';

const PRIME = 0x01000193;
const BASIS = 0x811c9dc5;
/** Of a longer literal the beginning and the length tell enough. */
const MAX_LOOKED_AT = 1024;
const CASE_BIT = 0x20;

const lexer = new Lexer();

/** @returns 32 bits, signed; not mixed. */
export function hashTokens(buffer: Buffer, start: number, end: number, context: LexicalContext): number {
  lexer.reset(buffer, start, end, context, ConditionalMode.runAll);
  let hash = BASIS | 0;
  for (let kind = lexer.next(); kind !== TokenKind.end; kind = lexer.next()) {
    if (kind === TokenKind.routeHint) continue;
    hash = Math.imul(hash ^ kind, PRIME);
    hash =
      kind === TokenKind.name
        ? hashWord(buffer, lexer.start, lexer.end, hash)
        : hashBytes(buffer, lexer.start, lexer.end, hash);
  }
  lexer.release();
  return hash;
}

/** Goes on from `hash` with the bytes of `buffer[start, end)`. */
export function hashBytes(buffer: Buffer, start: number, end: number, hash: number): number {
  let result = Math.imul(hash ^ (end - start), PRIME);
  const last = Math.min(end, start + MAX_LOOKED_AT);
  for (let pos = start; pos < last; pos++) result = Math.imul(result ^ buffer[pos]!, PRIME);
  return result;
}

function hashWord(buffer: Buffer, start: number, end: number, hash: number): number {
  let result = Math.imul(hash ^ (end - start), PRIME);
  for (let pos = start; pos < end; pos++) result = Math.imul(result ^ (buffer[pos]! | CASE_BIT), PRIME);
  return result;
}
