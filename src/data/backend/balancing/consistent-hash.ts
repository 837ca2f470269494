/**
 * The same key to the same server, as long as that has not more to do than the others: then to the next one on the
 * ring. A server whose caches are cold gets part of its keys, more of them from moment to moment, always the same
 * ones. Reads without a key go to the server with the fewest connections in use.
 */

import { mixedBits } from '../../../common/mixed-bits.ts';
import type { BalancedMember, BalancedPool } from './balanced-member.ts';
import type { BalancingPolicy } from './balancing-policy.ts';
import { HashRing } from './hash-ring.ts';
import { LeastConnections, round } from './least-connections.ts';
import type { ReadNeeds } from './read-needs.ts';

/** A server may have this much more to do than its share. */
export const LOAD_BOUND = 1.25;
/** Below so many reads of late, or connections in use, nobody has too much to do. */
const FEW_READS = 256;
const FEW_CONNECTIONS = 8;
/** After this time reads count half. */
const HALVED_AFTER_MS = 1000;
const TWO_32 = 2 ** 32;

export class ConsistentHash<P extends BalancedPool> implements BalancingPolicy<P> {
  readonly isPerTurn = false;
  readonly #ring = new HashRing();
  readonly #keyless = new LeastConnections<P>();
  readonly #now: () => number;
  #members: readonly BalancedMember<P>[] = [];
  /** Of what the ring was built from. */
  #signature = '';
  #choices = 0;
  #halvedAtMs = 0;
  /** Of those that are marked for this choice. */
  #marked = 0;
  #reads = 0;
  #weights = 0;

  /** @param now milliseconds of the monotonic clock */
  constructor(now: () => number) {
    this.#now = now;
  }

  update(members: readonly BalancedMember<P>[], heaviest: number): void {
    // Who has been away has missed reads, and would get what others had.
    for (const member of members) if (!this.#members.includes(member)) member.recent = 0;
    this.#members = members;
    this.#keyless.update(members);
    const servers = members.map(({ pool, settings }) => ({
      address: pool.server.address,
      weight: settings.weight,
    }));
    const signature = JSON.stringify([servers, heaviest]);
    if (signature === this.#signature) return;
    this.#signature = signature;
    this.#ring.build(servers, heaviest);
  }

  choose(candidates: readonly BalancedMember<P>[], read: ReadNeeds): BalancedMember<P> {
    if (read.affinity < 0) return this.#keyless.choose(candidates);
    const chosen = this.foresee(candidates, read);
    chosen.recent++;
    return chosen;
  }

  foresee(candidates: readonly BalancedMember<P>[], { affinity }: ReadNeeds): BalancedMember<P> {
    if (affinity < 0) return this.#keyless.foresee(candidates);
    if (candidates.length === 1) return candidates[0]!;
    this.#forget();
    this.#mark(candidates);
    const ring = this.#ring;
    const { size } = ring;
    const first = ring.placeOf(affinity);
    let left = this.#marked;
    /** For a key that nobody has room for: better a server that is warm. */
    let fallback: BalancedMember<P> | null = null;
    const mark = this.#choices;
    for (let step = 0, place = first; step < size && left > 0; step++) {
      const member = this.#members[ring.ownerAt(place)]!;
      place = place + 1 === size ? 0 : place + 1;
      if (member.candidateOf !== mark) continue;
      // Each is asked once.
      member.candidateOf = 0;
      left--;
      if (fallback === null || (fallback.ramp < 1 && member.ramp >= 1)) fallback = member;
      if (this.#hasRoom(member) && acceptsCold(member, affinity)) return member;
    }
    return fallback ?? candidates[0]!;
  }

  describe(member: BalancedMember<P>): string {
    const { pool, weight, recent } = member;
    return `${Math.round(recent)} reads of late, ${pool.inUse} in use, weight ${round(weight)}`;
  }

  /** Marks those that get done with what they have; there is always one. What the others do not take is theirs. */
  #mark(candidates: readonly BalancedMember<P>[]): void {
    let inUse = 0;
    let weights = 0;
    for (const { pool, weight } of candidates) {
      inUse += pool.inUse;
      weights += weight;
    }
    this.#choices++;
    this.#marked = 0;
    this.#reads = 0;
    this.#weights = 0;
    for (const member of candidates) {
      const share = (LOAD_BOUND * member.weight) / weights;
      if (member.pool.inUse >= Math.max(FEW_CONNECTIONS, share * (inUse + 1))) continue;
      member.candidateOf = this.#choices;
      this.#marked++;
      this.#reads += member.recent;
      this.#weights += member.weight;
    }
  }

  #hasRoom({ recent, weight }: BalancedMember<P>): boolean {
    const share = (LOAD_BOUND * weight) / this.#weights;
    return recent + 1 <= Math.max(FEW_READS, share * (this.#reads + 1));
  }

  #forget(): void {
    const now = this.#now();
    const halvings = Math.floor((now - this.#halvedAtMs) / HALVED_AFTER_MS);
    if (halvings < 1) return;
    this.#halvedAtMs = now;
    for (const member of this.#members) member.recent = halvings > 20 ? 0 : member.recent / 2 ** halvings;
  }
}

/** Another hash of the key than its place on the ring: neighbours there are not treated alike. */
function acceptsCold({ ramp }: BalancedMember, affinity: number): boolean {
  return ramp >= 1 || mixedBits(affinity ^ 0x5bd1e995) < ramp * TWO_32;
}
