/**
 * Gives memory of this thread's heap back. V8 collects when the heap grows, so that a thread to which nothing happens keeps
 * what its start, or the clients that have gone, have left behind: unused objects, half-empty pages, a grown young
 * generation, and the byte code of what ran once. It stands still meanwhile, 30 to 150 ms.
 */

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What V8 does before it gives up for want of memory: unused byte code goes too, and is compiled again when it is called. */
const LAST_RESORT = "gc({ execution: 'sync', type: 'major', flavor: 'last-resort' })";

export function collectAll(): void {
  // Contexts that are made from now on have `gc`.
  setFlagsFromString('--expose-gc');
  try {
    runInNewContext(LAST_RESORT);
  } finally {
    // With any flag changed V8 does not take the code that comes with Node, and compiles it.
    setFlagsFromString('--no-expose-gc');
  }
}

const IDLE_MS = 30_000;
/** With less to gain nothing is collected. */
const GROWTH_BYTES = 3 * 2 ** 20;

export interface IdleCollectionOptions {
  readonly collect?: () => void;
  /** What this thread's heap has of the system. */
  readonly heapBytes?: () => number;
}

/** Of a thread that has been idle for a while: once, and again only when the heap has grown since. */
export class IdleCollection {
  readonly #collect: () => void;
  readonly #heapBytes: () => number;
  #idleSinceMs: number | null = null;
  #leftBytes = 0;

  constructor({ collect = collectAll, heapBytes = ownHeapBytes }: IdleCollectionOptions = {}) {
    this.#collect = collect;
    this.#heapBytes = heapBytes;
  }

  /** To be called about once a second. */
  tick(isIdle: boolean, nowMs: number): void {
    if (!isIdle) {
      this.#idleSinceMs = null;
      return;
    }
    this.#idleSinceMs ??= nowMs;
    if (nowMs - this.#idleSinceMs < IDLE_MS) return;
    // Not before the same time has passed again.
    this.#idleSinceMs = nowMs;
    if (this.#heapBytes() < this.#leftBytes + GROWTH_BYTES) return;
    this.#collect();
    this.#leftBytes = this.#heapBytes();
  }
}

function ownHeapBytes(): number {
  return getHeapStatistics().total_heap_size;
}
