/** The history of the counters, in the real store. */

import t from 'tap';
import { RootLogger } from '../../../src/common/logger.ts';
import { SharedCounters, WorkerCounter } from '../../../src/common/shared-counters.ts';
import { SharedStatistics, StatementSort } from '../../../src/common/shared-statistics.ts';
import type { Snapshot } from '../../../src/common/snapshot.ts';
import { digestRow } from '../../../src/control/admin/virtual-tables/stats-query-digest.ts';
import { takeCounterSnapshot } from '../../../src/control/metrics/counter-snapshot.ts';
import { CheckLog } from '../../../src/control/statistics/check-log.ts';
import { StatisticsHistory } from '../../../src/control/statistics/history.ts';
import type { DigestRow } from '../../../src/control/statistics/merge-digests.ts';
import { saveDigests } from '../../../src/control/statistics/save-digests.ts';
import { SqliteStore } from '../../../src/control/store/sqlite-store.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';

const HOUR = 3600;
const DAY = 86_400;
/** The beginning of a day. */
const START = 20_000 * DAY;
const SNAPSHOT = {
  version: 3,
  servers: [],
  hostgroups: [],
  settings: { limits: { maxConnections: 10 }, pool: { maxConnections: 10 } },
} as unknown as Snapshot;

const dataDir = makeTemporaryDirectory('history');
const CONTEXT = { version: '1.0.0', database: 'main', user: 'admin@localhost', connectionId: 1 };
const logger = new RootLogger(
  'silent',
  () => undefined,
  () => undefined,
);
const store = new SqliteStore({ dataDir, logger, seed: () => [], fill: () => [] });
const counters = new SharedCounters();
const statistics = new SharedStatistics(1);
let seconds = START;
const history = new StatisticsHistory({
  store,
  counters: () =>
    takeCounterSnapshot({
      counters,
      statistics,
      checks: new CheckLog(),
      workers: [{ index: 0, running: true, restarts: 0 }],
      snapshot: SNAPSHOT,
      lagOf: () => null,
    }),
  pools: () => [[1, '10.0.0.2', 3306, 'ONLINE', 1, 2, 3, 0, 4, 500, 0, 10, 20, 300]],
  settings: () => ({ historyIntervalMs: 60_000, historyDays: 7 }),
  logger,
  now: () => seconds * 1000,
});
t.teardown(async () => {
  await history.stop();
  await store.close();
  removeTemporaryDirectory(dataDir);
});

async function rows(sql: string): Promise<readonly (readonly unknown[])[]> {
  const { rows: found } = await store.execute({ sql, role: 'stats', context: CONTEXT });
  return [...found].map((row) => row.map((value) => (typeof value === 'bigint' ? Number(value) : value)));
}

async function at(moment: number, questions: number): Promise<void> {
  seconds = moment;
  counters.worker(0).set(WorkerCounter.questions, questions);
  await history.record();
}

t.test('rows of the moment, of hours and of days', async (t) => {
  await at(START + 60, 10);
  await at(START + 120, 25);
  await at(START + HOUR + 5, 40);
  const questions = 'SELECT timestamp, Questions FROM stats_history';
  t.strictSame(await rows(`${questions}.mysql_connections ORDER BY timestamp`), [
    [START + 60, 10],
    [START + 120, 25],
    [START + HOUR + 5, 40],
  ]);
  t.strictSame(await rows(`${questions}.mysql_connections_hour ORDER BY timestamp`), [
    [START, 25],
    [START + HOUR, 40],
  ]);
  t.strictSame(await rows(`${questions}.mysql_connections_day`), [[START, 40]]);
});

t.test('variables are kept when they change', async (t) => {
  const changes = `SELECT timestamp, variable_value FROM stats_history.history_mysql_status_variables
    JOIN stats_history.history_mysql_status_variables_lookup USING (variable_id) WHERE variable_name = `;
  t.strictSame(await rows(`${changes}'Questions' ORDER BY timestamp`), [
    [START + 60, '10'],
    [START + 120, '25'],
    [START + HOUR + 5, '40'],
  ]);
  t.equal((await rows(`${changes}'Mirror_concurrency'`)).length, 1);
});

t.test('pools', async (t) => {
  t.strictSame(await rows('SELECT * FROM stats_history.history_stats_mysql_connection_pool LIMIT 1'), [
    [START + 60, 1, '10.0.0.2', 3306, 'ONLINE', 1, 2, 3, 0, 4, 500, 0, 10, 20, 300],
  ]);
});

t.test('digests that are saved', async (t) => {
  const digest: DigestRow = {
    hostgroup: 1,
    schema: 'shop',
    username: 'app',
    clientAddress: '',
    digest: '0x0123456789ABCDEF',
    digestText: 'SELECT "x\\y" FROM t WHERE a = ?',
    count: 12,
    countError: 0,
    firstSeen: START,
    lastSeen: START + 9,
    sumMicros: 4000,
    minMicros: 100,
    maxMicros: 900,
    waitMicros: 0,
    rowsAffected: 0,
    rowsSent: 12,
    bytes: 700,
    errors: 0,
    p50Micros: 300,
    p95Micros: 800,
    p99Micros: 900,
    target: 'replica',
    reason: 'proven-read',
  };
  const many = Array.from({ length: 1200 }, (_, index) => ({ ...digest, digest: `0x${index}` }));
  await saveDigests(store, [digest, ...many].map(digestRow), START + DAY);
  t.strictSame(
    await rows(`SELECT * FROM stats_history.history_mysql_query_digest WHERE digest = '${digest.digest}'`),
    [[START + DAY, ...digestRow(digest)]],
  );
  t.strictSame(await rows('SELECT COUNT(*) FROM stats_history.history_mysql_query_digest'), [[1201]]);
});

t.test('what is old goes', async (t) => {
  statistics.worker(0).addStatement(0, 1, StatementSort.read, 100);
  await at(START + 8 * DAY + HOUR, 50);
  t.strictSame(await rows('SELECT timestamp FROM stats_history.mysql_connections'), [
    [START + 8 * DAY + HOUR],
  ]);
  t.equal((await rows('SELECT * FROM stats_history.mysql_connections_hour')).length, 3);
  t.equal((await rows('SELECT * FROM stats_history.history_mysql_query_digest')).length, 0);
  t.equal((await rows('SELECT * FROM stats_history.history_stats_mysql_connection_pool')).length, 1);
});
