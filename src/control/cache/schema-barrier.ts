/**
 * Statements that change which tables belong together (triggers, cascades, views): a write that was sent before may be carried
 * out behind them, and change more tables than it has in flux. So everything is in flux from before such a statement is sent
 * until the schema has been read again, and every worker goes by that: with it, workers put everything in flux for the
 * writes that are under way (`WriteMarks.schemaChanged`).
 *
 * Period: every `LOOK_MS`, only while there are such statements.
 * Effect: their flux ends.
 * Stop:   `stop()`; what is in flux then stays so.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { EVERYTHING, type TableEpochs } from '../../common/table-epochs.ts';

export interface SchemaBarrierOptions {
  readonly epochs: TableEpochs;
  /** Nothing has changed since the schema of the last snapshot was read. */
  readonly isCurrent: () => boolean;
  /** Workers that do not go by the last snapshot when the time is over. */
  readonly lateWorkers: (timeoutMs: number) => Promise<readonly number[]>;
}

const LOOK_MS = 10;
const LATE_MS = 1000;

export class SchemaBarrier {
  readonly #options: SchemaBarrierOptions;
  #held = 0;
  #isRunning = false;
  #isStopped = false;

  constructor(options: SchemaBarrierOptions) {
    this.#options = options;
  }

  /** Statements that it holds everything in flux for. */
  get held(): number {
    return this.#held;
  }

  /** Such a statement has ended, as far as its worker knows: the schema is about to be read again. */
  received(worker: number): void {
    this.#options.epochs.takeOver(worker, EVERYTHING);
    this.#held++;
    void this.#run();
  }

  /** The same where no worker holds anything for it. */
  hold(): void {
    this.#options.epochs.hold(EVERYTHING);
    this.#held++;
    void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const { epochs, isCurrent, lateWorkers } = this.#options;
    while (this.#held > 0 && !this.#isStopped) {
      await delay(LOOK_MS, undefined, { ref: false });
      const settled = this.#held;
      if (!isCurrent()) continue;
      const late = await lateWorkers(LATE_MS);
      if (late.length > 0) continue;
      for (let i = 0; i < settled; i++) epochs.release(EVERYTHING);
      this.#held -= settled;
    }
    this.#isRunning = false;
  }
}
