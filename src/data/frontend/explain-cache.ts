/** EXPLAIN ROUTE: whether the statement's result is kept, how, and if not why not. */

import { Command } from '../../../protocol/index.ts';
import { CacheClass } from '../../common/cache-settings.ts';
import { FollowState } from '../../common/table-epochs.ts';
import type { ExplainStep } from '../../common/thread-messages.ts';
import { makeLexicalContext } from '../../sql/lexical-context.ts';
import { textKey } from '../cache/cache-key.ts';
import type { CacheScope } from '../cache/cache-scope.ts';
import { Usability } from '../cache/result-cache.ts';
import type { CacheEntry } from '../cache/result-store.ts';
import { NO_GTID } from '../causal/gtid-sources.ts';
import type { CacheDecision } from '../router/caching/cache-decision.ts';
import type { Destination } from '../router/destination.ts';
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

export interface StoredQuestion {
  /** With its literals. */
  readonly text: Buffer;
  readonly destination: Destination;
  readonly rules: RuleVerdict;
  /** null: of anybody. */
  readonly username: string | null;
  readonly schema: string | null;
}

/** The statement as one kind of sessions sends it: to others the same bytes may be another one. */
interface Sent {
  readonly plan: Plan;
  readonly decision: CacheDecision;
  readonly scope: CacheScope;
}

/** What this worker has of the statement now, as a text, and what `cache.auto` has found out. */
export function explainStored(context: WorkerContext, question: StoredQuestion): ExplainStep[] {
  const sent = [...kindsOf(context, question)];
  const step = (name: string, value: string): ExplainStep => {
    return { step: name, value: `worker ${context.workerIndex}: ${value}`, isOfWorker: true };
  };
  const estimated = sent.find(({ decision }) => decision.auto !== null);
  return [
    step('cache_now', storedNow(context, question, sent)),
    ...(estimated === undefined ? [] : [step('cache_auto', estimateOf(estimated))]),
  ];
}

function* kindsOf(context: WorkerContext, question: StoredQuestion): Generator<Sent> {
  const { cache, cachePolicy, plans, backends } = context;
  const { text, rules, username, schema } = question;
  for (const scope of cache.scopes.known(username, schema)) {
    const lexical = makeLexicalContext({ ...scope.lexical, ...backends.dialect });
    const plan = plans.planFor(text, 0, text.length, lexical);
    const { decision } = cachePolicy.verdictOf(plan, rules, scope.username, schema);
    if (decision !== null) yield { plan, decision, scope };
  }
}

const SAID: Readonly<Record<Usability, string>> = {
  [Usability.fresh]: 'a hit',
  [Usability.stale]: 'a hit, read again meanwhile',
  [Usability.unproven]: 'no hit at this moment: its tables are being written, or the follower is late',
  [Usability.dead]: 'no hit any more: a write, DDL, or its time has ended it',
};
/** Sessions are alike for the most part. */
const MAX_TOLD = 3;

function storedNow(
  { cache }: WorkerContext,
  { text, destination, username }: StoredQuestion,
  sent: readonly Sent[],
): string {
  const packet = Buffer.concat([Buffer.of(Command.COM_QUERY), text]);
  const found: string[] = [];
  for (const { plan, decision, scope } of sent) {
    const key = textKey(scope.id, plan.id, destination, packet, 0, packet.length);
    if (key === null) return 'too long to be kept';
    const entry = cache.peek(key);
    if (entry === undefined) continue;
    const said = `${SAID[cache.judge(entry, decision, NO_GTID)]}, ${describeEntry(entry)}`;
    found.push(username === null ? `${said}, for ${scope.username}` : said);
  }
  if (found.length === 0) return 'nothing is kept';
  const more = found.length > MAX_TOLD ? `; and ${found.length - MAX_TOLD} more` : '';
  return found.slice(0, MAX_TOLD).join('; ') + more;
}

function describeEntry({ result, readAtMs, serverMs, proof }: CacheEntry): string {
  const age = `read ${Math.round(performance.now() - readAtMs)} ms ago within ${serverMs.toFixed(1)} ms`;
  const size = `${result.rowCount} rows, ${result.byteLength} bytes`;
  return [age, size, ...(proof === null ? [] : [proof.row === null ? 'by table' : 'by row'])].join(', ');
}

function estimateOf({ decision, plan }: Sent): string {
  const { seen = 0, isCertain = false, hitRate = 0, pays = false } = decision.auto ?? {};
  if (!isCertain) return `not enough statements yet (${seen})`;
  const rate = `${Math.round(hitRate * 100)} % of the last statements would have been hits`;
  return `${pays ? 'pays' : 'does not pay'}: ${rate}, each of ${plan.aloneMs.toFixed(2)} ms on a server`;
}
