/** Servers as tests describe them, turned into the changes that the monitor would send. */

import { WITHOUT_TLS } from '../../../src/topology/server-description.ts';
import type { ReplicationChannel, ServerFacts } from '../../../src/topology/server-probe.ts';
import { type TopologyChange, TopologyDescription } from '../../../src/topology/topology.ts';
import type { TopologyEvent } from '../../../src/topology/topology-event.ts';
import type { ConfiguredServer } from '../../../src/topology/topology-member.ts';

export const SETTINGS = {
  failureThreshold: 3,
  recoveryThreshold: 2,
  hostgroups: { writer: 0, reader: 1 },
  lag: { leaveAfter: 2, returnAfter: 3, silenceMs: 1500 },
};

/** The name of a server in a test is its host; its port is always 3306. */
export const at = (name: string): string => `${name}:3306`;

export function server(name: string, overrides: Partial<ConfiguredServer> = {}): ConfiguredServer {
  return {
    host: name,
    port: 3306,
    weight: 1,
    maxConnections: 0,
    maxReplicationLagMs: 0,
    hostgroup: null,
    status: 'ONLINE',
    latencyLimitsMs: [],
    lagLimitsMs: [],
    tls: WITHOUT_TLS,
    ...overrides,
  };
}

export function facts(name: string, overrides: Partial<ServerFacts> = {}): ServerFacts {
  return {
    version: '8.0.36',
    flavor: 'mysql',
    versionId: 80_036,
    sessionTracking: true,
    serverUuid: uuid(name),
    serverId: null,
    identity: name,
    ...overrides,
  };
}

/** Always the same for the same name. */
export function uuid(name: string): string {
  const hex = Buffer.from(name.padEnd(16, '.')).toString('hex').slice(0, 32);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export function channel(source: string, overrides: Partial<ReplicationChannel> = {}): ReplicationChannel {
  return {
    name: '',
    source: at(source),
    sourceUuid: null,
    sourceId: null,
    ioRunning: 'Yes',
    sqlRunning: 'Yes',
    lagMs: 0,
    error: '',
    ...overrides,
  };
}

export interface Measured {
  readonly readOnly?: boolean;
  readonly sources?: readonly ReplicationChannel[];
  readonly gtids?: string;
  readonly facts?: Partial<ServerFacts>;
}

export function readOnly(name: string, value: boolean): TopologyChange {
  const probe = { readOnly: value, superReadOnly: false, innodbReadOnly: false };
  return { kind: 'check', address: at(name), report: { check: 'read_only', ok: true, readOnly: probe } };
}

export function replication(
  name: string,
  channels: readonly ReplicationChannel[],
  gtidExecuted = '',
): TopologyChange {
  const report = { check: 'replication', ok: true, replication: { channels, gtidExecuted } } as const;
  return { kind: 'check', address: at(name), report };
}

/** One good round of all four checks. */
export function good(name: string, measured: Measured = {}): readonly TopologyChange[] {
  const address = at(name);
  return [
    { kind: 'check', address, report: { check: 'connect', ok: true, facts: facts(name, measured.facts) } },
    { kind: 'check', address, report: { check: 'ping', ok: true, latencyMs: null } },
    readOnly(name, measured.readOnly ?? false),
    replication(name, measured.sources ?? [], measured.gtids),
  ];
}

export function failed(name: string, confirmed = false): readonly TopologyChange[] {
  const checks = ['connect', 'ping', 'read_only', 'replication'] as const;
  return checks.map((check) => ({
    kind: 'check',
    address: at(name),
    report: { check, ok: false, reason: 'refused', confirmed },
  }));
}

/** A topology that is fed step by step and keeps what happened in the last one. */
export class TopologyUnderTest {
  value: TopologyDescription = TopologyDescription.empty(SETTINGS);
  events: readonly TopologyEvent[] = [];

  constructor(...servers: readonly (string | ConfiguredServer)[]) {
    this.apply({
      kind: 'configured',
      servers: servers.map((each) => (typeof each === 'string' ? server(each) : each)),
    });
  }

  apply(...changes: readonly (TopologyChange | readonly TopologyChange[])[]): this {
    const update = this.value.update(changes.flat() as TopologyChange[]);
    this.value = update.topology;
    this.events = update.events;
    return this;
  }

  role(name: string): string {
    return this.value.find(at(name))?.role ?? 'missing';
  }

  status(name: string): string {
    return this.value.find(at(name))?.status ?? 'missing';
  }

  kinds(): readonly string[] {
    return this.events.map(({ kind }) => kind);
  }
}
