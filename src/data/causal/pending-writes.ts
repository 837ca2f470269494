/** What an open transaction has written: the slots of its tables, which are raised when it commits. */

import type { TableCatalog } from '../router/table-catalog.ts';

/** Transactions that write more tables count as writing any. */
const MAX_SLOTS = 64;

export class PendingWrites {
  readonly #slots = new Int32Array(MAX_SLOTS);
  #count = 0;
  #isAny = false;
  /** Of the catalogue that told what triggers and foreign keys add. */
  #version = -1;

  get isEmpty(): boolean {
    return this.#count === 0 && !this.#isAny;
  }

  clear(): void {
    this.#count = 0;
    this.#isAny = false;
  }

  /** @param slots null: any table. @param version of the catalogue that they are by. */
  add(slots: Int32Array | null, version: number): void {
    if (slots === null) {
      this.#isAny = true;
      return;
    }
    if (slots.length === 0) return;
    if (this.isEmpty) this.#version = version;
    else if (this.#version !== version) this.#isAny = true;
    for (let i = 0; i < slots.length && !this.#isAny; i++) this.#addOne(slots[i]!);
  }

  #addOne(slot: number): void {
    for (let i = 0; i < this.#count; i++) if (this.#slots[i] === slot) return;
    if (this.#count === MAX_SLOTS) this.#isAny = true;
    else this.#slots[this.#count++] = slot;
  }

  /** null: any table, as it is where the schema may be another one by now. Valid until the next call. */
  slots(catalog: TableCatalog): Int32Array | null {
    if (this.#isAny || this.#version !== catalog.version || !catalog.isCurrent()) return null;
    return this.#slots.subarray(0, this.#count);
  }
}
