/** Checks the patterns of many rules in slices, so that whoever loads five thousand of them goes on meanwhile. */

import { setImmediate } from 'node:timers/promises';
import type { QueryRule } from '../../common/query-rule.ts';
import { parseModifiers, patternProblem } from './rule-pattern.ts';

const SLICE_MS = 2;

/** Afterwards `checkQueryRules` finds the verdicts on their patterns, and is quick. */
export async function warmPatterns(rules: readonly QueryRule[]): Promise<void> {
  let until = performance.now() + SLICE_MS;
  for (const { active, matchDigest, matchPattern, reModifiers } of rules) {
    if (!active) continue;
    const { caseless } = parseModifiers(reModifiers).modifiers;
    if (matchDigest !== null) patternProblem(matchDigest, caseless);
    if (matchPattern !== null) patternProblem(matchPattern, caseless);
    if (performance.now() < until) continue;
    await setImmediate();
    until = performance.now() + SLICE_MS;
  }
}
