/**
 * Rules beside the rules: every statement is judged by both, only what those in force say is done, and what the others
 * would have changed is counted, with samples. Bounded in memory, and gone with the next change of the rules.
 */

import { ShadowEffect, type ShadowRecord, type ShadowSample } from '../../../common/shadow-report.ts';
import { digestName, digestText } from '../../../sql/digest-text.ts';
import type { RuledPlan } from './plan-rules.ts';
import type { RuleEngine } from './rule-engine.ts';
import type { RuleSession } from './rule-session.ts';
import type { RuleVerdict } from './rule-verdict.ts';

const MAX_SAMPLES = 200;
const MAX_TEXT_BYTES = 1024;

/** A statement, and what the rules in force make of it. */
export interface JudgedStatement {
  readonly plan: RuledPlan;
  readonly verdict: RuleVerdict;
  /** Text without a command; null if it stays as it is. */
  readonly rewritten: Buffer | null;
  readonly session: RuleSession;
}

/** Where it would go by a verdict, for people. */
export type DescribePlace = (verdict: RuleVerdict) => string;

interface CountedSample {
  readonly sample: Omit<ShadowSample, 'statements'>;
  statements: number;
}

export class ShadowComparison {
  readonly engine: RuleEngine;
  #statements = 0;
  #unsampled = 0;
  readonly #effects: Record<ShadowEffect, number> = {
    elsewhere: 0,
    blocked: 0,
    allowed: 0,
    answered: 0,
    rewritten: 0,
    otherwise: 0,
  };
  readonly #hits: Float64Array;
  readonly #samples = new Map<string, CountedSample>();

  constructor(engine: RuleEngine) {
    this.engine = engine;
    this.#hits = new Float64Array(engine.rules.length);
  }

  /** @param shadow what the shadow rules say. @param shadowRewritten what they would make of it. */
  compare(
    judged: JudgedStatement,
    shadow: RuleVerdict,
    shadowRewritten: Buffer | null,
    describe: DescribePlace,
  ): void {
    this.#statements++;
    for (const slot of shadow.hitSlots) this.#hits[slot]! += 1;
    const { verdict, rewritten } = judged;
    const isNow = verdict.errorMessage === null;
    const wouldBe = shadow.errorMessage === null;
    if (isNow !== wouldBe) {
      const effect = isNow ? ShadowEffect.blocked : ShadowEffect.allowed;
      this.#note(effect, judged, verdict.errorMessage ?? '', shadow.errorMessage ?? '');
    }
    // What is answered with an error goes nowhere.
    if (!isNow || !wouldBe) return;
    if (verdict.okMessage !== shadow.okMessage)
      this.#note(ShadowEffect.answered, judged, verdict.okMessage ?? '', shadow.okMessage ?? '');
    if (!sameText(rewritten, shadowRewritten))
      this.#note(ShadowEffect.rewritten, judged, rulesOf(verdict), rulesOf(shadow));
    if (verdict.destinationHostgroup !== shadow.destinationHostgroup) {
      const current = describe(verdict);
      const other = describe(shadow);
      if (current !== other) this.#note(ShadowEffect.elsewhere, judged, current, other);
    }
    if (differsOtherwise(verdict, shadow))
      this.#note(ShadowEffect.otherwise, judged, describeOthers(verdict), describeOthers(shadow));
  }

  report(worker: number): ShadowRecord {
    return {
      worker,
      statements: this.#statements,
      effects: { ...this.#effects },
      hits: this.engine.rules.map(({ rule }, slot) => ({ ruleId: rule.ruleId, hits: this.#hits[slot]! })),
      samples: [...this.#samples.values()].map(({ sample, statements }) => ({ ...sample, statements })),
      unsampled: this.#unsampled,
    };
  }

  #note(effect: ShadowEffect, { plan, session }: JudgedStatement, current: string, shadow: string): void {
    this.#effects[effect]++;
    const { username, schema } = session;
    const digest = digestName(plan.normalized);
    const key = JSON.stringify([effect, digest, username, schema, current, shadow]);
    const known = this.#samples.get(key);
    if (known !== undefined) known.statements++;
    else if (this.#samples.size >= MAX_SAMPLES) this.#unsampled++;
    else {
      const sample = {
        effect,
        digest,
        digestText: digestText(plan.normalized, MAX_TEXT_BYTES),
        username,
        schema,
        current,
        shadow,
      };
      this.#samples.set(key, { sample, statements: 1 });
    }
  }
}

function sameText(one: Buffer | null, other: Buffer | null): boolean {
  if (one === null || other === null) return one === other;
  return one.equals(other);
}

/** The text itself would show literals. */
function rulesOf({ replaces }: RuleVerdict): string {
  return replaces.length === 0 ? 'as it is' : `by rule ${replaces.map(({ ruleId }) => ruleId).join(', ')}`;
}

const OTHERS = [
  ['timeout', 'timeoutMs'],
  ['retries', 'retries'],
  ['delay', 'delayMs'],
  ['multiplex', 'multiplex'],
  ['mirror_hostgroup', 'mirrorHostgroup'],
  ['mirror_flagOUT', 'mirrorFlagOut'],
  ['log', 'log'],
  ['next_query_flagIN', 'nextFlagIn'],
  ['sticky_conn', 'stickyConn'],
] as const;

function differsOtherwise(one: RuleVerdict, other: RuleVerdict): boolean {
  for (const [, field] of OTHERS) if (one[field] !== other[field]) return true;
  return limitsOf(one) !== limitsOf(other) || cachingOf(one) !== cachingOf(other);
}

function describeOthers(verdict: RuleVerdict): string {
  const said = OTHERS.filter(([, field]) => verdict[field] !== null && verdict[field] !== 0).map(
    ([column, field]) => `${column}=${Number(verdict[field])}`,
  );
  return [...said, cachingOf(verdict), limitsOf(verdict)].filter((each) => each !== '').join(', ');
}

function cachingOf({ caching, cacheEmptyResult, cacheTimeoutMs }: RuleVerdict): string {
  if (caching === null) return '';
  const { wish, ttlMs, staleMs } = caching;
  const said = [
    `cache=${wish}`,
    ttlMs === null ? '' : `ttl_ms=${ttlMs}`,
    staleMs === 0 ? '' : `stale_while_revalidate_ms=${staleMs}`,
    cacheEmptyResult === null ? '' : `cache_empty_result=${Number(cacheEmptyResult)}`,
    cacheTimeoutMs === null ? '' : `cache_timeout=${cacheTimeoutMs}`,
  ];
  return said.filter((each) => each !== '').join(' ');
}

function limitsOf({ rateLimits }: RuleVerdict): string {
  return rateLimits.map(({ name, perSecond, burst }) => `${name}: ${perSecond}/s, ${burst}`).join(', ');
}
