/** The tables, views and sequences whose rows or definition a statement about definitions changes. */

import type { ClassifyInput } from './classify-read.ts';
import type { TableReference } from './statement-class.ts';
import type { StatementDraft } from './statement-draft.ts';
import type { TokenList } from './token-list.ts';
import { plain, readTables, tableAt, wordIndex } from './written-tables.ts';

const TABLES: ReadonlySet<string> = new Set(['SEQUENCE', 'SEQUENCES', 'TABLE', 'TABLES', 'VIEW', 'VIEWS']);
/** `RENAME COLUMN a TO b` and the like are no renames of the table. */
const PARTS: ReadonlySet<string> = new Set(['COLUMN', 'INDEX', 'KEY']);
/** Making one changes no table; dropping one drops all of its tables, whose names it does not say. */
const SCHEMAS: ReadonlySet<string> = new Set(['DATABASE', 'SCHEMA']);
/** What these do to a table is no change of its rows; its name is a safe answer. */
const MAINTENANCE: ReadonlySet<string> = new Set(['ANALYZE', 'CHECK', 'OPTIMIZE', 'REPAIR']);

/** Engines whose tables keep their rows themselves, and nobody else's. */
const PLAIN_ENGINES: ReadonlySet<string> = new Set(
  'ARCHIVE ARIA BLACKHOLE COLUMNSTORE CSV INNODB MEMORY MYISAM NDB NDBCLUSTER ROCKSDB TOKUDB'.split(' '),
);

/** Whether which tables belong together may be another thing afterwards. Dropping what brings them together is no matter. */
export function changesRelations(tokens: TokenList, object: string, from: number, to: number): boolean {
  const verb = tokens.text(from);
  if (verb === 'RENAME' || object === 'TRIGGER' || object === 'SEQUENCE') return verb !== 'DROP';
  if (object !== 'TABLE' || (verb !== 'CREATE' && verb !== 'ALTER')) return false;
  for (let i = from; i < to; i++) {
    const text = tokens.text(i);
    if (tokens.text(i - 1) === '.') continue;
    if (text === 'REFERENCES' || text === 'LIKE' || text === 'UNION' || text === 'RENAME') return true;
    const isEngine = text === 'ENGINE' || (text === 'TYPE' && tokens.text(i + 1) === '=');
    if (isEngine && !isPlainEngine(tokens, i)) return true;
  }
  return false;
}

function isPlainEngine(tokens: TokenList, index: number): boolean {
  const at = tokens.text(index + 1) === '=' ? index + 2 : index + 1;
  const name = tokens.isName(at) ? (tokens.name(at) ?? '') : tokens.raw(at).slice(1, -1);
  return PLAIN_ENGINES.has(name.toUpperCase());
}

/** Sets `draft.writes` where all of them are named. @param object what the statement is about, e.g. `TABLE`. */
export function ddlWrites(
  input: ClassifyInput,
  draft: StatementDraft,
  object: string,
  from: number,
  to: number,
): void {
  const { tokens } = input;
  const verb = tokens.text(from);
  if (verb === 'TRUNCATE') {
    const at = tokens.text(from + 1) === 'TABLE' ? from + 2 : from + 1;
    draft.writes = oneTable(tokens, at, to);
  } else if (SCHEMAS.has(object)) {
    if (verb === 'CREATE') draft.writes = [];
  } else if (object === 'INDEX' || object === 'SPATIAL') {
    const on = wordIndex(tokens, from, to, 'ON');
    if (verb === 'CREATE' || verb === 'DROP') draft.writes = oneTable(tokens, on + 1, to);
  } else if (verb === 'RENAME' && (object === 'TABLE' || object === 'TABLES')) {
    draft.writes = renamedTables(tokens, from + 2, to);
  } else if (TABLES.has(object)) tableWrites(input, draft, object, from, to);
}

function tableWrites(
  input: ClassifyInput,
  draft: StatementDraft,
  object: string,
  from: number,
  to: number,
): void {
  const { tokens } = input;
  const verb = tokens.text(from);
  const first = behindExists(tokens, wordIndex(tokens, from, to, object) + 1);
  if (verb === 'DROP' || MAINTENANCE.has(verb)) draft.writes = tableList(tokens, first, to);
  else if (verb === 'ALTER') {
    draft.writes = object === 'TABLE' ? alteredTables(tokens, first, to) : oneTable(tokens, first, to);
  } else if (verb === 'CREATE') {
    const table = tableAt(tokens, first, to);
    if (table === null) return;
    // Nothing of a view's query runs now; that of a new table does.
    if (object === 'TABLE' && !readsSources(input, draft, table.behind, to)) return;
    draft.writes = plain([table]);
  }
}

