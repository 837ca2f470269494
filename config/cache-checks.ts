/** What the rules of the cache must be beside having the right types. Their regular expressions are not looked into here. */
import type { CheckProblem } from './checks.ts';
import type { CacheRuleConfig, ConfigValues } from './schema.ts';

const TABLE = /^[^.]+\.[^.]+$/;

export function checkCache({ cache }: ConfigValues, problems: CheckProblem[]): void {
  const seen = new Map<number, number>();
  for (const [index, rule] of cache.rules.entries()) {
    const path = ['cache', 'rules', index];
    const twin = seen.get(rule.ruleId);
    if (twin === undefined) seen.set(rule.ruleId, index);
    else {
      const message = `rule ${rule.ruleId} is in the list already, as cache.rules[${twin}]`;
      problems.push({ path: [...path, 'ruleId'], message });
    }
    checkTimes(rule, path, problems);
    for (const [place, name] of rule.tables.entries()) {
      if (TABLE.test(name)) continue;
      const message = `expected schema.table or schema.*, not "${name}"`;
      problems.push({ path: [...path, 'tables', place], message });
    }
  }
  if (cache.maxResultBytes > cache.maxBytes) {
    const message = `cache.maxResultBytes (${cache.maxResultBytes}) is more than cache.maxBytes (${cache.maxBytes})`;
    problems.push({ path: ['cache', 'maxResultBytes'], message });
  }
}

function checkTimes(rule: CacheRuleConfig, path: readonly PropertyKey[], problems: CheckProblem[]): void {
  const { class: name, ttlMs, staleWhileRevalidateMs } = rule;
  if (name === 'weak') {
    if (ttlMs === null)
      problems.push({
        path: [...path, 'ttlMs'],
        message: 'the class weak needs it: how old may a result be?',
      });
    return;
  }
  const message = `it is for the class weak, not for ${name}`;
  if (ttlMs !== null) problems.push({ path: [...path, 'ttlMs'], message });
  if (staleWhileRevalidateMs > 0) problems.push({ path: [...path, 'staleWhileRevalidateMs'], message });
}
