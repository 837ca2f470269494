/**
 * The most frequent digests of a worker, in memory of a fixed size: a space-saving sketch. Digests that have a place
 * are counted exactly since they got it. When a new one comes and all places are taken, the one that can have come
 * the least often gives its place up, and the new one's error is what it may have been counted before: at most the
 * number of all statements divided by the number of places. So what comes more often than that is always there.
 *
 * Nothing is allocated for a digest that has a place. Which one has come the least often is a heap that is put in order
 * only when a place is needed: counts grow, so that what stands too high in it is found there.
 */

import { DIGEST_SCALE } from '../../common/log-linear-scale.ts';
import { digestName } from '../../sql/digest-text.ts';
import { DigestIndex } from './digest-index.ts';
import { isSameContext, type StatementContext } from './statement-context.ts';
import { TextArena } from './text-arena.ts';

export interface SketchLimits {
  readonly entries: number;
  /** Of everything that it holds. */
  readonly bytes: number;
  /** Of the text of each digest. */
  readonly textBytes: number;
}

/** The plan, as far as it names the digest. */
export interface CountedDigest {
  readonly normalized: Buffer;
  /** 64 bits in two signed halves, with a secret seed. */
  readonly hashLow: number;
  readonly hashHigh: number;
}

/** What a statement has come to. One object, filled again for each; whole numbers. */
export interface StatementSample {
  hostgroup: number;
  durationMicros: number;
  waitMicros: number;
  rowsSent: number;
  rowsAffected: number;
  bytes: number;
  errno: number;
  /** Place of the route in the shared counters; -1 for none. */
  routeSlot: number;
  /** Seconds since 1970. */
  atSeconds: number;
}

/** A digest as it is counted now: a copy. Times are microseconds, moments seconds since 1970. */
export interface CountedEntry {
  readonly context: StatementContext;
  readonly hostgroup: number;
  readonly name: string;
  /** Up to one byte more than `textBytes`. */
  readonly text: Buffer;
  /** Exact since the digest got its place. */
  readonly count: number;
  /** So many more it may have been. */
  readonly error: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly sumMicros: number;
  readonly minMicros: number;
  readonly maxMicros: number;
  readonly waitMicros: number;
  readonly rowsSent: number;
  readonly rowsAffected: number;
  readonly bytes: number;
  readonly errors: number;
  readonly routeSlot: number;
  /** Step of `DIGEST_SCALE`, count, step, count, … */
  readonly histogram: readonly number[];
}

/** Float64 columns. */
const COUNT = 0;
const ERROR = 1;
const FIRST = 2;
const LAST = 3;
const SUM = 4;
const MIN = 5;
const MAX = 6;
const WAIT = 7;
const ROWS_SENT = 8;
const ROWS_AFFECTED = 9;
const BYTES = 10;
const ERRORS = 11;
const FLOATS = 12;
/** Int32 columns. */
const HASH_LOW = 0;
const HASH_HIGH = 1;
const HOSTGROUP = 2;
const ROUTE = 3;
const TEXT = 4;
const TEXT_LENGTH = 5;
const INTEGERS = 6;

/** Columns, hash, histogram, heap, index and references; the text comes to it. */
const FIXED_BYTES = FLOATS * 8 + INTEGERS * 4 + 4 + DIGEST_SCALE.steps * 4 + 12 + 16 + 16;
/** Room for the texts of as many entries as there may be, when they are as long as usual. */
const USUAL_TEXT_BYTES = 136;
const FIRST_CAPACITY = 64;

export class DigestSketch {
  readonly limits: SketchLimits;
  readonly #maxEntries: number;
  #capacity = 0;
  /** Entries below it are in use, but for those in `#free`. */
  #used = 0;
  readonly #free: number[] = [];
  readonly #texts: TextArena;
  #floats = new Float64Array(0);
  #integers = new Int32Array(0);
  #hashes = new Int32Array(0);
  #steps = new Uint32Array(0);
  readonly #contexts: (StatementContext | null)[] = [];
  /** null: not asked for yet. */
  readonly #names: (string | null)[] = [];
  readonly #index = new DigestIndex(FIRST_CAPACITY, () => this.#hashes);
  /** Numbers of entries, and the most that each may have come when it was put in order. */
  #heap = new Int32Array(0);
  #heapKeys = new Float64Array(0);
  #heapSize = 0;
  /** No digest without a place has come more often. */
  #floor = 0;
  #forgotten = 0;

