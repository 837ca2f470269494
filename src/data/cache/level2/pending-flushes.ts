/** What one worker has to flush at a server of the second level, and has not been able to write there yet. */

import type { FlushSubject } from './flush-record.ts';

/** More are everything. */
const MAX_SUBJECTS = 64;

export interface FlushOrder {
  /** Of the last one that it contains. */
  readonly sequence: number;
  /** null: everything. */
  readonly subjects: readonly FlushSubject[] | null;
}

export class PendingFlushes {
  #sequence = 0;
  #isEverything = false;
  readonly #subjects = new Set<FlushSubject>();

  get isEmpty(): boolean {
    return !this.#isEverything && this.#subjects.size === 0;
  }

  /** @param subjects null: everything. */
  add(subjects: readonly FlushSubject[] | null): void {
    this.#sequence++;
    for (const subject of subjects ?? []) this.#subjects.add(subject);
    if (subjects === null || this.#subjects.size > MAX_SUBJECTS) this.#isEverything = true;
  }

  get order(): FlushOrder {
    return { sequence: this.#sequence, subjects: this.#isEverything ? null : [...this.#subjects] };
  }

  /** It was written. What has come meanwhile is to be written, and what comes with it may be written twice. */
  written({ sequence }: FlushOrder): void {
    if (sequence !== this.#sequence) return;
    this.#isEverything = false;
    this.#subjects.clear();
  }
}
