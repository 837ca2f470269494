/**
 * The results that one worker keeps, and the reads that fill it. Whether an entry may be served is asked at each hit, of what
 * the decision says now: a changed TTL holds for what is stored already.
 *
 * | class     | may be served                                                                                      |
 * |-----------|----------------------------------------------------------------------------------------------------|
 * | strong    | while its proof holds (`freshness.ts`)                                                              |
 * | weak      | until its time is over; for some time more while one statement reads it again                      |
 * | immutable | until it is flushed, evicted, or one of its tables becomes another one                             |
 */

import { CacheClass } from '../../common/cache-settings.ts';
import { WorkerCounter, type WorkerCounters } from '../../common/shared-counters.ts';
import { EVERYTHING, RaiseCause, type TableEpochs } from '../../common/table-epochs.ts';
import type { CacheDecision } from '../router/caching/cache-decision.ts';
import { DigestTallies, type DigestTally } from '../router/caching/digest-tally.ts';
import { Admission } from './admission.ts';
import { CacheScopes } from './cache-scope.ts';
import { Fill, type FillTerms } from './fill.ts';
import type { Freshness } from './freshness.ts';
import type { SecondLevel } from './level2/second-level.ts';
import type { SharedValue } from './level2/shared-value.ts';
import { ResultBlocks } from './result-blocks.ts';
import { CaptureBudget } from './result-capture.ts';
import { type CacheEntry, EntryEnd, ResultStore } from './result-store.ts';
import { StoredResult } from './stored-result.ts';

/** What is known of an entry when it is asked for. */
export const Usability = {
  /** To be served. */
  fresh: 'fresh',
  /** To be served, and to be read again. */
  stale: 'stale',
  /** Not to be served now. */
  unproven: 'unproven',
  /** It will never be served again. */
  dead: 'dead',
} as const;
export type Usability = (typeof Usability)[keyof typeof Usability];

/** Of an entry whose tables nobody could tell. */
export const UNKNOWN_SLOTS = new Int32Array(0);

/** Of the cache's size: what answers that are still coming may take beside it. */
const CAPTURED_SHARE = 0.1;

export interface CacheLimits {
  /** Of this worker. */
  readonly maxBytes: number;
  readonly maxResultBytes: number;
}

export class ResultCache {
  readonly store: ResultStore;
  readonly scopes = new CacheScopes();
  readonly tallies = new DigestTallies();
  readonly #admission = new Admission();
  readonly freshness: Freshness;
  readonly epochs: TableEpochs;
  /** What it shares with other Sluices; null: nothing. */
  readonly secondLevel: SecondLevel | null;
  readonly #counters: WorkerCounters;
  readonly #fills = new Map<string, Fill>();
  readonly #blocks = new ResultBlocks();
  /** What all fills together have kept of their answers until now. */
  readonly #capturing: CaptureBudget;
  #maxResultBytes: number;
  /** What was read before the last flush is not stored. */
  #localFlushes = 0;
  #sharedFlushes: number;

