/**
 * How many requests are answered in a second: more than that wait for their turn, so that whoever asks without end is
 * slowed down and the processor is left to those who serve clients. A client waits with its connection, and there are
 * only so many of these.
 */

/** Beyond this the answer is no longer worth waiting for. */
const LONGEST_WAIT_MS = 2000;

export interface Pace {
  readonly perSecond: number;
  /** So many may come at once after a pause. */
  readonly burst: number;
}

export class RequestPace {
  readonly #intervalMs: number;
  readonly #allowanceMs: number;
  /** When the next request would be due if they came evenly. */
  #dueAtMs = 0;

  constructor({ perSecond, burst }: Pace) {
    this.#intervalMs = 1000 / perSecond;
    this.#allowanceMs = burst * this.#intervalMs;
  }

  /** How long this request has to wait, in milliseconds; null when there are too many in front of it. */
  take(nowMs: number): number | null {
    const due = Math.max(this.#dueAtMs, nowMs - this.#allowanceMs);
    const waitMs = due - nowMs;
    if (waitMs > LONGEST_WAIT_MS) return null;
    this.#dueAtMs = due + this.#intervalMs;
    return Math.max(0, waitMs);
  }
}
