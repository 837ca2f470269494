/**
 * How slowly one server answers reads, as one worker sees it: a peak-sensitive average of how long each has taken,
 * as a multiple of what statements of its digest take on all servers together. (Plain milliseconds would tell more of
 * which statements a server happened to get than of the server.) A slower answer counts at once and in full, a faster
 * one by the time that has passed; without answers the average decays, so that a server that was slow is tried again.
 */

/** After this time two thirds of what was is forgotten. */
const DECAY_MS = 1000;
/** A frozen server is not remembered for longer because it was frozen for longer. */
const MAX_RATIO = 1000;
/** Below it a clock tells more of itself than of a server. */
const LEAST_USUAL_MS = 0.05;

export class LatencyAverage {
  /** Whether some policy looks at it; else nothing is observed. */
  isWatched = false;
  #value = 0;
  #atMs = 0;

  /**
   * @param elapsedMs from sending to the end of the answer
   * @param usualMs of statements of this digest; 0 where it is not known
   * @param nowMs of the monotonic clock
   */
  observe(elapsedMs: number, usualMs: number, nowMs: number): void {
    if (usualMs <= 0) return;
    const ratio = Math.min(MAX_RATIO, elapsedMs / Math.max(usualMs, LEAST_USUAL_MS));
    const kept = this.#kept(nowMs);
    const decayed = this.#value * kept;
    this.#value = ratio >= decayed ? ratio : decayed + ratio * (1 - kept);
    this.#atMs = nowMs;
  }

  /** 1: as usual; 0 where nothing was observed of late. */
  at(nowMs: number): number {
    return this.#value === 0 ? 0 : this.#value * this.#kept(nowMs);
  }

  /** What it says is of another time. */
  isStale(nowMs: number): boolean {
    return this.#value === 0 || nowMs - this.#atMs > DECAY_MS;
  }

  #kept(nowMs: number): number {
    return Math.exp(-Math.max(0, nowMs - this.#atMs) / DECAY_MS);
  }
}
