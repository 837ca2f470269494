/** Everything of the main thread that causal reads need: the shared memory, who fills it, and what workers ask for. */

import { systemClock } from '../../common/clock.ts';
import type { Logger } from '../../common/logger.ts';
import { SharedGtids } from '../../common/shared-gtids.ts';
import type { Snapshot } from '../../common/snapshot.ts';
import type { MonitorCredentials } from '../monitor/monitor-connection.ts';
import { GtidKeeper } from './gtid-keeper.ts';
import { GtidSampler } from './gtid-sampler.ts';

export interface GtidWatchOptions {
  readonly credentials: () => MonitorCredentials;
  readonly timeoutMs: () => number;
  /** `keeper.sources` is another list. */
  readonly changed: () => void;
  readonly log: Pick<Logger, 'warn'>;
  readonly primaryReturned: () => void;
}

export class GtidWatch {
  readonly shared = new SharedGtids();
  readonly keeper: GtidKeeper;
  readonly #sampler: GtidSampler;

  constructor({ credentials, timeoutMs, changed, log, primaryReturned }: GtidWatchOptions) {
    const { shared } = this;
    this.keeper = new GtidKeeper(shared, changed, log);
    this.#sampler = new GtidSampler({
      shared,
      keeper: this.keeper,
      credentials,
      timeoutMs,
      clock: systemClock,
      primaryReturned,
    });
  }

  follow({ servers }: Snapshot): void {
    this.#sampler.follow(servers);
  }

  /** A worker has writes whose position it does not know. */
  resolve(): void {
    this.#sampler.resolve();
  }

  /** The monitor's account or its time-outs are others. */
  restart(): void {
    this.#sampler.restart();
  }

  stop(): Promise<void> {
    return this.#sampler.stop();
  }
}
