/** The rules of a worker: follows the snapshots, counts what has matched, and takes tokens of the rate limits. */

import { decodeRuleSet, type RateLimit } from '../../../common/query-rule.ts';
import { RateBuckets } from '../../../common/rate-buckets.ts';
import { RuleHits } from '../../../common/rule-hits.ts';
import type { SnapshotRules } from '../../../common/snapshot.ts';
import { RuleEngine } from './rule-engine.ts';
import type { RuleVerdict } from './rule-verdict.ts';

export class WorkerRules {
  /** null: there are no rules, and nobody needs to look. */
  engine: RuleEngine | null = null;
  readonly #worker: number;
  #version = 0;
  #generation = 0;
  #maxTextBytes = 0;
  #hits: RuleHits | null = null;
  #buckets: RateBuckets | null = null;

  constructor(worker: number) {
    this.#worker = worker;
  }

  /** @param maxTextBytes `limits.ruleTextBytes` */
  update({ version, encoded, hits, buckets }: SnapshotRules, maxTextBytes: number): void {
    if (version === this.#version && maxTextBytes === this.#maxTextBytes) return;
    this.#version = version;
    this.#maxTextBytes = maxTextBytes;
    this.engine = null;
    this.#hits = null;
    this.#buckets = null;
    if (encoded === null) return;
    const set = decodeRuleSet(encoded);
    this.engine = new RuleEngine(set, { generation: ++this.#generation, maxTextBytes, random: Math.random });
    if (hits !== null) this.#hits = new RuleHits(hits, this.engine.rules.length);
    if (buckets !== null) this.#buckets = new RateBuckets(buckets);
  }

  count({ hitSlots }: RuleVerdict): void {
    const hits = this.#hits;
    if (hits !== null) for (const slot of hitSlots) hits.add(this.#worker, slot);
  }

  /** Takes a token of each limit, or of none. @returns the limit that is reached. */
  takeTokens({ rateLimits }: RuleVerdict): RateLimit | null {
    const buckets = this.#buckets;
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
