/** The names of what a statement makes, ends or renames: temporary tables, handlers, prepared statements of text. */

import { ASCII } from './lexical-context.ts';
import { type NamedChange, PinReason, type TableReference } from './statement-class.ts';
import type { TokenList } from './token-list.ts';

/** @param gains null in it: a name that cannot be told, and so is none of the others. */
export function namedChange(
  pin: PinReason,
  gains: readonly (TableReference | null)[],
  loses: readonly (TableReference | null)[],
  renames: NamedChange['renames'] = [],
): NamedChange {
  const isKnown = (name: TableReference | null): name is TableReference => name !== null;
  return { pin, gains: gains.every(isKnown) ? gains : null, loses: loses.filter(isKnown), renames };
}

/** Statement names are compared without case; beyond ASCII by rules that are the server's own. */
export function statementName(tokens: TokenList, index: number): TableReference | null {
  const name = tokens.isName(index) ? tokens.name(index) : null;
  return name !== null && ASCII.test(name) ? { schema: null, table: name.toLowerCase() } : null;
}

/** `HANDLER t OPEN [[AS] alias]`, `HANDLER alias CLOSE`, with HANDLER at `from`. */
export function handlerChange(tokens: TokenList, from: number, to: number): NamedChange | null {
  const behind = behindTable(tokens, from + 1);
  const word = tokens.text(behind);
  const own = nameAt(tokens, behind - 1);
  if (word === 'CLOSE') return namedChange(PinReason.handler, [], [own]);
  if (word !== 'OPEN') return null;
  if (behind + 1 >= to) return namedChange(PinReason.handler, [own], []);
  const alias = tokens.text(behind + 1) === 'AS' ? behind + 2 : behind + 1;
  return namedChange(PinReason.handler, [nameAt(tokens, alias)], []);
}

/** What a CREATE, DROP, ALTER or RENAME of tables at `from` means for the temporary ones. */
export function temporaryTableChange(tokens: TokenList, from: number, to: number): NamedChange | null {
  let at = from + 1;
  while (at < to && !OBJECTS.has(tokens.text(at))) at++;
  let first = at + 1;
  if (tokens.text(first) === 'IF') first += tokens.text(first + 1) === 'NOT' ? 3 : 2;
  switch (tokens.text(from)) {
    case 'CREATE':
      return isTemporary(tokens, from, at)
        ? namedChange(PinReason.temporaryTable, [tableAt(tokens, first)], [])
        : null;
    case 'DROP':
      return namedChange(PinReason.temporaryTable, [], tablesAt(tokens, first, to));
    case 'ALTER':
      return alterChange(tokens, first, to);
    case 'RENAME':
      return renameChange(tokens, first, to);
    default:
      return null;
  }
}

const OBJECTS: ReadonlySet<string> = new Set(['TABLE', 'TABLES', 'SEQUENCE']);
/** `RENAME COLUMN a TO b` and the like are no renames of the table. */
const PARTS: ReadonlySet<string> = new Set(['COLUMN', 'INDEX', 'KEY']);

function isTemporary(tokens: TokenList, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (tokens.text(i) === 'TEMPORARY') return true;
  return false;
}

function alterChange(tokens: TokenList, first: number, to: number): NamedChange | null {
  for (let i = first; i < to; i++) {
    if (tokens.text(i) !== 'RENAME' || PARTS.has(tokens.text(i + 1))) continue;
    const word = tokens.text(i + 1);
    const name = word === 'TO' || word === 'AS' || word === '=' ? i + 2 : i + 1;
    return renamed([[tableAt(tokens, first), tableAt(tokens, name)]]);
  }
  return null;
}

function renameChange(tokens: TokenList, first: number, to: number): NamedChange {
  const pairs: [TableReference | null, TableReference | null][] = [];
  for (let at = first; at < to; at++) {
    const behind = behindTable(tokens, at);
    if (tokens.text(behind) !== 'TO') return renamed([[null, null]]);
    pairs.push([tableAt(tokens, at), tableAt(tokens, behind + 1)]);
    at = behindTable(tokens, behind + 1);
    if (at < to && tokens.text(at) !== ',') return renamed([[null, null]]);
  }
  return renamed(pairs);
}

/** A rename that is not understood may have been one of a temporary table. */
function renamed(pairs: readonly (readonly [TableReference | null, TableReference | null])[]): NamedChange {
  const renames: [TableReference, TableReference][] = [];
  for (const [before, after] of pairs) {
    if (before === null || after === null) return namedChange(PinReason.temporaryTable, [null], []);
    renames.push([before, after]);
  }
  return namedChange(PinReason.temporaryTable, [], [], renames);
}

/** `a, b.c, …`; what is not a name ends the list. */
function tablesAt(tokens: TokenList, first: number, to: number): (TableReference | null)[] {
  const tables: (TableReference | null)[] = [];
  for (let at = first; at < to; at++) {
    tables.push(tableAt(tokens, at));
    at = behindTable(tokens, at);
    if (tokens.text(at) !== ',') break;
  }
  return tables;
}

function tableAt(tokens: TokenList, index: number): TableReference | null {
  const table = nameAt(tokens, behindTable(tokens, index) - 1);
  if (table === null || tokens.text(index + 1) !== '.') return table;
  const schema = nameAt(tokens, index);
  return schema === null ? null : { schema: schema.table, table: table.table };
}

function behindTable(tokens: TokenList, index: number): number {
  return tokens.text(index + 1) === '.' ? index + 3 : index + 1;
}

function nameAt(tokens: TokenList, index: number): TableReference | null {
  const name = tokens.isName(index) ? tokens.name(index) : null;
  return name === null ? null : { schema: null, table: name };
}
