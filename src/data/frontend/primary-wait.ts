/**
 * What a statement waits for that needs the primary and cannot have it now. It has not been sent, or its server has
 * refused it without doing anything.
 *
 * | waits for | meaning                                                       | ends by                                  |
 * |-----------|---------------------------------------------------------------|------------------------------------------|
 * | nothing   |                                                               | one of the three                         |
 * | server    | no primary is known                                           | one that is, `noServerWaitMs`            |
 * | release   | writes are held: the primary is about to change               | the end of the hold                      |
 * | replays   | transactions that were lost with the last primary go first    | their end, `REPLAYS_MS`                  |
 * | heir      | it says that it is read-only: it is the primary no more       | another primary, a moment: it asks again |
 */

import { type ClientError, clientError } from '../../common/errors.ts';
import type { WorkerContext } from '../worker-context.ts';

/** A primary that has refused is asked again after this long: who made it read-only may have changed his mind. */
const REFUSED_RETRY_MS = 100;
/** How long replays go first, once there is a primary, and how often that is looked at. */
const REPLAYS_MS = 1000;
const REPLAYS_LOOK_MS = 20;

export interface PrimaryWaitListener {
  /** It may have it now. */
  primaryMayBeThere(): void;
  primaryWaitFailed(error: ClientError): void;
}

export class PrimaryWait {
  readonly #context: WorkerContext;
  readonly #listener: PrimaryWaitListener;
  /** Of the statement; below 0 when nothing waits. */
  #bytes = -1;
  #sinceMs = 0;
  /** 0 before the first look. */
  #replaysUntilMs = 0;

  constructor(context: WorkerContext, listener: PrimaryWaitListener) {
    this.#context = context;
    this.#listener = listener;
  }

  get isWaiting(): boolean {
    return this.#bytes >= 0;
  }

  /** @param hostgroup as the client is told it if none comes. */
  forServer(bytes: number, hostgroup: number): void {
    if (!this.#enter(bytes)) return;
    const waitMs = this.#context.snapshot.settings.limits.noServerWaitMs;
    const expired = (): void => {
      this.end();
      const reason = 'no server is known to be the primary';
      this.#listener.primaryWaitFailed(clientError('PROXY_NO_SERVER', { hostgroup, waitMs, reason }));
    };
    this.#context.backends.waitForPrimary(this, waitMs, () => this.#over(), expired);
  }

  forRelease(bytes: number): void {
    if (this.#enter(bytes)) this.#context.backends.writes.wait(this, () => this.#over());
  }

  forHeir(bytes: number): void {
    if (!this.#enter(bytes)) return;
    const again = (): void => this.#over();
    this.#context.backends.waitForPrimary(this, REFUSED_RETRY_MS, again, again);
  }

  /** @returns false if it has waited for them long enough. */
  forReplays(bytes: number): boolean {
    const now = performance.now();
    if (this.#replaysUntilMs === 0) this.#replaysUntilMs = now + REPLAYS_MS;
    if (now >= this.#replaysUntilMs) return false;
    if (!this.#enter(bytes)) return true;
    const again = (): void => this.#over();
    this.#context.backends.waitForPrimary(this, REPLAYS_LOOK_MS, again, again);
    return true;
  }

  /** Of a new statement. */
  begin(): void {
    this.#replaysUntilMs = 0;
  }

  /** Nobody waits any more. */
  end(): void {
    if (this.#bytes < 0) return;
    const { backends } = this.#context;
    backends.waiting.leave(this.#bytes, performance.now() - this.#sinceMs);
    this.#bytes = -1;
    backends.cancelWait(this);
    backends.writes.cancel(this);
  }

  #over(): void {
    if (this.#bytes < 0) return;
    this.end();
    this.#listener.primaryMayBeThere();
  }

  #enter(bytes: number): boolean {
    this.#bytes = bytes;
    this.#sinceMs = performance.now();
    if (this.#context.backends.waiting.enter(bytes)) return true;
    this.#bytes = -1;
    // Not before the caller knows that it waits.
    const { heldBytes: limit } = this.#context.snapshot.settings.limits;
    const error = clientError('PROXY_HELD_STATEMENTS_FULL', { limit });
    queueMicrotask(() => this.#listener.primaryWaitFailed(error));
    return false;
  }
}
