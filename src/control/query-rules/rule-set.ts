/** The part of a configuration that decides about statements by rule. */

import type { Config } from '../../../config/schema.ts';
import type { QueryRuleSet, ShadowRules } from '../../common/query-rule.ts';

export type RuleConfig = Pick<Config, 'queryRules' | 'fastRouting' | 'firewall' | 'users'>;

export function ruleSetOf(
  {
    queryRules,
    fastRouting,
    firewall,
    users,
  }: Pick<Config, 'queryRules' | 'fastRouting' | 'firewall' | 'users'>,
  shadow: ShadowRules | null,
): QueryRuleSet {
  const { enabled, errorMessage } = firewall;
  const limits = new Map<string, { perSecond: number; burst: number }>();
  // An account with several hosts has one bucket: that of its first entry with a limit.
  for (const { username, rateLimit } of users)
    if (rateLimit !== null && !limits.has(username)) limits.set(username, rateLimit);
  return {
    rules: queryRules,
    fastRouting,
    firewall: {
      enabled,
      errorMessage,
      // Without the firewall its lists, which may be long, are nobody's business.
      users: enabled ? firewall.users : [],
      rules: enabled ? firewall.rules : [],
    },
    userRateLimits: [...limits].map(([username, { perSecond, burst }]) => ({ username, perSecond, burst })),
    shadow,
  };
}

/** Nothing of it has an effect: workers need not look at statements at all. */
export function isEmptyRuleSet({
  rules,
  fastRouting,
  firewall,
  userRateLimits,
  shadow,
}: QueryRuleSet): boolean {
  const hasRules = rules.some(({ active }) => active);
  return (
    !hasRules &&
    fastRouting.length === 0 &&
    !firewall.enabled &&
    userRateLimits.length === 0 &&
    shadow === null
  );
}