/** `LIKE t`, `(LIKE t)`, and the query behind the definitions. */
function readsSources(input: ClassifyInput, draft: StatementDraft, from: number, to: number): boolean {
  const { tokens } = input;
  const like = tokens.text(from) === '(' ? from + 1 : from;
  if (tokens.text(like) === 'LIKE') {
    const source = tableAt(tokens, like + 1, to);
    if (source !== null) draft.addTable(source.schema, source.table);
    return source !== null;
  }
  for (let i = from; i < to; i++) {
    if (tokens.text(i - 1) === '.' || !beginsQuery(tokens, i, to)) continue;
    return readTables(input, draft, tokens.text(i - 1) === '(' ? i - 1 : i, to);
  }
  return true;
}

/** And neither `VALUES IN (…)`, `VALUES LESS THAN (…)` of a partition nor `WITH SYSTEM VERSIONING`. */
function beginsQuery(tokens: TokenList, index: number, to: number): boolean {
  const next = tokens.text(index + 1);
  switch (tokens.text(index)) {
    case 'SELECT':
    case 'TABLE':
      return true;
    case 'VALUES':
      return next !== 'IN' && next !== 'LESS';
    case 'WITH':
      return next === 'RECURSIVE' || wordIndex(tokens, index, to, 'AS') < to;
    default:
      return false;
  }
}

/** The altered table, and those that are exchanged with it, made of it, or become a part of it. */
function alteredTables(tokens: TokenList, first: number, to: number): TableReference[] | null {
  const table = tableAt(tokens, first, to);
  if (table === null) return null;
  const tables: TableReference[] = [table];
  for (let i = table.behind; i < to; i++) {
    const text = tokens.text(i);
    if (tokens.text(i - 1) === '.') continue;
    let at = -1;
    if (text === 'RENAME' && !PARTS.has(tokens.text(i + 1))) {
      const word = tokens.text(i + 1);
      at = word === 'TO' || word === 'AS' || word === '=' ? i + 2 : i + 1;
    } else if (text === 'TABLE') at = i + 1;
    if (at < 0) continue;
    const other = tableAt(tokens, at, to);
    if (other === null) return null;
    tables.push(other);
  }
  return plain(tables);
}

/** `a TO b, c WAIT 5 TO d` */
function renamedTables(tokens: TokenList, first: number, to: number): TableReference[] | null {
  const tables: TableReference[] = [];
  for (let at = behindExists(tokens, first); ; at++) {
    const before = tableAt(tokens, at, to);
    if (before === null) return null;
    const word = behindWait(tokens, before.behind);
    const after = tokens.text(word) === 'TO' ? tableAt(tokens, word + 1, to) : null;
    if (after === null) return null;
    tables.push(before, after);
    at = after.behind;
    if (at >= to) return plain(tables);
    if (tokens.text(at) !== ',') return null;
  }
}

function tableList(tokens: TokenList, first: number, to: number): TableReference[] | null {
  const tables: TableReference[] = [];
  for (let at = first; ; at++) {
    const table = tableAt(tokens, at, to);
    if (table === null) return null;
    tables.push(table);
    at = table.behind;
    if (tokens.text(at) !== ',') return plain(tables);
  }
}

function oneTable(tokens: TokenList, at: number, to: number): TableReference[] | null {
  const table = tableAt(tokens, at, to);
  return table === null ? null : plain([table]);
}

/** `IF EXISTS`, `IF NOT EXISTS` */
function behindExists(tokens: TokenList, at: number): number {
  if (tokens.text(at) !== 'IF') return at;
  return at + (tokens.text(at + 1) === 'NOT' ? 3 : 2);
}

/** MariaDB: `WAIT 5`, `NOWAIT` */
function behindWait(tokens: TokenList, at: number): number {
  const word = tokens.text(at);
  if (word === 'NOWAIT') return at + 1;
  return word === 'WAIT' ? at + 2 : at;
}
