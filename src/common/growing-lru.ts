/** For caches that may hold thousands of entries, and in most processes hold few. */

export interface GrowingLru {
  readonly maxSize: number;
  readonly sizeCalculation: () => number;
}

/** Options of an `LRUCache` of so many entries at most. With `max`, it would take the memory for all of them at once. */
export function growingTo(entries: number): GrowingLru {
  return { maxSize: entries, sizeCalculation: () => 1 };
}
