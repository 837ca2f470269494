/** How far a run has come, for what happens in it besides reads and writes. */

import type { History } from '../model/history.ts';

const LOOK_MS = 5;

export class Course {
  /** What was to happen so often, and has. */
  readonly happened: Record<string, number> = {};
  readonly #history: History;
  readonly #operations: number;
  readonly #endsAt: number;

  constructor(history: History, operations: number, seconds: number) {
    this.#history = history;
    this.#operations = operations;
    this.#endsAt = performance.now() + seconds * 1000;
  }

  get goesOn(): boolean {
    return this.#history.log.count < this.#operations && performance.now() < this.#endsAt;
  }

  get leftMs(): number {
    return this.#endsAt - performance.now();
  }

  /** What has happened besides. */
  note(name: string): void {
    this.happened[name] = (this.happened[name] ?? 0) + 1;
  }

  /** Does something so many times, at equal distances in operations, neither at the beginning nor at the end. */
  async spread(name: string, times: number, action: () => Promise<void>): Promise<void> {
    for (let n = 1; n <= times; n++) {
      const at = (this.#operations * n) / (times + 1);
      while (this.goesOn && this.#history.log.count < at) await pause(LOOK_MS);
      if (!this.goesOn) return;
      await action();
      this.happened[name] = n;
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
