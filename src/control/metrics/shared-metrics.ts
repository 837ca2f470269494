/**
 * Metrics that are read from the shared counters at the moment of a scrape. Nothing is counted twice, and every
 * series that a worker or a server can have is present from the start, at 0.
 */
import { Counter, Gauge, type Registry } from 'prom-client';
import { rampOf } from '../../topology/balancing.ts';
import { HostgroupKind, MemberVerdict } from '../../topology/hostgroup-membership.ts';
import { ServerRole, ServerStatus } from '../../topology/server-description.ts';
import type { CounterSnapshot, ServerCounters, WorkerCounterName } from './counter-snapshot.ts';
import { FOLLOWER_METRICS } from './follower-metrics.ts';
import { HANDOVER_METRICS } from './handover-metrics.ts';
import { HEALTH_METRICS } from './health-metrics.ts';
import { gauge, type MetricKind, type SharedMetric } from './shared-metric.ts';
import { STATEMENT_METRICS } from './statement-metrics.ts';
import { WORKER_METRICS, type WorkerMetric } from './worker-metrics.ts';

const PROCESS_METRICS: readonly SharedMetric[] = [
  {
    name: 'sluice_spans_total',
    help: 'Spans of traces: taken by the receiver, and lost because it did not or because too many were waiting',
    kind: 'counter',
    labelNames: ['outcome'],
    samples: ({ spans }) => [
      { labels: { outcome: 'sent' }, value: spans.sent },
      { labels: { outcome: 'lost' }, value: spans.lost },
    ],
  },
  {
    name: 'sluice_operations_total',
    help: 'Changes of the primary, and of who follows it, by how they ended',
    kind: 'counter',
    labelNames: ['operation', 'outcome'],
    samples: ({ operations }) =>
      operations.counts.map(({ operation, outcome, count }) => ({
        labels: { operation, outcome },
        value: count,
      })),
  },
  gauge(
    'sluice_operation_last_pause_milliseconds',
    'For which the last change of the primary has held writes',
    (all) => all.operations.lastPauseMs,
  ),
  gauge('sluice_frontend_connections', 'Client connections now', (all) => all.frontendConnections),
  gauge(
    'sluice_frontend_connections_limit',
    'Most client connections allowed (limits.maxConnections)',
    (all) => all.maxFrontendConnections,
  ),
  gauge(
    'sluice_snapshot_version',
    'Version of the topology and settings that the control plane has published',
    (all) => all.snapshotVersion,
  ),
  gauge(
    'sluice_workers_running',
    'Worker threads that run now',
    (all) => all.workers.filter(({ running }) => running).length,
  ),
  {
    name: 'sluice_worker_restarts_total',
    help: 'Restarts of a crashed worker thread',
    kind: 'counter',
    labelNames: ['worker'],
    samples: ({ workers }) =>
      workers.map(({ index, restarts }) => ({ labels: { worker: String(index) }, value: restarts })),
  },
];

function workerMetrics(): SharedMetric[] {
  const byName = Map.groupBy(
    Object.entries(WORKER_METRICS) as [WorkerCounterName, WorkerMetric][],
    ([, { name }]) => name,
  );
  return [...byName.values()].map((entries) => {
    const { name, help, kind, labels } = entries[0]![1];
    return {
      name,
      help,
      kind,
      labelNames: ['worker', ...Object.keys(labels ?? {})],
      samples: ({ workers }) =>
        workers.flatMap(({ index, counters }) =>
          entries.map(([counter, metric]) => ({
            labels: { worker: String(index), ...metric.labels },
            value: counters[counter],
          })),
        ),
    };
  });
}

/** One series for each reason there is. */
const REASON_METRICS: readonly SharedMetric[] = [
  {
    name: 'sluice_routed_total',
    help: 'Statements by target (`held`: the connection that the session has; `sluice`: answered without a server) and reason',
    kind: 'counter',
    labelNames: ['worker', 'target', 'reason'],
    samples: ({ workers }) =>
      workers.flatMap(({ index, routes }) =>
        routes.map(({ target, reason, statements }) => ({
          labels: { worker: String(index), target, reason },
          value: statements,
        })),
      ),
  },
  pinMetric(
    'sluice_pins',
    'Sessions that are pinned for a reason now; one may be for several',
    'gauge',
    'now',
  ),
  pinMetric(
    'sluice_pins_started_total',
    'Times that a session was pinned for a reason',
    'counter',
    'started',
  ),
];

function pinMetric(name: string, help: string, kind: MetricKind, field: 'now' | 'started'): SharedMetric {
  return {
    name,
    help,
    kind,
    labelNames: ['worker', 'reason'],
    samples: ({ workers }) =>
      workers.flatMap(({ index, pins }) =>
        pins.map((pin) => ({ labels: { worker: String(index), reason: pin.reason }, value: pin[field] })),
      ),
  };
}

