/**
 * What the cache of one worker has done for the statements of one digest. Entries, fills and plans refer to the tally of
 * theirs, so that counting costs an addition; what is listed is bounded, and whose tally was dropped begins a new one.
 */

import type { RaiseCause } from '../../../common/table-epochs.ts';
import type { Plan } from '../plan.ts';
import type { CacheDecision } from './cache-decision.ts';

/** Digests that are listed. */
export const MAX_TALLIES = 2000;

export class DigestTally {
  readonly normalized: Buffer;
  readonly hashLow: number;
  readonly hashHigh: number;
  isListed = true;
  /** By which it was asked for last. */
  decision: CacheDecision | null = null;
  entries = 0;
  bytes = 0;
  hits = 0;
  misses = 0;
  /** Something was being written, or the follower was late. */
  unproven = 0;
  stored = 0;
  /** Fills that could not be stored. */
  notStored = 0;
  /** Of a server, which the hits have not taken. */
  savedMs = 0;
  expired = 0;
  evicted = 0;
  flushed = 0;
  /** Entries that a write has ended, by `RaiseCause`. */
  readonly outdated: Record<RaiseCause, number> = { 0: 0, 1: 0, 2: 0, 3: 0, 4: 0 };

  constructor({ normalized, hashLow, hashHigh }: Pick<Plan, 'normalized' | 'hashLow' | 'hashHigh'>) {
    this.normalized = normalized;
    this.hashLow = hashLow;
    this.hashHigh = hashHigh;
  }

  get lookups(): number {
    return this.hits + this.misses + this.unproven;
  }
}

export class DigestTallies {
  /** By hash; plans of one digest in other contexts share one. The oldest first. */
  readonly #tallies = new Map<string, DigestTally>();

  /** Of the statement that asks, which is cached by `decision`. */
  of(plan: Plan, decision: CacheDecision): DigestTally {
    let tally = plan.cacheTally;
    if (tally === null || !tally.isListed) tally = this.#list(plan);
    tally.decision = decision;
    return tally;
  }

  list(): DigestTally[] {
    return [...this.#tallies.values()];
  }

  #list(plan: Plan): DigestTally {
    const key = `${plan.hashLow} ${plan.hashHigh}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      if (this.#tallies.size >= MAX_TALLIES) this.#dropOne();
      tally = new DigestTally(plan);
      this.#tallies.set(key, tally);
    }
    plan.cacheTally = tally;
    return tally;
  }

  /** The oldest one of which nothing is stored; else the oldest. */
  #dropOne(): void {
    let dropped: string | null = null;
    for (const [key, tally] of this.#tallies) {
      dropped ??= key;
      if (tally.entries > 0) continue;
      dropped = key;
      break;
    }
    if (dropped === null) return;
    this.#tallies.get(dropped)!.isListed = false;
    this.#tallies.delete(dropped);
  }
}
