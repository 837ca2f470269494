/** What all policies are: a choice among servers that are fit, and have what the read needs. */

import type { BalancedMember, BalancedPool } from './balanced-member.ts';
import type { ReadNeeds } from './read-needs.ts';

export interface BalancingPolicy<P extends BalancedPool> {
  /** One choice is for all reads of a turn of the event loop, so that they can leave in one write. */
  readonly isPerTurn: boolean;
  /**
   * The hostgroup has other members, or other weights.
   * @param heaviest weight of all that are listed, fit or not
   */
  update(members: readonly BalancedMember<P>[], heaviest: number): void;
  /** @param candidates members, at least one */
  choose(candidates: readonly BalancedMember<P>[], read: ReadNeeds): BalancedMember<P>;
  /** What `choose` would give now, without any effect on it. */
  foresee(candidates: readonly BalancedMember<P>[], read: ReadNeeds): BalancedMember<P>;
  /** By what a member is judged, for people. */
  describe(member: BalancedMember<P>): string;
}
