/**
 * Which names a SELECT does something with: they stand anywhere but by themselves in its list, in ORDER BY or GROUP BY. The values
 * of all other columns come out as they are stored. Told from the tokens, on the safe side.
 */

import { ConditionalMode, TokenKind } from './lexer.ts';
import { makeLexicalContext } from './lexical-context.ts';
import { TokenList } from './token-list.ts';

/** With none of the others its tokens are the same under any context: no quotes, comments, or code in comments. */
const PLAIN = /^[\x20-\x7e]*$/;
const OBSCURE = /["'#]|--|\/\*M?!/;
/** More than one query, or columns that are compared without being named. */
const OBSCURING: ReadonlySet<string> = new Set(
  'EXCEPT INTERSECT MINUS NATURAL PROCEDURE SELECT TABLE UNION VALUES WITH'.split(' '),
);
const IN_FRONT: ReadonlySet<string> = new Set(['SELECT', 'DISTINCT', 'BY', ',']);
const BEHIND: ReadonlySet<string> = new Set(['', ',', 'ASC', 'DESC', 'FROM', 'HAVING', 'LIMIT', 'ORDER']);
/** Behind an alias. */
const BEHIND_ALIAS: ReadonlySet<string> = new Set([',', 'FROM']);

const CONTEXT = makeLexicalContext({ charset: 'latin1', sqlMode: '', flavor: 'mysql', versionId: 0 });
/** One per thread is enough: nobody is called meanwhile. */
const tokens = new TokenList();

/**
 * @param normalized a statement as digests have it (`Plan.normalized`).
 * @returns names in lower case, of columns, and of anything else; null: any may be among them
 */
export function usedNames(normalized: Buffer): ReadonlySet<string> | null {
  const text = normalized.toString('latin1');
  if (!PLAIN.test(text) || OBSCURE.test(text)) return null;
  try {
    tokens.collect(normalized, 0, normalized.length, CONTEXT, ConditionalMode.byServer);
    return tokens.malformed || tokens.tooLong || tokens.text(0) !== 'SELECT' ? null : namesOf(tokens);
  } finally {
    tokens.release();
  }
}

function namesOf(list: TokenList): ReadonlySet<string> | null {
  const used = new Set<string>();
  /** What may be named in its place, and the name behind it. */
  const aliases: (readonly [string, string])[] = [];
  let depth = 0;
  for (let i = 1; i < list.count; i++) {
    const text = list.text(i);
    if (text === '(') depth++;
    else if (text === ')') depth--;
    if (OBSCURING.has(text) || list.kind(i) > TokenKind.operator) return null;
    if (!list.isName(i)) continue;
    const name = nameAt(list, i);
    const end = depth === 0 && list.text(i + 1) !== '.' ? itemEnd(list, i) : -1;
    if (end < 0) {
      used.add(name);
      continue;
    }
    if (end > i) aliases.push([nameAt(list, end), name]);
    i = end;
  }
  for (const [alias, name] of aliases) if (used.has(alias)) used.add(name);
  return used;
}

/** @returns where an item ends that is the column at `at` alone, with or without an alias; -1: it is none */
function itemEnd(list: TokenList, at: number): number {
  let from = at;
  while (list.text(from - 1) === '.' && list.isName(from - 2)) from -= 2;
  if (!IN_FRONT.has(list.text(from - 1))) return -1;
  const next = list.text(at + 1);
  if (at + 1 === list.count || (next !== '' && BEHIND.has(next))) return at;
  const alias = next === 'AS' ? at + 2 : at + 1;
  return list.isName(alias) && BEHIND_ALIAS.has(list.text(alias + 1)) ? alias : -1;
}

function nameAt(list: TokenList, at: number): string {
  return (list.name(at) ?? '').toLowerCase();
}
