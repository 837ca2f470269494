/** Waits until every worker works with what was published. */

export class AppliedWaits {
  readonly #waiting = new Set<() => void>();

  /** A worker has applied something. */
  noted(): void {
    for (const look of this.#waiting) look();
  }

  /** @returns who is late when the time is over; empty as soon as nobody is */
  until(late: () => readonly number[], timeoutMs: number): Promise<readonly number[]> {
    if (late().length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(late());
      };
      const look = () => {
        if (late().length === 0) end();
      };
      const timer = setTimeout(end, timeoutMs);
      this.#waiting.add(look);
    });
  }
}
