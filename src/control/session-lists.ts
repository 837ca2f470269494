/** Lists of sessions of all workers, for the one that asks: each question is out until every worker has answered. */

import type { SessionList, SessionListRequest, SessionLists } from '../common/thread-messages.ts';

interface Pending {
  readonly request: SessionListRequest;
  /** Workers whose answer is due. */
  readonly asked: Set<number>;
  readonly lists: SessionList[];
}

export class SessionListing {
  readonly #pending = new Map<string, Pending>();
  readonly #answer: (toWorker: number, lists: SessionLists) => void;

  constructor(answer: (toWorker: number, lists: SessionLists) => void) {
    this.#answer = answer;
  }

  /** @param asked the workers that are being asked. */
  begin(request: SessionListRequest, asked: readonly number[]): void {
    const pending = { request, asked: new Set(asked), lists: [] };
    if (asked.length === 0) this.#finish(pending);
    else this.#pending.set(keyOf(request), pending);
  }

  collect(from: number, list: SessionList): void {
    const pending = this.#pending.get(keyOf(list));
    if (pending?.asked.delete(from) !== true) return;
    pending.lists.push(list);
    this.#finishIfComplete(pending);
  }

  /** The worker has ended: it answers nobody, and asks for nothing any more. */
  forget(worker: number): void {
    for (const [key, pending] of [...this.#pending]) {
      if (pending.request.fromWorker === worker) this.#pending.delete(key);
      else if (pending.asked.delete(worker)) this.#finishIfComplete(pending);
    }
  }

  #finishIfComplete(pending: Pending): void {
    if (pending.asked.size > 0) return;
    this.#pending.delete(keyOf(pending.request));
    this.#finish(pending);
  }

  #finish({ request, lists }: Pending): void {
    this.#answer(request.fromWorker, { type: 'sessionLists', requestId: request.requestId, lists });
  }
}

function keyOf({
  fromWorker,
  requestId,
}: {
  readonly fromWorker: number;
  readonly requestId: number;
}): string {
  return `${fromWorker} ${requestId}`;
}
