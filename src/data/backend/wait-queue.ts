/** Requests that wait for a connection of one server, first come first served, each with a deadline. */

import { type TimerWheel, WheelTimer } from '../../common/timer-wheel.ts';
import type { PoolRequest } from './pool-request.ts';

interface Waiter {
  /** Milliseconds of the monotonic clock. */
  readonly since: number;
  readonly request: PoolRequest;
  readonly timer: WheelTimer;
}

export class WaitQueue {
  readonly #wheel: TimerWheel;
  readonly #onTimeout: (request: PoolRequest) => void;
  /** A Set keeps the order of arrival and lets anyone leave. */
  readonly #waiters = new Map<PoolRequest, Waiter>();

  constructor(wheel: TimerWheel, onTimeout: (request: PoolRequest) => void) {
    this.#wheel = wheel;
    this.#onTimeout = onTimeout;
  }

  get length(): number {
    return this.#waiters.size;
  }

  push(request: PoolRequest, timeoutMs: number): void {
    const timer = new WheelTimer(() => {
      this.#waiters.delete(request);
      this.#onTimeout(request);
    });
    this.#wheel.arm(timer, timeoutMs);
    this.#waiters.set(request, { since: performance.now(), request, timer });
  }

  remove(request: PoolRequest): boolean {
    const waiter = this.#waiters.get(request);
    if (waiter === undefined) return false;
    this.#wheel.cancel(waiter.timer);
    return this.#waiters.delete(request);
  }

  /** Who has waited longest, if it is for longer than `ms`. */
  overdue(ms: number): PoolRequest | null {
    for (const { since, request } of this.#waiters.values())
      return performance.now() - since > ms ? request : null;
    return null;
  }

  /** In the order of arrival. */
  values(): IterableIterator<PoolRequest> {
    return this.#waiters.keys();
  }

  /** The first that `accepts` takes, or null. */
  shift(accepts: (request: PoolRequest) => boolean): PoolRequest | null {
    for (const request of this.#waiters.keys()) {
      if (!accepts(request)) continue;
      this.remove(request);
      return request;
    }
    return null;
  }

  /** Everybody leaves. */
  drain(): PoolRequest[] {
    const all = [...this.#waiters.keys()];
    for (const request of all) this.remove(request);
    return all;
  }
}
