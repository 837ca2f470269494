/** What the body of a trigger writes and reads: the statements in it, found without knowing the grammar around them. */

import { type ClassifyInput, scanSafety } from './classify-read.ts';
import { classifyStatement } from './classify-statement.ts';
import { ConditionalMode, TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';
import { StatementKind, type TableReference } from './statement-class.ts';
import { StatementDraft } from './statement-draft.ts';
import { TokenList } from './token-list.ts';
import { readTables } from './written-tables.ts';

export interface BodyUse {
  readonly writes: readonly TableReference[];
  readonly reads: readonly TableReference[];
}

/** Reserved words that begin a statement that writes rows, wherever they stand but for the exceptions below. */
const WRITING: ReadonlySet<string> = new Set(['DELETE', 'INSERT', 'REPLACE', 'UPDATE']);
/** Reserved words of statements that may do anything. */
const OTHERS: ReadonlySet<string> = new Set([
  'ALTER',
  'CALL',
  'CREATE',
  'DROP',
  'GRANT',
  'LOAD',
  'RENAME',
  'REVOKE',
]);
/** Not reserved everywhere; in front of a parenthesis TRUNCATE is a function, and in front of nothing else a name. */
const DYNAMIC: ReadonlySet<string> = new Set(['EXECUTE', 'PREPARE', 'TRUNCATE']);
/** Keywords that a parenthesis may follow and that no call can be. */
const CONTROL: ReadonlySet<string> = new Set(['ELSEIF', 'RETURN', 'UNTIL', 'WHILE']);

const tokens = new TokenList();

/** Names without a schema belong to that of the trigger. @returns null: it may do anything. */
export function triggerBodyUse(body: string, context: LexicalContext): BodyUse | null {
  const buf = Buffer.from(body);
  try {
    tokens.collect(buf, 0, buf.length, context, ConditionalMode.byServer);
    if (tokens.malformed || tokens.tooLong || tokens.sawConditional) return null;
    return useOf({ buf, tokens, context });
  } finally {
    tokens.release();
  }
}

function useOf(input: ClassifyInput): BodyUse | null {
  const rest = new StatementDraft(StatementKind.other, '');
  const writes: TableReference[] = [];
  let from = 0;
  for (let i = 0; i <= tokens.count; i++) {
    const isEnd = i === tokens.count || tokens.kind(i) === TokenKind.semicolon;
    if (!isEnd && !isWriting(i)) {
      if (mayDoAnything(i)) return null;
      continue;
    }
    if (!readsOnly(input, rest, from, i)) return null;
    from = i + 1;
    if (isEnd) continue;
    const to = statementEnd(i);
    const draft = classifyStatement(input, i, to);
    if (draft.writes === null) return null;
    writes.push(...draft.writes);
    for (const { schema, table } of draft.tables) rest.addTable(schema, table);
    i = to;
    from = to + 1;
  }
  return { writes, reads: rest.tables };
}

function isWriting(index: number): boolean {
  const word = tokens.text(index);
  if (!WRITING.has(word)) return false;
  const before = tokens.text(index - 1);
  if (before === '.') return false;
  // FOR UPDATE, ON DUPLICATE KEY UPDATE
  if (word === 'UPDATE') return before !== 'FOR' && before !== 'KEY';
  // INSERT() and REPLACE() are functions as well.
  return word === 'DELETE' || tokens.text(index + 1) !== '(';
}

function mayDoAnything(index: number): boolean {
  const text = tokens.text(index);
  if (tokens.text(index - 1) === '.') return false;
  return OTHERS.has(text) || (DYNAMIC.has(text) && tokens.text(index + 1) !== '(');
}

function statementEnd(from: number): number {
  let at = from;
  while (at < tokens.count && tokens.kind(at) !== TokenKind.semicolon) at++;
  return at;
}

/** Control flow, assignments, queries. @returns false if that may write, or cannot be read. */
function readsOnly(input: ClassifyInput, draft: StatementDraft, from: number, to: number): boolean {
  let start = from;
  for (let i = from; i < to; i++) {
    if (!CONTROL.has(tokens.text(i)) || tokens.text(i - 1) === '.') continue;
    if (!isHarmless(input, draft, start, i)) return false;
    start = i + 1;
  }
  return isHarmless(input, draft, start, to);
}

function isHarmless(input: ClassifyInput, draft: StatementDraft, from: number, to: number): boolean {
  return !scanSafety(input, draft, from, to).calledStored && readTables(input, draft, from, to);
}