  constructor(
    freshness: Freshness,
    epochs: TableEpochs,
    limits: CacheLimits,
    counters: WorkerCounters,
    secondLevel: SecondLevel | null = null,
  ) {
    this.freshness = freshness;
    this.epochs = epochs;
    this.secondLevel = secondLevel;
    this.#counters = counters;
    this.#maxResultBytes = limits.maxResultBytes;
    this.#capturing = new CaptureBudget(limits.maxBytes * CAPTURED_SHARE);
    this.#sharedFlushes = epochs.flushes;
    this.store = new ResultStore(limits.maxBytes, (entry, why) => this.#entryEnded(entry, why));
  }

  update({ maxBytes, maxResultBytes }: CacheLimits): void {
    this.store.resize(maxBytes);
    this.#capturing.maxBytes = maxBytes * CAPTURED_SHARE;
    this.#maxResultBytes = maxResultBytes;
  }

  // ---- hits

  /** What is stored under the key, whether it may be served or not. */
  find(key: string): CacheEntry | undefined {
    if (this.epochs.flushes !== this.#sharedFlushes) this.#flushAll();
    return this.store.get(key);
  }

  /** Likewise, which counts as no use of it. */
  peek(key: string): CacheEntry | undefined {
    if (this.epochs.flushes !== this.#sharedFlushes) this.#flushAll();
    return this.store.peek(key);
  }

  /** @param token a position that the reader must see. */
  judge(entry: CacheEntry, decision: CacheDecision, token: number): Usability {
    if (decision.class === CacheClass.strong) {
      if (entry.proof === null) return Usability.dead;
      if (!this.freshness.followerHolds(token)) return Usability.unproven;
      return this.freshness.isTrue(entry.proof) ? Usability.fresh : this.#changed(entry);
    }
    if (this.structureOf(entry.slots, decision.class) !== entry.structure) return Usability.dead;
    if (decision.class === CacheClass.immutable) return Usability.fresh;
    const ageMs = performance.now() - entry.readAtMs;
    if (ageMs < decision.ttlMs) return Usability.fresh;
    return ageMs < decision.ttlMs + decision.staleMs ? Usability.stale : Usability.dead;
  }

  /** While a write is under way nothing is proven, but what it will have changed is not known yet. */
  #changed({ proof }: CacheEntry): Usability {
    return proof !== null && this.freshness.isOutdated(proof) ? Usability.dead : Usability.unproven;
  }

  drop(key: string, entry: CacheEntry, why: EntryEnd): void {
    this.store.delete(key, entry, why);
  }

  /**
   * One number that is another one when privileges have changed; for what is not bounded by a time, also when one of the tables
   * has become another one. (Some plain writes count as that, where nobody learns of their rows: `weak` lives on.)
   */
  structureOf(slots: Int32Array, cacheClass: CacheClass): number {
    const { epochs } = this;
    let sum = epochs.structure(EVERYTHING);
    if (cacheClass !== CacheClass.weak)
      for (let i = 0; i < slots.length; i++) sum = (sum + epochs.structure(slots[i]!)) | 0;
    return sum;
  }

  /** Another number when any of these tables has been written to. */
  epochSum(slots: Int32Array): number {
    const { epochs } = this;
    let sum = epochs.epoch(EVERYTHING);
    for (let i = 0; i < slots.length; i++) sum = (sum + epochs.epoch(slots[i]!)) | 0;
    return sum;
  }

  /** To be called about once a second. */
  tick(): void {
    if (this.epochs.flushes !== this.#sharedFlushes) this.#flushAll();
    this.secondLevel?.tick();
  }

  // ---- fills

  /** Whether what is read now is worth its room. @param keyHash 32 bits of its key; counts as asked for once more. */
  admits(keyHash: number): boolean {
    return !this.store.isFull || this.#admission.admits(keyHash);
  }

  get flushes(): number {
    return this.#localFlushes;
  }

  get maxResultBytes(): number {
    return this.#maxResultBytes;
  }

  fillOf(key: string): Fill | undefined {
    return this.#fills.get(key);
  }

  /** @param refreshes what is served meanwhile. */
  begin(terms: FillTerms, refreshes: CacheEntry | null = null): Fill {
    const fill = new Fill(terms, refreshes, this.#capturing);
    this.#fills.set(terms.key, fill);
    if (refreshes !== null) refreshes.isRefreshing = true;
    this.#counters.add(WorkerCounter.cacheFills);
    return fill;
  }

  /** Its read has ended, however. Those who wait are told in a turn of their own. */
  end(fill: Fill): void {
    if (this.#fills.get(fill.terms.key) === fill) this.#fills.delete(fill.terms.key);
    if (fill.refreshes !== null) fill.refreshes.isRefreshing = false;
    const entry = fill.serverMs < 0 ? null : this.#entryOf(fill);
    if (entry !== null) {
      this.#counters.add(WorkerCounter.cacheStored);
      this.#counters.add(WorkerCounter.cacheBytesStored, entry.result.byteLength);
      fill.terms.tally.stored++;
      // In front of storing it, which may give its memory back: it is copied.
      if (fill.shared !== null) this.secondLevel?.put(fill.shared, entry, performance.now() - entry.readAtMs);
      this.store.set(fill.terms.key, entry);
    } else {
      this.#counters.add(WorkerCounter.cacheNotStored);
      fill.terms.tally.notStored++;
    }
    fill.capture.clear();
    if (fill.waiters.size > 0) setImmediate(() => tell(fill, entry));
  }

  /**
   * Another Sluice's result instead of its own: as if it had been read now, or `ageMs` ago.
   * @returns null where it may not be stored here; then the fill goes on.
   */
  take(fill: Fill, value: SharedValue, ageMs: number): CacheEntry | null {
    const { packets, deprecatesEof, serverMs } = value;
    const { terms, waiters } = fill;
    if (packets.length > terms.maxBytes) return null;
    const entry = this.#make(terms, packets, deprecatesEof, fill.beganAtMs - ageMs, serverMs);
    if (entry === null) return null;
    if (this.#fills.get(terms.key) === fill) this.#fills.delete(terms.key);
    this.store.set(terms.key, entry);
    fill.capture.clear();
    if (waiters.size > 0) setImmediate(() => tell(fill, entry));
    return entry;
  }

  #entryOf({ terms, capture, beganAtMs, serverMs }: Fill): CacheEntry | null {
    const bytes = capture.take();
    return bytes === null ? null : this.#make(terms, bytes, terms.deprecatesEof, beganAtMs, serverMs);
  }

  /** @returns null where something has happened since the beginning that it may not be true of, or it is not to be kept. */
  #make(
    terms: FillTerms,
    bytes: Buffer,
    deprecatesEof: boolean,
    readAtMs: number,
    serverMs: number,
  ): CacheEntry | null {
    if (this.epochs.flushes !== this.#sharedFlushes) this.#flushAll();
    const { tally, slots, structure } = terms;
    if (terms.flushes !== this.#localFlushes || this.structureOf(slots, terms.class) !== structure)
      return null;
    const result = StoredResult.of(bytes, deprecatesEof, this.#blocks, terms.storesWarnings);
    if (result === null) return null;
    const proof = terms.proof === null ? null : this.freshness.answered(terms.proof, result.rowCount);
    const isUnwanted = result.rowCount === 0 && !terms.storesEmpty;
    if (isUnwanted || (proof !== null && !this.freshness.mayBeStored(proof))) {
      result.release();
      return null;
    }
    return { result, tally, proof, slots, structure, readAtMs, serverMs, isRefreshing: false, size: 0 };
  }

  // ---- flushes

  /** What is being read now is not stored either. @returns how many results there were */
  flushDigest(wanted: DigestTally): number {
    this.#localFlushes++;
    return this.store.flush(
      ({ tally }) => tally.hashLow === wanted.hashLow && tally.hashHigh === wanted.hashHigh,
    );
  }

  /** Likewise of a table, and what may be of it. @param slot of its name. */
  flushTable(slot: number): number {
    this.#localFlushes++;
    this.secondLevel?.flushTable(slot);
    return this.store.flush(({ slots }) => slots === UNKNOWN_SLOTS || slots.includes(slot));
  }

  /** All that is stored, in this worker. */
  flush(): number {
    this.#localFlushes++;
    this.secondLevel?.flush();
    return this.store.flush();
  }

  #flushAll(): void {
    this.#sharedFlushes = this.epochs.flushes;
    this.flush();
  }

  #entryEnded(entry: CacheEntry, why: EntryEnd): void {
    const { tally, proof } = entry;
    const counters = this.#counters;
    if (why === EntryEnd.evicted) {
      counters.add(WorkerCounter.cacheEvicted);
      tally.evicted++;
    } else if (why === EntryEnd.stale) {
      counters.add(WorkerCounter.cacheInvalidated);
      tally.outdated[proof === null ? RaiseCause.write : this.freshness.causeOf(proof)]++;
    } else if (why === EntryEnd.expired) {
      counters.add(WorkerCounter.cacheExpired);
      tally.expired++;
    } else {
      counters.add(WorkerCounter.cacheFlushed);
      tally.flushed++;
    }
  }
}

function tell(fill: Fill, entry: CacheEntry | null): void {
  for (const waiter of fill.waiters) waiter.filled(entry);
}
