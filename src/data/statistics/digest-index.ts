/** From hashes to numbers of entries: open addressing in one typed array, without a byte allocated for a look. */

const FREE = 0;

export class DigestIndex {
  /** Number of the entry plus 1. */
  #slots: Int32Array;
  #mask: number;
  readonly #hashes: () => Int32Array;

  /** @param hashes of the entries, by number. */
  constructor(capacity: number, hashes: () => Int32Array) {
    this.#slots = new Int32Array(slotsFor(capacity));
    this.#mask = this.#slots.length - 1;
    this.#hashes = hashes;
  }

  /** @param equals whether that entry, whose hash is the same, is the wanted one. @returns -1 if there is none. */
  first(hash: number): number {
    return this.#from(hash & this.#mask, hash);
  }

  /** The next entry of the same hash behind `entry`, which was found last; -1 if there is none. */
  next(hash: number, entry: number): number {
    return this.#from((this.#slotOf(hash, entry) + 1) & this.#mask, hash);
  }

  #from(start: number, hash: number): number {
    const slots = this.#slots;
    const hashes = this.#hashes();
    for (let slot = start; ; slot = (slot + 1) & this.#mask) {
      const there = slots[slot]!;
      if (there === FREE) return -1;
      if (hashes[there - 1] === hash) return there - 1;
    }
  }

  put(hash: number, entry: number): void {
    let slot = hash & this.#mask;
    while (this.#slots[slot] !== FREE) slot = (slot + 1) & this.#mask;
    this.#slots[slot] = entry + 1;
  }

  /** What stands behind it in the same run moves up, so that no look ends too early. */
  remove(hash: number, entry: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    const hashes = this.#hashes();
    let hole = this.#slotOf(hash, entry);
    for (let slot = (hole + 1) & mask; slots[slot] !== FREE; slot = (slot + 1) & mask) {
      const home = hashes[slots[slot]! - 1]! & mask;
      // It may move to the hole only if its home does not lie behind the hole.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot]!;
      hole = slot;
    }
    slots[hole] = FREE;
  }

  /** Room for more entries; those that there are get new places. */
  grow(capacity: number, entries: number): void {
    this.#slots = new Int32Array(slotsFor(capacity));
    this.#mask = this.#slots.length - 1;
    const hashes = this.#hashes();
    for (let entry = 0; entry < entries; entry++) this.put(hashes[entry]!, entry);
  }

  #slotOf(hash: number, entry: number): number {
    let slot = hash & this.#mask;
    while (this.#slots[slot] !== entry + 1) slot = (slot + 1) & this.#mask;
    return slot;
  }
}

/** Never more than half full. */
function slotsFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, capacity * 2)));
}
