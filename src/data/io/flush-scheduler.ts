/**
 * One write per backend connection and turn of the event loop: statements of several clients that came in the same
 * turn leave in one system call. `setImmediate` runs right after the reads of the turn.
 */

export interface Flushable {
  scheduled: boolean;
  flush(): void;
}

export class FlushScheduler {
  #waiting: Flushable[] = [];
  #spare: Flushable[] = [];
  #armed = false;
  readonly #beforeFlush: () => void;
  readonly #run = (): void => this.flushAll();

  /** @param beforeFlush called once per turn before anything is written. */
  constructor(beforeFlush: () => void) {
    this.#beforeFlush = beforeFlush;
  }

  schedule(item: Flushable): void {
    if (item.scheduled) return;
    item.scheduled = true;
    this.#waiting.push(item);
    if (!this.#armed) {
      this.#armed = true;
      setImmediate(this.#run);
    }
  }

  flushAll(): void {
    this.#armed = false;
    this.#beforeFlush();
    const items = this.#waiting;
    this.#waiting = this.#spare;
    for (const item of items) {
      item.scheduled = false;
      item.flush();
    }
    items.length = 0;
    this.#spare = items;
  }
}
