/** Why a session is bound to its connection, and since when; counted over all sessions of the worker as well. */

import { WorkerCounter, type WorkerCounters } from '../../common/shared-counters.ts';
import { pinSlot } from '../../sql/route-reason.ts';
import type { PinReason } from '../../sql/statement-class.ts';

export class SessionPins {
  readonly #since = new Map<PinReason, number>();
  readonly #counters: WorkerCounters | null;
  /** One bit for each reason (see `pinsOf`). */
  bits = 0;

  constructor(counters: WorkerCounters | null) {
    this.#counters = counters;
  }

  /** Milliseconds since the epoch. */
  get since(): ReadonlyMap<PinReason, number> {
    return this.#since;
  }

  start(reason: PinReason): void {
    if (this.#since.has(reason)) return;
    const slot = pinSlot(reason);
    if (this.bits === 0) this.#counters?.add(WorkerCounter.pinnedSessions, 1);
    this.#since.set(reason, Date.now());
    this.bits |= 1 << slot;
    this.#counters?.pinStarted(slot);
  }

  end(reason: PinReason): void {
    if (!this.#since.delete(reason)) return;
    const slot = pinSlot(reason);
    this.bits &= ~(1 << slot);
    this.#counters?.pinEnded(slot);
    if (this.bits === 0) this.#counters?.add(WorkerCounter.pinnedSessions, -1);
  }

  endAll(): void {
    for (const reason of [...this.#since.keys()]) this.end(reason);
  }
}
