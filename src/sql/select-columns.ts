/**
 * The columns of SELECT lists, as far as it takes to keep a column's name when its text changes: a column without a
 * name of its own is called by its text.
 */

import { TokenKind } from './lexer.ts';
import type { TokenList } from './token-list.ts';

/** Longer names are allowed for columns of a result, not for those of a derived table. */
const MAX_NAME_LENGTH = 64;
/** Begin a part of a query that is no list of columns. */
const OTHER_PARTS: ReadonlySet<string> = new Set(
  `FROM WHERE SET VALUES VALUE HAVING ON USING BY LIMIT OFFSET INTO UNION EXCEPT INTERSECT RETURNING DO CALL
  IF KILL`.split(/\s+/),
);
const BEHIND_COLUMNS: ReadonlySet<string> = new Set(
  `FROM WHERE GROUP HAVING ORDER LIMIT UNION EXCEPT INTERSECT INTO PROCEDURE FOR LOCK WINDOW ON`.split(/\s+/),
);
const MODIFIERS: ReadonlySet<string> = new Set(
  `ALL DISTINCT DISTINCTROW HIGH_PRIORITY STRAIGHT_JOIN SQL_SMALL_RESULT SQL_BIG_RESULT SQL_BUFFER_RESULT SQL_CACHE
  SQL_NO_CACHE SQL_CALC_FOUND_ROWS`.split(/\s+/),
);
/** Words that an operand stands behind. */
const OPERATORS: ReadonlySet<string> = new Set(
  'AND BETWEEN BINARY COLLATE DIV ELSE ESCAPE IN IS LIKE MOD NOT OR REGEXP RLIKE THEN WHEN XOR'.split(' '),
);
/** Words that may end an expression. */
const LAST_WORDS: ReadonlySet<string> = new Set(['END', 'NULL', 'TRUE', 'FALSE', 'UNKNOWN']);
/** What means the same between backquotes in every character set. */
const PLAIN_TEXT = /^[\x20-\x7e]*$/;

/**
 * Adds the name of every column around the token at `index` that needs one, by the offset behind the column.
 * @returns false where a column has no name that could be given to it.
 */
export function addColumnNames(tokens: TokenList, index: number, names: Map<number, string>): boolean {
  let inside = index;
  for (;;) {
    const { columnStart, enclosing } = lookBack(tokens, inside);
    if (columnStart >= 0 && !addName(tokens, columnStart, inside, names)) return false;
    if (enclosing < 0) return true;
    inside = enclosing;
  }
}

/** The first token of the SELECT column that holds `inside` (-1: none), and the parenthesis around it (-1: none). */
function lookBack(tokens: TokenList, inside: number): { columnStart: number; enclosing: number } {
  let depth = 0;
  let comma = -1;
  let columnStart = -1;
  let isDecided = false;
  for (let i = inside - 1; i >= 0; i--) {
    const text = tokens.text(i);
    if (text === ')') depth++;
    else if (text === '(') {
      if (depth === 0) return { columnStart, enclosing: i };
      depth--;
    } else if (depth > 0 || isDecided) continue;
    else if (text === ';') break;
    else if (text === ',') comma = comma < 0 ? i : comma;
    else if (text === 'SELECT') {
      columnStart = comma >= 0 ? comma + 1 : i + 1;
      while (MODIFIERS.has(tokens.text(columnStart))) columnStart++;
      isDecided = true;
    } else if (OTHER_PARTS.has(text)) isDecided = true;
  }
  return { columnStart, enclosing: -1 };
}

function addName(tokens: TokenList, start: number, inside: number, names: Map<number, string>): boolean {
  const behind = columnEnd(tokens, inside);
  const last = behind - 1;
  const named = hasName(tokens, start, last);
  if (named === null) return false;
  if (named) return true;
  const text = tokens.rawRange(start, last);
  if (!PLAIN_TEXT.test(text) || text.length > MAX_NAME_LENGTH) return false;
  names.set(tokens.end(last), `\`${text.replaceAll('`', '``')}\``);
  return true;
}

/** Index behind the last token of the column. */
function columnEnd(tokens: TokenList, inside: number): number {
  let depth = 0;
  for (let i = inside; i < tokens.count; i++) {
    const text = tokens.text(i);
    if (text === '(') depth++;
    else if (text === ')') {
      if (depth === 0) return i;
      depth--;
    } else if (depth === 0 && (text === ',' || text === ';' || BEHIND_COLUMNS.has(text))) return i;
  }
  return tokens.count;
}

/** Whether the column has a name of its own; null where that cannot be told. */
function hasName(tokens: TokenList, start: number, last: number): boolean | null {
  if (last === start) return false;
  if (tokens.text(last - 1) === 'AS') return true;
  const kind = tokens.kind(last);
  const isString = kind === TokenKind.string;
  if (!tokens.isName(last) && !isString) return false;
  const before = tokens.text(last - 1);
  const isOperand = OPERATORS.has(before) || (tokens.kind(last - 1) === TokenKind.operator && before !== ')');
  if (isOperand) return false;
  if (LAST_WORDS.has(tokens.text(last))) return false;
  // Two strings in a row are one.
  if (isString && tokens.kind(last - 1) === TokenKind.string) return null;
  return true;
}
