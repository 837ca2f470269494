/**
 * The tables that INSERT, REPLACE, UPDATE, DELETE and LOAD DATA write to, from their tokens. Where several tables are joined
 * it is those whose columns are assigned, or that are named to be deleted from; where that cannot be told all of
 * them, and where not even they can, nothing is said (`draft.writes` stays null).
 */

import type { ClassifyInput } from './classify-read.ts';
import type { TableReference } from './statement-class.ts';
import type { StatementDraft } from './statement-draft.ts';
import { type OuterTable, TableReferences } from './table-references.ts';
import type { TokenList } from './token-list.ts';

const INSERT_MODIFIERS: ReadonlySet<string> = new Set([
  'DELAYED',
  'HIGH_PRIORITY',
  'IGNORE',
  'INTO',
  'LOW_PRIORITY',
]);
const MODIFIERS: ReadonlySet<string> = new Set(['IGNORE', 'LOW_PRIORITY']);
/** Elsewhere these are names like any other. */
const DELETE_MODIFIERS: ReadonlySet<string> = new Set(['HISTORY', 'QUICK']);
const ENDS_ASSIGNMENTS: ReadonlySet<string> = new Set(['LIMIT', 'ORDER', 'RETURNING', 'WHERE']);

/** A name with what may qualify it, and the index behind it. */
export interface NamedTable extends TableReference {
  readonly behind: number;
}

/** `[schema.]table` at `at`; null for anything else. */
export function tableAt(tokens: TokenList, at: number, to: number): NamedTable | null {
  if (at >= to || !tokens.isName(at)) return null;
  const first = tokens.name(at);
  if (tokens.text(at + 1) !== '.')
    return first === null ? null : { schema: null, table: first, behind: at + 1 };
  if (at + 2 >= to || !tokens.isName(at + 2)) return null;
  const table = tokens.name(at + 2);
  return first === null || table === null ? null : { schema: first, table, behind: at + 3 };
}

/** Index of the unquoted `word` outside of parentheses from `at` on, or `to`. */
export function wordIndex(tokens: TokenList, at: number, to: number, word: string): number {
  for (let i = at; i < to; i++) {
    const text = tokens.text(i);
    if (text === '(') i = tokens.behindParenthesis(i, to) - 1;
    else if (text === word && tokens.text(i - 1) !== '.') return i;
  }
  return to;
}

/** Reads the tables of `[from, to)`, which begins outside of a query. @returns false if that is not all of them. */
export function readTables(input: ClassifyInput, draft: StatementDraft, from: number, to: number): boolean {
  const references = new TableReferences(input.tokens, draft);
  references.collect(from, to, false);
  return !references.unsure;
}

/** INSERT or REPLACE, with the word at `verb`. @returns the index of the table, and that behind it. */
export function insertTarget(
  { tokens }: ClassifyInput,
  verb: number,
  to: number,
): { readonly at: number; readonly table: NamedTable | null } {
  let at = verb + 1;
  while (INSERT_MODIFIERS.has(tokens.text(at))) at++;
  return { at, table: tableAt(tokens, at, to) };
}

/** Index of what follows an UPDATE or DELETE at `verb`. */
export function behindModifiers(tokens: TokenList, verb: number): number {
  const isDelete = tokens.text(verb) === 'DELETE';
  let at = verb + 1;
  while (MODIFIERS.has(tokens.text(at)) || (isDelete && DELETE_MODIFIERS.has(tokens.text(at)))) at++;
  return at;
}

/** `UPDATE` at `verb`; a WITH clause may stand before it. */
export function updateWrites(
  input: ClassifyInput,
  draft: StatementDraft,
  from: number,
  verb: number,
  to: number,
): void {
  const { tokens } = input;
  const list = behindModifiers(tokens, verb);
  const set = wordIndex(tokens, list, to, 'SET');
  const references = new TableReferences(tokens, draft);
  references.read(from, verb);
  references.listBegins();
  references.read(list, set);
  references.listEnds();
  references.read(set + 1, to);
  references.end();
  const { outer, unsure } = references;
  if (unsure || set === to || outer.length === 0) return;
  draft.writes = outer.length === 1 ? plain(outer) : (assigned(tokens, outer, set + 1, to) ?? plain(outer));
}

/** Whose columns the assignments at `from` name; null if some column may be anybody's. */
function assigned(
  tokens: TokenList,
  outer: readonly OuterTable[],
  from: number,
  to: number,
): TableReference[] | null {
  const written: OuterTable[] = [];
  for (let at = from; at < to; ) {
    const column = qualifierAt(tokens, at, to);
    if (column === null) return null;
    const { behind, ...name } = column;
    const sign = tokens.text(behind);
    if (sign !== '=' && sign !== ':=') return null;
    const owners = outer.filter((table) => isMeant(table, name));
    if (owners.length === 0) return null;
    written.push(...owners);
    at = assignmentEnd(tokens, behind + 1, to);
    if (tokens.text(at) !== ',') break;
    at++;
  }
  return written.length === 0 ? null : plain(written);
}

