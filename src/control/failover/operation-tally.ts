/** How often operations have ended, and when last, and how long the last pause was: for metrics. */

import { OperationKind, OperationOutcome } from './operation-event.ts';

export interface OperationCount {
  readonly operation: OperationKind;
  readonly outcome: OperationOutcome;
  readonly count: number;
}

/** When an operation of this kind has last succeeded. */
export interface OperationMoment {
  readonly operation: OperationKind;
  /** Milliseconds since 1970; 0 where there was none. */
  readonly atMs: number;
}

export class OperationTally {
  readonly #counts = new Map<string, OperationCount>();
  readonly #lastDone = new Map<OperationKind, number>();
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

  /** Of every kind. */
  get lastDone(): readonly OperationMoment[] {
    return Object.values(OperationKind).map((operation) => ({
      operation,
      atMs: this.#lastDone.get(operation) ?? 0,
    }));
  }

  count(operation: OperationKind, outcome: OperationOutcome, pauseMs: number | null): void {
    const key = `${operation} ${outcome}`;
    this.#counts.set(key, { operation, outcome, count: (this.#counts.get(key)?.count ?? 0) + 1 });
    if (outcome === OperationOutcome.done) this.#lastDone.set(operation, Date.now());
    if (pauseMs !== null) this.lastPauseMs = pauseMs;
  }
}
