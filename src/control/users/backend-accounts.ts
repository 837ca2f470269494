/**
 * Keeps the accounts of the primary.
 *
 * Period: refreshIntervalMs; `refresh()` at once.
 * Effect: asks the primary whether its accounts have changed, reads them if so, and calls `changed`. When a reading
 *         fails, or there is no primary, what is known stays; the reason is told once, until it is another.
 * Stop:   `stop()`.
 */

import type { Clock } from '../../common/clock.ts';
import type { ServerDescription } from '../../topology/server-description.ts';
import { CheckInterval } from '../monitor/check-interval.ts';
import { MonitorConnection, type MonitorCredentials } from '../monitor/monitor-connection.ts';
import { describeError } from '../monitor/server-error.ts';
import { type AccountReading, AccountsUnreadableError, readAccounts } from './read-accounts.ts';

export interface BackendAccountsOptions {
  readonly credentials: MonitorCredentials;
  readonly settings: { readonly refreshIntervalMs: number; readonly timeoutMs: number };
  readonly maxAccounts: number;
  readonly clock: Clock;
  /** From before a reload; null for none. */
  readonly known: AccountReading | null;
  readonly primary: () => ServerDescription | null;
  /** The accounts, or why they are not known, are other ones. */
  readonly changed: () => void;
}

const NOT_READ = 'they have not been read yet';

export class BackendAccounts {
  readonly #options: BackendAccountsOptions;
  readonly #interval: CheckInterval<AccountReading>;
  #reading: AccountReading | null;
  #failure: string = NOT_READ;
  #readAtMs: number | null = null;
  #stopped = false;

  constructor(options: BackendAccountsOptions) {
    this.#options = options;
    this.#reading = options.known;
    const { settings, clock } = options;
    this.#interval = new CheckInterval<AccountReading>({
      periodMs: () => settings.refreshIntervalMs,
      timeoutMs: settings.timeoutMs,
      check: (signal) => this.#read(signal),
      report: (result) => {
        if (result.ok) this.#succeeded(result.value);
        else this.#failed(describeError(result.error));
      },
      clock,
    });
  }

  /** The last good one; null before the first. */
  get reading(): AccountReading | null {
    return this.#reading;
  }

  /** Why the last reading failed; '' when it did not. */
  get failure(): string {
    return this.#failure;
  }

  /** Of the last good reading, in milliseconds since 1970; null before the first. */
  get readAtMs(): number | null {
    return this.#readAtMs;
  }

  /** Resolves after the first reading. */
  start(): Promise<void> {
    return this.#interval.start();
  }

  /** Resolves when a reading that began after this call has ended. */
  refresh(): Promise<void> {
    return this.#interval.wake();
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#interval.stop();
  }

  async #read(signal: AbortSignal): Promise<AccountReading> {
    const server = this.#options.primary();
    if (server === null) throw new Error('no primary is known');
    // A new connection each time: a kept one would have the privileges of when it began.
    try {
      const connection = await MonitorConnection.open(server, this.#options.credentials, signal);
      try {
        return await readAccounts(connection, this.#reading, this.#options.maxAccounts, signal);
      } finally {
        connection.close();
      }
    } catch (error) {
      if (error instanceof AccountsUnreadableError)
        throw new Error(`${error.message} (seen on ${server.address})`, { cause: error });
      throw new Error(`${server.address}: ${describeError(error)}`, { cause: error });
    }
  }

  #succeeded(reading: AccountReading): void {
    this.#readAtMs = this.#options.clock.wallMs();
    const isNews = reading !== this.#reading || this.#failure !== '';
    this.#reading = reading;
    this.#failure = '';
    if (isNews && !this.#stopped) this.#options.changed();
  }

  #failed(reason: string): void {
    if (reason === this.#failure || this.#stopped) return;
    this.#failure = reason;
    this.#options.changed();
  }
}
