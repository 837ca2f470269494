/**
 * Variables of a session that are Sluice's own: `@@sluice.name` in a SELECT of its own, `SET sluice.name = value` in every
 * spelling that a server has for its own variables. No server is to see them.
 */

import { ConditionalMode, TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';
import { TokenList } from './token-list.ts';

const OWN = 'sluice';
const SESSION_WORDS: ReadonlySet<string> = new Set(['LOCAL', 'SESSION']);
const GLOBAL_WORDS: ReadonlySet<string> = new Set(['GLOBAL', 'PERSIST', 'PERSIST_ONLY']);

/** A value as it stands; `parameter` counts the `?` of a prepared statement from 0. */
export type OwnValue =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'parameter'; readonly index: number }
  | { readonly kind: 'default' }
  | { readonly kind: 'null' };

export interface OwnColumn {
  /** Without `sluice.`, in lower case. */
  readonly variable: string;
  /** What the column is called. */
  readonly label: string;
}

export interface OwnAssignment {
  readonly variable: string;
  readonly isGlobal: boolean;
  readonly value: OwnValue;
}

export type OwnStatement =
  | { readonly kind: 'select'; readonly columns: readonly OwnColumn[]; readonly isEmpty: boolean }
  | {
      readonly kind: 'set';
      readonly assignments: readonly OwnAssignment[];
      readonly parameters: number;
    };

/** Whether the statement `[from, to)` names one of them. */
export function namesOwnVariable(tokens: TokenList, from: number, to: number): boolean {
  const isSet = tokens.text(from) === 'SET';
  for (let i = from; i < to; i++) {
    if (
      tokens.kind(i) === TokenKind.systemVariable
        ? variableAt(tokens, i) !== null
        : isSet && assignedAt(tokens, i)
    )
      return true;
  }
  return false;
}

/** `sluice.name` where the name of a variable stands. */
function assignedAt(tokens: TokenList, index: number): boolean {
  if (tokens.text(index + 1) !== '.' || !tokens.isName(index) || !isOwn(tokens, index)) return false;
  const before = tokens.text(index - 1);
  return before === 'SET' || before === ',' || SESSION_WORDS.has(before) || GLOBAL_WORDS.has(before);
}

function isOwn(tokens: TokenList, index: number): boolean {
  return tokens.name(index)?.toLowerCase() === OWN;
}

interface Found {
  readonly variable: string;
  readonly isGlobal: boolean;
  readonly behind: number;
}

/** `@@sluice.name`, `@@session.sluice.name` at `index`; null for any other variable. */
function variableAt(tokens: TokenList, index: number): Found | null {
  const first = tokens.variableName(index);
  if (tokens.text(index + 1) !== '.') return null;
  if (first === OWN) return foundAt(tokens, index + 2, false);
  const scope = first.toUpperCase();
  const isGlobal = GLOBAL_WORDS.has(scope);
  if (!isGlobal && !SESSION_WORDS.has(scope)) return null;
  if (tokens.text(index + 3) !== '.' || !isOwn(tokens, index + 2)) return null;
  return foundAt(tokens, index + 4, isGlobal);
}

function foundAt(tokens: TokenList, index: number, isGlobal: boolean): Found {
  const name = tokens.isName(index) ? tokens.name(index) : null;
  return { variable: (name ?? '').toLowerCase(), isGlobal, behind: index + 1 };
}

const list = new TokenList();

/** @returns null for a statement that does anything else besides. */
export function parseOwnStatement(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
): OwnStatement | null {
  try {
    list.collect(buf, start, end, context, ConditionalMode.byServer);
    let to = list.count;
    while (to > 0 && list.kind(to - 1) === TokenKind.semicolon) to--;
    if (list.malformed || list.tooLong || list.sawConditional) return null;
    if (list.text(0) === 'SELECT') return parseSelect(to);
    return list.text(0) === 'SET' ? parseSet(to) : null;
  } finally {
    list.release();
  }
}

