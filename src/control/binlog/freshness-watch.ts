/**
 * How fresh the follower's word is. A sample says where the binlog ended at a moment; once all up to there has been raised,
 * and is visible, everything that anybody could see at that moment is raised: the moment is confirmed.
 */

import { LogLinearScale } from '../../common/log-linear-scale.ts';
import type { TableEpochs } from '../../common/table-epochs.ts';
import type { BinlogPlace, StreamPlace } from './binlog-place.ts';
import { isBehind } from './binlog-place.ts';
import type { Unsettled } from './change-raiser.ts';
import type { AgeFigures, FollowerTally } from './follower-tally.ts';

interface Sample {
  readonly atMs: number;
  readonly place: BinlogPlace;
}

/** Microseconds, to 1.6 %. */
const SCALE = new LogLinearScale(5);
/** Of those that wait, more tell nothing. */
const MAX_SAMPLES = 64;
/** Figures are of the last one or two of these. */
const WINDOW_MS = 60_000;

export class FreshnessWatch {
  readonly #epochs: TableEpochs;
  readonly #now: () => number;
  #samples: Sample[] = [];
  #counts = new Uint32Array(SCALE.steps);
  #countsBefore = new Uint32Array(SCALE.steps);
  #windowSinceMs = 0;
  /** A first word has no age. */
  #isCounting = false;

  constructor(epochs: TableEpochs, now: () => number, tally: FollowerTally) {
    this.#epochs = epochs;
    this.#now = now;
    tally.ages = () => this.ages;
  }

  /** @param atMs before the server was asked. */
  sampled(place: BinlogPlace, atMs: number): void {
    // The last one goes: older ones are confirmed sooner.
    if (this.#samples.length >= MAX_SAMPLES) this.#samples.pop();
    this.#samples.push({ atMs, place });
  }

  /** What was asked of another connection or server says nothing here. */
  forget(): void {
    this.#samples = [];
    this.#isCounting = false;
  }

  get isWaiting(): boolean {
    return this.#samples.length > 0;
  }

  /** @param first that may not be visible. @returns whether a moment was confirmed, which is in shared memory then. */
  confirm(stream: StreamPlace, first: Unsettled | null): boolean {
    let confirmed: Sample | null = null;
    let count = 0;
    for (const sample of this.#samples) {
      if (!stream.hasReached(sample.place)) break;
      // A transaction's place is within it, and a sample's never is.
      if (first !== null && isBehind(first, sample.place)) break;
      confirmed = sample;
      count += 1;
    }
    if (confirmed === null) return false;
    this.#samples.splice(0, count);
    if (this.#isCounting) this.#count(this.#now() - this.#epochs.confirmedAtMs);
    this.#isCounting = true;
    this.#epochs.confirmedAtMs = Math.max(this.#epochs.confirmedAtMs, confirmed.atMs);
    return true;
  }

  /** How old the last word had become when the next one came. */
  get ages(): AgeFigures {
    const counts = this.#counts.map((count, step) => count + this.#countsBefore[step]!);
    return { p50Ms: percentileMs(counts, 0.5), p99Ms: percentileMs(counts, 0.99) };
  }

  #count(ageMs: number): void {
    const now = this.#now();
    if (now - this.#windowSinceMs > WINDOW_MS) {
      this.#windowSinceMs = now;
      [this.#counts, this.#countsBefore] = [this.#countsBefore.fill(0), this.#counts];
    }
    const step = SCALE.stepOf(Math.round(ageMs * 1000));
    this.#counts[step] = this.#counts[step]! + 1;
  }
}

function percentileMs(counts: Uint32Array, share: number): number | null {
  const micros = SCALE.percentile(counts, share);
  return micros === null ? null : micros / 1000;
}
