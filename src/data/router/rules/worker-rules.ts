/**
 * The rules of a worker: follows the snapshots, counts what has matched, and takes tokens of the rate limits. New rules
 * are made ready in slices between the statements, and take the place of the old ones when they are whole.
 */

import type { RateLimit } from '../../../common/query-rule.ts';
import { RateBuckets } from '../../../common/rate-buckets.ts';
import { RuleHits } from '../../../common/rule-hits.ts';
import { decodeRuleSet } from '../../../common/rule-set-encoding.ts';
import type { SnapshotRules } from '../../../common/snapshot.ts';
import { RuleEngine } from './rule-engine.ts';
import type { RuleVerdict } from './rule-verdict.ts';
import { ShadowComparison } from './shadow-comparison.ts';

/** A slice may take a little longer: what it does last is not cut. */
const SLICE_MS = 1;

/** What takes effect together. */
interface InForce {
  readonly engine: RuleEngine | null;
  readonly shadow: ShadowComparison | null;
  readonly hits: RuleHits | null;
  readonly buckets: RateBuckets | null;
}

export type LogError = (level: 'error', message: string, fields: Record<string, unknown>) => void;

const NOTHING: InForce = { engine: null, shadow: null, hits: null, buckets: null };

export class WorkerRules {
  readonly #worker: number;
  readonly #log: LogError;
  #inForce = NOTHING;
  #version = 0;
  #maxTextBytes = 0;
  #generation = 0;
  #building: Iterator<void, InForce> | null = null;
  #whenReady: () => void = () => undefined;

  constructor(worker: number, log: LogError) {
    this.#worker = worker;
    this.#log = log;
  }

  /** null: there are no rules, and nobody needs to look. */
  get engine(): RuleEngine | null {
    return this.#inForce.engine;
  }

  /** Rules that are counted and not applied; null: none. */
  get shadow(): ShadowComparison | null {
    return this.#inForce.shadow;
  }

  /**
   * @param maxTextBytes `limits.ruleTextBytes`
   * @param atOnce nobody waits yet.
   * @param then when these rules, or newer ones, are in force.
   */
  update(rules: SnapshotRules, maxTextBytes: number, atOnce: boolean, then: () => void): void {
    this.#whenReady = then;
    if (rules.version !== this.#version || maxTextBytes !== this.#maxTextBytes) {
      this.#version = rules.version;
      this.#maxTextBytes = maxTextBytes;
      const isWaiting = this.#building !== null;
      this.#building = this.#build(rules, maxTextBytes);
      if (isWaiting && !atOnce) return;
      this.#go(atOnce ? Number.POSITIVE_INFINITY : SLICE_MS);
    } else if (this.#building === null) then();
  }

  #go(sliceMs: number): void {
    const building = this.#building;
    if (building === null) return;
    const until = performance.now() + sliceMs;
    do {
      const step = this.#next(building);
      if (step.done === true) {
        this.#building = null;
        this.#inForce = step.value;
        this.#whenReady();
        return;
      }
    } while (performance.now() < until);
    setImmediate(() => this.#go(sliceMs));
  }

  /** They have been checked before: rules that cannot be made ready are a fault, and those in force stay. */
  #next(building: Iterator<void, InForce>): IteratorResult<void, InForce> {
    try {
      return building.next();
    } catch (error) {
      this.#log('error', 'the query rules could not be made ready', { reason: (error as Error).message });
      return { done: true, value: this.#inForce };
    }
  }

  *#build({ encoded, hits, buckets }: SnapshotRules, maxTextBytes: number): Generator<void, InForce> {
    if (encoded === null) return NOTHING;
    const set = yield* decodeRuleSet(encoded);
    const options = { generation: ++this.#generation, maxTextBytes, random: Math.random };
    const engine = yield* RuleEngine.build(set, options);
    const shadow = set.shadow === null ? null : yield* RuleEngine.build({ ...set, ...set.shadow }, options);
    return {
      engine,
      shadow: shadow === null ? null : new ShadowComparison(shadow),
      hits: hits === null ? null : new RuleHits(hits, engine.rules.length),
      buckets: buckets === null ? null : new RateBuckets(buckets),
    };
  }

  count({ hitSlots }: RuleVerdict): void {
    const { hits } = this.#inForce;
    if (hits !== null) for (const slot of hitSlots) hits.add(this.#worker, slot);
  }

  /** Takes a token of each limit, or of none. @returns the limit that is reached. */
  takeTokens({ rateLimits }: RuleVerdict): RateLimit | null {
    const { buckets } = this.#inForce;
    if (rateLimits.length === 0 || buckets === null) return null;
    const now = process.hrtime.bigint();
    for (const [index, limit] of rateLimits.entries()) {
      if (buckets.take(limit, now)) continue;
      for (const taken of rateLimits.slice(0, index)) buckets.giveBack(taken);
      return limit;
    }
    return null;
  }
}
