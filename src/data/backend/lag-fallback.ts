/**
 * How many reads the primary answers at the same time because all replicas lag: it must not drown in what they took
 * off it. Each worker has its part of the limit; who comes when all places are taken waits, first come, first served.
 */

import type { Snapshot } from '../../common/snapshot.ts';
import { type TimerWheel, WheelTimer } from '../../common/timer-wheel.ts';

interface Waiter {
  readonly granted: () => void;
  readonly timer: WheelTimer;
}

type Settings = Pick<Snapshot['settings'], 'routing' | 'pool'>;

export class LagFallback {
  readonly #wheel: TimerWheel;
  readonly #workers: number;
  /** Of this worker. */
  limit = Number.POSITIVE_INFINITY;
  waitMs = 0;
  #queueLength = 0;
  #taken = 0;
  readonly #waiting = new Map<object, Waiter>();

  constructor(wheel: TimerWheel, workers: number) {
    this.#wheel = wheel;
    this.#workers = workers;
  }

  apply({ routing, pool }: Settings): void {
    this.limit = limitOf(routing, this.#workers);
    this.waitMs = this.limit === 0 ? 0 : pool.waitTimeoutMs;
    this.#queueLength = pool.waitQueueLength;
    this.#grant();
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** @returns whether there was a place. Who got one calls `leave`. */
  enter(): boolean {
    if (this.#taken >= this.limit || this.#waiting.size > 0) return false;
    this.#taken++;
    return true;
  }

  leave(): void {
    this.#taken--;
    this.#grant();
  }

  /**
   * `granted` when there is a place, which is taken then; `refused` when there was none in time. Neither before the
   * caller has returned.
   */
  wait(owner: object, granted: () => void, refused: () => void): void {
    const timer = new WheelTimer(() => {
      this.#waiting.delete(owner);
      refused();
    });
    const hasRoom = this.#waiting.size < this.#queueLength;
    this.#waiting.set(owner, { granted, timer });
    this.#wheel.arm(timer, hasRoom ? Math.max(1, this.waitMs) : 1);
  }

  cancel(owner: object): void {
    const waiter = this.#waiting.get(owner);
    if (waiter === undefined) return;
    this.#wheel.cancel(waiter.timer);
    this.#waiting.delete(owner);
  }

  #grant(): void {
    for (const [owner, { granted }] of this.#waiting) {
      if (this.#taken >= this.limit) return;
      this.cancel(owner);
      this.#taken++;
      granted();
    }
  }
}

function limitOf({ whenAllLag, lagFallbackMaxReads }: Settings['routing'], workers: number): number {
  if (whenAllLag === 'error') return 0;
  if (lagFallbackMaxReads === 0) return Number.POSITIVE_INFINITY;
  return Math.max(1, Math.floor(lagFallbackMaxReads / workers));
}
