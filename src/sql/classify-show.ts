/** SHOW, DESCRIBE and EXPLAIN. */

import { type ClassifyInput, classifyQuery, SYSTEM_SCHEMAS, scanSafety } from './classify-read.ts';
import { TokenKind } from './lexer.ts';
import { ClassReason, PinReason } from './statement-class.ts';
import type { StatementDraft } from './statement-draft.ts';

/**
 * What SHOW shows of the data itself, and so the same on every server; everything else is a server's own. INDEX and
 * TABLE STATUS are: they show estimates, which replicas make for themselves.
 */
const REPLICATED_SHOWS: ReadonlySet<string> = new Set([
  'CHARSET',
  'COLLATION',
  'COLUMNS',
  'CREATE',
  'DATABASES',
  'ENGINES',
  'EVENTS',
  'FIELDS',
  'PRIVILEGES',
  'SCHEMAS',
  'TABLES',
  'TRIGGERS',
]);
/** Those that name a table behind FROM or IN. */
const OF_A_TABLE: ReadonlySet<string> = new Set(['COLUMNS', 'FIELDS']);
const CREATE_OF_A_TABLE: ReadonlySet<string> = new Set(['TABLE', 'VIEW', 'SEQUENCE']);
/** What SHOW STATUS shows anyway. */
const OWN_SCOPES: ReadonlySet<string> = new Set(['LOCAL', 'SESSION']);
const SHOW_MODIFIERS: ReadonlySet<string> = new Set(['FULL', 'EXTENDED', 'STORAGE']);

/** `SHOW …` with SHOW at `from`. */
export function classifyShow(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const { tokens } = input;
  let at = from + 1;
  while (SHOW_MODIFIERS.has(tokens.text(at))) at++;
  if (OWN_SCOPES.has(tokens.text(at)) && tokens.text(at + 1) === 'STATUS') at++;
  const word = tokens.text(at);
  const next = tokens.text(at + 1);
  draft.command = `SHOW_${word}`;
  draft.writes = [];
  if (word === 'WARNINGS' || word === 'ERRORS' || (word === 'COUNT' && next === '(')) {
    draft.residue.diagnostics = true;
    draft.object(ClassReason.sessionFunction, `SHOW ${word}`);
    return;
  }
  const isReplicated = REPLICATED_SHOWS.has(word) || (word === 'CHARACTER' && next === 'SET');
  if (!isReplicated) {
    draft.object(ClassReason.serverState, `SHOW ${word}`);
    return;
  }
  if (word === 'CREATE') {
    if (CREATE_OF_A_TABLE.has(next)) addTableAt(input, draft, at + 2, to);
    return;
  }
  let condition = at + 1;
  while (condition < to && tokens.text(condition) !== 'WHERE' && tokens.text(condition) !== 'LIKE')
    condition++;
  if (OF_A_TABLE.has(word)) addShownTable(input, draft, at + 1, condition);
  if (condition >= to) return;
  // A condition is an expression like any other; a subquery in it reads tables.
  draft.writes = null;
  classifyQuery(input, draft, condition, to);
}

/** `FROM t [FROM db]` */
function addShownTable(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const { tokens } = input;
  const behind = addTableAt(input, draft, from + 1, to);
  const word = tokens.text(behind);
  if (behind + 1 >= to || (word !== 'FROM' && word !== 'IN')) return;
  const table = draft.tables.pop();
  const schema = tokens.name(behind + 1);
  if (table === undefined || schema === null) draft.object(ClassReason.parserFailed, '');
  else addShown(draft, schema, table.table);
}

function addShown(draft: StatementDraft, schema: string | null, table: string): void {
  draft.addTable(schema, table);
  if (schema !== null && SYSTEM_SCHEMAS.has(schema.toLowerCase())) {
    draft.object(ClassReason.systemSchema, `${schema}.${table}`);
  }
}

/** Adds `[schema.]table` at `from`; returns the index behind it. */
function addTableAt(input: ClassifyInput, draft: StatementDraft, from: number, to: number): number {
  const { tokens } = input;
  const isQualified = tokens.text(from + 1) === '.';
  const last = isQualified ? from + 2 : from;
  const schema = isQualified && tokens.isName(from) ? tokens.name(from) : null;
  const table = last < to && tokens.isName(last) ? tokens.name(last) : null;
  if (table === null || (isQualified && schema === null)) draft.object(ClassReason.parserFailed, '');
  else addShown(draft, schema, table);
  return last + 1;
}

const EXPLAINED: ReadonlySet<string> = new Set([
  '(',
  'DELETE',
  'INSERT',
  'REPLACE',
  'SELECT',
  'TABLE',
  'UPDATE',
  'VALUES',
  'WITH',
]);
const WRITES: ReadonlySet<string> = new Set(['DELETE', 'INSERT', 'REPLACE', 'UPDATE']);

/**
 * EXPLAIN, DESCRIBE and DESC, which are one, and MariaDB's ANALYZE of a statement, with the word itself at `from`.
 * Even without ANALYZE a server may evaluate subqueries and functions, so only the EXPLAIN of a proven read is one.
 */
export function classifyExplain(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const { tokens } = input;
  let at = from + 1;
  let isOption = tokens.text(from) === 'ANALYZE';
  for (; at < to; at++) {
    const word = tokens.text(at);
    if (word === 'FORMAT' && tokens.text(at + 1) === '=') at += 2;
    else if (word === 'INTO' && tokens.kind(at + 1) === TokenKind.userVariable) {
      draft.pins.add(PinReason.userVariable);
      draft.object(ClassReason.selectInto, tokens.raw(at + 1));
      at++;
    } else if (word !== 'ANALYZE' && !((word === 'EXTENDED' || word === 'PARTITIONS') && at + 1 < to)) break;
    isOption = true;
  }
  const word = tokens.text(at);
  if (word === 'FOR') {
    draft.object(ClassReason.serverState, `FOR ${tokens.text(at + 1)}`);
    draft.writes = [];
    return;
  }
  if (EXPLAINED.has(word)) {
    const verb = word === 'WITH' ? mainVerb(input, at, to) : word;
    if (WRITES.has(verb)) {
      draft.object(ClassReason.explainWrite, verb);
      draft.mayWrite = true;
      scanSafety(input, draft, at, to);
    } else classifyQuery(input, draft, at, to);
    return;
  }
  if (isOption) {
    draft.assumeAnything(ClassReason.explainWrite, word);
    return;
  }
  addTableAt(input, draft, at, to);
  draft.writes = [];
}

const MAIN_VERBS: ReadonlySet<string> = new Set([
  'DELETE',
  'INSERT',
  'REPLACE',
  'SELECT',
  'TABLE',
  'UPDATE',
  'VALUES',
]);

/** What a WITH clause at `from` belongs to; a parenthesis behind it can only hold a query. */
export function mainVerb(input: ClassifyInput, from: number, to: number): string {
  const { tokens } = input;
  for (let i = from + 1; i < to; i++) {
    const text = tokens.text(i);
    if (text === '(') i = tokens.behindParenthesis(i, to) - 1;
    else if (MAIN_VERBS.has(text)) return text;
  }
  return 'SELECT';
}
