/**
 * Of two servers at random the one that promises the earlier answer: how slowly it has answered of late, times what it
 * has to do, for its weight. Two at random, since with all of them every worker would run to the same one.
 */

import type { BalancedMember, BalancedPool } from './balanced-member.ts';
import type { BalancingPolicy } from './balancing-policy.ts';
import { round } from './least-connections.ts';

/** A server that has not answered of late, and is being tried: the others wait for what comes of it. */
const ON_TRIAL = 1000;
const NEVER_ZERO = 0.001;

export class PeakEwma<P extends BalancedPool> implements BalancingPolicy<P> {
  /** Not all reads of a turn go to a server of which it is not known how it will do. */
  isPerTurn = true;
  readonly #random: () => number;
  readonly #now: () => number;

  /** @param random from 0 up to 1. @param now milliseconds of the monotonic clock */
  constructor(random: () => number, now: () => number) {
    this.#random = random;
    this.#now = now;
  }

  update(): void {}

  choose(candidates: readonly BalancedMember<P>[]): BalancedMember<P> {
    const count = candidates.length;
    const now = this.#now();
    const first = Math.floor(this.#random() * count);
    const a = candidates[first]!;
    if (count === 1) return a;
    const b = candidates[(first + 1 + Math.floor(this.#random() * (count - 1))) % count]!;
    const better = this.#cost(a, now) <= this.#cost(b, now) ? a : b;
    this.isPerTurn = !better.pool.latency.isStale(now);
    return better;
  }

  /** The best of all, which two at random are likely to have among them. */
  foresee(candidates: readonly BalancedMember<P>[]): BalancedMember<P> {
    const now = this.#now();
    let best = candidates[0]!;
    for (const member of candidates) if (this.#cost(member, now) < this.#cost(best, now)) best = member;
    return best;
  }

  describe(member: BalancedMember<P>): string {
    const { pool, weight } = member;
    const slowness = pool.latency.at(this.#now());
    const known = slowness === 0 ? 'latency unknown' : `${round(slowness)} times the usual latency`;
    return `${known}, ${pool.inUse} in use, weight ${round(weight)}`;
  }

  #cost({ pool, weight }: BalancedMember<P>, now: number): number {
    const { latency, inUse } = pool;
    const slowness = inUse > 0 && latency.isStale(now) ? ON_TRIAL : latency.at(now) + NEVER_ZERO;
    return (slowness * (inUse + 1)) / weight;
  }
}
