/**
 * A digest in the spellings in which rules are written for it. Sluice has one digest for all ways to space a
 * statement, with blanks around signs; ProxySQL leaves blanks as the client has written them, but for those at commas,
 * parentheses and sums. A rule that was written for one of ProxySQL's digests is to match here.
 */

import { digestText } from '../digest-text.ts';
import { RuleText } from './rule-text.ts';

const COMMA = /, /g;
/** Where one side is a literal. */
const SUM_BEHIND_LITERAL = /\? ([-+*/%]) /g;
const SUM_BEFORE_LITERAL = / ([-+*/%]) \?/g;
const COMPARISON = / ([<>=!:&|^]+) /g;

/** Sluice's own form; ProxySQL's for a statement with blanks around comparisons; and without them. */
export function digestForms(normalized: Buffer, maxBytes: number): readonly RuleText[] {
  const own = digestText(normalized, maxBytes);
  const spaced = own
    .replace(COMMA, ',')
    .replace(SUM_BEHIND_LITERAL, '?$1')
    .replace(SUM_BEFORE_LITERAL, '$1?');
  const dense = spaced.replace(COMPARISON, '$1');
  return [...new Set([own, spaced, dense])].map((form) => new RuleText(form, 'utf8'));
}
