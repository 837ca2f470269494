/** EXPLAIN ROUTE: questions that a worker answers, and what it has answered. */

import type { ExplainQuestion, ExplainStep, ToWorker } from '../common/thread-messages.ts';

const EXPLAIN_TIMEOUT_MS = 2000;

export class WorkerExplains {
  readonly #waiting = new Map<number, (steps: readonly ExplainStep[]) => void>();
  #requests = 0;

  /** @param send to the worker. @returns empty when it does not answer in time */
  ask(question: ExplainQuestion, send: (message: ToWorker) => void): Promise<readonly ExplainStep[]> {
    const requestId = ++this.#requests;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(requestId);
        resolve([]);
      }, EXPLAIN_TIMEOUT_MS);
      this.#waiting.set(requestId, (steps) => {
        clearTimeout(timer);
        resolve(steps);
      });
      send({ type: 'explain', requestId, ...question });
    });
  }

  answered(requestId: number, steps: readonly ExplainStep[]): void {
    this.#waiting.get(requestId)?.(steps);
    this.#waiting.delete(requestId);
  }
}
