/** A hostgroup's servers that are fit for reads, as pools, and the choice among them. */

import type { ReadNeeds } from './balancing/read-needs.ts';
import { isUndemanding, type ReplicaMeasurements, satisfies } from './balancing/replica-measurements.ts';
import type { ServerPool } from './server-pool.ts';

/** After so many choices in a row the next of equally loaded servers has its turn. */
const STREAK = 32;

export interface ReadMember {
  readonly pool: ServerPool;
  /** Above 0. */
  readonly weight: number;
}

export class ReadGroup {
  readonly #measured: ReplicaMeasurements;
  #members: readonly ReadMember[] = [];
  /** Scratch memory: those that a read's needs leave. */
  readonly #left: ReadMember[] = [];
  #last: ServerPool | null = null;
  /** How often in a row it was chosen. */
  #streak = 0;
  #chosen: ServerPool | null = null;
  #chosenIn = 0;

  constructor(measured: ReplicaMeasurements) {
    this.#measured = measured;
  }

  update(members: readonly ReadMember[]): void {
    this.#members = members;
    this.#chosen = null;
  }

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  /**
   * The server for a read in this turn of the event loop: one for all that ask for nothing in particular, so that they
   * can leave in one write. Null if none has what the read needs.
   */
  choose(turn: number, read: ReadNeeds): ServerPool | null {
    if (!isUndemanding(read)) return this.#choose(this.#leftBy(read, null));
    if (this.#chosen === null || this.#chosenIn !== turn) {
      this.#chosen = this.#choose(this.#members);
      this.#chosenIn = turn;
    }
    return this.#chosen;
  }

  /** For a read that this one could not answer. */
  other(than: ServerPool, read: ReadNeeds): ServerPool | null {
    return this.#leftBy(read, than)[0]?.pool ?? null;
  }

  /** Valid until the next call. */
  #leftBy(read: ReadNeeds, except: ServerPool | null): readonly ReadMember[] {
    const left = this.#left;
    left.length = 0;
    for (const member of this.#members) {
      const { pool } = member;
      if (pool === except) continue;
      if (satisfies(this.#measured, pool.server.slot, pool.server.role === 'primary', read))
        left.push(member);
    }
    return left;
  }

  /**
   * The one with the fewest connections in use for its weight; of equals the one that was used last, whose caches
   * and processor are warm, for a while. (Alternating between two idle replicas was measured to cost a single client
   * a quarter.)
   */
  #choose(members: readonly ReadMember[]): ServerPool | null {
    const sticks = this.#streak < STREAK;
    let best: ServerPool | null = null;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (const { pool, weight } of members) {
      const load = pool.inUse / weight;
      if (load > bestLoad || (load === bestLoad && (pool === this.#last) !== sticks)) continue;
      best = pool;
      bestLoad = load;
    }
    this.#streak = best === this.#last ? this.#streak + 1 : 0;
    this.#last = best;
    return best;
  }
}
