/**
 * Everything that the main thread knows of accounts: the listed ones, those of the primary while they are wanted, when
 * to read them again, and what of it goes into the snapshot.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../../config/schema.ts';
import type { PlacedAccount } from '../../common/account.ts';
import { systemClock } from '../../common/clock.ts';
import { Gauge, MAX_USERS, type SharedCounters } from '../../common/shared-counters.ts';
import type { SnapshotAccounts } from '../../common/snapshot.ts';
import type { Monitor } from '../monitor/monitor.ts';
import type { MonitorCredentials } from '../monitor/monitor-connection.ts';
import { AccountSnapshots } from './account-snapshots.ts';
import { BackendAccounts } from './backend-accounts.ts';

export interface AccountKeeperOptions {
  readonly config: Config;
  readonly monitor: Monitor;
  readonly counters: SharedCounters;
  readonly credentials: (config: Config) => MonitorCredentials;
  /** Another snapshot is due. */
  readonly changed: () => void;
}

/** What became of an order to read the accounts. */
export interface AccountLoad {
  readonly accounts: number;
  /** Why they could not be read; '' when they were. */
  readonly failure: string;
}

/** After a reading that failed, while somebody waits for it. */
const RETRY_MS = 500;
/** Failed logins cause a reading at most this often. */
const LEAST_GAP_MS = 1000;

export class AccountKeeper {
  readonly #monitor: Monitor;
  readonly #counters: SharedCounters;
  readonly #credentials: (config: Config) => MonitorCredentials;
  readonly #changed: () => void;
  readonly #snapshots: AccountSnapshots;
  #config: Config;
  #backend: BackendAccounts | null;
  #epoch = 0;
  #following = false;
  #stopped = false;
  #lastReadingMs = 0;

  constructor({ config, monitor, counters, credentials, changed }: AccountKeeperOptions) {
    this.#config = config;
    this.#monitor = monitor;
    this.#counters = counters;
    this.#credentials = credentials;
    this.#changed = changed;
    this.#snapshots = new AccountSnapshots(counters, () => performance.now());
    this.#backend = this.#makeBackend(null);
    monitor.on('event', ({ kind }) => {
      // The accounts of the new primary are what counts from now on.
      if (kind === 'primary-changed') void this.#backend?.refresh();
    });
  }

  /** As of the last snapshot. */
  get accounts(): readonly PlacedAccount[] {
    return this.#snapshots.accounts;
  }

  /** @throws RangeError when there are more accounts than places; the ones before stay in force */
  snapshot(): SnapshotAccounts {
    return this.#snapshots.build(this.#config, this.#backend, this.#epoch);
  }

  /** Resolves after the first reading, whatever became of it. */
  async start(): Promise<void> {
    await this.#backend?.start();
  }

  async reconfigure(config: Config): Promise<void> {
    const before = this.#config;
    this.#config = config;
    const same =
      JSON.stringify([before.backendUsers, before.monitor.username, before.monitor.password]) ===
      JSON.stringify([config.backendUsers, config.monitor.username, config.monitor.password]);
    if (same) return;
    const old = this.#backend;
    this.#backend = this.#makeBackend(old);
    void this.#backend?.start();
    await old?.stop();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#backend?.stop();
  }

  /** Null where the accounts of the primary are not used. */
  async load(): Promise<AccountLoad | null> {
    const backend = this.#backend;
    if (backend === null) return null;
    await backend.refresh();
    return { accounts: backend.reading?.accounts.length ?? 0, failure: backend.failure };
  }

  /**
   * Accounts have changed, or may have: logins wait until they have been read again, after the change. Or somebody was
   * refused, which they may be others for. Many wishes at once cost one reading.
   */
  async follow(): Promise<void> {
    if (this.#following || this.#backend === null) return;
    this.#following = true;
    while (!this.#stopped && this.#backend !== null && this.#isDue()) {
      const epoch = this.#counters.gauge(Gauge.accountsEpoch);
      this.#lastReadingMs = performance.now();
      await this.#backend.refresh();
      if (this.#backend.failure !== '') {
        await delay(RETRY_MS, undefined, { ref: false });
        continue;
      }
      if (epoch === this.#epoch) continue;
      this.#epoch = epoch;
      this.#changed();
    }
    this.#following = false;
  }

  #isDue(): boolean {
    if (this.#epoch !== this.#counters.gauge(Gauge.accountsEpoch)) return true;
    return performance.now() - this.#lastReadingMs > LEAST_GAP_MS;
  }

  #makeBackend(before: BackendAccounts | null): BackendAccounts | null {
    const { backendUsers } = this.#config;
    if (backendUsers === null) return null;
    return new BackendAccounts({
      credentials: this.#credentials(this.#config),
      settings: backendUsers,
      maxAccounts: MAX_USERS,
      clock: systemClock,
      known: before?.reading ?? null,
      primary: () => {
        const { primary, servers } = this.#monitor.topology;
        return servers.find(({ address }) => address === primary) ?? null;
      },
      changed: () => this.#note(),
    });
  }

  #note(): void {
    const backend = this.#backend;
    if (backend === null || this.#stopped) return;
    const accounts = backend.reading?.accounts ?? [];
    this.#monitor.note({
      kind: 'accounts-changed',
      ok: backend.failure === '',
      reason: backend.failure,
      accounts: accounts.length,
      unusable: accounts.filter(({ credentials }) => credentials.length === 0).length,
    });
    this.#changed();
  }
}
