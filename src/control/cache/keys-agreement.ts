/**
 * Rows are told apart by the unique keys of their table (`SnapshotKeys`). A write that is in flux by its row, and an entry of a
 * row, must mean the same by a slot: so other keys are in force when every worker goes by them, and has put what it had under
 * way by those of before in flux as whole tables (`RowMarks.widen`). Until then writes of both count as those of whole tables,
 * and no new entry is told apart from them.
 *
 * Period: every `LOOK_MS`, from a snapshot with other keys until all workers go by it.
 * Effect: `RowFlux.keysInForce`.
 * Stop:   `stop()`.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Snapshot } from '../../common/snapshot.ts';
import type { TableEpochs } from '../../common/table-epochs.ts';

export interface KeysAgreementOptions {
  readonly epochs: TableEpochs;
  /** As workers have it now, or are about to. */
  readonly snapshot: () => Snapshot;
  /** All workers run, and go by the last snapshot. */
  readonly isAgreed: () => boolean;
}

const LOOK_MS = 5;

export class KeysAgreement {
  readonly #options: KeysAgreementOptions;
  #isRunning = false;
  #isStopped = false;

  constructor(options: KeysAgreementOptions) {
    this.#options = options;
  }

  /** A snapshot is being published. */
  follow(): void {
    if (!this.#isRunning && !this.#isStopped && !this.#isInForce) void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
  }

  get #isInForce(): boolean {
    return this.#options.epochs.rows.keysInForce === this.#wanted;
  }

  get #wanted(): number {
    return this.#options.snapshot().catalog.tables.keys.version;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    const { epochs, isAgreed } = this.#options;
    while (!this.#isInForce && !this.#isStopped) {
      await delay(LOOK_MS, undefined, { ref: false });
      if (isAgreed()) epochs.rows.keysInForce = this.#wanted;
    }
    this.#isRunning = false;
  }
}
