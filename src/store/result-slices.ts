/** Rows as slices of bytes, and the limits of a result: what a statement gives is in memory once, and bounded. */

import { serialize } from 'node:v8';
import type { ReceivedRows, StoreLimits, StoreValue } from '../common/store-messages.ts';
import { StoreFailureError } from './store-failure.ts';

const SLICE_BYTES = 64 * 1024;
/** Beside its bytes, a value costs about this much. */
const VALUE_OVERHEAD_BYTES = 8;

/** What becomes of a number with a fraction: a text for clients, itself for the main thread. */
export type RealForm = (value: number) => string | number;

export class ResultSlices {
  readonly #limits: StoreLimits;
  readonly #realForm: RealForm;
  readonly #slices: Buffer[] = [];
  #table = 0;
  #rows: StoreValue[][] = [];
  #sliceBytes = 0;
  #totalBytes = 0;
  #rowCount = 0;

  constructor(limits: StoreLimits, realForm: RealForm) {
    this.#limits = limits;
    this.#realForm = realForm;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** @throws StoreFailureError when the result is larger than one may be */
  push(row: readonly unknown[]): void {
    const { maxRows, maxResultBytes } = this.#limits;
    this.#rowCount += 1;
    if (this.#rowCount > maxRows) {
      throw new StoreFailureError(
        'limit',
        `The result has more than ${maxRows} rows, which is the limit: add a LIMIT`,
      );
    }
    const values = row.map((value) => this.#valueOf(value));
    let bytes = 0;
    for (const value of values) bytes += VALUE_OVERHEAD_BYTES + sizeOf(value);
    this.#sliceBytes += bytes;
    this.#totalBytes += bytes;
    if (this.#totalBytes > maxResultBytes) {
      const mebibytes = Math.floor(maxResultBytes / 1024 / 1024);
      throw new StoreFailureError(
        'limit',
        `The result is larger than ${mebibytes} MiB, which is the limit: add a LIMIT, or select fewer columns`,
      );
    }
    this.#rows.push(values);
    if (this.#sliceBytes >= SLICE_BYTES) this.#cut();
  }

  /** What comes now belongs to the next table. */
  nextTable(): void {
    this.#cut();
    this.#table += 1;
  }

  take(): readonly Buffer[] {
    this.#cut();
    return this.#slices;
  }

  #cut(): void {
    if (this.#rows.length === 0) return;
    const slice: ReceivedRows = { table: this.#table, rows: this.#rows };
    this.#slices.push(serialize(slice));
    this.#rows = [];
    this.#sliceBytes = 0;
  }

  #valueOf(value: unknown): StoreValue {
    if (typeof value === 'bigint') {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    }
    if (typeof value === 'number') return this.#realForm(value);
    if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return value as string | null;
  }
}

function sizeOf(value: StoreValue): number {
  return typeof value === 'string' || Buffer.isBuffer(value) ? value.length : 0;
}
