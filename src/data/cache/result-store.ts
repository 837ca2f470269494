/** The results of one worker by their keys, bounded in bytes: what was used longest ago goes first. */

import { setFlagsFromString } from 'node:v8';
import { LRUCache } from 'lru-cache';
import type { DigestTally } from '../router/caching/digest-tally.ts';
import type { FreshnessProof } from './freshness.ts';
import type { StoredResult } from './stored-result.ts';

/**
 * What an entry takes besides the block of its result and one byte for each of its key: objects, its proof, its places in the
 * store, and their share of what the heap holds of others that have gone. Measured by resident memory, with 69,000 entries of
 * 290 bytes (`bench/cache/memory.ts`).
 */
export const ENTRY_OVERHEAD_BYTES = 960;

export interface CacheEntry {
  readonly result: StoredResult;
  /** Of its digest. */
  readonly tally: DigestTally;
  /** null where nobody has asked for it to be fresh. */
  readonly proof: FreshnessProof | null;
  /** Of its tables, where they are known. */
  readonly slots: Int32Array;
  /** What the structure of these tables was: see `ResultCache.structureOf`. */
  readonly structure: number;
  /** Before it was read; by `performance.now()`. */
  readonly readAtMs: number;
  /** What the server took. */
  readonly serverMs: number;
  /** One statement is reading it again. */
  isRefreshing: boolean;
  /** With key and overhead; 0 while it is not stored. */
  size: number;
}

/** Of the heap behind a full collection, before the next one. */
const MOST_GARBAGE_PERCENT = 25;

/** Share of its bytes. */
const FULL = 0.9;

/** Why an entry is gone. */
export const EntryEnd = {
  /** Something was written to its tables, or may have been. */
  stale: 'stale',
  expired: 'expired',
  evicted: 'evicted',
  flushed: 'flushed',
} as const;
export type EntryEnd = (typeof EntryEnd)[keyof typeof EntryEnd];

export type EntryEnded = (entry: CacheEntry, why: EntryEnd) => void;

export class ResultStore {
  readonly #ended: EntryEnded;
  #maxBytes: number;
  /** Made at the first need: a worker that caches nothing has none. */
  #entries: LRUCache<string, CacheEntry> | null = null;
  /** What goes now comes back at once. */
  #isMoving = false;

  constructor(maxBytes: number, ended: EntryEnded) {
    this.#maxBytes = maxBytes;
    this.#ended = ended;
  }

  get size(): number {
    return this.#entries?.size ?? 0;
  }

  /** With keys and overhead. */
  get bytes(): number {
    return this.#entries?.calculatedSize ?? 0;
  }

  /** What comes new drives out something else, or soon will. */
  get isFull(): boolean {
    return this.bytes > this.#maxBytes * FULL;
  }

  /** Marks it as used. */
  /** Nobody uses it thereby. */
  peek(key: string): CacheEntry | undefined {
    return this.#entries?.peek(key);
  }

  get(key: string): CacheEntry | undefined {
    return this.#entries?.get(key);
  }

  /** Its result is given back when it goes, at once if there is no room for it at all. */
  set(key: string, entry: CacheEntry): void {
    const size = key.length + entry.result.byteLength + ENTRY_OVERHEAD_BYTES;
    if (size > this.#maxBytes) {
      entry.result.release();
      return;
    }
    this.#entries ??= this.#make();
    this.#entries.set(key, entry, { size });
    entry.size = size;
    entry.tally.entries++;
    entry.tally.bytes += size;
  }

  /** Its result has got another shape. */
  grown(key: string, entry: CacheEntry): void {
    if (this.#entries?.peek(key) !== entry) return;
    // Setting what is there already would not count it anew.
    this.#isMoving = true;
    this.#entries.delete(key);
    this.#isMoving = false;
    this.set(key, entry);
  }

  delete(key: string, entry: CacheEntry, why: EntryEnd): void {
    if (this.#entries?.peek(key) !== entry) return;
    this.#entries.delete(key);
    this.#ended(entry, why);
  }

  /** @returns how many there were. */
  flush(matches: (entry: CacheEntry) => boolean = () => true): number {
    const store = this.#entries;
    if (store === null) return 0;
    let count = 0;
    for (const [key, entry] of [...store.entries()]) {
      if (!matches(entry)) continue;
      store.delete(key);
      this.#ended(entry, EntryEnd.flushed);
      count++;
    }
    return count;
  }

  /** From the one used last to the one used longest ago. */
  entries(): Iterable<[string, CacheEntry]> {
    return this.#entries?.entries() ?? [];
  }

  /** The others go; what does not fit into fewer bytes as well. */
  resize(maxBytes: number): void {
    if (maxBytes === this.#maxBytes) return;
    this.#maxBytes = maxBytes;
    const before = this.#entries;
    this.#entries = null;
    if (before === null) return;
    const entries = [...before.entries()].reverse();
    this.#isMoving = true;
    before.clear();
    this.#isMoving = false;
    for (const [key, entry] of entries) this.set(key, entry);
  }

  #make(): LRUCache<string, CacheEntry> {
    // Entries that have gone are garbage of the old generation, of which V8 lets as much come together as the whole heap is large
    // and more. Only with a first entry: what caches nothing keeps V8's own pace.
    setFlagsFromString(`--heap-growing-percent=${MOST_GARBAGE_PERCENT}`);
    return new LRUCache<string, CacheEntry>({
      maxSize: this.#maxBytes,
      // With the most that there can be, its lists are typed arrays, made at once.
      max: Math.max(1, Math.ceil(this.#maxBytes / ENTRY_OVERHEAD_BYTES)),
      dispose: (entry, _key, reason) => {
        entry.tally.entries--;
        entry.tally.bytes -= entry.size;
        entry.size = 0;
        if (!this.#isMoving) entry.result.release();
        if (reason === 'evict') this.#ended(entry, EntryEnd.evicted);
      },
    });
  }
}
