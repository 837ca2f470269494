/** How the monitor works, with its defaults. */

import type { LagThresholds } from '../../topology/lag.ts';
import type { ConfiguredServer } from '../../topology/topology-member.ts';

export interface HeartbeatSettings {
  /** `schema.table`; null: there is none. */
  readonly table: string | null;
  /** Whether Sluice writes it. */
  readonly write: boolean;
  /** Between two heartbeats, and between two samples. */
  readonly intervalMs: number;
}

export interface MonitorSettings {
  /** Between two pings, two read_only checks, two replication checks of a server. */
  readonly intervalMs: number;
  /** Between two connect checks of a server that is well; of another it is `intervalMs`. */
  readonly connectIntervalMs: number;
  /** A check that takes longer has failed. */
  readonly timeoutMs: number;
  /** Failures of one check in a row until the server is shunned. */
  readonly failureThreshold: number;
  /** Good outcomes of that check in a row until it is used again. */
  readonly recoveryThreshold: number;
  readonly heartbeat: HeartbeatSettings;
  readonly lag: Pick<LagThresholds, 'leaveAfter' | 'returnAfter'>;
  readonly discovery: boolean;
  readonly discoveryIntervalMs: number;
  /** A discovered server that was not ONLINE for this long is removed. */
  readonly forgetDiscoveredAfterMs: number;
  readonly discoveredDefaults: Pick<ConfiguredServer, 'weight' | 'maxConnections' | 'maxReplicationLagMs'>;
  readonly catalogIntervalMs: number;
  readonly catalogTimeoutMs: number;
  readonly maxViews: number;
  /** How many events are kept. */
  readonly eventHistory: number;
}

export const DEFAULT_MONITOR_SETTINGS: MonitorSettings = {
  intervalMs: 1000,
  connectIntervalMs: 10_000,
  timeoutMs: 800,
  failureThreshold: 3,
  recoveryThreshold: 2,
  heartbeat: { table: 'sluice.heartbeat', write: true, intervalMs: 250 },
  lag: { leaveAfter: 2, returnAfter: 3 },
  discovery: true,
  discoveryIntervalMs: 5000,
  forgetDiscoveredAfterMs: 300_000,
  discoveredDefaults: { weight: 1, maxConnections: 0, maxReplicationLagMs: 0 },
  catalogIntervalMs: 5000,
  catalogTimeoutMs: 10_000,
  maxViews: 50_000,
  eventHistory: 1000,
};

/** Between two samples of lag at most, where nothing fails: those of replicas that know it only themselves are rarer. */
export function lagThresholds({ lag, intervalMs, timeoutMs, heartbeat }: MonitorSettings): LagThresholds {
  return { ...lag, silenceMs: 2 * (Math.max(intervalMs, heartbeat.intervalMs) + timeoutMs) };
}

export function withDefaults(settings: Partial<MonitorSettings>): MonitorSettings {
  return Object.freeze({ ...DEFAULT_MONITOR_SETTINGS, ...settings });
}
