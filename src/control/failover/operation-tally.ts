/** How often operations have ended, and how long the last pause was: for metrics. */

import { OperationKind, OperationOutcome } from './operation-event.ts';

export interface OperationCount {
  readonly operation: OperationKind;
  readonly outcome: OperationOutcome;
  readonly count: number;
}

export class OperationTally {
  readonly #counts = new Map<string, OperationCount>();
  /** Of the last operation that has held writes; milliseconds, 0 before the first. */
  lastPauseMs = 0;

  constructor() {
    for (const operation of Object.values(OperationKind))
      for (const outcome of Object.values(OperationOutcome))
        this.#counts.set(`${operation} ${outcome}`, { operation, outcome, count: 0 });
  }

  /** Every combination, from the beginning. */
  get counts(): readonly OperationCount[] {
    return [...this.#counts.values()];
  }

  count(operation: OperationKind, outcome: OperationOutcome, pauseMs: number | null): void {
    const key = `${operation} ${outcome}`;
    this.#counts.set(key, { operation, outcome, count: (this.#counts.get(key)?.count ?? 0) + 1 });
    if (pauseMs !== null) this.lastPauseMs = pauseMs;
  }
}
