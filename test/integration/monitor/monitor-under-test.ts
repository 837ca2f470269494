/** A monitor with short periods, and what it said. */

import { Monitor } from '../../../src/control/monitor/monitor.ts';
import type { MonitorEvent, MonitorEventKind } from '../../../src/control/monitor/monitor-event.ts';
import type { MonitorSettings } from '../../../src/control/monitor/monitor-settings.ts';
import type { ServerDescription } from '../../../src/topology/server-description.ts';
import { WITHOUT_TLS } from '../../../src/topology/server-description.ts';
import type { ConfiguredServer } from '../../../src/topology/topology-member.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { type Account, MONITOR_ACCOUNT } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

const FAST: Partial<MonitorSettings> = {
  intervalMs: 100,
  connectIntervalMs: 1000,
  // Long: on a busy machine a server that is well must not look as if it hung.
  timeoutMs: 5000,
  discoveryIntervalMs: 200,
  catalogIntervalMs: 60_000,
};

export function seed(server: DatabaseServer | { host: string; port: number }): ConfiguredServer {
  return {
    host: server.host,
    port: server.port,
    weight: 1,
    maxConnections: 0,
    maxReplicationLagMs: 0,
    hostgroup: null,
    status: 'ONLINE',
    latencyLimitsMs: [],
    lagLimitsMs: [],
    tls: WITHOUT_TLS,
  };
}

export class MonitorUnderTest {
  readonly monitor: Monitor;
  readonly events: MonitorEvent[] = [];
  readonly log: LogLine[] = [];
  changes = 0;

  constructor(
    seeds: readonly (DatabaseServer | ConfiguredServer | { host: string; port: number })[],
    settings: Partial<MonitorSettings> = {},
    account: Account = MONITOR_ACCOUNT,
  ) {
    const write =
      (level: string) =>
      (fields: object, message: string): void => {
        this.log.push({ level, fields, message });
      };
    this.monitor = new Monitor({
      servers: seeds.map((each) => ('tls' in each ? each : seed(each))),
      credentials: account,
      hostgroups: { writer: 0, reader: 1 },
      settings: { ...FAST, ...settings },
      logger: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    });
    this.monitor.on('event', (event) => this.events.push(event));
    this.monitor.on('change', () => this.changes++);
  }

  find(server: DatabaseServer): ServerDescription | null {
    return this.monitor.topology.find(server.address);
  }

  /** Waits until what the topology says of this server includes all of `expected`. */
  async see(server: DatabaseServer, expected: Partial<ServerDescription>): Promise<ServerDescription> {
    const keys = Object.keys(expected) as (keyof ServerDescription)[];
    try {
      return await waitUntil(`${server.name} is ${JSON.stringify(expected)}`, () => {
        const found = this.find(server);
        return found !== null && keys.every((key) => found[key] === expected[key]) ? found : null;
      });
    } catch (error) {
      throw new Error(`${String(error)}; it is ${JSON.stringify(this.find(server))}; ${this.story()}`);
    }
  }

  async seePrimary(server: DatabaseServer | null): Promise<void> {
    const wanted = server?.address ?? null;
    await waitUntil(
      `${server?.name ?? 'nobody'} is the primary; ${this.story()}`,
      () => this.monitor.topology.primary === wanted,
    );
  }

  async seeHeartbeats(): Promise<void> {
    await waitUntil(`heartbeats are written; ${this.story()}`, () =>
      this.events.some((event) => event.kind === 'heartbeat-changed' && event.ok),
    );
  }

  /** The kinds of event of one server since `from`, in order. */
  kindsOf(server: DatabaseServer, from = 0): MonitorEventKind[] {
    const ours = this.events
      .slice(from)
      .filter((event) => 'address' in event && event.address === server.address);
    return ours.map(({ kind }) => kind);
  }

  story(): string {
    return this.events.map((event) => JSON.stringify(event)).join('\n');
  }
}