  constructor(limits: SketchLimits) {
    this.limits = limits;
    const { entries, bytes } = limits;
    this.#maxEntries = Math.max(1, Math.min(entries, Math.floor(bytes / (FIXED_BYTES + USUAL_TEXT_BYTES))));
    this.#texts = new TextArena(bytes - this.#maxEntries * FIXED_BYTES);
    this.#grow(Math.min(FIRST_CAPACITY, this.#maxEntries));
  }

  get size(): number {
    return this.#heapSize;
  }

  /** As they are counted against the limit. */
  get bytes(): number {
    return this.#capacity * FIXED_BYTES + this.#texts.bytes;
  }

  /** So often a digest that is not here may have come. */
  get floor(): number {
    return this.#floor;
  }

  /** Statements of digests that have lost their places. */
  get forgotten(): number {
    return this.#forgotten;
  }

  add(digest: CountedDigest, context: StatementContext, sample: StatementSample): void {
    const { hostgroup } = sample;
    const hash = mixed(digest, context.hash, hostgroup);
    let entry = this.#index.first(hash);
    while (entry >= 0 && !this.#is(entry, digest, context, hostgroup)) entry = this.#index.next(hash, entry);
    if (entry < 0) entry = this.#insert(hash, digest, context, sample);
    this.#count(entry, sample);
  }

  /** Numbers of entries are below it; not all need be in use. */
  get end(): number {
    return this.#used;
  }

  at(entry: number): CountedEntry | null {
    const context = this.#contexts[entry];
    if (context === null || context === undefined) return null;
    const floats = this.#floats.subarray(entry * FLOATS, (entry + 1) * FLOATS);
    const integers = this.#integers.subarray(entry * INTEGERS, (entry + 1) * INTEGERS);
    const text = this.#texts.read(integers[TEXT]!, integers[TEXT_LENGTH]!);
    this.#names[entry] ??= digestName(text);
    return {
      context,
      hostgroup: integers[HOSTGROUP]!,
      routeSlot: integers[ROUTE]!,
      name: this.#names[entry]!,
      text,
      count: floats[COUNT]!,
      error: floats[ERROR]!,
      firstSeen: floats[FIRST]!,
      lastSeen: floats[LAST]!,
      sumMicros: floats[SUM]!,
      minMicros: floats[MIN]!,
      maxMicros: floats[MAX]!,
      waitMicros: floats[WAIT]!,
      rowsSent: floats[ROWS_SENT]!,
      rowsAffected: floats[ROWS_AFFECTED]!,
      bytes: floats[BYTES]!,
      errors: floats[ERRORS]!,
      histogram: this.#histogram(entry),
    };
  }

  #histogram(entry: number): number[] {
    const { steps } = DIGEST_SCALE;
    const found: number[] = [];
    for (let step = 0; step < steps; step++) {
      const count = this.#steps[entry * steps + step]!;
      if (count > 0) found.push(step, count);
    }
    return found;
  }

