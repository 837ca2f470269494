/**
 * Reports of one kind on their way to the main thread: collected during a turn of the event loop and sent as one
 * message, no more than `limit` of them before the main thread has said that it took some.
 */

import type { ReportRecords, ReportStream, WorkerReport } from './worker-report.ts';

type Post = (message: WorkerReport) => void;

export class ReportQueue<S extends ReportStream> {
  readonly #stream: S;
  readonly #post: Post;
  readonly #onDrop: () => void;
  /** 0 takes nothing. */
  limit = 0;
  #waiting: ReportRecords[S][] = [];
  /** Sent, and not yet taken. */
  #untaken = 0;
  #dropped = 0;
  #isScheduled = false;
  readonly #flush = (): void => {
    this.#isScheduled = false;
    const records = this.#waiting;
    const dropped = this.#dropped;
    this.#waiting = [];
    this.#dropped = 0;
    this.#untaken += records.length;
    this.#post({ type: 'report', stream: this.#stream, records, dropped } as WorkerReport);
  };

  constructor(stream: S, post: Post, onDrop: () => void) {
    this.#stream = stream;
    this.#post = post;
    this.#onDrop = onDrop;
  }

  /** To be asked before a record is made; a refused one counts as dropped. */
  hasRoom(): boolean {
    if (this.#waiting.length + this.#untaken < this.limit) return true;
    this.#dropped++;
    this.#onDrop();
    this.#schedule();
    return false;
  }

  add(record: ReportRecords[S]): void {
    this.#waiting.push(record);
    this.#schedule();
  }

  taken(count: number): void {
    this.#untaken -= count;
  }

  #schedule(): void {
    // While the main thread stands still, what is dropped is told with what can be sent again.
    if (this.#isScheduled || (this.#waiting.length === 0 && this.#untaken > 0)) return;
    this.#isScheduled = true;
    setImmediate(this.#flush);
  }
}
