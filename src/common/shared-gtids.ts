/**
 * What has been written, and who has it: numbers that all threads see at once (`gtid-position.ts`).
 *
 * - A **slot** for each table (`table-slots.ts`), one for any write and one for writes whose tables are not known, holds the
 *   last position that changed it. It is raised before the client gets the OK of the write.
 * - A slot may be **unknown** since an epoch: something was written there, nobody can say at which position. Reads that
 *   need it go to the primary until the main thread has asked the primary where it is, and has raised the slot to that.
 * - Each server has an **applied** position: up to there it has everything. Where a server says so before it shows it
 *   (`lateWritten`), it has none.
 *
 * Positions are read without Atomics, which would make a bigint of each: an aligned double is read in one piece on every
 * machine that Node runs on, and between the thread that writes and the one that has to see it lies at least the kernel,
 * which has carried the client's bytes. They are raised by compare-and-swap (`rising-numbers.ts`).
 */

import { NO_POSITION } from './gtid-position.ts';
import { RisingNumbers } from './rising-numbers.ts';
import { MAX_SERVERS } from './shared-counters.ts';
import { TABLE_SLOTS } from './table-slots.ts';

/** Every write raises it. */
export const ANY_WRITE_SLOT = TABLE_SLOTS;
/** Raised by writes that may have changed any table. */
export const UNKNOWN_TABLES_SLOT = TABLE_SLOTS + 1;
const SLOTS = TABLE_SLOTS + 2;
/** A later epoch than any: nothing resolves what is unknown since then. */
const FOR_NOW = 2 ** 31 - 1;

export interface SharedGtidBuffers {
  /** Float64: the slots, then the servers, then what `resolve` has found last. */
  readonly positions: SharedArrayBuffer;
  /** Int32: since which epoch each slot is unknown; then the numbers of `Field`. */
  readonly epochs: SharedArrayBuffer;
}

const SERVERS = SLOTS;
const RESOLVED_POSITION = SERVERS + MAX_SERVERS;
const POSITIONS = RESOLVED_POSITION + 1;

const Field = {
  /** From 1; goes up whenever the main thread is about to ask the primary. */
  epoch: SLOTS,
  /** What became unknown in it or before is known by now. */
  resolved: SLOTS + 1,
  /** Writes with GTIDs that are nobody's whom the main thread knows. */
  foreign: SLOTS + 2,
  /** Not 0: there was a write that servers count as executed before they show it. */
  late: SLOTS + 3,
} as const;
/** By server: goes up when it may have less than it had. */
const INCARNATIONS = SLOTS + 4;
/** By server: not 0 where transactions are applied side by side. */
const PARALLEL = INCARNATIONS + MAX_SERVERS;
const EPOCHS = PARALLEL + MAX_SERVERS;

export class SharedGtids {
  readonly buffers: SharedGtidBuffers;
  readonly #positions: RisingNumbers;
  readonly #epochs: Int32Array;

  constructor(buffers: SharedGtidBuffers = allocate()) {
    this.buffers = buffers;
    this.#positions = new RisingNumbers(buffers.positions);
    this.#epochs = new Int32Array(buffers.epochs);
  }

  // ---- slots

  /** The last known position that changed it. */
  written(slot: number): number {
    return this.#positions.at(slot);
  }

  raise(slot: number, position: number): void {
    this.#positions.raise(slot, position);
  }

  isUnknown(slot: number): boolean {
    return this.#epochs[slot] !== 0;
  }

