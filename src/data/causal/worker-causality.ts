/** What the sessions of a worker share for causal reads: where writes are noted, and reads look what they need. */

import type { GtidSource } from '../../common/gtid-position.ts';
import { WorkerCounter, type WorkerCounters } from '../../common/shared-counters.ts';
import { ANY_WRITE_SLOT, type SharedGtids, UNKNOWN_TABLES_SLOT } from '../../common/shared-gtids.ts';
import { GtidSources } from './gtid-sources.ts';

/** What a read needs of which nobody knows where it is: only the primary has it for certain. */
export const UNKNOWN_NEED = -1;

export class WorkerCausality {
  readonly gtids: SharedGtids;
  readonly sources = new GtidSources();
  readonly #counters: WorkerCounters;
  readonly #ask: () => void;
  /** In which the main thread was asked last. */
  #askedIn = -1;

  /** @param ask the main thread finds out where the primary is */
  constructor(gtids: SharedGtids, counters: WorkerCounters, ask: () => void) {
    this.gtids = gtids;
    this.#counters = counters;
    this.#ask = ask;
  }

  apply(sources: readonly GtidSource[]): void {
    this.sources.update(sources);
  }

  /** @param slots that were written, null: nobody knows which. */
  raise(slots: Int32Array | null, position: number): void {
    const { gtids } = this;
    if (slots === null) gtids.raise(UNKNOWN_TABLES_SLOT, position);
    else for (let i = 0; i < slots.length; i++) gtids.raise(slots[i]!, position);
    gtids.raise(ANY_WRITE_SLOT, position);
  }

  /** They were written at a position that nobody knows. @returns since which epoch, for `SharedGtids.resolvedEpoch` */
  setUnknown(slots: Int32Array | null): number {
    const { gtids } = this;
    this.#counters.add(WorkerCounter.gtidsUnknown);
    if (slots === null) gtids.setUnknown(UNKNOWN_TABLES_SLOT);
    else for (let i = 0; i < slots.length; i++) gtids.setUnknown(slots[i]!);
    gtids.setUnknown(ANY_WRITE_SLOT);
    const { epoch } = gtids;
    // Once it has begun to find out, it has to do so again for what comes later.
    if (epoch !== this.#askedIn) {
      this.#askedIn = epoch;
      this.#ask();
    }
    return epoch;
  }

  /** What a read of these tables must see; null: of any. */
  needOf(slots: Int32Array | null): number {
    const { gtids } = this;
    if (slots === null) return gtids.isUnknown(ANY_WRITE_SLOT) ? UNKNOWN_NEED : gtids.written(ANY_WRITE_SLOT);
    // A read of no table needs the schema that the session is in all the same.
    if (gtids.isUnknown(UNKNOWN_TABLES_SLOT)) return UNKNOWN_NEED;
    let need = gtids.written(UNKNOWN_TABLES_SLOT);
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      if (gtids.isUnknown(slot)) return UNKNOWN_NEED;
      const written = gtids.written(slot);
      if (written > need) need = written;
    }
    return need;
  }
}
