/**
 * Views have changed, or may have. Until the catalogue has been read again, after the change, workers take no read of a
 * table for proven; many changes at once cost one reading. Likewise with which tables belong together.
 */

import { setTimeout } from 'node:timers/promises';
import { Gauge, type SharedCounters } from '../common/shared-counters.ts';
import type { Snapshot } from '../common/snapshot.ts';
import type { Monitor } from './monitor/monitor.ts';

const RETRY_MS = 500;
const KEYS_PAUSE_MS = 200;

export class ViewFollower {
  readonly #monitor: Monitor;
  readonly #counters: SharedCounters;
  readonly #changed: () => void;
  readonly #definitions: () => number | null;
  #epoch = 0;
  #relationsEpoch = 0;
  #isFollowing = false;
  #isStopped = false;

  /** @param definitions of `SnapshotKeys`; null while nobody wants keys to be known. */
  constructor(
    monitor: Monitor,
    counters: SharedCounters,
    changed: () => void,
    definitions: () => number | null,
  ) {
    this.#monitor = monitor;
    this.#counters = counters;
    this.#changed = changed;
    this.#definitions = definitions;
  }

  /** Before the catalogue was read. */
  get epochs(): Pick<Snapshot, 'catalogEpoch' | 'relationsEpoch'> {
    return { catalogEpoch: this.#epoch, relationsEpoch: this.#relationsEpoch };
  }

  async follow(): Promise<void> {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    while (!this.#isStopped && !(this.#isCurrent() && this.#knowsKeys())) {
      // A reading for each of many changes of definitions would be much: reads wait for none of them.
      if (this.#isCurrent()) await setTimeout(KEYS_PAUSE_MS);
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

  #knowsKeys(): boolean {
    const wanted = this.#definitions();
    return wanted === null || this.#monitor.catalog.tables.keys.definitions === wanted;
  }

  stop(): void {
    this.#isStopped = true;
  }
}
