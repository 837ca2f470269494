/** Who writes heartbeats: one of several Sluices, and nobody on a server that is read-only. */

import { once } from 'node:events';
import t from 'tap';
import { writerOf } from '../../../src/control/monitor/heartbeat/heartbeat-timestamp.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { MonitorUnderTest } from './monitor-under-test.ts';

t.setTimeout(400_000);

const set = new ReplicationSet({ replicas: 1 });
t.before(() => set.start());
t.teardown(() => set.dispose());

const heartbeat = async (): Promise<string> =>
  (await set.primary.queryValue('SELECT ts FROM sluice.heartbeat')) ?? '';

async function watch(settings = {}): Promise<MonitorUnderTest> {
  const subject = new MonitorUnderTest(set.servers, settings);
  t.teardown(() => subject.monitor.stop());
  await subject.monitor.start();
  return subject;
}

/** The writer of so many heartbeats in a row. */
async function onlyWriter(count: number): Promise<number> {
  const seen: string[] = [];
  await waitUntil(
    `${count} heartbeats in a row are of one writer`,
    async () => {
      const ts = await heartbeat();
      if (ts === seen.at(-1)) return false;
      if (seen.length > 0 && writerOf(ts) !== writerOf(seen[0]!)) seen.length = 0;
      seen.push(ts);
      return seen.length >= count;
    },
    { timeoutMs: 30_000, intervalMs: 10 },
  );
  return writerOf(seen[0]!);
}

t.test('of two Sluices one writes, and the other one when it has gone', async (t) => {
  const one = await watch();
  await one.seeHeartbeats();
  const first = await onlyWriter(3);
  const other = await watch();
  const chosen = await onlyWriter(12);
  for (const subject of [one, other])
    await subject.see(set.replicas[0]!, { lagSource: 'heartbeat', replicationRunning: true });
  t.ok(chosen <= first, 'the one with the lower number');
  const [gone, left] = chosen === first ? [one, other] : [other, one];
  await gone.monitor.stop();
  const last = await heartbeat();
  await waitUntil('the other one writes', async () => (await heartbeat()) !== last);
  await left.monitor.stop();
});

t.test('nothing is written on a server that is read-only, whatever the account may', async (t) => {
  // It does not learn of it.
  const subject = await watch({ intervalMs: 60_000, connectIntervalMs: 60_000, discovery: false });
  await subject.seeHeartbeats();
  await set.primary.query('SET GLOBAL read_only=1');
  await once(subject.monitor, 'measured');
  const last = await heartbeat();
  for (let round = 0; round < 6; round++) await once(subject.monitor, 'measured');
  t.equal(await heartbeat(), last);
  await set.primary.query('SET GLOBAL read_only=0');
  await waitUntil('they go on', async () => (await heartbeat()) !== last);
  await subject.monitor.stop();
});

t.test('none is written while the primary is being changed', async (t) => {
  const subject = await watch();
  await subject.seeHeartbeats();
  await subject.monitor.pauseHeartbeat();
  const last = await heartbeat();
  for (let round = 0; round < 6; round++) await once(subject.monitor, 'measured');
  t.equal(await heartbeat(), last);
  subject.monitor.resumeHeartbeat();
  await waitUntil('they go on', async () => (await heartbeat()) !== last);
  await subject.monitor.stop();
});
