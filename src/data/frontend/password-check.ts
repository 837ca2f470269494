/**
 * Checks passwords against hashes that are slow on purpose (8 ms and more of CPU), a slice at a time and one after the
 * other, so that a burst of logins does not hold up the statements of those who are in.
 */

import { type PasswordCheck, passwordCheckSlices } from '../../../protocol/index.ts';

interface Check {
  readonly slices: Generator<void, boolean>;
  readonly done: (matches: boolean) => void;
  readonly failed: (error: unknown) => void;
}

export class PasswordChecks {
  readonly #queue: Check[] = [];
  #running = false;

  readonly check: PasswordCheck = (password, credential) => {
    const slices = passwordCheckSlices(password, credential);
    const first = slices.next();
    if (first.done) return first.value;
    return new Promise((done, failed) => {
      this.#queue.push({ slices, done, failed });
      if (!this.#running) this.#schedule();
    });
  };

  #schedule(): void {
    this.#running = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    const check = this.#queue[0];
    if (check === undefined) {
      this.#running = false;
      return;
    }
    try {
      const slice = check.slices.next();
      if (slice.done) {
        this.#queue.shift();
        check.done(slice.value);
      }
    } catch (error) {
      this.#queue.shift();
      check.failed(error);
    }
    this.#schedule();
  }
}
