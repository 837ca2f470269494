/**
 * What the schema adds to a statement's own tables, slot by slot, in shared memory: reading a view reads its base tables,
 * writing to a table runs its triggers and cascades, of which the cascades are in no row binlog. A slot has the relations of all tables that share it, each with all that
 * follows from it already.
 */

import { TABLE_SLOTS } from './table-slots.ts';

/** By slot; null: anything. */
export type RelatedSlots = ReadonlyMap<number, readonly number[] | null>;

const NOTHING = 0;
const ANYTHING = -1;
const READS = 0;
const WRITES = TABLE_SLOTS;
const UNLOGGED = 2 * TABLE_SLOTS;
const INDEX_WORDS = 3 * TABLE_SLOTS;

/** null where nothing is related to anything. */
export function encodeTableRelations(
  reads: RelatedSlots,
  writes: RelatedSlots,
  unlogged: RelatedSlots,
): SharedArrayBuffer | null {
  if (reads.size === 0 && writes.size === 0 && unlogged.size === 0) return null;
  let length = INDEX_WORDS;
  for (const related of [reads, writes, unlogged])
    for (const slots of related.values()) length += slots === null ? 0 : slots.length + 1;
  const buffer = new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT);
  const words = new Int32Array(buffer);
  const behind = encodeOne(words, READS, reads, INDEX_WORDS);
  const behindWrites = encodeOne(words, WRITES, writes, behind);
  encodeOne(words, UNLOGGED, unlogged, behindWrites);
  return buffer;
}

function encodeOne(words: Int32Array, base: number, related: RelatedSlots, from: number): number {
  let at = from;
  for (const [slot, slots] of related) {
    words[base + slot] = slots === null ? ANYTHING : at;
    if (slots === null) continue;
    words[at++] = slots.length;
    for (const other of slots) words[at++] = other;
  }
  return at;
}

export class TableRelations {
  readonly #words: Int32Array | null;

  constructor(buffer: SharedArrayBuffer | null) {
    this.#words = buffer === null ? null : new Int32Array(buffer);
  }

  /** Adds what is read with the tables of `slot`. @returns false if that may be anything. */
  addRead(slot: number, into: Set<number>): boolean {
    return this.#add(READS + slot, into);
  }

  /** Adds what a write to the tables of `slot` changes as well. @returns false if that may be anything. */
  addWritten(slot: number, into: Set<number>): boolean {
    return this.#add(WRITES + slot, into);
  }

  /**
   * Adds what changes with rows of the tables of `slot` and is in no event of its own: cascades, the tables behind a MERGE one.
   * @returns false if that may be anything.
   */
  addUnlogged(slot: number, into: Set<number>): boolean {
    return this.#add(UNLOGGED + slot, into);
  }

  /** Whether reading the tables of `slot` may run anything: a view that calls a function that is not known. */
  readsAnything(slot: number): boolean {
    return this.#words?.[READS + slot] === ANYTHING;
  }

  #add(index: number, into: Set<number>): boolean {
    const words = this.#words;
    if (words === null) return true;
    const at = words[index]!;
    if (at === ANYTHING) return false;
    if (at === NOTHING) return true;
    const end = at + words[at]!;
    for (let i = at + 1; i <= end; i++) into.add(words[i]!);
    return true;
  }
}
