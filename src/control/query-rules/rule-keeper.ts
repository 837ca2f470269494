/**
 * The rules in force as workers get them, with the shared memory that goes with them: how often each has matched, and
 * the buckets of the rate limits. A topology that changes leaves them as they are.
 */

import type { QueryRuleSet, ShadowRules } from '../../common/query-rule.ts';
import { RateBuckets } from '../../common/rate-buckets.ts';
import { RuleHits } from '../../common/rule-hits.ts';
import { encodeRuleSet } from '../../common/rule-set-encoding.ts';
import { MAX_WORKERS } from '../../common/shared-counters.ts';
import { NO_SNAPSHOT_RULES, type SnapshotRules } from '../../common/snapshot.ts';
import { numberedLimits, orderedRules } from '../../sql/rules/rule-order.ts';
import { isEmptyRuleSet, type RuleConfig, ruleSetOf } from './rule-set.ts';

export interface RuleHitCount {
  readonly ruleId: number;
  readonly hits: number;
}

interface InForce {
  readonly config: RuleConfig;
  readonly shadow: ShadowRules | null;
  readonly set: QueryRuleSet;
  readonly snapshot: SnapshotRules;
  readonly hits: RuleHits | null;
  readonly buckets: RateBuckets | null;
}

export class RuleKeeper {
  #inForce: InForce | null = null;
  #version = 0;
  #shadow: ShadowRules | null = null;

  /** Evaluated beside the others from the next snapshot on, and not applied; null: none. */
  setShadow(shadow: ShadowRules | null): void {
    this.#shadow = shadow;
  }

  get shadow(): ShadowRules | null {
    return this.#shadow;
  }

  /** The same value as long as nothing of it has changed. */
  snapshot(config: RuleConfig): SnapshotRules {
    const shadow = this.#shadow;
    const before = this.#inForce;
    if (before !== null && before.config === config && before.shadow === shadow) return before.snapshot;
    const set = ruleSetOf(config, shadow);
    const encoded = isEmptyRuleSet(set) ? null : encodeRuleSet(set);
    if (before !== null && sameBytes(before.snapshot.encoded, encoded)) {
      this.#inForce = { ...before, config, shadow };
      return before.snapshot;
    }
    this.#inForce = this.#make(config, shadow, set, encoded);
    return this.#inForce.snapshot;
  }

  /** Of the rules in force, since they are: a change of the rules begins at 0, as in ProxySQL. */
  hits(): readonly RuleHitCount[] {
    const { set, hits } = this.#inForce ?? { set: null, hits: null };
    if (set === null || hits === null) return [];
    return orderedRules(set.rules).map(({ ruleId }, place) => ({ ruleId, hits: hits.total(place) }));
  }

  #make(
    config: RuleConfig,
    shadow: ShadowRules | null,
    set: QueryRuleSet,
    encoded: SharedArrayBuffer | null,
  ): InForce {
    if (encoded === null) {
      const snapshot =
        this.#version === 0 ? NO_SNAPSHOT_RULES : { ...NO_SNAPSHOT_RULES, version: ++this.#version };
      return { config, shadow, set, snapshot, hits: null, buckets: null };
    }
    const hits = this.#hits(set);
    const buckets = this.#buckets(set);
    const snapshot = { version: ++this.#version, encoded, hits: hits.buffer, buckets: buckets.buffer };
    return { config, shadow, set, snapshot, hits, buckets };
  }

  /** Counts go on where the rules are the same, and only the shadow, a user or the firewall has changed. */
  #hits(set: QueryRuleSet): RuleHits {
    const before = this.#inForce;
    if (before !== null && before.hits !== null && before.set.rules === set.rules) return before.hits;
    return RuleHits.allocate(MAX_WORKERS, orderedRules(set.rules).length);
  }

  /** Limits of the same name go on from where they are. */
  #buckets(set: QueryRuleSet): RateBuckets {
    const { all } = numberedLimits(set);
    const buckets = RateBuckets.allocate(all.length);
    const before = this.#inForce;
    if (before === null || before.buckets === null) return buckets;
    const limits = new Map(numberedLimits(before.set).all.map((limit) => [limit.name, limit]));
    const now = process.hrtime.bigint();
    for (const limit of all) {
      const limitBefore = limits.get(limit.name);
      if (limitBefore !== undefined) buckets.copyFrom(before.buckets, limit, limitBefore, now);
    }
    return buckets;
  }
}

function sameBytes(one: SharedArrayBuffer | null, other: SharedArrayBuffer | null): boolean {
  if (one === null || other === null) return one === other;
  return Buffer.from(one).equals(new Uint8Array(other));
}
