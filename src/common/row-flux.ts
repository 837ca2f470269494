/**
 * Writes of single rows that are under way (ARCHITECTURE.md, "The result cache"): those that are proven to change one row, by its
 * primary key, keep only that row in flux (`row-slots.ts`, folded to fewer slots), so that entries of other rows hold. They are
 * counted for their table as well, for entries that are not of a row by that key.
 *
 * Who is asked for: an entry of a row by the primary key asks `TableEpochs.flux` of its table and `row` here; every other one
 * asks `TableEpochs.flux` and `table` here. A write is in one of the two fluxes before it is sent, and comes from here to the
 * whole table by entering that first.
 */

import { RisingNumbers } from './rising-numbers.ts';
import type { RowKey } from './row-slots.ts';
import { TABLE_SLOTS } from './table-slots.ts';

/** Few writes are under way at once: with 64 of them a row is taken for written once in 250 times. */
const SLOTS = 2 ** 14;

/** Slots by the primary key of a table whose rows change one by one (`TableKeys.lone`). */
export interface WrittenRows {
  readonly table: number;
  readonly row: number;
  /** Where there are several. */
  readonly others: readonly number[];
  /** `SnapshotKeys.version` of the keys. */
  readonly keysVersion: number;
  /** The key that the server makes: `row` is `RowKey.newRows` until it has told which row it was. null: they are known, or it will not tell. */
  readonly made: RowKey | null;
}

export interface RowFluxBuffers {
  /** Int32. */
  readonly words: SharedArrayBuffer;
  /** Float64. */
  readonly untold: SharedArrayBuffer;
}

const TABLES = 0;
const ROWS = TABLES + TABLE_SLOTS;
/** By table: for how many writes it is still worth finding out which row they are of. */
const WANTED = ROWS + SLOTS;
const KEYS_IN_FORCE = WANTED + TABLE_SLOTS;
/** Writes for one look at an entry of a row: where nobody reads, nobody has to know. */
const WANTED_WRITES = 64;
/** For each worker as many numbers for tables and rows. */
const LEDGERS = KEYS_IN_FORCE + 1;
const LEDGER_WORDS = TABLE_SLOTS + SLOTS;

export class RowFlux {
  readonly buffers: RowFluxBuffers;
  readonly #words: Int32Array;
  readonly #untold: RisingNumbers;

  /** @param from how many workers there are, or the memory of another thread. */
  constructor(from: number | RowFluxBuffers) {
    this.buffers = typeof from === 'number' ? allocate(from) : from;
    this.#words = new Int32Array(this.buffers.words);
    this.#untold = new RisingNumbers(this.buffers.untold);
  }

  /** Writes of single rows of the table. */
  table(slot: number): number {
    return Atomics.load(this.#words, TABLES + slot);
  }

  /** Writes of this row, or of one that shares its place. */
  row(row: number): number {
    return Atomics.load(this.#words, ROWS + (row & (SLOTS - 1)));
  }

  /** Somebody has asked for a single row of the table. (Without Atomics: nothing depends on how often.) */
  want(table: number): void {
    this.#words[WANTED + table] = WANTED_WRITES;
  }

  /** A write of the table is about to be sent. @returns whether its row is worth a look */
  isWanted(table: number): boolean {
    const left = this.#words[WANTED + table]!;
    if (left <= 0) return false;
    this.#words[WANTED + table] = left - 1;
    return true;
  }

  /** WORKER. What it takes is in its ledger. */
  enter(worker: number, table: number, row: number): void {
    const ledger = LEDGERS + worker * LEDGER_WORDS;
    const place = TABLE_SLOTS + (row & (SLOTS - 1));
    Atomics.add(this.#words, table, 1);
    Atomics.add(this.#words, place, 1);
    Atomics.add(this.#words, ledger + table, 1);
    Atomics.add(this.#words, ledger + place, 1);
  }

  /** WORKER. The row has been raised, or all of its table is in flux. */
  leave(worker: number, table: number, row: number): void {
    const ledger = LEDGERS + worker * LEDGER_WORDS;
    const place = TABLE_SLOTS + (row & (SLOTS - 1));
    Atomics.sub(this.#words, ledger + place, 1);
    Atomics.sub(this.#words, ledger + table, 1);
    Atomics.sub(this.#words, place, 1);
    Atomics.sub(this.#words, table, 1);
  }

  /**
   * MAIN THREAD. Of a worker that has ended: which rows it had taken is not known any more, so that their tables are.
   * @param hold puts a whole table in flux: before any row is given up. @returns their tables, each as often as it had one
   */
  takeOverAll(worker: number, hold: (table: number) => void): number[] {
    const ledger = LEDGERS + worker * LEDGER_WORDS;
    const taken: number[] = [];
    for (let table = 0; table < TABLE_SLOTS; table++)
      for (let count = this.#words[ledger + table]!; count > 0; count--) taken.push(table);
    for (const table of taken) hold(table);
    for (let place = 0; place < LEDGER_WORDS; place++) {
      const count = Atomics.exchange(this.#words, ledger + place, 0);
      if (count !== 0) Atomics.sub(this.#words, place, count);
    }
    return taken;
  }

  // ---- by which keys rows are told apart

  /**
   * `SnapshotKeys.version` that every worker goes by, writes that were under way before included: a row has one slot for all
   * who go by it. 0: none.
   */
  get keysInForce(): number {
    return Atomics.load(this.#words, KEYS_IN_FORCE);
  }

  /** MAIN THREAD. */
  set keysInForce(version: number) {
    Atomics.store(this.#words, KEYS_IN_FORCE, version);
  }

  // ---- writes of which the binlog has to tell the rows

  /** The last own write to the table whose rows only the binlog follower tells; `NO_POSITION`: none. */
  untold(table: number): number {
    return this.#untold.at(table);
  }

  /** Before the write's flux ends. */
  raiseUntold(table: number, position: number): void {
    this.#untold.raise(table, position);
  }
}

function allocate(workers: number): RowFluxBuffers {
  return {
    words: new SharedArrayBuffer((LEDGERS + workers * LEDGER_WORDS) * Int32Array.BYTES_PER_ELEMENT),
    untold: new SharedArrayBuffer(TABLE_SLOTS * Float64Array.BYTES_PER_ELEMENT),
  };
}
