/**
 * Patterns are compiled when a text has the words that they need. Those that many texts would have to compile at once
 * are compiled before the first statement comes, so that none pays for thousands.
 */

import type { RulePattern } from '../../../sql/rules/rule-pattern.ts';
import type { CompiledRule } from './compiled-rule.ts';

/** Patterns that need the same words, beyond which these are taken for common ones. */
const MAX_SHARING = 8;

export function patternsOf(rules: readonly CompiledRule[]): readonly RulePattern[] {
  const patterns: RulePattern[] = [];
  for (const { digestPattern, textPattern } of rules) {
    if (digestPattern !== null) patterns.push(digestPattern);
    if (textPattern !== null) patterns.push(textPattern);
  }
  return patterns;
}

/** Those that need no words, or words that many of the others need as well. */
export function* oftenTried(patterns: readonly RulePattern[]): Generator<RulePattern, void> {
  const sharing = new Map<string, number>();
  for (const { literal } of patterns)
    if (literal !== null) sharing.set(literal, (sharing.get(literal) ?? 0) + 1);
  for (const pattern of patterns) {
    const { literal } = pattern;
    if (literal === null || sharing.get(literal)! > MAX_SHARING) yield pattern;
  }
}
