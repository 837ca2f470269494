import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  Gauge,
  ServerCounter,
  SharedCounters,
  WorkerCounter,
} from '../../../../src/common/shared-counters.ts';
import { SharedStatistics, StatementSort } from '../../../../src/common/shared-statistics.ts';
import type { Snapshot, SnapshotServer } from '../../../../src/common/snapshot.ts';
import {
  type CounterSnapshot,
  takeCounterSnapshot,
} from '../../../../src/control/metrics/counter-snapshot.ts';
import { renderMetrics } from '../../../../src/control/metrics/generate-readme.ts';
import type { HealthNumbers } from '../../../../src/control/metrics/health-metrics.ts';
import { PROXYSQL_METRICS } from '../../../../src/control/metrics/proxysql-metrics.ts';
import { createMetricsRegistry } from '../../../../src/control/metrics/registry.ts';
import { SHARED_METRICS } from '../../../../src/control/metrics/shared-metrics.ts';
import { DURATION_METRIC, MOST_DURATION_SERIES } from '../../../../src/control/metrics/statement-metrics.ts';
import { CheckLog } from '../../../../src/control/statistics/check-log.ts';
import { parsePrometheusText } from '../../../support/prometheus-text.ts';

function server(address: string, slot: number, role: 'primary' | 'replica'): SnapshotServer {
  return {
    address,
    slot,
    role,
    hostgroup: slot,
    status: 'ONLINE',
    maxConnections: 100,
  } as SnapshotServer;
}

const POOL = {
  id: 1,
  kind: 'reader',
  pair: null,
  multiplex: true,
  policy: 'least-connections',
  hashKey: 'statement',
  members: [
    { address: 'db2:3306', weight: 1, status: 'ONLINE', verdict: 'lagging', zone: '', warming: null },
  ],
} as const;

const SNAPSHOT = {
  version: 7,
  servers: [server('db1:3306', 0, 'primary'), server('db2:3306', 1, 'replica')],
  hostgroups: [POOL],
  settings: { limits: { maxConnections: 10_000 }, pool: { maxConnections: 60 } },
} as unknown as Snapshot;

const HEALTH: HealthNumbers = {
  isReady: true,
  failoverObstacles: ['no-candidate'],
  writesInDoubt: 2,
  certificates: [{ setting: 'tls.certificate', endsAtMs: 1_800_000_000_000 }],
  isFileRefused: true,
  sizes: new Map([
    ['workers', 2],
    ['cache.maxBytes', 1_048_576],
  ]),
  memoryLimitBytes: 268_435_456,
  workerHeapBytes: null,
};

const WORKERS = [
  { index: 0, running: true, restarts: 0 },
  { index: 1, running: false, restarts: 2 },
];

function take(counters: SharedCounters, statistics = new SharedStatistics(2)): CounterSnapshot {
  return takeCounterSnapshot({
    counters,
    statistics,
    checks: new CheckLog(),
    workers: WORKERS,
    snapshot: SNAPSHOT,
    lagOf: (address) =>
      address === 'db2:3306'
        ? { lagMs: 1500, lagSource: 'heartbeat', replicationRunning: true, source: 'db1:3306' }
        : null,
    health: HEALTH,
  });
}

function page(counters: SharedCounters): Promise<string> {
  return createMetricsRegistry('1.2.3', () => take(counters)).render();
}

