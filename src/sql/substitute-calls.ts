/**
 * Puts values in the place of calls such as `FOUND_ROWS()`, for a statement that must run on a connection that does
 * not know them. A call that is a whole column of the result keeps its text as the column's name.
 */

import { ConditionalMode } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';
import { TokenList } from './token-list.ts';

const tokens = new TokenList();
const NONE: ReadonlySet<string> = new Set();

/**
 * @param values by function name in upper case, each a whole number.
 * @param onlyAsColumn functions that are left alone in a statement that uses them inside of an expression.
 * @returns the statement with the values in place; the same bytes where none of the functions is called.
 */
export function substituteCalls(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
  values: ReadonlyMap<string, string>,
  onlyAsColumn: ReadonlySet<string> = NONE,
): Buffer {
  tokens.collect(buf, start, end, context, ConditionalMode.byServer);
  const parts: Buffer[] = [];
  let copied = start;
  for (let i = 0; i + 2 < tokens.count; i++) {
    const value = values.get(tokens.text(i));
    if (onlyAsColumn.has(tokens.text(i)) && !isAlwaysColumn(tokens.text(i))) continue;
    if (value === undefined || tokens.text(i + 1) !== '(' || tokens.text(i + 2) !== ')') continue;
    const from = tokens.start(i);
    const to = tokens.end(i + 2);
    const isColumn = startsColumn(i) && endsColumn(i + 3);
    const name = isColumn ? ` AS \`${buf.toString('latin1', from, to)}\`` : '';
    const call = buf.toString('latin1', from, to);
    // The call that is never made gives the column its type.
    parts.push(buf.subarray(copied, from), Buffer.from(`IF(1,${value},${call})${name}`, 'latin1'));
    copied = to;
  }
  parts.push(buf.subarray(copied, end));
  tokens.release();
  return Buffer.concat(parts);
}

/** Whether every call of the function is a whole column of the result, with or without a name of its own. */
function isAlwaysColumn(name: string): boolean {
  for (let i = 0; i < tokens.count; i++) {
    if (tokens.text(i) !== name) continue;
    if (!startsColumn(i) || !(endsColumn(i + 3) || tokens.text(i + 3) === 'AS')) return false;
  }
  return true;
}

function startsColumn(index: number): boolean {
  const before = tokens.text(index - 1);
  return before === 'SELECT' || before === ',';
}

function endsColumn(index: number): boolean {
  const behind = tokens.text(index);
  return index >= tokens.count || behind === ',' || behind === 'FROM' || behind === ';' || behind === 'LIMIT';
}