function serverMetric(
  name: string,
  help: string,
  kind: MetricKind,
  read: (server: ServerCounters) => number,
): SharedMetric {
  return {
    name,
    help,
    kind,
    labelNames: ['server'],
    samples: ({ servers }) =>
      servers.map((server) => ({ labels: { server: server.address }, value: read(server) })),
  };
}

/** One series for each value that the state can have: 1 for the present one, 0 for the others. */
function serverState(
  name: string,
  help: string,
  label: string,
  values: readonly string[],
  read: (server: ServerCounters) => string,
): SharedMetric {
  return {
    name,
    help,
    kind: 'gauge',
    labelNames: ['server', 'hostgroup', label],
    samples: ({ servers }) =>
      servers.flatMap((server) =>
        values.map((value) => ({
          labels: { server: server.address, hostgroup: String(server.hostgroup), [label]: value },
          value: read(server) === value ? 1 : 0,
        })),
      ),
  };
}

const SERVER_METRICS: readonly SharedMetric[] = [
  serverState(
    'sluice_server_status',
    'Status of a server: 1 at the present one',
    'status',
    Object.values(ServerStatus),
    ({ status }) => status,
  ),
  serverState(
    'sluice_server_role',
    'Measured role of a server: 1 at the present one',
    'role',
    Object.values(ServerRole),
    ({ role }) => role,
  ),
  {
    name: 'sluice_server_lag_seconds',
    help: 'How far a replica is behind the primary, and how that was measured; absent while it is not known',
    kind: 'gauge',
    labelNames: ['server', 'source'],
    samples: ({ servers }) =>
      servers.flatMap(({ address, lagMs, lagSource }) =>
        lagMs === null ? [] : [{ labels: { server: address, source: lagSource ?? '' }, value: lagMs / 1000 }],
      ),
  },
  {
    name: 'sluice_hostgroup_weight',
    help: 'Weight of a server in a hostgroup as it counts now: 0 while it is not fit, less than its own after it has come back',
    kind: 'gauge',
    labelNames: ['hostgroup', 'server', 'policy'],
    samples: ({ hostgroups }) =>
      hostgroups
        .filter(({ kind }) => kind !== HostgroupKind.writer)
        .flatMap(({ id, policy, members }) =>
          members.map(({ address, verdict, weight, warming }) => ({
            labels: { hostgroup: String(id), server: address, policy },
            value: verdict === MemberVerdict.fit ? weight * rampOf(warming, Date.now()) : 0,
          })),
        ),
  },
  serverMetric(
    'sluice_server_connections',
    'Connections to a server now',
    'gauge',
    (each) => each.connections,
  ),
  serverMetric(
    'sluice_server_connections_in_use',
    'Connections to a server that execute a statement or are bound to a session now',
    'gauge',
    (each) => each.inUse,
  ),
  serverMetric(
    'sluice_server_connections_limit',
    'Most connections allowed to a server: its own limit, or pool.maxConnections',
    'gauge',
    (each) => each.connectionsLimit,
  ),
  serverMetric(
    'sluice_server_queries_total',
    'Statements sent to a server',
    'counter',
    (each) => each.queries,
  ),
  serverMetric(
    'sluice_server_sent_bytes_total',
    'Bytes sent to a server',
    'counter',
    (each) => each.bytesSent,
  ),
  serverMetric(
    'sluice_server_received_bytes_total',
    'Bytes received from a server',
    'counter',
    (each) => each.bytesReceived,
  ),
  serverMetric(
    'sluice_server_connects_total',
    'Connections opened to a server',
    'counter',
    (each) => each.connects,
  ),
  serverMetric(
    'sluice_server_connect_errors_total',
    'Connections to a server that could not be opened',
    'counter',
    (each) => each.connectErrors,
  ),
];

export const SHARED_METRICS: readonly SharedMetric[] = [
  ...PROCESS_METRICS,
  ...workerMetrics(),
  ...REASON_METRICS,
  ...SERVER_METRICS,
  ...HEALTH_METRICS,
  ...FOLLOWER_METRICS,
  ...HANDOVER_METRICS,
  ...STATEMENT_METRICS,
];

function register(metric: SharedMetric, registry: Registry, read: () => CounterSnapshot): void {
  const { name, help, labelNames } = metric;
  const options = { name, help, labelNames: [...labelNames], registers: [registry] };
  if (metric.kind === 'gauge') {
    new Gauge({
      ...options,
      collect() {
        this.reset();
        for (const { labels, value } of metric.samples(read())) this.set(labels, value);
      },
    });
    return;
  }
  new Counter({
    ...options,
    collect() {
      // The shared counters hold the totals already.
      this.reset();
      for (const { labels, value } of metric.samples(read())) this.inc(labels, value);
    },
  });
}

/** @param read is called once for each metric of a scrape: it should hand out the same copy for a moment */
export function registerMetrics(
  metrics: readonly SharedMetric[],
  registry: Registry,
  read: () => CounterSnapshot,
): void {
  for (const metric of metrics) register(metric, registry, read);
}
