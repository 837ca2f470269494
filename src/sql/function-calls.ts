/** Finds out which names followed by a parenthesis are calls, and what is called. */

import { type FunctionFacts, functionFacts, UNKNOWN_FUNCTION } from './builtin-functions.ts';
import { TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';
import type { TokenList } from './token-list.ts';

/**
 * Reserved words of all servers that a parenthesis may follow without making a call. No server lets a reserved
 * word name a function unless it is quoted or qualified.
 */
const STRUCTURAL: ReadonlySet<string> = new Set(
  `ALL AND AS BETWEEN BIGINT BY CASE CHARACTER CROSS DEC DECIMAL DISTINCT DISTINCTROW DIV DOUBLE ELSE EXISTS
  FLOAT FROM GROUP HAVING IN INDEX INNER INT INTEGER IS JOIN KEY LIKE LIMIT MEDIUMINT NATURAL NOT NULL NUMERIC ON
  OR OUTER PARTITION REAL REGEXP RLIKE SELECT SMALLINT STRAIGHT_JOIN THEN TINYINT UNION USING VARBINARY VARCHAR
  WHEN WHERE XOR`.split(/\s+/),
);

/** Names that are part of the grammar where they stand behind something that no call can follow. */
function isStructuralHere(word: string, tokens: TokenList, index: number, context: LexicalContext): boolean {
  switch (word) {
    case 'OVER':
    case 'AGAINST':
      return tokens.text(index - 1) === ')';
    case 'OF':
      return tokens.text(index - 1) === 'MEMBER';
    case 'COLUMNS':
      return tokens.isLiteral(index - 1);
    case 'ROW':
      return context.flavor === 'mysql';
    default:
      return false;
  }
}

/** Whether the name is a common table expression with a list of columns: `name (a, b) AS (`. */
function isColumnList(tokens: TokenList, index: number, to: number): boolean {
  const previous = tokens.text(index - 1);
  if (previous !== 'WITH' && previous !== 'RECURSIVE' && previous !== ',') return false;
  const behind = tokens.behindParenthesis(index + 1, to);
  return tokens.text(behind) === 'AS' && tokens.text(behind + 1) === '(';
}

/**
 * The facts about the call whose name is at `index`, a name or quoted name with `(` behind it; null where the
 * name is no call. A qualified name is always a stored function, and so may be a quoted one.
 */
export function callAt(
  tokens: TokenList,
  index: number,
  to: number,
  context: LexicalContext,
): FunctionFacts | null {
  const previous = tokens.text(index - 1);
  if (previous === '.') return UNKNOWN_FUNCTION;
  const word = tokens.text(index);
  // What stands behind PROCEDURE is objected to as such.
  if (STRUCTURAL.has(word) || previous === 'AS' || previous === 'PROCEDURE') return null;
  // A subquery as an argument has parentheses of its own, so this is `= ANY (SELECT` and the like.
  const inside = tokens.text(index + 2);
  if (inside === 'SELECT' || inside === 'WITH') return null;
  if (tokens.kind(index) === TokenKind.name) {
    if (isStructuralHere(word, tokens, index, context)) return null;
    const facts = functionFacts(word, tokens.isDetached(index + 1), context);
    if (facts !== UNKNOWN_FUNCTION) return facts;
  }
  return isColumnList(tokens, index, to) ? null : UNKNOWN_FUNCTION;
}
