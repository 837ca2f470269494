/** Rules, sessions and statements for tests of the rule engine. */

import type { Firewall, QueryRule, QueryRuleSet } from '../../../../../src/common/query-rule.ts';
import { EMPTY_RULE } from '../../../../../src/common/rule-set-encoding.ts';
import type { Plan } from '../../../../../src/data/router/plan.ts';
import { PlanCache } from '../../../../../src/data/router/plan-cache.ts';
import { RuleEngine } from '../../../../../src/data/router/rules/rule-engine.ts';
import type { RuleSession } from '../../../../../src/data/router/rules/rule-session.ts';
import type { RuleVerdict } from '../../../../../src/data/router/rules/rule-verdict.ts';
import { digestName } from '../../../../../src/sql/digest-text.ts';
import { makeLexicalContext } from '../../../../../src/sql/lexical-context.ts';

export const NO_FIREWALL: Firewall = { enabled: false, errorMessage: 'blocked', users: [], rules: [] };
export const SESSION: RuleSession = {
  username: 'app',
  schema: 'shop',
  clientAddress: '10.0.0.7',
  proxyAddress: '10.0.0.1',
  proxyPort: 6033,
};

const LEXICAL = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: '',
  flavor: 'mariadb',
  versionId: 101_119,
});
const plans = new PlanCache(1, 10_000, { miss: () => undefined });
let generations = 0;

export function rule(values: Partial<QueryRule>): QueryRule {
  return { ...EMPTY_RULE, ruleId: 1, ...values };
}

export function ruleSet(values: Partial<QueryRuleSet> = {}): QueryRuleSet {
  return { rules: [], fastRouting: [], firewall: NO_FIREWALL, userRateLimits: [], shadow: null, ...values };
}

export function engineOf(
  values: Partial<QueryRuleSet>,
  options: { readonly maxTextBytes?: number; readonly random?: () => number } = {},
): RuleEngine {
  return RuleEngine.of(ruleSet(values), {
    generation: ++generations,
    maxTextBytes: 65_536,
    random: () => 0,
    ...options,
  });
}

export function planOf(sql: string): Plan {
  const text = Buffer.from(sql);
  return plans.planFor(text, 0, text.length, LEXICAL);
}

export function digestOf(sql: string): string {
  return digestName(planOf(sql).normalized);
}

export function ask(
  engine: RuleEngine,
  sql: string,
  session: Partial<RuleSession> = {},
  flagIn = 0,
): RuleVerdict {
  const text = Buffer.from(`xx${sql}yy`);
  const context = engine.contextOf({ ...SESSION, ...session }, flagIn);
  return engine.verdict(planOf(sql), context, text, 2, text.length - 2);
}

/** Numbers of the rules that match. */
export function matched(
  rules: readonly Partial<QueryRule>[],
  sql: string,
  session: Partial<RuleSession> = {},
): number[] {
  const numbered = rules.map((values, index) => rule({ ruleId: index + 1, ...values }));
  return ask(engineOf({ rules: numbered }), sql, session).rules.map(({ ruleId }) => ruleId);
}