function parseSelect(to: number): OwnStatement | null {
  const columns: OwnColumn[] = [];
  let at = 1;
  for (; ; at++) {
    const found = list.kind(at) === TokenKind.systemVariable ? variableAt(list, at) : null;
    if (found === null || found.behind > to) return null;
    const label = aliasAt(found.behind, to) ?? list.rawRange(at, found.behind - 1);
    columns.push({ variable: found.variable, label });
    at = found.behind;
    if (at < to && list.text(at) === 'AS') at++;
    if (aliasAt(found.behind, to) !== null) at++;
    if (at >= to || list.text(at) !== ',') break;
  }
  if (list.text(at) === 'FROM' && list.text(at + 1) === 'DUAL') at += 2;
  let isEmpty = false;
  if (at < to && list.text(at) === 'LIMIT') {
    if (list.kind(at + 1) !== TokenKind.number || list.raw(at + 1) === '?') return null;
    isEmpty = Number(list.raw(at + 1)) === 0;
    at += 2;
  }
  return at === to ? { kind: 'select', columns, isEmpty } : null;
}

/** Of the column that ends before `behind`. */
function aliasAt(behind: number, to: number): string | null {
  const at = list.text(behind) === 'AS' ? behind + 1 : behind;
  if (at >= to) return null;
  if (list.kind(at) === TokenKind.string) return textOf(at);
  const word = list.text(at);
  return list.isName(at) && word !== 'FROM' && word !== 'LIMIT' ? list.name(at) : null;
}

function parseSet(to: number): OwnStatement | null {
  const assignments: OwnAssignment[] = [];
  let parameters = 0;
  for (let at = 1; ; at++) {
    const found = targetAt(at);
    if (found === null) return null;
    const sign = list.text(found.behind);
    if (sign !== '=' && sign !== ':=') return null;
    const valueAt = found.behind + 1;
    if (valueAt >= to) return null;
    const isSigned = list.text(valueAt) === '-' && list.kind(valueAt + 1) === TokenKind.number;
    const value = isSigned ? textValue(list.rawRange(valueAt, valueAt + 1)) : ownValue(valueAt, parameters);
    if (value === null) return null;
    if (value.kind === 'parameter') parameters++;
    assignments.push({ variable: found.variable, isGlobal: found.isGlobal, value });
    at = valueAt + (isSigned ? 2 : 1);
    if (at >= to) return { kind: 'set', assignments, parameters };
    if (list.text(at) !== ',') return null;
  }
}

function targetAt(index: number): Found | null {
  if (list.kind(index) === TokenKind.systemVariable) return variableAt(list, index);
  const word = list.text(index);
  const isGlobal = GLOBAL_WORDS.has(word);
  const at = isGlobal || SESSION_WORDS.has(word) ? index + 1 : index;
  return list.isName(at) && isOwn(list, at) && list.text(at + 1) === '.'
    ? foundAt(list, at + 2, isGlobal)
    : null;
}

function textValue(text: string): OwnValue {
  return { kind: 'text', text };
}

/** A literal (under ANSI_QUOTES ".." is a name), a word (`SET sluice.causal_reads = table`), DEFAULT, NULL or `?`. */
function ownValue(index: number, parameters: number): OwnValue | null {
  switch (list.kind(index)) {
    case TokenKind.string:
      return textValue(textOf(index));
    case TokenKind.number:
      return list.raw(index) === '?' ? { kind: 'parameter', index: parameters } : textValue(list.raw(index));
    case TokenKind.quotedName:
      return textValue(list.name(index) ?? '');
    case TokenKind.name:
      if (list.text(index) === 'DEFAULT') return { kind: 'default' };
      return list.text(index) === 'NULL' ? { kind: 'null' } : textValue(list.raw(index));
    default:
      return null;
  }
}

/** Without quotes. What they hold are words and GTIDs, in which nothing has to be escaped. */
function textOf(index: number): string {
  const raw = list.raw(index);
  const quote = raw.search(/['"]/);
  const mark = raw[quote] ?? '';
  return raw.slice(quote + 1, -1).replaceAll(mark + mark, mark);
}
