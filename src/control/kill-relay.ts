/** KILL of a client that another worker has: every other worker is asked, and the first that knows it answers. */

import { type KillAnswer, KillOutcome, type KillRequest } from '../common/thread-messages.ts';

interface PendingKill {
  readonly request: KillRequest;
  /** Workers whose answer is due. */
  readonly asked: Set<number>;
}

export class KillRelay {
  readonly #kills = new Map<string, PendingKill>();
  readonly #send: (worker: number, message: KillRequest | KillAnswer) => void;

  constructor(send: (worker: number, message: KillRequest | KillAnswer) => void) {
    this.#send = send;
  }

  /** @param others the workers that may have it. */
  passOn(request: KillRequest, others: readonly number[]): void {
    if (others.length === 0) {
      this.#answer(request, KillOutcome.unknown);
      return;
    }
    this.#kills.set(`${request.fromWorker} ${request.requestId}`, { request, asked: new Set(others) });
    for (const worker of others) this.#send(worker, request);
  }

  collect(from: number, { fromWorker, requestId, outcome }: KillAnswer): void {
    this.#collect(from, `${fromWorker} ${requestId}`, outcome);
  }

  /** The worker has ended: it answers nobody, its clients are gone, and its successor counts its requests anew. */
  forget(worker: number): void {
    for (const [key, { request }] of [...this.#kills]) {
      if (request.fromWorker === worker) this.#kills.delete(key);
      else this.#collect(worker, key, KillOutcome.unknown);
    }
  }

  #collect(from: number, key: string, outcome: KillOutcome): void {
    const pending = this.#kills.get(key);
    if (pending?.asked.delete(from) !== true) return;
    if (outcome === KillOutcome.unknown && pending.asked.size > 0) return;
    this.#kills.delete(key);
    this.#answer(pending.request, outcome);
  }

  #answer({ fromWorker, requestId }: KillRequest, outcome: KillOutcome): void {
    this.#send(fromWorker, { type: 'killAnswer', fromWorker, requestId, outcome });
  }
}
