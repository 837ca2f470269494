/**
 * One question to the workers for all who ask at the same time, and no more than one at a time: whoever asks gets an
 * answer to a question that was put after he has asked, however many ask. After a long answer there is a pause, so that
 * no number of operators takes more than a fifth of a worker's time: a record costs it about 10 µs.
 */

import { setTimeout as wait } from 'node:timers/promises';

const PAUSE_MS_PER_RECORD = 0.04;
const SHORTEST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 1000;

export class SharedAnswer<Answer> {
  readonly #ask: () => Promise<Answer>;
  readonly #recordsOf: (answer: Answer) => number;
  /** It has not been asked yet. */
  #next: Promise<Answer> | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(ask: () => Promise<Answer>, recordsOf: (answer: Answer) => number) {
    this.#ask = ask;
    this.#recordsOf = recordsOf;
  }

  get(): Promise<Answer> {
    this.#next ??= this.#last.then(() => {
      this.#next = null;
      const answer = this.#ask();
      this.#last = answer.then(
        (given) => pauseAfter(this.#recordsOf(given)),
        () => undefined,
      );
      return answer;
    });
    return this.#next;
  }
}

async function pauseAfter(records: number): Promise<void> {
  const pauseMs = Math.min(LONGEST_PAUSE_MS, records * PAUSE_MS_PER_RECORD);
  if (pauseMs >= SHORTEST_PAUSE_MS) await wait(pauseMs, undefined, { ref: false });
}

/** Questions of different kinds, each shared among those who ask the same. */
export class SharedAnswers<Answer> {
  readonly #kinds = new Map<string, SharedAnswer<Answer>>();
  readonly #recordsOf: (answer: Answer) => number;
  readonly #most: number;

  /** @param most kinds that are remembered; the oldest is forgotten, and with it its pause. */
  constructor(recordsOf: (answer: Answer) => number, most = 64) {
    this.#recordsOf = recordsOf;
    this.#most = most;
  }

  get(kind: string, ask: () => Promise<Answer>): Promise<Answer> {
    let shared = this.#kinds.get(kind);
    if (shared === undefined) {
      shared = new SharedAnswer(ask, this.#recordsOf);
      this.#kinds.set(kind, shared);
      const [oldest] = this.#kinds.keys();
      if (this.#kinds.size > this.#most && oldest !== undefined) this.#kinds.delete(oldest);
    }
    return shared.get();
  }
}
