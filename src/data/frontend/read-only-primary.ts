/**
 * A statement was sent to the primary, and the server says that it is read-only: it has been demoted under us, and has
 * done nothing. The statement waits for the server that is primary now and goes there, as long as a statement may wait
 * for a primary; then the client gets the server's own words.
 */

import { ER_OPTION_PREVENTS_STATEMENT, ER_READ_ONLY_MODE } from '../../common/server-errno.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import type { WorkerContext } from '../worker-context.ts';

const NAMES_READ_ONLY = /read[-_]only/i;

/** Longer statements are not copied, to be sent again: their clients get the error. */
export const MAX_KEPT_BYTES = 1_048_576;

export function isReadOnlyRefusal(errno: number, message: string): boolean {
  if (errno === ER_READ_ONLY_MODE) return true;
  return errno === ER_OPTION_PREVENTS_STATEMENT && NAMES_READ_ONLY.test(message);
}

export class ReadOnlyPrimary {
  readonly #context: WorkerContext;
  #isKept = false;
  /** 0 before the first refusal. */
  #deadlineMs = 0;
  #isRefused = false;

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  /** @param isKept the statement is new on the primary, and there is a copy of it. */
  begins(isKept: boolean): void {
    this.#isKept = isKept;
    this.#deadlineMs = 0;
    this.#isRefused = false;
  }

  /** @returns true: it is to be sent again, and the client does not see the error. */
  refuses(address: string, errno: number, message: string): boolean {
    if (!this.#isKept || !isReadOnlyRefusal(errno, message)) return false;
    const { snapshot, counters, post } = this.#context;
    const now = performance.now();
    if (this.#deadlineMs === 0) {
      this.#deadlineMs = now + snapshot.settings.limits.noServerWaitMs;
      post({ type: 'primaryRefuses', address });
    }
    this.#isRefused = now < this.#deadlineMs;
    if (this.#isRefused) counters.add(WorkerCounter.retries);
    return this.#isRefused;
  }

  /** Whether the answer that has just ended was such a refusal. */
  takeRefusal(): boolean {
    const isRefused = this.#isRefused;
    this.#isRefused = false;
    return isRefused;
  }
}
