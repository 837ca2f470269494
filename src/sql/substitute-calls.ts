/**
 * Puts values in the place of calls such as `FOUND_ROWS()`, for a statement that must run on a connection that does
 * not know them. A call that is a whole column of the result keeps its text as the column's name.
 */

import { ConditionalMode } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';
import { TokenList } from './token-list.ts';

const tokens = new TokenList();

/**
 * @param values by function name in upper case, each a whole number.
 * @returns the statement with the values in place; the same bytes where none of the functions is called.
 */
export function substituteCalls(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
  values: ReadonlyMap<string, string>,
): Buffer {
  tokens.collect(buf, start, end, context, ConditionalMode.byServer);
  const parts: Buffer[] = [];
  let copied = start;
  for (let i = 0; i + 2 < tokens.count; i++) {
    const value = values.get(tokens.text(i));
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

function startsColumn(index: number): boolean {
  const before = tokens.text(index - 1);
  return before === 'SELECT' || before === ',';
}

function endsColumn(index: number): boolean {
  const behind = tokens.text(index);
  return index >= tokens.count || behind === ',' || behind === 'FROM' || behind === ';' || behind === 'LIMIT';
}
