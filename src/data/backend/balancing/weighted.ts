/**
 * In turn, by weight, evenly spread: of weights 5, 1, 1 the sequence is a a b a c a a. Each choice gives every
 * candidate its weight, and takes the sum of all weights from the one that has most.
 */

import type { BalancedMember, BalancedPool } from './balanced-member.ts';
import type { BalancingPolicy } from './balancing-policy.ts';
import { round } from './least-connections.ts';

export class Weighted<P extends BalancedPool> implements BalancingPolicy<P> {
  readonly isPerTurn = true;
  /** The members and their weights. */
  #turns: ReadonlyMap<BalancedMember<P>, number> = new Map();

  update(members: readonly BalancedMember<P>[]): void {
    const turns = new Map(members.map((member) => [member, member.settings.weight]));
    const isSame =
      turns.size === this.#turns.size &&
      members.every((member) => this.#turns.get(member) === member.settings.weight);
    if (isSame) return;
    this.#turns = turns;
    // Who has come or gone would be owed, or would owe, turns of another time.
    for (const member of members) member.credit = 0;
  }

  choose(candidates: readonly BalancedMember<P>[]): BalancedMember<P> {
    const best = this.foresee(candidates);
    let total = 0;
    for (const member of candidates) {
      member.credit += member.weight;
      total += member.weight;
    }
    best.credit -= total;
    return best;
  }

  foresee(candidates: readonly BalancedMember<P>[]): BalancedMember<P> {
    let best = candidates[0]!;
    for (const member of candidates)
      if (member.credit + member.weight > best.credit + best.weight) best = member;
    return best;
  }

  describe({ weight }: BalancedMember<P>): string {
    return `weight ${round(weight)}`;
  }
}
