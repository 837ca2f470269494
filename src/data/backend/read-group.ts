/** A hostgroup's servers that are fit for reads, as pools, and the choice among them. */

import type { ServerPool } from './server-pool.ts';

/** After so many choices in a row the next of equally loaded servers has its turn. */
const STREAK = 32;

export interface ReadMember {
  readonly pool: ServerPool;
  /** Above 0. */
  readonly weight: number;
}

export class ReadGroup {
  #members: readonly ReadMember[] = [];
  #last: ServerPool | null = null;
  /** How often in a row it was chosen. */
  #streak = 0;
  #chosen: ServerPool | null = null;
  #chosenIn = 0;

  update(members: readonly ReadMember[]): void {
    this.#members = members;
    this.#chosen = null;
  }

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  /** The server for the reads of this turn of the event loop: one for all, so that they can leave in one write. */
  choose(turn: number): ServerPool | null {
    if (this.#chosen === null || this.#chosenIn !== turn) {
      this.#chosen = this.#choose();
      this.#chosenIn = turn;
    }
    return this.#chosen;
  }

  /** For a read that this one could not answer. */
  other(than: ServerPool): ServerPool | null {
    return this.#members.find(({ pool }) => pool !== than)?.pool ?? null;
  }

  /**
   * The one with the fewest connections in use for its weight; of equals the one that was used last, whose caches
   * and processor are warm, for a while. (Alternating between two idle replicas was measured to cost a single client
   * a quarter.)
   */
  #choose(): ServerPool | null {
    const sticks = this.#streak < STREAK;
    let best: ServerPool | null = null;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (const { pool, weight } of this.#members) {
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
