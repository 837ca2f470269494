/**
 * The part of a session's marks that is of single rows: the row of the statement that runs, and those of the open transaction.
 * A row is in flux by itself as long as all workers tell rows apart by the keys that it was found by; where that ends while it is
 * under way, its table is in flux first, and the row no more.
 */

import type { TableCatalog } from '../router/table-catalog.ts';
import type { RowPin } from './row-pin.ts';
import type { WorkerMarks } from './worker-marks.ts';

type Keys = TableCatalog['keys'];

/** Rows of one transaction; with more their tables are written as a whole. */
const MAX_ROWS = 64;

/** What of the transaction is in flux. */
const InFlux = { nothing: 0, rows: 1, tables: 2 } as const;
type InFlux = (typeof InFlux)[keyof typeof InFlux];

export class RowMarks {
  readonly #worker: WorkerMarks;
  /** Of the statement that runs, and in flux. */
  #row: RowPin | null = null;
  /** Of the one that has ended, if it was in flux until then. */
  #ended: RowPin | null = null;
  /** Pairs of table and row; made for the first. */
  #pending: Int32Array | null = null;
  #count = 0;
  #keysVersion = 0;
  /** Of the catalogue that says that nothing follows from them. */
  #version = -1;
  #committing: InFlux = InFlux.nothing;
  #committingCount = 0;

  constructor(worker: WorkerMarks) {
    this.#worker = worker;
  }

  // ---- the statement

  /** It is of a row, which is in flux, and nothing else of its table. */
  get isOfRow(): boolean {
    return this.#row !== null;
  }

  /** Before it is sent. @returns false where its table has to be in flux */
  begin(row: RowPin, keys: Keys): boolean {
    const worker = this.#worker;
    worker.enterRow(row.table, row.row);
    // Behind the flux: who makes other keys known waits for those that he finds in it.
    if (row.keysVersion === keys.version && worker.isInForce(keys)) {
      this.#row = row;
      return true;
    }
    worker.leaveRow(row.table, row.row);
    return false;
  }

  /** @param slots of the table, or null for everything: in flux before the row is so no more. */
  widen(slots: Int32Array | null): void {
    const row = this.#row;
    if (row === null) return;
    this.#worker.enter(slots);
    this.#worker.leaveRow(row.table, row.row);
    this.#row = null;
  }

  /**
   * For entries of rows by the primary key; by other keys the binlog has to tell.
   * @returns false where that would not be enough: its table is to be raised
   */
  raise(keys: Keys): boolean {
    const row = this.#row;
    if (row === null || row.keysVersion !== keys.version || !this.#worker.isInForce(keys)) return false;
    this.#worker.raiseRow(row.table, row.row);
    return true;
  }

  end(): void {
    if (this.#row !== null) this.#worker.leaveRow(this.#row.table, this.#row.row);
    this.#ended = this.#row;
    this.#row = null;
  }

  /** What has ended is part of the open transaction. @returns false where its table is to be */
  keep(version: number): boolean {
    const row = this.#ended;
    if (row === null) return false;
    if (this.#count === 0) {
      this.#keysVersion = row.keysVersion;
      this.#version = version;
    } else if (this.#keysVersion !== row.keysVersion || this.#version !== version) return false;
    this.#pending ??= new Int32Array(2 * MAX_ROWS);
    const pending = this.#pending;
    for (let i = 0; i < this.#count; i++)
      if (pending[2 * i] === row.table && pending[2 * i + 1] === row.row) return true;
    if (this.#count === MAX_ROWS) return false;
    pending[2 * this.#count] = row.table;
    pending[2 * this.#count + 1] = row.row;
    this.#count++;
    return true;
  }

  // ---- the transaction

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** What follows from its writes may be another thing by now. */
  isOutdated(catalog: TableCatalog): boolean {
    return this.#count > 0 && (this.#version !== catalog.version || !catalog.isCurrent());
  }

  clear(): void {
    this.#count = 0;
  }

  /** Before what may commit it is sent. */
  beginCommit(keys: Keys): void {
    this.#committingCount = this.#count;
    if (this.#count === 0) return;
    for (let i = 0; i < this.#count; i++) this.#worker.enterRow(this.#table(i), this.#slot(i));
    this.#committing = InFlux.rows;
    if (!this.#isOf(keys)) this.widenCommit();
  }

  widenCommit(): void {
    if (this.#committing !== InFlux.rows) return;
    for (let i = 0; i < this.#committingCount; i++) this.#worker.enterTable(this.#table(i));
    for (let i = 0; i < this.#committingCount; i++) this.#worker.leaveRow(this.#table(i), this.#slot(i));
    this.#committing = InFlux.tables;
  }

  /** @param isTold by the binlog as well: for entries of rows by other keys. */
  raiseCommit(keys: Keys, isTold: boolean): void {
    if (this.#committing === InFlux.nothing) return;
    const isByRow = isTold && this.#committing === InFlux.rows && this.#isOf(keys);
    for (let i = 0; i < this.#committingCount; i++)
      if (isByRow) this.#worker.raiseRow(this.#table(i), this.#slot(i));
      else this.#worker.raiseTable(this.#table(i));
  }

  endCommit(): void {
    if (this.#committing === InFlux.nothing) return;
    for (let i = 0; i < this.#committingCount; i++)
      if (this.#committing === InFlux.rows) this.#worker.leaveRow(this.#table(i), this.#slot(i));
      else this.#worker.leaveTable(this.#table(i));
    this.#committing = InFlux.nothing;
  }

  /** It is somebody else's from now on. @returns tables, in flux as often as they are named */
  handOver(): number[] {
    this.widenCommit();
    const count = this.#committing === InFlux.nothing ? 0 : this.#committingCount;
    this.#committing = InFlux.nothing;
    return Array.from({ length: count }, (_, i) => this.#table(i));
  }

  #table(index: number): number {
    return this.#pending![2 * index]!;
  }

  #slot(index: number): number {
    return this.#pending![2 * index + 1]!;
  }

  #isOf(keys: Keys): boolean {
    return this.#keysVersion === keys.version && this.#worker.isInForce(keys);
  }
}
