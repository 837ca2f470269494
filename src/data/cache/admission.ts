/**
 * Who is let into a store that is full: what has been asked for before. Keys that come once and never again, however many of
 * them there are, then neither drive out what is asked for all the time nor leave garbage behind.
 *
 * Remembers the hash of the last key of each place: about as many of the last keys as there are places.
 */

const PLACES = 2 ** 17;

export class Admission {
  /** Made when it is needed: most stores are never full. 0 is nobody's. */
  #hashes: Uint32Array | null = null;

  /** @param hash 32 bits of a key. @returns whether it has been asked for before; it has been from now on. */
  admits(hash: number): boolean {
    this.#hashes ??= new Uint32Array(PLACES);
    const wanted = mixed(hash) || 1;
    const place = wanted & (PLACES - 1);
    if (this.#hashes[place] === wanted) return true;
    this.#hashes[place] = wanted;
    return false;
  }
}

/** Each bit depends on all bits of the hash, and no two hashes become one. */
function mixed(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
  return (h ^ (h >>> 16)) >>> 0;
}
