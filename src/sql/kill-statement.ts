/** KILL names a connection of the proxy, not of a server, so the proxy carries it out itself. */

import { ConditionalMode, Lexer, TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';

export interface KillStatement {
  readonly target: 'connection' | 'query';
  readonly id: number;
}

/**
 * `KILL [HARD | SOFT] [CONNECTION | QUERY] n`; null for anything else, such as `KILL USER`, `KILL QUERY ID n`
 * (whose number is that of a query) or an expression instead of a number.
 */
export function parseKill(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
): KillStatement | null {
  const lexer = new Lexer();
  lexer.reset(buf, start, end, context, ConditionalMode.byServer);
  const nextWord = (): string => {
    for (let kind = lexer.next(); ; kind = lexer.next()) {
      if (kind === TokenKind.name) return buf.toString('latin1', lexer.start, lexer.end).toUpperCase();
      const passed =
        kind === TokenKind.routeHint ||
        kind === TokenKind.conditionalOpen ||
        kind === TokenKind.conditionalClose;
      if (!passed) return '';
    }
  };
  if (nextWord() !== 'KILL') return null;
  let word = nextWord();
  if (word === 'HARD' || word === 'SOFT') word = nextWord();
  const target = word === 'QUERY' ? 'query' : 'connection';
  if (word === 'QUERY' || word === 'CONNECTION') word = nextWord();
  if (word !== '' || lexer.kind !== TokenKind.number) return null;
  const digits = buf.toString('latin1', lexer.start, lexer.end);
  if (!/^[0-9]{1,15}$/.test(digits)) return null;
  let kind = lexer.next();
  while (
    kind === TokenKind.semicolon ||
    kind === TokenKind.routeHint ||
    kind === TokenKind.conditionalClose
  ) {
    kind = lexer.next();
  }
  return kind === TokenKind.end ? { target, id: Number(digits) } : null;
}
