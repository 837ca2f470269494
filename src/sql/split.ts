/** Where the statements of a multi-statement text begin and end. */

import { ConditionalMode, Lexer, TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';

/** `buf[start, end)` of one statement, from its first token to its last, without the semicolon. */
export interface StatementPart {
  readonly start: number;
  readonly end: number;
}

/**
 * The statements of `buf[start, end)`; empty ones are left out. A semicolon inside the body of a stored program
 * separates too: which statements have bodies is not for the lexer to say.
 */
export function splitStatements(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
): StatementPart[] {
  const lexer = new Lexer();
  lexer.reset(buf, start, end, context, ConditionalMode.byServer);
  const parts: StatementPart[] = [];
  let from = -1;
  let to = -1;
  for (let kind = lexer.next(); kind !== TokenKind.end; kind = lexer.next()) {
    if (kind === TokenKind.semicolon) {
      if (from >= 0) parts.push({ start: from, end: to });
      from = -1;
      continue;
    }
    if (from < 0) from = lexer.start;
    to = lexer.end;
  }
  if (from >= 0) parts.push({ start: from, end: to });
  return parts;
}
