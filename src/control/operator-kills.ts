/** KILL by an operator: asks the workers as one of them would, through the same relay, and waits for nobody for long. */

import type { KillOutcome, KillRequest } from '../common/thread-messages.ts';

/** In place of the worker that asks; no worker has this number. */
export const OPERATOR = -1;
const TIMEOUT_MS = 2000;

export class OperatorKills {
  readonly #waiting = new Map<number, (outcome: KillOutcome | null) => void>();
  readonly #timeoutMs: number;
  #requests = 0;

  constructor(timeoutMs = TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @param ask hands the request to the workers.
   * @returns null when not all of them have answered in time, and none of those that have knows the session
   */
  request(
    connectionId: number,
    queryOnly: boolean,
    ask: (request: KillRequest) => void,
  ): Promise<KillOutcome | null> {
    const requestId = ++this.#requests;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.answered(requestId, null), this.#timeoutMs);
      this.#waiting.set(requestId, (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      });
      ask({
        type: 'kill',
        requestId,
        fromWorker: OPERATOR,
        connectionId,
        queryOnly,
        username: '',
        ofAll: true,
        allOfUser: null,
      });
    });
  }

  answered(requestId: number, outcome: KillOutcome | null): void {
    const done = this.#waiting.get(requestId);
    this.#waiting.delete(requestId);
    done?.(outcome);
  }
}
