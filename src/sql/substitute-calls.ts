/**
 * Puts values in the place of calls such as `FOUND_ROWS()`, for a statement that must run on a connection that does
 * not know them, or knows others. A column without a name of its own keeps its text as its name.
 */

import { ConditionalMode, TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';
import { addColumnNames } from './select-columns.ts';
import { TokenList } from './token-list.ts';

/** An expression in the place of a call without arguments, or of a system variable. */
export interface CallValue {
  readonly sql: string;
  /** Left alone in a statement in which the name of a column could not be kept, or that asks for servers' ids. */
  readonly optional: boolean;
  /** In the first statement of a packet only: a later one asks for what one within the packet has left. */
  readonly firstOnly?: boolean;
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly sql: string;
}

interface Use {
  /** Of its first token. */
  readonly index: number;
  readonly edit: Edit;
  readonly optional: boolean;
}

/** Finding the columns takes a walk through the statement for each use. */
const MAX_TOKENS = 4096;
const MAX_USES = 32;
/** What speaks of the servers' threads: what is compared with it must be one of theirs. */
const OF_SERVER_THREADS: ReadonlySet<string> = new Set([
  'IS_USED_LOCK',
  'PROCESSLIST',
  'PS_CURRENT_THREAD_ID',
  'PS_THREAD_ID',
]);
const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set(['information_schema', 'performance_schema', 'sys']);

const tokens = new TokenList();

/**
 * @param values by the function's name in upper case, or `@@` and the variable's name in lower case.
 * @returns the statement with the values in place; the same bytes where none of them is used.
 */
export function substituteCalls(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
  values: ReadonlyMap<string, CallValue>,
): Buffer {
  tokens.collect(buf, start, end, context, ConditionalMode.byServer);
  let uses = findUses(values);
  const names = new Map<number, string>();
  if (!isPlain(uses) || asksForServerThreads() || !nameColumns(uses, names)) {
    uses = uses.filter(({ optional }) => !optional);
    names.clear();
    nameColumns(uses, names);
  }
  const edits = uses.map(({ edit }) => edit);
  for (const [at, name] of names) edits.push({ from: at, to: at, sql: ` AS ${name}` });
  // A column's name stands behind the call that ends it.
  edits.sort((one, other) => one.from - other.from);
  const parts: Buffer[] = [];
  let copied = start;
  for (const { from, to, sql } of edits) {
    parts.push(buf.subarray(copied, from), Buffer.from(sql, 'latin1'));
    copied = to;
  }
  parts.push(buf.subarray(copied, end));
  tokens.release();
  return Buffer.concat(parts);
}

function isPlain(uses: readonly Use[]): boolean {
  return tokens.count <= MAX_TOKENS && uses.length <= MAX_USES;
}

/** @returns false if a column has a name that cannot be kept. */
function nameColumns(uses: readonly Use[], names: Map<number, string>): boolean {
  let complete = true;
  for (const { index } of uses) if (!addColumnNames(tokens, index, names)) complete = false;
  return complete;
}

function findUses(values: ReadonlyMap<string, CallValue>): Use[] {
  const uses: Use[] = [];
  let isFirst = true;
  for (let i = 0; i < tokens.count; i++) {
    if (tokens.text(i) === ';') isFirst = false;
    const last = tokens.kind(i) === TokenKind.systemVariable ? variableEnd(i) : i + 2;
    const key = tokens.kind(i) === TokenKind.systemVariable ? `@@${variableAt(i)}` : tokens.text(i);
    const value = values.get(key);
    if (value === undefined || (value.firstOnly === true && !isFirst)) continue;
    const isCall = tokens.text(i + 1) === '(' && tokens.text(i + 2) === ')' && tokens.text(i - 1) !== '.';
    if (!key.startsWith('@@') && !isCall) continue;
    const edit = { from: tokens.start(i), to: tokens.end(last), sql: value.sql };
    uses.push({ index: i, edit, optional: value.optional });
  }
  return uses;
}

/** `@@x` and `@@session.x`. */
function variableEnd(index: number): number {
  return isScoped(index) ? index + 2 : index;
}

function isScoped(index: number): boolean {
  const scope = tokens.variableName(index);
  return (scope === 'session' || scope === 'local') && tokens.text(index + 1) === '.';
}

function variableAt(index: number): string {
  return isScoped(index) ? tokens.raw(index + 2).toLowerCase() : tokens.variableName(index);
}

function asksForServerThreads(): boolean {
  for (let i = 0; i < tokens.count; i++) {
    if (!tokens.isName(i)) continue;
    const name = tokens.name(i) ?? '';
    if (OF_SERVER_THREADS.has(name.toUpperCase())) return true;
    if (tokens.text(i + 1) === '.' && SYSTEM_SCHEMAS.has(name.toLowerCase())) return true;
  }
  return false;
}
