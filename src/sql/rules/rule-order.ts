/** What control plane and workers must number in the same way: the places of rules and limits in shared memory. */

import type { QueryRule, QueryRuleSet, RateLimit } from '../../common/query-rule.ts';
import { parseAttributes } from './rule-attributes.ts';

/** Those that are looked at, in the order in which they are; the index is the place of the rule's hits. */
export function orderedRules(rules: readonly QueryRule[]): readonly QueryRule[] {
  return rules.filter(({ active }) => active).sort((one, other) => one.ruleId - other.ruleId);
}

export interface NumberedLimits {
  readonly all: readonly RateLimit[];
  readonly ofRule: ReadonlyMap<number, RateLimit>;
  readonly ofUser: ReadonlyMap<string, RateLimit>;
}

export function numberedLimits(set: Pick<QueryRuleSet, 'rules' | 'userRateLimits'>): NumberedLimits {
  const all: RateLimit[] = [];
  const ofRule = new Map<number, RateLimit>();
  const ofUser = new Map<string, RateLimit>();
  for (const { ruleId, attributes } of orderedRules(set.rules)) {
    const { rateLimit } = parseAttributes(attributes);
    if (rateLimit === null) continue;
    const limit = { name: `rule ${ruleId}`, ...rateLimit, slot: all.length };
    ofRule.set(ruleId, limit);
    all.push(limit);
  }
  for (const { username, perSecond, burst } of set.userRateLimits) {
    const limit = { name: `user '${username}'`, perSecond, burst, slot: all.length };
    ofUser.set(username, limit);
    all.push(limit);
  }
  return { all, ofRule, ofUser };
}
