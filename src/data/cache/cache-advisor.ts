/**
 * What a cache would do for the reads that come by, found out by looking for a while: for each digest how often the same
 * statement comes again, and how often before its tables are written. Nothing is watched, and nothing is paid, but while an
 * operator asks.
 */

import type { CacheAdvice } from '../../common/inspection.ts';
import type { Plan } from '../router/plan.ts';

/** Watching ends by itself: who began it may have gone. */
const LONGEST_MS = 10 * 60_000;
/** Digests that are watched: the first ones that come. */
const MAX_DIGESTS = 500;
/** Statements that are told apart; what comes new after that counts as never seen. */
const MAX_KEYS = 100_000;

interface Watched {
  readonly plan: Plan;
  /** By key: the epochs of its tables when it came last. */
  readonly keys: Map<number, number>;
  epochSum: number;
  statements: number;
  repeats: number;
  hits: number;
  writes: number;
}

export class CacheAdvisor {
  readonly #now: () => number;
  #watched: Map<Plan, Watched> | null = null;
  #sinceMs = 0;
  #keys = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get isWatching(): boolean {
    return this.#watched !== null;
  }

  /** From now on; what was seen before is forgotten. */
  start(): void {
    this.#watched = new Map();
    this.#sinceMs = this.#now();
    this.#keys = 0;
  }

  /** @param keyHash of what tells it from others of its digest. @param epochSum another one when its tables were written. */
  seen(plan: Plan, keyHash: number, epochSum: number): void {
    const digests = this.#watched;
    if (digests === null) return;
    if (this.#now() - this.#sinceMs > LONGEST_MS) {
      this.#watched = null;
      return;
    }
    let watched = digests.get(plan);
    if (watched === undefined) {
      if (digests.size >= MAX_DIGESTS) return;
      watched = { plan, keys: new Map(), epochSum, statements: 0, repeats: 0, hits: 0, writes: 0 };
      digests.set(plan, watched);
    }
    watched.statements++;
    // Both only go up: what lies between is how often they were raised.
    watched.writes += (epochSum - watched.epochSum) | 0;
    watched.epochSum = epochSum;
    const before = watched.keys.get(keyHash);
    if (before !== undefined) {
      watched.repeats++;
      if (before === epochSum) watched.hits++;
    } else if (this.#keys++ >= MAX_KEYS) return;
    watched.keys.set(keyHash, epochSum);
  }

  /** What was seen; the watching is over. @param nameOf of the digest. @param textOf without its literals. */
  stop(
    worker: number,
    nameOf: (normalized: Buffer) => string,
    textOf: (normalized: Buffer) => string,
  ): CacheAdvice[] {
    const digests = this.#watched;
    this.#watched = null;
    if (digests === null) return [];
    const watchedMs = this.#now() - this.#sinceMs;
    return [...digests.values()].map(({ plan, keys, statements, repeats, hits, writes }) => ({
      worker,
      digest: nameOf(plan.normalized),
      digestText: textOf(plan.normalized),
      watchedMs,
      statements,
      distinct: keys.size,
      repeats,
      hits,
      writes,
      serverMs: plan.aloneMs,
      cachedBy: plan.cacheTally?.decision?.source ?? '',
    }));
  }
}
