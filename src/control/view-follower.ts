/**
 * Views have changed, or may have. Until the catalogue has been read again, after the change, workers take no read of a
 * table for proven; many changes at once cost one reading.
 */

import { setTimeout } from 'node:timers/promises';
import { Gauge, type SharedCounters } from '../common/shared-counters.ts';
import type { Monitor } from './monitor/monitor.ts';

const RETRY_MS = 500;

export class ViewFollower {
  readonly #monitor: Monitor;
  readonly #counters: SharedCounters;
  readonly #changed: () => void;
  #epoch = 0;
  #isFollowing = false;
  #isStopped = false;

  constructor(monitor: Monitor, counters: SharedCounters, changed: () => void) {
    this.#monitor = monitor;
    this.#counters = counters;
    this.#changed = changed;
  }

  /** `Gauge.viewsEpoch` before the catalogue was read. */
  get epoch(): number {
    return this.#epoch;
  }

  async follow(): Promise<void> {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    while (!this.#isStopped && this.#epoch !== this.#counters.gauge(Gauge.viewsEpoch)) {
      const epoch = this.#counters.gauge(Gauge.viewsEpoch);
      await this.#monitor.refreshCatalog();
      if (!this.#monitor.catalog.complete) {
        await setTimeout(RETRY_MS);
        continue;
      }
      this.#epoch = epoch;
      this.#changed();
    }
    this.#isFollowing = false;
  }

  stop(): void {
    this.#isStopped = true;
  }
}
