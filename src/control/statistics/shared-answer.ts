/**
 * One question to the workers for all who ask at the same time, and no more than one at a time: whoever asks gets an
 * answer to a question that was put after he has asked, however many ask.
 */

import { setTimeout as wait } from 'node:timers/promises';

/** Between the end of one question and the beginning of the next one. */
const GAP_MS = 50;

export class SharedAnswer<Answer> {
  readonly #ask: () => Promise<Answer>;
  readonly #gapMs: number;
  /** It has not been asked yet. */
  #next: Promise<Answer> | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(ask: () => Promise<Answer>, gapMs = GAP_MS) {
    this.#ask = ask;
    this.#gapMs = gapMs;
  }

  get(): Promise<Answer> {
    this.#next ??= this.#last.then(() => {
      this.#next = null;
      const answer = this.#ask();
      this.#last = answer.then(
        () => wait(this.#gapMs),
        () => wait(this.#gapMs),
      );
      return answer;
    });
    return this.#next;
  }
}
