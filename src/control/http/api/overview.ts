/** The first page: servers with what goes through them, workers, and the last half minute of traffic. */
import type { ServerDescription } from '../../../topology/server-description.ts';
import type { AdminState } from '../../admin/admin-state.ts';
import type { CounterSnapshot } from '../../metrics/counter-snapshot.ts';
import type { Readiness } from '../health-routes.ts';
import type { TrafficSeries } from '../traffic/traffic-series.ts';
import type { OverviewValue, ServerValue } from './api-values.ts';

const LIVE_SAMPLES = 30;

export interface OverviewSources {
  readonly state: AdminState;
  readonly series: TrafficSeries;
  readonly readiness: () => Readiness;
  readonly version: string;
  readonly startedAtMs: number;
}

function serverValue(
  server: ServerDescription,
  primary: string | null,
  counters: CounterSnapshot,
  series: TrafficSeries,
): ServerValue {
  const counted = counters.servers.find(({ address }) => address === server.address);
  // It takes no traffic as a primary, so it is not shown as one.
  const isRival = server.role === 'primary' && server.address !== primary;
  return {
    address: server.address,
    role: isRival ? 'rival' : server.role,
    status: server.status,
    reason: server.statusReason,
    hostgroup: server.hostgroup,
    weight: server.weight,
    version: server.version,
    readOnly: server.readOnly,
    source: server.source,
    replicationRunning: server.replicationRunning,
    lagMs: server.lagMs === null ? null : Math.round(server.lagMs),
    maxLagMs: server.maxReplicationLagMs,
    isDiscovered: server.origin === 'discovered',
    connections: counted?.connections ?? 0,
    inUse: counted?.inUse ?? 0,
    maxConnections: counted?.maxConnections ?? 0,
    connectErrors: counted?.connectErrors ?? 0,
    statementsPerSecond: series.serverRate(server.address),
  };
}

function compareServers(primary: string | null): (a: ServerValue, b: ServerValue) => number {
  const rank = ({ address }: ServerValue) => (address === primary ? 0 : 1);
  return (a, b) =>
    rank(a) - rank(b) ||
    a.hostgroup - b.hostgroup ||
    a.address.localeCompare(b.address, 'en', { numeric: true });
}

export function overviewOf(sources: OverviewSources): OverviewValue {
  const { state, series, readiness, version, startedAtMs } = sources;
  const counters = state.counters();
  const { servers, primary } = state.topology();
  const { ready, reasons } = readiness();
  const applied = new Map(state.versions().map((one) => [one.worker, one.version]));
  const sum = (name: 'questions' | 'pinnedSessions') =>
    counters.workers.reduce((total, worker) => total + worker.counters[name], 0);
  return {
    timeMs: Date.now(),
    version,
    startedAtMs,
    ready,
    notReady: reasons,
    primary,
    servers: servers
      .map((server) => serverValue(server, primary, counters, series))
      .sort(compareServers(primary)),
    workers: counters.workers.map(({ index, running, restarts, counters: own }) => ({
      index,
      running,
      restarts,
      sessions: own.sessions,
      version: applied.get(index) ?? 0,
    })),
    snapshotVersion: counters.snapshotVersion,
    clients: counters.frontendConnections,
    maxClients: counters.maxFrontendConnections,
    pinnedSessions: sum('pinnedSessions'),
    statements: sum('questions'),
    lastEvent: state.events().at(-1)?.sequence ?? 0,
    hasHistory: state.store.dataDir !== null,
    live: series.last(LIVE_SAMPLES),
  };
}
