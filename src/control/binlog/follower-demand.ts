/** Whether the binary log has to be followed: while somebody relies on writes around Sluice being seen. Pure. */

import { CacheClass, type CacheSettings } from '../../common/cache-settings.ts';
import type { QueryRule } from '../../common/query-rule.ts';
import { parseAttributes } from '../../sql/rules/rule-attributes.ts';

/** @param hinted a statement has asked for it by itself. */
export function isFollowerWanted(
  { enabled, auto, follower, rules }: Pick<CacheSettings, 'enabled' | 'auto' | 'follower' | 'rules'>,
  queryRules: readonly Pick<QueryRule, 'active' | 'attributes'>[],
  hinted: boolean,
): boolean {
  if (!enabled || follower.mode === 'off') return false;
  if (follower.mode === 'on' || auto === 'strong' || hinted) return true;
  const isStrong = rules.some((rule) => rule.active && rule.class === CacheClass.strong);
  return isStrong || queryRules.some((rule) => rule.active && wantsStrong(rule.attributes));
}

/** What is no JSON of such a kind never came into force. */
function wantsStrong(attributes: string): boolean {
  try {
    return parseAttributes(attributes).caching?.wish === CacheClass.strong;
  } catch {
    return false;
  }
}
