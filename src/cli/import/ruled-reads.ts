/** Keeps reads on the primary that no rule sends elsewhere, which is what ProxySQL does. */
import { hostgroupPairs } from '../../../config/hostgroup-pairs.ts';
import { queryRuleSchema } from '../../../config/rules-schema.ts';
import type { Config, QueryRuleConfig } from '../../../config/schema.ts';
import type { ImportReport } from './import-report.ts';

/**
 * One rule in front for each writer hostgroup that accounts are for; what later rules say goes before it. It holds in
 * every chain that statements or sessions begin in.
 */
export function rulesForUnruledReads(
  config: Config,
  rules: readonly QueryRuleConfig[],
  report: ImportReport,
): QueryRuleConfig[] {
  const pairs = hostgroupPairs(config);
  const accounts = config.users.filter(({ active, fastForward }) => active && !fastForward);
  const chains = new Set([0, ...rules.flatMap(({ nextQueryFlagIn }) => nextQueryFlagIn ?? [])]);
  const wanted = accounts.flatMap(({ username, defaultHostgroup }) => {
    const writer = defaultHostgroup ?? pairs[0]?.writer ?? 0;
    if (!pairs.some((pair) => pair.writer === writer)) return [];
    return [...chains].map((flagIn) => ({ username, flagIn, destinationHostgroup: writer }));
  });
  const first = Math.min(Number.MAX_SAFE_INTEGER, ...rules.map(({ ruleId }) => ruleId));
  const shift = Math.max(0, wanted.length + 1 - first);
  if (wanted.length > 0) {
    const moved = shift === 0 ? '' : `; the numbers of all others are ${shift} higher`;
    report.changed('--only-ruled-reads', `rules 1 to ${wanted.length} keep reads on the primary${moved}`);
  }
  return [
    ...wanted.map((rule, index) =>
      queryRuleSchema.parse({ ruleId: index + 1, ...rule, comment: 'reads that no rule sends anywhere' }),
    ),
    ...rules.map((rule) => ({ ...rule, ruleId: rule.ruleId + shift })),
  ];
}
