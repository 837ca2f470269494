/** EXPLAIN ROUTE: which writes a read must see, and which replicas have them. */

import type { PlacedAccount } from '../../common/account.ts';
import { CausalLevel } from '../../common/causal-level.ts';
import { UNKNOWN_NEED } from '../causal/worker-causality.ts';
import type { Plan } from '../router/plan.ts';
import type { RuleVerdict } from '../router/rules/rule-verdict.ts';
import type { WorkerContext } from '../worker-context.ts';

export interface ExplainedRead {
  readonly plan: Plan;
  readonly schema: string | null;
  readonly verdict: RuleVerdict;
  readonly account: PlacedAccount | null;
  /** It goes to a replica, as far as its class is concerned. */
  readonly isRead: boolean;
}

/** Of a session that has written nothing. */
export function explainCausality(
  { causality, tables, snapshot }: WorkerContext,
  { plan, schema, verdict, account, isRead }: ExplainedRead,
): string {
  const { hint } = plan.statement;
  const otherwise = hint.target === 'replica' ? CausalLevel.none : snapshot.settings.causalReads.level;
  const level = hint.causal ?? verdict.causalReads ?? account?.causalReads ?? otherwise;
  if (!isRead || level === CausalLevel.none) return level;
  if (level === CausalLevel.session) return `${level}: what the session has written`;
  const need = causality.needOf(plan.readSlots(schema, tables));
  if (need === UNKNOWN_NEED)
    return `${level}: the position of a write is not known, the primary is being asked`;
  if (need === 0) return `${level}: nothing was written`;
  const servers = snapshot.servers
    .filter(({ role, slot }) => role === 'replica' && causality.gtids.applied(slot) >= need)
    .map(({ address }) => address);
  const who = servers.length === 0 ? 'no replica is known to have it' : `had by ${servers.join(', ')}`;
  return `${level}: ${causality.sources.textOf(need)}, ${who}`;
}
