/** A session's place among the reads that the primary answers because all replicas lag; see lag-fallback.ts. */

import { type ClientError, clientError } from '../../common/errors.ts';
import type { WorkerContext } from '../worker-context.ts';

export interface LagPlaceListener {
  placeGranted(): void;
  placeRefused(error: ClientError): void;
}

export class LagPlace {
  readonly #context: WorkerContext;
  readonly #listener: LagPlaceListener;
  #isTaken = false;

  constructor(context: WorkerContext, listener: LagPlaceListener) {
    this.#context = context;
    this.#listener = listener;
  }

  /** @returns false where it has to be waited for: then the listener is told. */
  take(hostgroup: number): boolean {
    if (this.#isTaken) return true;
    const { lagFallback } = this.#context.backends;
    this.#isTaken = lagFallback.enter();
    if (this.#isTaken) return true;
    lagFallback.wait(
      this,
      () => {
        this.#isTaken = true;
        this.#listener.placeGranted();
      },
      () => this.#listener.placeRefused(this.#refusal(hostgroup)),
    );
    return false;
  }

  /** The statement has ended, or does not want it any more. */
  leave(): void {
    const { lagFallback } = this.#context.backends;
    if (!this.#isTaken) {
      lagFallback.cancel(this);
      return;
    }
    this.#isTaken = false;
    lagFallback.leave();
  }

  #refusal(hostgroup: number): ClientError {
    const { lagFallback } = this.#context.backends;
    const { limit, waitMs } = lagFallback;
    const more =
      limit === 0
        ? 'routing.whenAllLag is error'
        : `the primary answers as many reads as it may for that, ${limit} in this worker, and had no place for another within ${waitMs} ms`;
    return clientError('PROXY_REPLICAS_LAG', { hostgroup, more });
  }
}
