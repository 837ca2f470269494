/** One server as the topology keeps it: its description, and what the description was derived from. */

import { type LagState, UNMEASURED_LAG } from './lag.ts';
import type { ServerAddress, ServerDescription, ServerTls } from './server-description.ts';
import { ServerFlavor, ServerRole, ServerStatus } from './server-description.ts';
import { type AdministrativeStatus, ALL_UNCHECKED, type HealthByCheck } from './server-health.ts';
import type { ReadOnlyProbe, ReplicationProbe, ServerFacts } from './server-probe.ts';

export interface ConfiguredServer {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  /** 0 means no limit. */
  readonly maxConnections: number;
  /** 0 means no limit. */
  readonly maxReplicationLagMs: number;
  /** null: the measured role decides. */
  readonly hostgroup: number | null;
  /** What the configuration says of it in all its hostgroups. */
  readonly status: AdministrativeStatus;
  /** Of its pings, in any of its hostgroups. */
  readonly latencyLimitsMs: readonly number[];
  /** Of its lag, in any of its hostgroups; ascending, each once. */
  readonly lagLimitsMs: readonly number[];
  readonly tls: ServerTls;
}

/** Of some limits, of which 0 is none. */
export function lagLimits(limitsMs: readonly number[]): readonly number[] {
  return [...new Set(limitsMs)].filter((limitMs) => limitMs > 0).toSorted((a, b) => a - b);
}

export interface TopologyMember {
  readonly config: ConfiguredServer;
  readonly origin: 'seed' | 'discovered';
  /** By a command; what the configuration says holds beside it. */
  readonly administrative: AdministrativeStatus;
  readonly health: HealthByCheck;
  /** The last measured values; null before the first. They outlive a failure: the last word counts. */
  readonly facts: ServerFacts | null;
  readonly readOnly: ReadOnlyProbe | null;
  readonly replication: ReplicationProbe | null;
  readonly lag: LagState;
  /** Replication probes in a row that found the IO thread connecting. */
  readonly ioConnecting: number;
  /** Of the pings, smoothed. */
  readonly pingMs: number | null;
  /**
   * Was writable, replicating from nobody, at a time when the known primary was seen alive: it has missed writes,
   * and does not become primary just because the primary dies.
   */
  readonly rival: boolean;
  /** The primary that it was last seen to be a replica of: only that one's heir can it be without further proof. */
  readonly followed: ServerAddress | null;
  readonly duplicateOf: ServerAddress | null;
  /** Why it must not serve although it answers, such as transactions of its own; `''` where it may. */
  readonly keptOut: string;
  readonly description: ServerDescription;
}

/** What the operator wants of it, by command or by configuration: a command comes first. */
export function orderedStatus({ administrative, config }: TopologyMember): AdministrativeStatus {
  return administrative === ServerStatus.ONLINE ? config.status : administrative;
}

function uncheckedDescription(
  address: ServerAddress,
  config: ConfiguredServer,
  origin: 'seed' | 'discovered',
): ServerDescription {
  return {
    address,
    host: config.host,
    port: config.port,
    status: ServerStatus.SHUNNED,
    statusReason: 'not checked yet',
    role: ServerRole.unknown,
    hostgroup: 0,
    weight: config.weight,
    maxConnections: config.maxConnections,
    maxReplicationLagMs: config.maxReplicationLagMs,
    tls: config.tls,
    origin,
    version: '',
    flavor: ServerFlavor.mysql,
    versionId: 0,
    sessionTracking: false,
    readOnly: null,
    serverUuid: null,
    serverId: null,
    source: null,
    replicationRunning: null,
    lagMs: null,
    lagSource: null,
    laggingOver: null,
    latencyMs: null,
    gtidExecuted: '',
  };
}

export function newMember(
  address: ServerAddress,
  config: ConfiguredServer,
  origin: 'seed' | 'discovered',
): TopologyMember {
  return {
    config,
    origin,
    administrative: ServerStatus.ONLINE,
    health: ALL_UNCHECKED,
    facts: null,
    readOnly: null,
    replication: null,
    lag: UNMEASURED_LAG,
    ioConnecting: 0,
    pingMs: null,
    rival: false,
    keptOut: '',
    followed: null,
    duplicateOf: null,
    description: uncheckedDescription(address, config, origin),
  };
}