  #is(entry: number, digest: CountedDigest, context: StatementContext, hostgroup: number): boolean {
    const integers = this.#integers;
    const start = entry * INTEGERS;
    if (integers[start + HASH_LOW] !== digest.hashLow || integers[start + HASH_HIGH] !== digest.hashHigh)
      return false;
    if (integers[start + HOSTGROUP] !== hostgroup) return false;
    const there = this.#contexts[entry]!;
    return there === context || isSameContext(there, context);
  }

  #count(entry: number, sample: StatementSample): void {
    const floats = this.#floats;
    const start = entry * FLOATS;
    const micros = sample.durationMicros;
    floats[start + COUNT]! += 1;
    floats[start + LAST] = sample.atSeconds;
    floats[start + SUM]! += micros;
    if (micros < floats[start + MIN]!) floats[start + MIN] = micros;
    if (micros > floats[start + MAX]!) floats[start + MAX] = micros;
    floats[start + WAIT]! += sample.waitMicros;
    floats[start + ROWS_SENT]! += sample.rowsSent;
    floats[start + ROWS_AFFECTED]! += sample.rowsAffected;
    floats[start + BYTES]! += sample.bytes;
    if (sample.errno !== 0) floats[start + ERRORS]! += 1;
    this.#integers[entry * INTEGERS + ROUTE] = sample.routeSlot;
    this.#steps[entry * DIGEST_SCALE.steps + DIGEST_SCALE.stepOf(micros)]! += 1;
  }

  // ---- a digest without a place

  #insert(hash: number, digest: CountedDigest, context: StatementContext, sample: StatementSample): number {
    const length = Math.min(digest.normalized.length, this.limits.textBytes + 1, this.#texts.longest);
    if (this.#heapSize === this.#capacity && this.#capacity < this.#maxEntries)
      this.#grow(Math.min(this.#maxEntries, this.#capacity * 2));
    while (this.#heapSize >= this.#capacity || !this.#texts.hasRoomFor(length)) this.#forgetOne();
    const entry = this.#free.pop() ?? this.#used++;
    this.#names[entry] = digest.normalized.length > length ? digestName(digest.normalized) : null;
    this.#contexts[entry] = context;
    this.#hashes[entry] = hash;
    const integer = entry * INTEGERS;
    this.#integers[integer + HASH_LOW] = digest.hashLow;
    this.#integers[integer + HASH_HIGH] = digest.hashHigh;
    this.#integers[integer + HOSTGROUP] = sample.hostgroup;
    this.#integers[integer + TEXT] = this.#texts.put(digest.normalized, length);
    this.#integers[integer + TEXT_LENGTH] = length;
    const float = entry * FLOATS;
    this.#floats.fill(0, float, float + FLOATS);
    this.#floats[float + ERROR] = this.#floor;
    this.#floats[float + FIRST] = sample.atSeconds;
    this.#floats[float + MIN] = sample.durationMicros;
    const { steps } = DIGEST_SCALE;
    this.#steps.fill(0, entry * steps, (entry + 1) * steps);
    this.#index.put(hash, entry);
    this.#push(entry, this.#floor);
    return entry;
  }

  #estimate(entry: number): number {
    return this.#floats[entry * FLOATS + COUNT]! + this.#floats[entry * FLOATS + ERROR]!;
  }

  #forgetOne(): void {
    let entry = this.#heap[0]!;
    for (let now = this.#estimate(entry); now > this.#heapKeys[0]!; now = this.#estimate(entry)) {
      this.#heapKeys[0] = now;
      this.#sink();
      entry = this.#heap[0]!;
    }
    this.#floor = Math.max(this.#floor, this.#heapKeys[0]!);
    this.#forgotten += this.#floats[entry * FLOATS + COUNT]!;
    this.#index.remove(this.#hashes[entry]!, entry);
    this.#texts.free(this.#integers[entry * INTEGERS + TEXT]!);
    this.#names[entry] = null;
    this.#contexts[entry] = null;
    this.#free.push(entry);
    this.#heapSize--;
    this.#heap[0] = this.#heap[this.#heapSize]!;
    this.#heapKeys[0] = this.#heapKeys[this.#heapSize]!;
    this.#sink();
  }

  #push(entry: number, key: number): void {
    const heap = this.#heap;
    const keys = this.#heapKeys;
    let place = this.#heapSize++;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (keys[parent]! <= key) break;
      heap[place] = heap[parent]!;
      keys[place] = keys[parent]!;
      place = parent;
    }
    heap[place] = entry;
    keys[place] = key;
  }

  /** Moves the first one to where it belongs. */
  #sink(): void {
    const heap = this.#heap;
    const keys = this.#heapKeys;
    const size = this.#heapSize;
    const entry = heap[0]!;
    const key = keys[0]!;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= size) break;
      if (child + 1 < size && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= key) break;
      heap[place] = heap[child]!;
      keys[place] = keys[child]!;
      place = child;
    }
    heap[place] = entry;
    keys[place] = key;
  }

  #grow(capacity: number): void {
    this.#capacity = capacity;
    this.#floats = longer(this.#floats, new Float64Array(capacity * FLOATS));
    this.#integers = longer(this.#integers, new Int32Array(capacity * INTEGERS));
    this.#hashes = longer(this.#hashes, new Int32Array(capacity));
    this.#steps = longer(this.#steps, new Uint32Array(capacity * DIGEST_SCALE.steps));
    this.#heap = longer(this.#heap, new Int32Array(capacity));
    this.#heapKeys = longer(this.#heapKeys, new Float64Array(capacity));
    this.#index.grow(capacity, this.#used);
  }
}

function longer<Values extends Float64Array | Int32Array | Uint32Array>(old: Values, made: Values): Values {
  made.set(old);
  return made;
}

function mixed({ hashLow, hashHigh }: CountedDigest, context: number, hostgroup: number): number {
  let hash = Math.imul(hashLow ^ (hashLow >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ hashHigh, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15) ^ context, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 14) ^ hostgroup, 0x85ebca6b);
  return hash ^ (hash >>> 15);
}
