/** Runs several things at the same time: at least so many, and more of them while the machine has nothing to do. */

import { cpus, freemem } from 'node:os';

export interface SideBySideOptions {
  readonly atLeast: number;
  readonly atMost: number;
  /** Whether there is room for one more than `atLeast`; asked every `lookMs`, and for one of them each time. */
  readonly hasRoom: () => boolean;
  readonly lookMs: number;
}

/** In their order, each as soon as there is room; done when all are. */
export function runSideBySide<T>(
  items: readonly T[],
  run: (item: T) => Promise<void>,
  { atLeast, atMost, hasRoom, lookMs }: SideBySideOptions,
): Promise<void> {
  const queue = [...items];
  let running = 0;
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      if (queue.length > 0 && running < atMost && hasRoom()) start();
    }, lookMs);
    const start = (): void => {
      running++;
      run(queue.shift() as T).then(ended, (error) => {
        clearInterval(timer);
        reject(error as Error);
      });
    };
    const ended = (): void => {
      running--;
      fill();
    };
    const fill = (): void => {
      while (queue.length > 0 && running < atLeast) start();
      if (running > 0) return;
      clearInterval(timer);
      resolve();
    };
    fill();
  });
}

/** Of the machine's processors a good part stood still since it was asked last, and there is memory left. */
export class SpareCapacity {
  readonly #minIdleShare: number;
  readonly #minFreeBytes: number;
  #last = processorTimes();

  constructor(minIdleShare: number, minFreeBytes: number) {
    this.#minIdleShare = minIdleShare;
    this.#minFreeBytes = minFreeBytes;
  }

  readonly isThere = (): boolean => {
    const now = processorTimes();
    const { idle, total } = this.#last;
    this.#last = now;
    const share = (now.idle - idle) / Math.max(1, now.total - total);
    return share >= this.#minIdleShare && freemem() >= this.#minFreeBytes;
  };
}

function processorTimes(): { idle: number; total: number } {
  let [idle, total] = [0, 0];
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  return { idle, total };
}
