/** The end of many SHOW statements: `LIKE 'pattern'` on the first column, or `WHERE expression` over all of them. */

import type { TextValue } from '../../../../protocol/index.ts';
import { TokenKind } from '../../../sql/lexer.ts';
import { AdminError } from '../admin-error.ts';
import { type AdminStatement, unquote } from '../admin-statement.ts';
import { isLike } from '../like-pattern.ts';
import { runSql } from '../sql/run-sql.ts';
import { toSqlite } from '../sql/sqlite-text.ts';
import type { CommandAnswer, CommandCall, CommandColumn } from './command.ts';

type Column = Pick<CommandColumn, 'name' | 'type'>;
type Row = readonly TextValue[];
/** SQLite takes no more in one statement. */
const MOST_BOUND_VALUES = 32_000;
const ROW_NUMBER = ' row';

type Filter =
  | { readonly kind: 'none' }
  | { readonly kind: 'like'; readonly pattern: string }
  | { readonly kind: 'where'; readonly expression: string };

/** @throws AdminError for anything else behind the first `words` tokens */
function filterOf({ tokens, source }: AdminStatement, words: number): Filter {
  const first = tokens[words];
  if (first === undefined) return { kind: 'none' };
  const second = tokens[words + 1];
  if (/^where$/i.test(first.text) && second !== undefined)
    return { kind: 'where', expression: source.toString('utf8', second.start, tokens.at(-1)!.end) };
  if (/^like$/i.test(first.text) && second?.kind === TokenKind.string && tokens.length === words + 2)
    return { kind: 'like', pattern: unquote(second.text) };
  throw new AdminError('syntax', `Expected LIKE 'pattern' or WHERE <expression>, not '${first.text}'`);
}

/**
 * Those of the rows that the end of the statement asks for.
 * @param words tokens in front of it
 * @throws AdminError
 */
export async function filtered(
  call: CommandCall,
  words: number,
  columns: readonly Column[],
  rows: readonly Row[],
): Promise<CommandAnswer> {
  const filter = filterOf(call.statement, words);
  if (filter.kind === 'none') return { kind: 'rows', columns, rows };
  if (filter.kind === 'like')
    return { kind: 'rows', columns, rows: rows.filter(([name]) => isLike(String(name), filter.pattern)) };
  return { kind: 'rows', columns, rows: await where(call, columns, rows, filter.expression) };
}

/** SQLite says which ones; the values stay what they are. */
async function where(
  call: CommandCall,
  columns: readonly Column[],
  rows: readonly Row[],
  expression: string,
): Promise<readonly Row[]> {
  const condition = toSqlite(expression);
  const parameters = rows.flatMap((row, index) => [...row.map(bindable), BigInt(index)]);
  if (parameters.length > MOST_BOUND_VALUES)
    throw new AdminError('wrongArgument', 'There are too many rows for WHERE: use LIKE');
  const names = [...columns.map(({ name }) => name), ROW_NUMBER].map(
    (name) => `"${name.replaceAll('"', '""')}"`,
  );
  const one = `(${names.map(() => '?').join(',')})`;
  const source =
    rows.length === 0
      ? `SELECT ${names.map((name) => `NULL AS ${name}`).join(',')} WHERE 0`
      : `SELECT ${names.map((name, index) => `column${index + 1} AS ${name}`).join(',')} FROM (VALUES ${rows.map(() => one).join(',')})`;
  const result = await runSql(
    call,
    `SELECT "${ROW_NUMBER}" FROM (${source}) WHERE (${condition})`,
    parameters,
  );
  return Array.from(result.rows, ([index]) => rows[Number(index)]!);
}

function bindable(value: TextValue): string | number | bigint | null {
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
}

/** How many tokens stand in front of LIKE or WHERE, or in all. */
export function wordsBeforeFilter({ statement }: CommandCall): number {
  const at = statement.tokens.findIndex(({ text }) => /^(?:like|where)$/i.test(text));
  return at < 0 ? statement.tokens.length : at;
}
