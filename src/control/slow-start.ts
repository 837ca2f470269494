/**
 * Since when servers that have come back take reads again: their caches are cold, so workers give them their share
 * little by little. Asked once for each snapshot.
 */

import type { Hostgroup, HostgroupMember, RuledMember } from '../topology/hostgroup-membership.ts';
import { MemberVerdict } from '../topology/hostgroup-membership.ts';

/** A server that was left out for one of these has gone on replicating, and its caches are as warm as before. */
const STAYED_WARM: ReadonlySet<MemberVerdict> = new Set<MemberVerdict>([
  MemberVerdict.lagging,
  MemberVerdict.lagUnknown,
  MemberVerdict.tooSlow,
  MemberVerdict.noWeight,
]);

interface Place {
  verdict: MemberVerdict;
  /** 0: its caches are warm, or as cold as everybody's. */
  sinceMs: number;
}

export class SlowStart {
  readonly #places = new Map<string, Place>();
  /** Since when a hostgroup has had a fit member. */
  readonly #servingSince = new Map<number, number>();

  /**
   * The members of the hostgroup, those that have come back as such.
   * @param nowMs of the wall clock
   */
  update({ id, members }: Hostgroup, slowStartMs: number, nowMs: number): RuledMember[] {
    const servingSince = this.#servingSince.get(id) ?? Number.POSITIVE_INFINITY;
    // All that begin together are equally cold.
    const isServing = nowMs - servingSince >= slowStartMs;
    const ruled = members.map((member) => {
      const sinceMs = this.#moved(`${id} ${member.address}`, member, isServing, nowMs);
      const isWarming = sinceMs > 0 && slowStartMs > 0;
      return { ...member, warming: isWarming ? { sinceMs, untilMs: sinceMs + slowStartMs } : null };
    });
    const isFit = members.some(({ verdict }) => verdict === MemberVerdict.fit);
    if (!isFit) this.#servingSince.delete(id);
    else if (!this.#servingSince.has(id)) this.#servingSince.set(id, nowMs);
    return ruled;
  }

  #moved(key: string, { verdict }: HostgroupMember, isServing: boolean, nowMs: number): number {
    const place = this.#places.get(key);
    if (place === undefined) {
      const sinceMs = isServing && verdict === MemberVerdict.fit ? nowMs : 0;
      this.#places.set(key, { verdict, sinceMs });
      return sinceMs;
    }
    const before = place.verdict;
    place.verdict = verdict;
    if (verdict !== MemberVerdict.fit) place.sinceMs = STAYED_WARM.has(verdict) ? place.sinceMs : 0;
    else if (before !== MemberVerdict.fit && !STAYED_WARM.has(before)) place.sinceMs = isServing ? nowMs : 0;
    return verdict === MemberVerdict.fit ? place.sinceMs : 0;
  }
}
