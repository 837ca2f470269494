/** Where all are late: the server that is the least behind; of equals the one with the fewest connections in use. */

import type { BalancedMember, BalancedPool } from './balanced-member.ts';
import type { BalancingPolicy } from './balancing-policy.ts';
import type { ReplicaMeasurements } from './replica-measurements.ts';

export class LeastLagged<P extends BalancedPool> implements BalancingPolicy<P> {
  readonly isPerTurn = true;
  readonly #measured: ReplicaMeasurements;

  constructor(measured: ReplicaMeasurements) {
    this.#measured = measured;
  }

  update(): void {}

  choose(candidates: readonly BalancedMember<P>[]): BalancedMember<P> {
    return this.foresee(candidates);
  }

  foresee(candidates: readonly BalancedMember<P>[]): BalancedMember<P> {
    let best = candidates[0]!;
    for (const member of candidates) {
      const less = this.#lagMs(member) - this.#lagMs(best);
      if (less < 0 || (less === 0 && member.pool.inUse < best.pool.inUse)) best = member;
    }
    return best;
  }

  describe(member: BalancedMember<P>): string {
    const lagMs = this.#measured.lagMs(member.pool.server.slot);
    return lagMs < 0 ? 'its lag is not known' : `${Math.round(lagMs)} ms behind`;
  }

  /** Who is not measured is behind all others. */
  #lagMs({ pool }: BalancedMember<P>): number {
    const lagMs = this.#measured.lagMs(pool.server.slot);
    return lagMs < 0 ? Number.MAX_VALUE : lagMs;
  }
}
