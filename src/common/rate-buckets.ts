/**
 * Token buckets in shared memory, so that a limit holds over all workers together. A bucket is one number: the moment
 * at which it will be full again (the "generic cell rate algorithm"), so that taking a token is one exchange.
 */

import type { RateLimit } from './query-rule.ts';

const NS_PER_SECOND = 1e9;

export class RateBuckets {
  readonly buffer: SharedArrayBuffer;
  readonly #fullAt: BigInt64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#fullAt = new BigInt64Array(buffer);
  }

  static allocate(places: number): RateBuckets {
    return new RateBuckets(new SharedArrayBuffer(Math.max(1, places) * BigInt64Array.BYTES_PER_ELEMENT));
  }

  /** @param now nanoseconds of a clock that all threads share: `process.hrtime.bigint()`. */
  take({ slot, perSecond, burst }: RateLimit, now: bigint): boolean {
    const costNs = BigInt(Math.round(NS_PER_SECOND / perSecond));
    const mostNs = BigInt(Math.round((burst * NS_PER_SECOND) / perSecond));
    for (;;) {
      const fullAt = Atomics.load(this.#fullAt, slot);
      const next = (fullAt > now ? fullAt : now) + costNs;
      if (next - now > mostNs) return false;
      if (Atomics.compareExchange(this.#fullAt, slot, fullAt, next) === fullAt) return true;
    }
  }

  /** What was taken for a statement that another limit has refused. */
  giveBack({ slot, perSecond }: RateLimit): void {
    Atomics.sub(this.#fullAt, slot, BigInt(Math.round(NS_PER_SECOND / perSecond)));
  }

  /**
   * From a table that this one takes the place of: a LOAD fills nobody's bucket. What has been taken counts by the new
   * rate, and is never more than the bucket holds: a limit that was raised is not waited for at the old one's pace.
   * @param now nanoseconds, as for `take`
   */
  copyFrom(other: RateBuckets, limit: RateLimit, before: RateLimit, now: bigint): void {
    const owedNs = Atomics.load(other.#fullAt, before.slot) - now;
    if (owedNs <= 0n) return;
    const taken = (Number(owedNs) / NS_PER_SECOND) * before.perSecond;
    const leftNs = (Math.min(taken, limit.burst) * NS_PER_SECOND) / limit.perSecond;
    Atomics.store(this.#fullAt, limit.slot, now + BigInt(Math.round(leftNs)));
  }
}
