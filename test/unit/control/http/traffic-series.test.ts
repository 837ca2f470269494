import t from 'tap';
import { TrafficSeries } from '../../../../src/control/http/traffic/traffic-series.ts';
import type { CounterSnapshot } from '../../../../src/control/metrics/counter-snapshot.ts';
import { FakeAdminState, PRIMARY } from '../admin/fake-admin-state.ts';

const BASE = new FakeAdminState().counters();

/** Every worker has received `questions` in all, the server `queries`. */
function counters(questions: number, queries = 0): CounterSnapshot {
  return {
    ...BASE,
    frontendConnections: questions,
    workers: BASE.workers.map((worker) => ({ ...worker, counters: { ...worker.counters, questions } })),
    servers: BASE.servers.map((server) => ({ ...server, queries })),
  };
}

t.test('rates between two looks, over all workers', async (t) => {
  const series = new TrafficSeries();
  series.sample(1000, counters(100, 10));
  t.strictSame(series.last().timesMs, [], 'one look tells no rate');
  t.equal(series.serverRate(PRIMARY), null);
  series.sample(3000, counters(150, 40));
  const { timesMs, columns } = series.last();
  t.strictSame(timesMs, [3000]);
  t.strictSame(columns.statements, [50], 'two workers, two seconds');
  t.strictSame(columns.clients, [150], 'a gauge is as it is');
  t.strictSame(columns.serverConnections, [9]);
  t.strictSame(columns.p99, [null], 'not known');
  t.equal(series.serverRate(PRIMARY), 15);
  t.equal(series.serverRate('elsewhere:1'), null);
});

t.test('no rate over a pause, or a clock that goes back', async (t) => {
  const series = new TrafficSeries();
  series.sample(1000, counters(1));
  series.sample(60_000, counters(1000));
  series.sample(50_000, counters(1001));
  t.strictSame(series.last().timesMs, []);
  series.sample(51_000, counters(1003));
  t.strictSame(series.last().columns.statements, [4]);
});

t.test('the last quarter of an hour, oldest first', async (t) => {
  const series = new TrafficSeries();
  for (let second = 0; second <= 1000; second++) series.sample(second * 1000, counters(second * second));
  const { timesMs, columns } = series.last();
  t.equal(timesMs.length, 900);
  t.equal(timesMs[0], 101_000);
  t.equal(timesMs.at(-1), 1_000_000);
  t.equal(columns.statements?.[0], 2 * (101 ** 2 - 100 ** 2));
  t.strictSame(series.last(2).timesMs, [999_000, 1_000_000]);
});
