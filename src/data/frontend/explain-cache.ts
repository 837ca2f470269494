/** EXPLAIN ROUTE: whether the statement's result is kept, how, and if not why not. */

import { CacheClass } from '../../common/cache-settings.ts';
import { FollowState } from '../../common/table-epochs.ts';
import type { CacheDecision } from '../router/caching/cache-decision.ts';
import type { Plan } from '../router/plan.ts';
import type { RuleVerdict } from '../router/rules/rule-verdict.ts';
import type { WorkerContext } from '../worker-context.ts';

/** @param username of whom nothing was told is in no rule. */
export function explainCache(
  context: WorkerContext,
  plan: Plan,
  rules: RuleVerdict,
  username: string | null,
  schema: string | null,
): string {
  const { decision, refusal, detail } = context.cachePolicy.verdictOf(plan, rules, username ?? '', schema);
  if (decision === null) return detail === '' ? `no: ${refusal}` : `no: ${refusal} (${detail})`;
  return [
    `${decision.class}: ${decision.source}`,
    ...boundsOf(decision),
    ...freshnessOf(context, decision),
  ].join(', ');
}

function boundsOf({ ttlMs, staleMs, cacheEmpty, auto }: CacheDecision): string[] {
  const said: string[] = [];
  if (ttlMs > 0) said.push(`up to ${ttlMs} ms old`);
  if (staleMs > 0) said.push(`${staleMs} ms longer while it is read again`);
  if (!cacheEmpty) said.push('empty results are not kept');
  // By what its statements have done: those of other clients may be another plan, since modes change what bytes mean.
  if (auto !== null) said.push('while it pays, as each worker finds out');
  return said;
}

/** What a strong result is proven against at this moment. */
function freshnessOf({ epochs, snapshot }: WorkerContext, { class: name }: CacheDecision): string[] {
  if (name !== CacheClass.strong) return [];
  switch (epochs.followState) {
    case FollowState.following:
      return [`writes around Sluice are seen within ${snapshot.settings.cache.follower.maxLagMs} ms`];
    case FollowState.suspended:
      return ['suspended: the follower of the binary log says why in SHOW EVENTS'];
    default:
      return ['counts only what is written through this Sluice: no binary log is followed'];
  }
}
