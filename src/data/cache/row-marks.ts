/**
 * The part of a session's marks that is of single rows: those of the statement that runs, and those of the open transaction.
 * A row is in flux by itself as long as all workers tell rows apart by the keys that it was found by; where that ends while it is
 * under way, its table is in flux first, and the row no more.
 */

import type { WrittenRows } from '../../common/row-flux.ts';
import type { TableCatalog } from '../router/table-catalog.ts';
import type { WorkerMarks } from './worker-marks.ts';
import { madeRow } from './written-rows.ts';

type Keys = TableCatalog['keys'];

/** Rows of one transaction; with more their tables are written as a whole. */
const MAX_ROWS = 64;

/** What of the transaction is in flux. */
const InFlux = { nothing: 0, rows: 1, tables: 2 } as const;
type InFlux = (typeof InFlux)[keyof typeof InFlux];

export class RowMarks {
  readonly #worker: WorkerMarks;
  /** Of the statement that runs, and in flux. */
  #rows: WrittenRows | null = null;
  /** Of the one that has ended, if they were in flux until then. */
  #ended: WrittenRows | null = null;
  /** Which one the server has put there, with a key of its own making; -1: nobody knows. */
  #made = -1;
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

  /** It is of rows, which are in flux, and nothing else of their table. */
  get isOfRows(): boolean {
    return this.#rows !== null;
  }

  /** Before it is sent. @returns false where its table has to be in flux */
  begin(rows: WrittenRows, keys: Keys): boolean {
    const worker = this.#worker;
    worker.enterRow(rows.table, rows.row);
    for (const other of rows.others) worker.enterRow(rows.table, other);
    // Behind the flux: who makes other keys known waits for those that he finds in it.
    if (rows.keysVersion === keys.version && worker.isInForce(keys)) {
      this.#rows = rows;
      this.#made = -1;
      return true;
    }
    this.#leave(rows);
    return false;
  }

  #leave({ table, row, others }: WrittenRows): void {
    for (const other of others) this.#worker.leaveRow(table, other);
    this.#worker.leaveRow(table, row);
  }

  /** It has put one row there. @param insertId the key that the server says it has made; 0: none */
  told(insertId: number): void {
    const made = this.#rows?.made ?? null;
    if (made !== null) this.#made = madeRow(made, insertId);
  }

  /** @param slots of the table, or null for everything: in flux before the rows are so no more. */
  widen(slots: Int32Array | null): void {
    const rows = this.#rows;
    if (rows === null) return;
    this.#worker.enter(slots);
    this.#leave(rows);
    this.#rows = null;
  }

  /**
   * For entries of rows by the primary key; by other keys the binlog has to tell.
   * @returns false where that would not be enough: its table is to be raised
   */
  raise(keys: Keys): boolean {
    const rows = this.#rows;
    if (rows === null || rows.keysVersion !== keys.version || !this.#worker.isInForce(keys)) return false;
    this.#worker.raiseRow(rows.table, this.#made < 0 ? rows.row : this.#made);
    for (const other of rows.others) this.#worker.raiseRow(rows.table, other);
    return true;
  }

  end(): void {
    if (this.#rows !== null) this.#leave(this.#rows);
    this.#ended = this.#rows;
    this.#rows = null;
  }

  /** What has ended is part of the open transaction. @returns false where its table is to be */
  keep(version: number): boolean {
    const rows = this.#ended;
    if (rows === null) return false;
    if (this.#count === 0) {
      this.#keysVersion = rows.keysVersion;
      this.#version = version;
    } else if (this.#keysVersion !== rows.keysVersion || this.#version !== version) return false;
    const { table } = rows;
    let isKept = this.#keepRow(table, this.#made < 0 ? rows.row : this.#made);
    for (const other of rows.others) isKept = this.#keepRow(table, other) && isKept;
    return isKept;
  }

  #keepRow(table: number, row: number): boolean {
    this.#pending ??= new Int32Array(2 * MAX_ROWS);
    const pending = this.#pending;
    for (let i = 0; i < this.#count; i++)
      if (pending[2 * i] === table && pending[2 * i + 1] === row) return true;
    if (this.#count === MAX_ROWS) return false;
    pending[2 * this.#count] = table;
    pending[2 * this.#count + 1] = row;
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
