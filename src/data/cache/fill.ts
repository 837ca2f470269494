/**
 * A read whose answer is to be stored, from its sending to its end, and those who wait for the same. One at a time for each
 * key and worker: whoever comes meanwhile waits for it, for a while, or goes to a server himself.
 */

import type { CacheClass } from '../../common/cache-settings.ts';
import type { DigestTally } from '../router/caching/digest-tally.ts';
import type { FreshnessProof } from './freshness.ts';
import type { SharedFill } from './level2/second-level.ts';
import { type CaptureBudget, ResultCapture } from './result-capture.ts';
import type { CacheEntry } from './result-store.ts';

export interface FillWaiter {
  /** @param entry null: it was not to be stored, or was lost. The wait is over either way. */
  filled(entry: CacheEntry | null): void;
}

export interface FillTerms {
  readonly key: string;
  readonly class: CacheClass;
  readonly tally: DigestTally;
  readonly proof: FreshnessProof | null;
  readonly slots: Int32Array;
  readonly structure: number;
  readonly flushes: number;
  readonly storesEmpty: boolean;
  readonly storesWarnings: boolean;
  readonly deprecatesEof: boolean;
  readonly maxBytes: number;
}

export class Fill {
  readonly terms: FillTerms;
  readonly capture: ResultCapture;
  /** By `performance.now()`. */
  readonly beganAtMs = performance.now();
  /** What is already stored goes on to be served meanwhile: this entry. */
  readonly refreshes: CacheEntry | null;
  readonly waiters = new Set<FillWaiter>();

  /** Where it is shared with other Sluices. */
  shared: SharedFill | null = null;

  #serverMs = -1;

  constructor(terms: FillTerms, refreshes: CacheEntry | null, budget: CaptureBudget) {
    this.terms = terms;
    this.capture = new ResultCapture(terms.maxBytes, budget);
    this.refreshes = refreshes;
  }

  /** The read's answer is whole, and no error. @param serverMs what it took */
  answered(serverMs: number): void {
    this.#serverMs = Math.max(0, serverMs);
  }

  /** Below 0 without an answer. */
  get serverMs(): number {
    return this.#serverMs;
  }
}
