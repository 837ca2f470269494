/**
 * `cache.auto`: whether caching the reads of one plan pays, estimated from what comes by: which share of them a cache without
 * end would hit. Keys that came just before are remembered one by one, so that the few that come all the time are seen;
 * of the others a sample, those whose hash has some zero bits: the share of hits in the sample is that of all of them, and
 * however many keys there are, a fixed number is remembered. A write to one of the tables forgets them all, as it would
 * the results.
 */

/** Power of two. */
const PLACES = 128;
const MAX_KEYS = 64;
/** Above 65,536 keys at once what is cached would not stay. */
const MAX_SHIFT = 10;
/** Keys that came last. */
const RECENT = 64;
/** Behind a write with fewer keys than this more of them are sampled. */
const FEW_KEYS = 8;
/** Statements that a share is of, about. */
const MEMORY = 256;
/** Sampled statements before anything is decided. */
const MIN_SEEN = 32;
/** Begins to pay, and no longer pays: between the two it stays as it is. */
const ENTER_RATE = 0.25;
const LEAVE_RATE = 0.1;
/** Milliseconds of a server for each statement: what looking up and keeping costs here is a tenth of it. */
const ENTER_SAVED_MS = 0.02;
const LEAVE_SAVED_MS = 0.01;

/** Of the statements that have come, the newest ones counting most. */
class MovingShare {
  value = 0;
  count = 0;

  add(isHit: boolean): void {
    if (this.count < MEMORY) this.count++;
    this.value += ((isHit ? 1 : 0) - this.value) / this.count;
  }
}

export class AutoWorth {
  /** Hashes of sampled keys since the last write; 0 is a free place. */
  readonly #keys = new Uint32Array(PLACES);
  #count = 0;
  /** Keys whose hash has so many zero bits are sampled. */
  #shift = 0;
  #epochSum = 0;
  /** The newest key of each place. */
  readonly #recent = new Uint32Array(RECENT);
  readonly #recentHits = new MovingShare();
  /** Of those that are no recent hits. */
  readonly #sampledHits = new MovingShare();
  #pays = false;

  /** Share of its statements that a cache would have answered. */
  get hitRate(): number {
    return this.#recentHits.value + (1 - this.#recentHits.value) * this.#sampledHits.value;
  }

  /** Statements that the estimate is of, up to `MEMORY`. */
  get seen(): number {
    return this.#recentHits.count;
  }

  get isCertain(): boolean {
    return this.seen >= MIN_SEEN;
  }

  get pays(): boolean {
    return this.#pays;
  }

  /**
   * One of its statements is about to run, or to be served: counts it, and says whether to look into the cache and to fill it.
   * @param keyHash 32 bits of what tells its statements apart: literals, user, variables.
   * @param epochSum of the epochs of its tables: another number when any of them was written to.
   * @param serverMs what a server takes for one of them; 0 while nobody knows.
   */
  admits(keyHash: number, epochSum: number, serverMs: number): boolean {
    if (epochSum !== this.#epochSum) this.#forget(epochSum);
    const hash = mixed(keyHash);
    const place = hash & (RECENT - 1);
    const isRecent = this.#recent[place] === hash;
    this.#recentHits.add(isRecent);
    this.#recent[place] = hash;
    if (!isRecent && (hash >>> 6) % (1 << this.#shift) === 0) this.#sampledHits.add(this.#isKnown(hash));
    if (!this.isCertain) return false;
    const { hitRate } = this;
    const savedMs = hitRate * serverMs;
    this.#pays = this.#pays
      ? hitRate >= LEAVE_RATE && savedMs >= LEAVE_SAVED_MS
      : hitRate >= ENTER_RATE && savedMs >= ENTER_SAVED_MS;
    return this.#pays;
  }

  #forget(epochSum: number): void {
    this.#epochSum = epochSum;
    this.#recent.fill(0);
    if (this.#count < FEW_KEYS && this.#shift > 0) this.#shift--;
    if (this.#count === 0) return;
    this.#keys.fill(0);
    this.#count = 0;
  }

  /** Whether the key was there; it is afterwards. */
  #isKnown(hash: number): boolean {
    let place = placeOf(hash);
    for (; this.#keys[place] !== 0; place = (place + 1) & (PLACES - 1))
      if (this.#keys[place] === hash) return true;
    if (this.#count === MAX_KEYS) {
      this.#thin();
      place = this.#freePlace(hash);
    }
    this.#keys[place] = hash;
    this.#count++;
    return false;
  }

  /** Half of the keys are no longer sampled; beyond the last step all are forgotten. */
  #thin(): void {
    const kept = this.#shift < MAX_SHIFT ? [...this.#keys].filter((key) => this.#staysSampled(key)) : [];
    if (this.#shift < MAX_SHIFT) this.#shift++;
    this.#keys.fill(0);
    this.#count = 0;
    // Hashes that are all alike there would leave no room for the next one.
    for (const key of kept.slice(0, MAX_KEYS - 1)) {
      this.#keys[this.#freePlace(key)] = key;
      this.#count++;
    }
  }

  #staysSampled(key: number): boolean {
    return key !== 0 && (key >>> 6) % (2 << this.#shift) === 0;
  }

  #freePlace(hash: number): number {
    let place = placeOf(hash);
    while (this.#keys[place] !== 0) place = (place + 1) & (PLACES - 1);
    return place;
  }
}

/** Not 0, and each bit depends on all bits of what it is made of. */
function mixed(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
  h = (h ^ (h >>> 16)) >>> 0;
  return h === 0 ? 0x80000000 : h;
}

/** By the bits that sampling does not look at. */
function placeOf(hash: number): number {
  return hash >>> 25;
}