  /** Something was written there, nobody knows at which position. */
  setUnknown(slot: number): void {
    const epoch = Atomics.load(this.#epochs, Field.epoch);
    let known = Atomics.load(this.#epochs, slot);
    while (known < epoch) {
      const found = Atomics.compareExchange(this.#epochs, slot, known, epoch);
      if (found === known) return;
      known = found;
    }
  }

  /** MAIN THREAD. Somebody writes of whom nothing is heard here: unknown until `releaseUnknown`, whatever is resolved. */
  holdUnknown(): void {
    for (const slot of [UNKNOWN_TABLES_SLOT, ANY_WRITE_SLOT]) Atomics.store(this.#epochs, slot, FOR_NOW);
  }

  /** MAIN THREAD. He has written his last: unknown until the primary was asked from now on. */
  releaseUnknown(): void {
    const { epoch } = this;
    for (const slot of [UNKNOWN_TABLES_SLOT, ANY_WRITE_SLOT]) Atomics.store(this.#epochs, slot, epoch);
  }

  /** A write had a GTID that belongs to no known source. */
  foreignWritten(): void {
    Atomics.add(this.#epochs, Field.foreign, 1);
  }

  get foreignWrites(): number {
    return Atomics.load(this.#epochs, Field.foreign);
  }

  /**
   * Servers count this write as executed before they show it. Where one is applied behind the other it is shown when the next one
   * is executed; where they are applied side by side nothing that the server says tells when.
   */
  lateWritten(): void {
    Atomics.store(this.#epochs, Field.late, 1);
  }

  get hasLateWrites(): boolean {
    return this.#epochs[Field.late] !== 0;
  }

  // ---- what is unknown, and how it is resolved

  /** What has become unknown by now is known once `resolvedEpoch` has come to this number. */
  get epoch(): number {
    return Atomics.load(this.#epochs, Field.epoch);
  }

  get resolvedEpoch(): number {
    return Atomics.load(this.#epochs, Field.resolved);
  }

  /** Where the primary was when `resolvedEpoch` was reached, or later. */
  get resolvedPosition(): number {
    return this.#positions.at(RESOLVED_POSITION);
  }

  /** MAIN THREAD. To be called before the primary is asked where it is. @returns for `resolve` */
  beginResolving(): number {
    return Atomics.add(this.#epochs, Field.epoch, 1);
  }

  /** MAIN THREAD. Whatever became unknown up to `epoch` was written before the primary came to this position. */
  resolve(epoch: number, position: number): void {
    this.#positions.raise(RESOLVED_POSITION, position);
    for (let slot = 0; slot < SLOTS; slot++) {
      const since = this.#epochs[slot]!;
      if (since === 0 || since > epoch) continue;
      this.#positions.raise(slot, position);
      Atomics.compareExchange(this.#epochs, slot, since, 0);
    }
    if (this.resolvedEpoch < epoch) Atomics.store(this.#epochs, Field.resolved, epoch);
  }

  // ---- servers

  /** Up to where the server with this place (`SnapshotServer.slot`) is known to have everything. */
  applied(server: number): number {
    if (this.#epochs[PARALLEL + server] !== 0 && this.hasLateWrites) return NO_POSITION;
    return this.#positions.at(SERVERS + server);
  }

  /** MAIN THREAD. Until `forgetApplied`: threads that apply outlast the setting that has made them. */
  appliesInParallel(server: number): void {
    Atomics.store(this.#epochs, PARALLEL + server, 1);
  }

  /** To be taken before the server is asked, and given back with the answer. */
  incarnation(server: number): number {
    return Atomics.load(this.#epochs, INCARNATIONS + server);
  }

  raiseApplied(server: number, position: number, incarnation: number): void {
    if (this.incarnation(server) === incarnation) this.#positions.raise(SERVERS + server, position);
  }

  /** MAIN THREAD. It may have lost what it had: a crash, a restore, another server at its address. */
  forgetApplied(server: number): void {
    Atomics.add(this.#epochs, INCARNATIONS + server, 1);
    this.#positions.clear(SERVERS + server);
    Atomics.store(this.#epochs, PARALLEL + server, 0);
  }
}

function allocate(): SharedGtidBuffers {
  const positions = new SharedArrayBuffer(POSITIONS * Float64Array.BYTES_PER_ELEMENT);
  new Float64Array(positions).fill(NO_POSITION);
  const epochs = new SharedArrayBuffer(EPOCHS * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(epochs)[Field.epoch] = 1;
  return { positions, epochs };
}
