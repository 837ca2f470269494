/**
 * The statements that wait for a primary, or for writes not to be held any more: counted, timed, and limited in bytes,
 * since each is kept in memory meanwhile.
 */

import { WorkerCounter, type WorkerCounters } from '../../common/shared-counters.ts';

export class WaitingStatements {
  /** In bytes. */
  limit = 0;
  readonly #counters: WorkerCounters;
  #bytes = 0;

  constructor(counters: WorkerCounters) {
    this.#counters = counters;
  }

  /** @returns false if there is no room for it. A single one always has room. */
  enter(bytes: number): boolean {
    if (this.#bytes > 0 && this.#bytes + bytes > this.limit) return false;
    this.#bytes += bytes;
    this.#counters.add(WorkerCounter.heldStatements);
    this.#counters.add(WorkerCounter.heldStatementsNow);
    return true;
  }

  leave(bytes: number, waitedMs: number): void {
    this.#bytes -= bytes;
    this.#counters.add(WorkerCounter.heldStatementsNow, -1);
    this.#counters.add(WorkerCounter.heldMs, waitedMs);
  }
}
