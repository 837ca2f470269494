/**
 * An admin statement in its normal form: one blank where there was white space or a comment, no semicolon at the end,
 * quoted texts as they were. Commands are recognised by the normal form, whoever wrote the statement and however.
 */

import { isUtf8 } from 'node:buffer';
import { ConditionalMode, Lexer, TokenKind } from '../../sql/lexer.ts';
import { makeLexicalContext } from '../../sql/lexical-context.ts';
import { AdminError } from './admin-error.ts';

export interface AdminToken {
  readonly kind: number;
  readonly text: string;
  /** Byte offsets in the statement. */
  readonly start: number;
  readonly end: number;
  /** White space or a comment stands in front of it. */
  readonly gap: boolean;
}

export interface AdminStatement {
  /** As the client sent it. */
  readonly source: Buffer;
  /** Without comments, and without semicolons at the end. */
  readonly tokens: readonly AdminToken[];
  /** The normal form; of a statement that is cut (`isWhole`), its beginning. */
  readonly text: string;
  /** False where the statement has more tokens than any command, or ends in the middle of a quote or comment. */
  readonly isWhole: boolean;
}

/** No command is longer; what follows (a statement to explain) is taken from the source. */
const MAX_TOKENS = 1000;
const LEXICAL = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 0 });

const NOT_PART_OF_A_COMMAND: ReadonlySet<number> = new Set([
  TokenKind.optimizerHint,
  TokenKind.routeHint,
  TokenKind.conditionalOpen,
  TokenKind.conditionalClose,
]);

/** @throws AdminError when the bytes are not UTF-8, which is what the admin port speaks */
export function readAdminStatement(source: Buffer): AdminStatement {
  if (!isUtf8(source)) throw new AdminError('invalidText', 'The statement is not valid UTF-8');
  const tokens: AdminToken[] = [];
  const lexer = new Lexer();
  lexer.reset(source, 0, source.length, LEXICAL, ConditionalMode.runAll);
  let isWhole = true;
  let gap = false;
  for (let kind = lexer.next(); kind !== TokenKind.end; kind = lexer.next()) {
    if (kind === TokenKind.malformed || tokens.length === MAX_TOKENS) {
      isWhole = false;
      break;
    }
    gap ||= lexer.gap;
    if (NOT_PART_OF_A_COMMAND.has(kind)) {
      gap = true;
      continue;
    }
    const { start, end } = lexer;
    tokens.push({
      kind,
      text: source.toString('utf8', start, end),
      start,
      end,
      gap: gap && tokens.length > 0,
    });
    gap = false;
  }
  while (isWhole && tokens.at(-1)?.kind === TokenKind.semicolon) tokens.pop();
  return { source, tokens, text: joinTokens(tokens), isWhole };
}

/** The normal form of some tokens; the first brings no blank. */
export function joinTokens(tokens: readonly AdminToken[]): string {
  return tokens.map(({ text, gap }, index) => (gap && index > 0 ? ` ${text}` : text)).join('');
}

/** Split at the commas outside brackets. */
export function splitAtCommas(tokens: readonly AdminToken[]): AdminToken[][] {
  const parts: AdminToken[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (token.text === ',' && depth === 0) parts.push([]);
    else parts.at(-1)!.push(token);
  }
  return parts;
}

/** What the client wrote behind the first `count` tokens, unchanged but for the blanks in front of it. */
export function sourceAfter({ source, tokens }: AdminStatement, count: number): string {
  return source.toString('utf8', tokens[count - 1]?.end ?? 0).trimStart();
}

/** The content of a quoted text or name; any other token as it is. */
export function unquote(text: string): string {
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"' && quote !== '`') || text.at(-1) !== quote)
    return text;
  const content = text.slice(1, -1).replaceAll(quote + quote, quote);
  return quote === '`' ? content : content.replace(/\\(.)/gs, '$1');
}

const QUESTION_MARK = 0x3f;

/** How many `?` a statement to prepare has, outside of texts, names and comments. */
export function countParameters(source: Buffer): number {
  const lexer = new Lexer();
  lexer.reset(source, 0, source.length, LEXICAL, ConditionalMode.runAll);
  let count = 0;
  for (let kind = lexer.next(); kind !== TokenKind.end && kind !== TokenKind.malformed; kind = lexer.next()) {
    if (kind === TokenKind.number && source[lexer.start] === QUESTION_MARK) count++;
  }
  return count;
}
