/**
 * Rows as numbers: what shared memory keeps of a row lies in the slot of its table and the values of one of its keys. Both who
 * reads `WHERE id = 5` and who sees a row change come to the same slot, whatever way the value is written; rows that share a
 * slot cost hits and are never wrong. So what has to be right is one thing: values that a server takes for equal have one
 * slot. Values for which that is not certain are not precise (`false`), and stand for all rows of their key.
 */

import { mixedBits } from './mixed-bits.ts';
import { tableHash } from './table-slots.ts';

const SLOT_BITS = 20;
export const ROW_SLOTS = 1 << SLOT_BITS;

/** What is compared how: integers by value, text by the rules of one of the collations below. */
export const KeyColumnKind = { signed: 'signed', unsigned: 'unsigned', text: 'text' } as const;
export type KeyColumnKind = (typeof KeyColumnKind)[keyof typeof KeyColumnKind];

export interface KeyColumn {
  /** In lower case. */
  readonly name: string;
  /** Its place among the columns of its table, from 0. */
  readonly index: number;
  readonly kind: KeyColumnKind;
  /** Bytes of an integer, characters of a text: what does not fit may be stored as another value. */
  readonly size: number;
}

/** The columns of a unique key, with what the slots of its rows begin with. */
export interface RowKey {
  readonly columns: readonly KeyColumn[];
  readonly seed: number;
  /** Raised for all rows of the key at once. */
  readonly keySlot: number;
  /** For rows that are not there yet, and whose values nobody knows. */
  readonly newRows: number;
}

const PRIME = 0x01000193;
const WHOLE_KEY = 0x5bd1e995;
const NEW_ROWS = 0x2545f491;
const SPACE = 0x20;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;
const CAPITAL_A = 0x41;
const CAPITAL_Z = 0x5a;
const DIGIT_0 = 0x30;
const UINT32 = 0x1_0000_0000;
/** Of 2^64 - 1. */
const MAX_DIGITS = 20;
/** Up to here a double is the integer that it looks like, and no other integer becomes it. */
const MAX_EXACT = 1e15;

/**
 * In which two strings of printable ASCII are equal only if they are so but for case and spaces at the end; and characters that
 * are no ASCII may be equal to some that are, so that these are not precise.
 */
const COLLATIONS: ReadonlySet<string> = new Set(
  [
    ['utf8mb4', 'bin general_ci unicode_ci unicode_520_ci 0900_ai_ci 0900_bin general_nopad_ci nopad_bin'],
    ['utf8mb3', 'bin general_ci unicode_ci unicode_520_ci general_nopad_ci nopad_bin'],
    ['utf8', 'bin general_ci unicode_ci unicode_520_ci general_nopad_ci nopad_bin'],
    ['latin1', 'bin swedish_ci general_ci general_cs swedish_nopad_ci nopad_bin'],
    ['ascii', 'bin general_ci general_nopad_ci nopad_bin'],
  ].flatMap(([charset, names]) => names!.split(' ').map((name) => `${charset}_${name}`)),
);

export function isPreciseCollation(collation: string): boolean {
  return COLLATIONS.has(collation.toLowerCase());
}

export const PRECISE_COLLATIONS: readonly string[] = [...COLLATIONS];

export function rowKey(schema: string, table: string, columns: readonly KeyColumn[]): RowKey {
  let seed = tableHash(schema, table);
  for (const { index } of columns) seed = mix(seed, index);
  const keySlot = finish(mix(seed, WHOLE_KEY));
  return { columns, seed, keySlot, newRows: finish(mix(seed, NEW_ROWS)) };
}

/** Makes one slot after the other. `begin`, then a value for each column, then `slot`. */
export class RowHasher {
  #hash = 0;
  #high = 0;
  #low = 0;

  begin(key: RowKey): void {
    this.#hash = key.seed;
  }

  get slot(): number {
    return finish(this.#hash);
  }

  /** The two halves of 64 bits, of an integer that is negative if `isSigned` and the highest bit is set. */
  addInteger(high: number, low: number, isSigned: boolean): void {
    this.#hash = mix(mix(this.#hash, low | 0), high | 0);
    this.#hash = mix(this.#hash, isSigned && (high | 0) < 0 ? 1 : 0);
  }

  /** Digits without a sign. @returns false if they are no integer of 64 bits. */
  addDigits(bytes: Uint8Array, start: number, end: number, isNegative: boolean): boolean {
    let from = start;
    while (from < end - 1 && bytes[from] === DIGIT_0) from++;
    if (end <= from || end - from > MAX_DIGITS) return false;
    this.#high = 0;
    this.#low = 0;
    for (let i = from; i < end; i++) {
      const digit = bytes[i]! - DIGIT_0;
      if (digit < 0 || digit > 9 || !this.#appendDigit(digit)) return false;
    }
    return this.#addSigned(isNegative);
  }

  /** @returns false if it is not exactly an integer, or too large to be one alone. */
  addDouble(value: number): boolean {
    if (!Number.isInteger(value) || Math.abs(value) > MAX_EXACT) return false;
    const absolute = Math.abs(value);
    this.#high = Math.floor(absolute / UINT32);
    this.#low = absolute % UINT32;
    return this.#addSigned(value < 0);
  }

  /** @returns false if some character is not printable ASCII. */
  addText(bytes: Uint8Array, start: number, end: number): boolean {
    let to = end;
    while (to > start && bytes[to - 1] === SPACE) to--;
    let hash = this.#hash;
    for (let i = start; i < to; i++) {
      let byte = bytes[i]!;
      if (byte < FIRST_PRINTABLE || byte > LAST_PRINTABLE) return false;
      if (byte >= CAPITAL_A && byte <= CAPITAL_Z) byte |= 0x20;
      hash = Math.imul(hash ^ byte, PRIME);
    }
    this.#hash = mix(hash, to - start);
    return true;
  }

  #appendDigit(digit: number): boolean {
    const low = this.#low * 10 + digit;
    this.#low = low % UINT32;
    this.#high = this.#high * 10 + Math.floor(low / UINT32);
    return this.#high < UINT32;
  }

  /** -0 is 0, and nothing is below -2^63. */
  #addSigned(isNegative: boolean): boolean {
    if (!isNegative || (this.#high === 0 && this.#low === 0)) {
      this.addInteger(this.#high, this.#low, false);
      return true;
    }
    if (this.#high > 0x8000_0000 || (this.#high === 0x8000_0000 && this.#low > 0)) return false;
    const low = this.#low === 0 ? 0 : UINT32 - this.#low;
    const high = this.#low === 0 ? UINT32 - this.#high : UINT32 - 1 - this.#high;
    this.addInteger(high, low, true);
    return true;
  }
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0xcc9e2d51);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0x38b34ae5) | 0;
}

function finish(hash: number): number {
  return mixedBits(hash) & (ROW_SLOTS - 1);
}
