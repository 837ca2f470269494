import t from 'tap';
import { CheckLog, type CheckRun } from '../../../../src/control/statistics/check-log.ts';

function run(startedAtMs: number, error = ''): CheckRun {
  return {
    address: 'db:3306',
    host: 'db',
    port: 3306,
    startedAtMs,
    durationMicros: startedAtMs * 10,
    error,
    readOnly: null,
    lagMs: null,
  };
}

t.test('the last runs, oldest first, and counts of all', async (t) => {
  const log = new CheckLog(3);
  for (const at of [1, 2]) log.add('ping', run(at));
  t.strictSame(
    log.runs('ping').map(({ startedAtMs }) => startedAtMs),
    [1, 2],
  );
  for (const at of [3, 4, 5]) log.add('ping', run(at, 'refused'));
  t.strictSame(
    log.runs('ping').map(({ startedAtMs }) => startedAtMs),
    [3, 4, 5],
  );
  t.strictSame(log.counts('ping'), { succeeded: 2, failed: 3 });
  t.strictSame(log.counts('connect'), { succeeded: 0, failed: 0 });
  t.strictSame(log.runs('connect'), []);
});

t.test('the latency is that of the last ping that went well', async (t) => {
  const log = new CheckLog();
  t.equal(log.latencyMicros('db:3306'), null);
  log.add('ping', run(7));
  log.add('connect', run(9));
  log.add('ping', run(8, 'refused'));
  t.equal(log.latencyMicros('db:3306'), 70);
  log.forget('db:3306');
  t.equal(log.latencyMicros('db:3306'), null);
});
