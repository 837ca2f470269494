/**
 * The server with the fewest connections in use for its weight; of equals the one that was used last, whose caches
 * and processor are warm, for a while. (Alternating between two idle replicas was measured to cost a single client a
 * quarter.)
 */

import type { BalancedMember, BalancedPool } from './balanced-member.ts';
import type { BalancingPolicy } from './balancing-policy.ts';

/** After so many choices in a row the next of equally loaded servers has its turn. */
const STREAK = 32;

export class LeastConnections<P extends BalancedPool> implements BalancingPolicy<P> {
  readonly isPerTurn = true;
  #last: BalancedMember<P> | null = null;
  /** How often in a row it was chosen. */
  #streak = 0;

  update(members: readonly BalancedMember<P>[]): void {
    if (this.#last !== null && !members.includes(this.#last)) this.#last = null;
  }

  choose(candidates: readonly BalancedMember<P>[]): BalancedMember<P> {
    const best = this.foresee(candidates);
    this.#streak = best === this.#last ? this.#streak + 1 : 0;
    this.#last = best;
    return best;
  }

  foresee(candidates: readonly BalancedMember<P>[]): BalancedMember<P> {
    const sticks = this.#streak < STREAK;
    let best = candidates[0]!;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (const member of candidates) {
      const load = member.pool.inUse / member.weight;
      if (load > bestLoad || (load === bestLoad && (member === this.#last) !== sticks)) continue;
      best = member;
      bestLoad = load;
    }
    return best;
  }

  describe({ pool, weight }: BalancedMember<P>): string {
    return `${pool.inUse} in use for a weight of ${round(weight)}`;
  }
}

export function round(value: number): number {
  return Number(value.toPrecision(3));
}