t.test('every series is there from the start, at 0', async (t) => {
  const text = await page(new SharedCounters());
  for (const { name, help, kind } of SHARED_METRICS) {
    t.match(name, /^sluice_[a-z_]+$/, name);
    t.equal(kind === 'counter', name.endsWith('_total'), `${name} is named for its kind`);
    t.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`), name);
    t.match(text, new RegExp(`^${name}(\\{[^}]*\\})? `, 'm'), `${name} has a series`);
  }
  t.match(text, /^sluice_questions_total\{worker="1"\} 0$/m);
  t.match(text, /^sluice_routed_statements_total\{worker="0",route="read_on_replica"\} 0$/m);
  t.match(text, /^sluice_server_queries_total\{server="db2:3306"\} 0$/m);
  t.match(text, /^sluice_hostgroup_weight\{hostgroup="1",server="db2:3306",policy="least-connections"\} 0$/m);
});

t.test('before there are workers', async (t) => {
  const counters = new SharedCounters();
  const none = takeCounterSnapshot({
    counters,
    statistics: new SharedStatistics(2),
    checks: new CheckLog(),
    workers: [],
    snapshot: SNAPSHOT,
    lagOf: () => null,
  });
  const families = parsePrometheusText(await createMetricsRegistry('1', () => none).render());
  t.ok(families.some(({ name }) => name === 'sluice_statements_total'));
});

t.test('the names of metrics are all different', async (t) => {
  const names = SHARED_METRICS.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
});

t.test('counters of all workers are shown, summed for a server', async (t) => {
  const counters = new SharedCounters();
  counters.worker(0).add(WorkerCounter.questions, 5);
  counters.worker(1).add(WorkerCounter.questions, 6);
  counters.worker(0).add(WorkerCounter.writes, 2);
  counters.worker(0).addServer(1, ServerCounter.queries, 3);
  counters.worker(1).addServer(1, ServerCounter.queries, 4);
  counters.addGauge(Gauge.frontendConnections, 9);
  const text = await page(counters);
  t.match(text, /^sluice_questions_total\{worker="0"\} 5$/m);
  t.match(text, /^sluice_questions_total\{worker="1"\} 6$/m);
  t.match(text, /^sluice_routed_statements_total\{worker="0",route="write"\} 2$/m);
  t.match(text, /^sluice_server_queries_total\{server="db2:3306"\} 7$/m);
  t.match(text, /^sluice_frontend_connections 9$/m);
  t.match(text, /^sluice_workers_running 1$/m);
  t.match(text, /^sluice_worker_restarts_total\{worker="1"\} 2$/m);
  t.match(text, /^sluice_snapshot_version 7$/m);
});

t.test('what alerts go by', async (t) => {
  const text = await page(new SharedCounters());
  for (const line of [
    'sluice_server_connections_limit{server="db2:3306"} 60',
    'sluice_ready 1',
    'sluice_writes_in_doubt 2',
    'sluice_failover_obstacle{obstacle="no-candidate"} 1',
    'sluice_failover_obstacle{obstacle="not-automatic"} 0',
    'sluice_hostgroup_members{hostgroup="1",kind="reader",verdict="lagging"} 1',
    'sluice_hostgroup_members{hostgroup="1",kind="reader",verdict="fit"} 0',
    'sluice_server_replication_running{server="db2:3306"} 1',
    'sluice_configuration_refused 1',
    'sluice_size{setting="workers"} 2',
    'sluice_size{setting="cache.maxBytes"} 1048576',
    'sluice_memory_limit_bytes 268435456',
    'sluice_certificate_expiry_timestamp_seconds{setting="tls.certificate"} 1800000000',
    'sluice_operation_last_timestamp_seconds{operation="failover"} 0',
  ])
    t.ok(text.includes(`\n${line}\n`), line);
  t.notMatch(text, /sluice_server_replication_running\{server="db1/, 'who replicates from nobody');
});

t.test('a second scrape does not count twice', async (t) => {
  const counters = new SharedCounters();
  counters.worker(0).add(WorkerCounter.questions, 5);
  const registry = createMetricsRegistry('1.2.3', () => take(counters));
  await registry.render();
  counters.worker(0).add(WorkerCounter.questions, 1);
  t.match(await registry.render(), /^sluice_questions_total\{worker="0"\} 6$/m);
});

t.test('states are one series for each value, and unknown lag is absent', async (t) => {
  const text = await page(new SharedCounters());
  t.match(text, /^sluice_server_role\{server="db1:3306",hostgroup="0",role="primary"\} 1$/m);
  t.match(text, /^sluice_server_role\{server="db1:3306",hostgroup="0",role="replica"\} 0$/m);
  t.match(text, /^sluice_server_status\{server="db2:3306",hostgroup="1",status="SHUNNED"\} 0$/m);
  t.match(text, /^sluice_server_lag_seconds\{server="db2:3306",source="heartbeat"\} 1\.5$/m);
  t.notMatch(text, /sluice_server_lag_seconds\{server="db1/);
  t.match(text, /^sluice_build_info\{version="1\.2\.3",node="/m);
});

t.test('README.md lists every metric, and is fresh (npm run generate)', async (t) => {
  const readme = readFileSync(new URL('../../../../src/control/metrics/README.md', import.meta.url), 'utf8');
  t.equal(readme, renderMetrics());
  for (const { name } of SHARED_METRICS) t.ok(readme.includes(`| \`${name}\` |`), name);
});

t.test('a page of everything is what a strict parser accepts, and bounded', async (t) => {
  const statistics = new SharedStatistics(2);
  for (let hostgroup = 0; hostgroup < 100; hostgroup++)
    for (const worker of [0, 1]) {
      statistics.worker(worker).addStatement(43, hostgroup, StatementSort.read, 100 * hostgroup);
      statistics.worker(worker).addStatement(50, hostgroup, StatementSort.write, 2_000_000_000);
    }
  const snapshot = { ...take(new SharedCounters(), statistics), hostgroups: [POOL] };
  const families = parsePrometheusText(await createMetricsRegistry('1.2.3', () => snapshot).render());
  const known = new Map(families.map((family) => [family.name, family]));
  for (const { name, kind, help } of [...SHARED_METRICS, ...PROXYSQL_METRICS]) {
    const family = known.get(name);
    t.strictSame([family?.type, family?.help], [kind, help], name);
    t.ok(family!.samples.length > 0, `${name} has a series`);
    t.equal(kind === 'counter', name.endsWith('_total'), `${name} is named for its kind`);
  }
  const durations = known.get(DURATION_METRIC.name)!;
  t.equal(durations.type, 'histogram');
  t.ok(durations.samples.length <= MOST_DURATION_SERIES, `${durations.samples.length} series`);
  const counts = durations.samples.filter(({ name }) => name.endsWith('_count'));
  t.equal(
    counts.reduce((sum, { value }) => sum + value, 0),
    400,
    'the hostgroups that have no place of their own are in the last one',
  );
  const status = known.get('proxysql_connpool_conns_status')!.samples;
  t.strictSame(
    status.map(({ labels, value }) => [...labels, value]),
    [[['hostgroup', '1'], ['endpoint', 'db2:3306'], 5]],
  );
});

t.test('a bucket holds what is not above its border', async (t) => {
  const statistics = new SharedStatistics(2);
  for (const micros of [0, 127, 128, 255, 256, 5000])
    statistics.worker(0).addStatement(0, 7, StatementSort.read, micros);
  const families = parsePrometheusText(
    await createMetricsRegistry('1', () => take(new SharedCounters(), statistics)).render(),
  );
  const buckets = families.find(({ name }) => name === DURATION_METRIC.name)!.samples;
  const of = (le: string): number | undefined => buckets.find(({ labels }) => labels.get('le') === le)?.value;
  t.strictSame([of('0.000128'), of('0.000256'), of('0.000512'), of('0.008192')], [2, 4, 5, 6]);
});

t.test('every name of ProxySQL is there once', async (t) => {
  const names = PROXYSQL_METRICS.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  t.ok(names.every((name) => /^proxysql_[a-z0-9_]+$/.test(name)));
});
