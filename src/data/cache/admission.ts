/**
 * Who is let into a store that is full: what has been asked for before. Keys that come once and never again, however many of
 * them there are, then neither drive out what is asked for all the time nor leave garbage behind.
 *
 * Remembers the hashes of the last keys in two sets of bits, the older of which is forgotten when the newer one is full. Keys that
 * share a bit are taken for each other: then one is let in a time too early.
 */

const BITS = 2 ** 20;
const WORDS = BITS / 32;
/** A set with more of them would say yes to one of eight that it has never seen. */
const MAX_KEYS = BITS / 8;

export class Admission {
  /** Made when they are needed: most stores are never full. */
  #newer: Uint32Array | null = null;
  #older: Uint32Array = new Uint32Array(0);
  #keys = 0;

  /** @param hash 32 bits of a key. @returns whether it has been asked for before; it has been from now on. */
  admits(hash: number): boolean {
    const newer = this.#newer ?? this.#begin();
    const bit = mixed(hash) & (BITS - 1);
    const word = bit >>> 5;
    const mask = 1 << (bit & 31);
    if ((newer[word]! & mask) !== 0) return true;
    newer[word]! |= mask;
    const isKnown = (this.#older[word]! & mask) !== 0;
    if (++this.#keys >= MAX_KEYS) this.#forget(newer);
    return isKnown;
  }

  #begin(): Uint32Array {
    this.#older = new Uint32Array(WORDS);
    this.#newer = new Uint32Array(WORDS);
    return this.#newer;
  }

  #forget(newer: Uint32Array): void {
    this.#newer = this.#older.fill(0);
    this.#older = newer;
    this.#keys = 0;
  }
}

/** Each bit depends on all bits of the hash. */
function mixed(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
  return (h ^ (h >>> 16)) >>> 0;
}
