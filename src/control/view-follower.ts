/**
 * Views have changed, or may have. Until the catalogue has been read again, after the change, workers take no read of a
 * table for proven; many changes at once cost one reading. Likewise with which tables belong together.
 */

import { setTimeout } from 'node:timers/promises';
import { Gauge, type SharedCounters } from '../common/shared-counters.ts';
import type { Snapshot } from '../common/snapshot.ts';
import type { Monitor } from './monitor/monitor.ts';

const RETRY_MS = 500;

export class ViewFollower {
  readonly #monitor: Monitor;
  readonly #counters: SharedCounters;
  readonly #changed: () => void;
  #epoch = 0;
  #relationsEpoch = 0;
  #isFollowing = false;
  #isStopped = false;

  constructor(monitor: Monitor, counters: SharedCounters, changed: () => void) {
    this.#monitor = monitor;
    this.#counters = counters;
    this.#changed = changed;
  }

  /** Before the catalogue was read. */
  get epochs(): Pick<Snapshot, 'catalogEpoch' | 'relationsEpoch'> {
    return { catalogEpoch: this.#epoch, relationsEpoch: this.#relationsEpoch };
  }

  async follow(): Promise<void> {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    while (!this.#isStopped && !this.#isCurrent()) {
      const epoch = this.#counters.gauge(Gauge.viewsEpoch);
      const relationsEpoch = this.#counters.gauge(Gauge.relationsEpoch);
      await this.#monitor.refreshCatalog();
      if (!this.#monitor.catalog.complete) {
        await setTimeout(RETRY_MS);
        continue;
      }
      this.#epoch = epoch;
      this.#relationsEpoch = relationsEpoch;
      this.#changed();
    }
    this.#isFollowing = false;
  }

  #isCurrent(): boolean {
    return (
      this.#epoch === this.#counters.gauge(Gauge.viewsEpoch) &&
      this.#relationsEpoch === this.#counters.gauge(Gauge.relationsEpoch)
    );
  }

  stop(): void {
    this.#isStopped = true;
  }
}
