/** Tells those who wait for a connection that they do not get it. */

import type { ConnectionFailure } from './backend-login.ts';
import type { PoolTerms } from './pool-environment.ts';
import type { PoolFailureKind, PoolRequest } from './pool-request.ts';
import type { WaitQueue } from './wait-queue.ts';

export class PoolRefusals {
  readonly #terms: PoolTerms;
  readonly #waiting: WaitQueue;

  constructor(terms: PoolTerms, waiting: WaitQueue) {
    this.#terms = terms;
    this.#waiting = waiting;
  }

  /** Who does not wait, or not any more. */
  refuse(
    request: PoolRequest,
    kind: PoolFailureKind,
    message: string,
    refusal: ConnectionFailure | null = null,
  ): void {
    request.connectionUnavailable({ kind, address: this.#terms.server.address, message, refusal });
  }

  refuseAll(kind: PoolFailureKind, message: string): void {
    for (const request of this.#waiting.drain()) this.refuse(request, kind, message);
  }
}
