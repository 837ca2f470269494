/** What of the cache's rules only RE2 can tell. Pure, for the configuration's loader and the admin port alike. */

import type { CacheRule } from '../../common/cache-settings.ts';
import type { RuleProblem } from './query-rule-checks.ts';
import { patternProblem } from './rule-pattern.ts';

export function checkCachePatterns(rules: readonly CacheRule[]): readonly RuleProblem[] {
  const problems: RuleProblem[] = [];
  for (const { active, ruleId, matchDigest } of rules) {
    const message = active && matchDigest !== null ? patternProblem(matchDigest, true) : null;
    if (message === null) continue;
    problems.push({ table: 'sluice_cache_rules', key: `rule_id=${ruleId}`, column: 'match_digest', message });
  }
  return problems;
}