/** The table of `[schema.]table.column` at `at`, and the index behind the column. */
function qualifierAt(tokens: TokenList, at: number, to: number): NamedTable | null {
  const names: string[] = [];
  let next = at;
  for (; next < to && tokens.isName(next) && names.length < 3; next += 2) {
    const name = tokens.name(next);
    if (name === null) return null;
    names.push(name);
    if (tokens.text(next + 1) !== '.') {
      next++;
      break;
    }
  }
  const [first = '', second = ''] = names;
  if (names.length === 2) return { schema: null, table: first, behind: next };
  return names.length === 3 ? { schema: first, table: second, behind: next } : null;
}

function assignmentEnd(tokens: TokenList, from: number, to: number): number {
  for (let i = from; i < to; i++) {
    const text = tokens.text(i);
    if (text === '(') i = tokens.behindParenthesis(i, to) - 1;
    else if (text === ',' || (ENDS_ASSIGNMENTS.has(text) && tokens.text(i - 1) !== '.')) return i;
  }
  return to;
}

/** `DELETE` at `verb`, of one table or in one of the two forms for several. */
export function deleteWrites(
  input: ClassifyInput,
  draft: StatementDraft,
  from: number,
  verb: number,
  to: number,
): void {
  const { tokens } = input;
  const at = behindModifiers(tokens, verb);
  const isFrom = tokens.text(at) === 'FROM';
  const targets = deleteTargets(tokens, isFrom ? at + 1 : at, to);
  if (targets === null) return;
  const { tables, behind } = targets;
  const word = tokens.text(behind);
  const isMulti = isFrom ? word === 'USING' : word === 'FROM';
  if (!isMulti && !isFrom) return;
  // RETURNING ends the list where it is a reserved word.
  const isReserved = input.context.flavor === 'mariadb';
  const list = isMulti ? behind + 1 : at + 1;
  const end = isReserved ? wordIndex(tokens, list, to, 'RETURNING') : to;
  const references = new TableReferences(tokens, draft);
  references.read(from, verb);
  references.listBegins();
  references.read(list, end);
  references.listEnds();
  references.read(end + 1, to);
  references.end();
  const { outer, unsure } = references;
  if (unsure) return;
  if (!isMulti) {
    if (outer.length === 1 && tables.length === 1) draft.writes = plain(outer);
    return;
  }
  const written: OuterTable[] = [];
  for (const target of tables) {
    const owners = outer.filter((table) => isMeant(table, target));
    if (owners.length === 0) return;
    written.push(...owners);
  }
  draft.writes = plain(written);
}

/** `t`, `a.b`, `t.*`, `a.b.*`, separated by commas. */
function deleteTargets(
  tokens: TokenList,
  from: number,
  to: number,
): { readonly tables: readonly TableReference[]; readonly behind: number } | null {
  const tables: TableReference[] = [];
  for (let at = from; ; ) {
    const target = targetAt(tokens, at, to);
    if (target === null) return null;
    tables.push(target);
    if (tokens.text(target.behind) !== ',') return { tables, behind: target.behind };
    at = target.behind + 1;
  }
}

function targetAt(tokens: TokenList, at: number, to: number): NamedTable | null {
  const name = tokens.isName(at) && at < to ? tokens.name(at) : null;
  if (name !== null && tokens.text(at + 1) === '.' && tokens.text(at + 2) === '*')
    return { schema: null, table: name, behind: at + 3 };
  const table = tableAt(tokens, at, to);
  if (table === null) return null;
  const hasStar = tokens.text(table.behind) === '.' && tokens.text(table.behind + 1) === '*';
  return hasStar ? { ...table, behind: table.behind + 2 } : table;
}

/** Whether `name` may stand for the table: by its alias, or by its own name. */
function isMeant(outer: OuterTable, name: TableReference): boolean {
  const table = name.table.toLowerCase();
  if (name.schema === null && outer.alias?.toLowerCase() === table) return true;
  if (outer.table.toLowerCase() !== table) return false;
  // One of the two may leave the session's schema out.
  return (
    name.schema === null || outer.schema === null || outer.schema.toLowerCase() === name.schema.toLowerCase()
  );
}

/** `LOAD DATA … INTO TABLE t`; what it assigns in SET is an expression like any other. */
export function loadWrites(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const { tokens } = input;
  let into = wordIndex(tokens, from, to, 'INTO');
  if (tokens.text(into + 1) !== 'TABLE') into = to;
  const table = tableAt(tokens, into + 2, to);
  if (table === null || !readTables(input, draft, table.behind, to)) return;
  draft.addTable(table.schema, table.table);
  draft.writes = plain([table]);
}

/** Each table once. */
export function plain(tables: readonly TableReference[]): TableReference[] {
  const found: TableReference[] = [];
  for (const { schema, table } of tables)
    if (!found.some((other) => other.schema === schema && other.table === table))
      found.push({ schema, table });
  return found;
}
