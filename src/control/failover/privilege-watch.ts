/**
 * Tells beforehand what the monitor's account lacks to carry out operations, rather than in the middle of one.
 *
 * Period: `PERIOD_MS`, from the start on, while `isWanted`; at once when a server joins.
 * Effect: one event for each grant that is missing somewhere, again only for other servers; one when it has been given.
 * Stop:   `stop()`.
 */

import type { Clock } from '../../common/clock.ts';
import { type ServerDescription, ServerStatus } from '../../topology/server-description.ts';
import { CheckInterval } from '../monitor/check-interval.ts';
import type { MonitorCredentials } from '../monitor/monitor-connection.ts';
import type { MonitorEventBody } from '../monitor/monitor-event.ts';
import { openOperator } from './servers/open-operator.ts';

const PERIOD_MS = 60_000;

export interface PrivilegeWatchOptions {
  /** Whether somebody relies on operations. */
  readonly isWanted: () => boolean;
  readonly credentials: () => MonitorCredentials;
  readonly servers: () => readonly ServerDescription[];
  readonly timeoutMs: () => number;
  readonly note: (event: MonitorEventBody) => void;
  readonly clock: Clock;
}

export class PrivilegeWatch {
  readonly #options: PrivilegeWatchOptions;
  readonly #interval: CheckInterval<void>;
  /** By privilege: on which servers it is missing, as it was told. */
  #told = new Map<string, string>();

  constructor(options: PrivilegeWatchOptions) {
    this.#options = options;
    this.#interval = new CheckInterval({
      periodMs: () => PERIOD_MS,
      timeoutMs: PERIOD_MS,
      check: () => this.#look(),
      report: () => {},
      clock: options.clock,
    });
  }

  /** As it was told last. */
  get isMissingSome(): boolean {
    return this.#told.size > 0;
  }

  start(): void {
    void this.#interval.start();
  }

  wake(): void {
    void this.#interval.wake();
  }

  stop(): Promise<void> {
    return this.#interval.stop();
  }

  async #look(): Promise<void> {
    const { isWanted, servers } = this.#options;
    if (!isWanted()) return;
    const online = servers().filter(({ status }) => status === ServerStatus.ONLINE);
    const lists = await Promise.all(online.map((server) => this.#missingOn(server)));
    // Who did not answer has said nothing: what was told stays.
    if (lists.some((list) => list === null)) return;
    const missing = new Map<string, string[]>();
    for (const [index, list] of lists.entries())
      for (const privilege of list ?? [])
        missing.set(privilege, [...(missing.get(privilege) ?? []), online[index]!.address]);
    this.#tell(new Map([...missing].map(([privilege, addresses]) => [privilege, addresses.join(', ')])));
  }

  async #missingOn(server: ServerDescription): Promise<readonly string[] | null> {
    const { credentials, timeoutMs } = this.#options;
    try {
      const operator = await openOperator(server, credentials(), timeoutMs());
      try {
        return await operator.missingPrivileges();
      } finally {
        operator.close();
      }
    } catch {
      // Its checks say why it does not answer.
      return null;
    }
  }

  #tell(missing: Map<string, string>): void {
    const { note, credentials } = this.#options;
    const grantOf = (privilege: string): string =>
      `GRANT ${privilege} ON *.* TO '${credentials().username}'@'…'`;
    for (const [privilege, addresses] of missing) {
      if (this.#told.get(privilege) === addresses) continue;
      note({ kind: 'privilege-missing', addresses, grant: grantOf(privilege), without: 'failover' });
    }
    for (const privilege of this.#told.keys())
      if (!missing.has(privilege)) note({ kind: 'privilege-granted', grant: grantOf(privilege) });
    this.#told = missing;
  }
}
