/** The part of EXPLAIN ROUTE that is about query rules. */

import type { ExplainStep } from '../../common/thread-messages.ts';
import type { Plan } from '../router/plan.ts';
import { describeActions, explainRules, type RuleTrial } from '../router/rules/explain-rules.ts';
import { RewriteTooLongError, type RuleEngine } from '../router/rules/rule-engine.ts';
import type { RuleSession } from '../router/rules/rule-session.ts';
import { NO_RULES, type RuleVerdict } from '../router/rules/rule-verdict.ts';

/** Rules that do not match are shown up to here; those that do are shown all. */
const MAX_MISMATCHES = 50;

export interface JudgedText {
  readonly steps: readonly ExplainStep[];
  readonly verdict: RuleVerdict;
  /** null: the rules leave it as it is. */
  readonly rewritten: Buffer | null;
}

export function judgeForExplain(
  engine: RuleEngine | null,
  session: RuleSession,
  plan: Plan,
  text: Buffer,
): JudgedText {
  if (engine === null)
    return { steps: [{ step: 'rules', value: 'none' }], verdict: NO_RULES, rewritten: null };
  try {
    const { trials, flag } = explainRules(engine, session, 0, plan.normalized, text);
    const verdict = engine.verdict(plan, engine.contextOf(session, 0), text, 0, text.length);
    const { rewritten } = engine;
    return { steps: stepsOf(trials, flag, verdict, rewritten), verdict, rewritten };
  } catch (error) {
    if (!(error instanceof RewriteTooLongError)) throw error;
    const value = `the statement becomes too long (${error.message}): error 9031`;
    return { steps: [{ step: 'rules', value }], verdict: NO_RULES, rewritten: null };
  }
}

function stepsOf(
  trials: readonly RuleTrial[],
  flag: number,
  verdict: RuleVerdict,
  rewritten: Buffer | null,
): ExplainStep[] {
  const matched = trials.filter(({ mismatch }) => mismatch === null);
  const missed = trials.length - matched.length;
  const steps: ExplainStep[] = [{ step: 'rules', value: `${trials.length} active, ${matched.length} match` }];
  let shown = 0;
  for (const { rule, mismatch } of trials) {
    const step = `rule ${rule.ruleId}`;
    if (mismatch === null) steps.push({ step, value: `matches: ${describeActions(rule)}` });
    else if (++shown <= MAX_MISMATCHES) steps.push({ step, value: reasonOf(mismatch) });
  }
  if (missed > MAX_MISMATCHES)
    steps.push({ step: 'rules', value: `${missed - MAX_MISMATCHES} more do not match` });
  if (flag !== 0) steps.push({ step: 'flag', value: String(flag) });
  if (rewritten !== null) steps.push({ step: 'rewritten', value: rewritten.toString('utf8') });
  const ruled = matched.findLast(({ rule }) => rule.destinationHostgroup !== null)?.rule.destinationHostgroup;
  if (verdict.destinationHostgroup !== null && verdict.destinationHostgroup !== ruled)
    steps.push({ step: 'fast_routing', value: `destination_hostgroup=${verdict.destinationHostgroup}` });
  steps.push({ step: 'firewall', value: verdict.firewall });
  for (const { name, perSecond, burst } of verdict.rateLimits)
    steps.push({ step: 'rate_limit', value: `${name}: ${perSecond} per second, ${burst} at once` });
  if (verdict.errorMessage !== null)
    steps.push({ step: 'answer', value: `error 1148: ${verdict.errorMessage}` });
  else if (verdict.okMessage !== null) steps.push({ step: 'answer', value: `OK: ${verdict.okMessage}` });
  return steps;
}

function reasonOf(mismatch: NonNullable<RuleTrial['mismatch']>): string {
  return mismatch === 'behind' ? 'is behind a rule with apply' : `does not match: ${mismatch}`;
}
