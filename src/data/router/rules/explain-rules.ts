/** Rule by rule: which match a statement, and what speaks against the others. For people; the verdict is the engine's. */

import type { QueryRule } from '../../../common/query-rule.ts';
import { RuleText } from '../../../sql/rules/rule-text.ts';
import type { CompiledRule, RuleColumn } from './compiled-rule.ts';
import { PlanDigest } from './plan-digest.ts';
import type { RuleEngine } from './rule-engine.ts';
import type { RuleSession } from './rule-session.ts';

export interface RuleTrial {
  readonly rule: QueryRule;
  /** The first column that does not agree; null: the rule has matched. `behind`: a rule with `apply` came before. */
  readonly mismatch: RuleColumn | 'behind' | null;
}

export interface ExplainedRules {
  readonly trials: readonly RuleTrial[];
  /** Of the chain that the rules have led to. */
  readonly flag: number;
  readonly text: string;
}

/** @param text in UTF-8. */
export function explainRules(
  engine: RuleEngine,
  session: RuleSession,
  flagIn: number,
  normalized: Buffer,
  text: Buffer,
): ExplainedRules {
  const { maxTextBytes, random } = engine.options;
  const digest = new PlanDigest(normalized, maxTextBytes);
  let current = RuleText.of(text, 0, text.length, maxTextBytes);
  let flag = flagIn;
  let isOver = false;
  const trials = engine.rules.map((rule): RuleTrial => {
    const mismatch = isOver ? 'behind' : mismatchOf(rule, flag, session, digest, current);
    if (mismatch !== null) return { rule: rule.rule, mismatch };
    flag = rule.edge(random).flagOut ?? flag;
    current = engine.replace(rule, current);
    isOver = rule.rule.apply;
    return { rule: rule.rule, mismatch: null };
  });
  return { trials, flag, text: current.value };
}

function mismatchOf(
  rule: CompiledRule,
  flag: number,
  session: RuleSession,
  digest: PlanDigest,
  text: RuleText,
): RuleColumn | null {
  if (rule.flagIn !== flag) return 'flagIN';
  return rule.sessionMismatch(session) ?? rule.digestMismatch(digest) ?? rule.textMismatch(text);
}

/** What the rule does, in the words of its columns. */
export function describeActions(rule: QueryRule): string {
  const said: readonly (readonly [string, string | number | boolean | null])[] = [
    ['flagOUT', rule.flagOut],
    ['replace_pattern', rule.replacePattern],
    ['destination_hostgroup', rule.destinationHostgroup],
    ['cache_ttl', rule.cacheTtlMs],
    ['cache_empty_result', rule.cacheEmptyResult],
    ['cache_timeout', rule.cacheTimeoutMs],
    ['timeout', rule.timeoutMs],
    ['retries', rule.retries],
    ['delay', rule.delayMs],
    ['next_query_flagIN', rule.nextQueryFlagIn],
    ['mirror_hostgroup', rule.mirrorHostgroup],
    ['mirror_flagOUT', rule.mirrorFlagOut],
    ['error_msg', rule.errorMsg],
    ['OK_msg', rule.okMsg],
    ['sticky_conn', rule.stickyConn],
    ['multiplex', rule.multiplex],
    ['log', rule.log],
    ['attributes', rule.attributes === '' ? null : rule.attributes],
    ['apply', rule.apply ? 1 : null],
  ];
  return said
    .filter(([, value]) => value !== null)
    .map(([column, value]) => `${column}=${typeof value === 'boolean' ? Number(value) : value}`)
    .join(', ');
}
