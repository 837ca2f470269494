/** A primary that others move is followed at once; of a pair whose halves replicate from each other, one writes. */

import t from 'tap';
import { CheckName } from '../../../src/topology/server-probe.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { MonitorUnderTest } from './monitor-under-test.ts';

t.setTimeout(400_000);

const set = new ReplicationSet();
const { primary } = set;
const [first, second] = [set.replicas[0]!, set.replicas[1]!];
t.before(() => set.start());
t.teardown(() => set.dispose());

async function watch(): Promise<MonitorUnderTest> {
  // The period of a server by default.
  const subject = new MonitorUnderTest([primary], { intervalMs: 1000 });
  t.teardown(() => subject.monitor.stop());
  await subject.monitor.start();
  await subject.seePrimary(primary);
  await subject.seeHeartbeats();
  return subject;
}

/** How often a server had been asked since then, when the primary was another one. */
function checksUntilFollowed(
  subject: MonitorUnderTest,
  server: DatabaseServer,
  sinceMs: number,
  check: CheckName,
): number {
  const followed = subject.events.findLast(
    (event) => event.kind === 'primary-changed' && event.to === server.address,
  );
  return subject.monitor.checkLog
    .runs(check)
    .filter(({ address, startedAtMs }) => address === server.address && startedAtMs >= sinceMs)
    .filter(({ startedAtMs }) => startedAtMs <= (followed?.atMs ?? 0)).length;
}

t.test('an operator moves the primary: the next check of each kind is enough', async (t) => {
  const subject = await watch();
  await subject.see(second, { role: 'replica' });
  await primary.query('SET GLOBAL read_only=1');
  await subject.seePrimary(null);
  await set.waitForSync();
  await first.query('STOP SLAVE; RESET SLAVE ALL');
  await first.query('SET GLOBAL read_only=0');
  const movedAtMs = Date.now();
  await subject.seePrimary(first);
  for (const check of [CheckName.readOnly, CheckName.replication]) {
    const asked = checksUntilFollowed(subject, first, movedAtMs, check);
    t.ok(asked <= 1, `${check}: ${asked}`);
  }
  t.match(subject.events.filter(({ kind }) => kind === 'primary-changed').slice(-2), [
    { from: primary.address, to: null },
    { from: null, to: first.address, reason: 'measured' },
  ]);
  await waitUntil('heartbeats are written there', () =>
    subject.events.some(
      (event) => event.kind === 'heartbeat-changed' && event.address === first.address && event.ok,
    ),
  );

  await t.test('who replicates from the new one joins, who does not leaves', async (t) => {
    await set.replicateFrom(second, first);
    await set.replicateFrom(primary, first);
    for (const server of [second, primary])
      await subject.see(server, { role: 'replica', source: first.address, replicationRunning: true });
    await second.query('STOP SLAVE; RESET SLAVE ALL');
    await subject.see(second, { role: 'unknown', source: null });
    await set.replicateFrom(second, first);
    await subject.see(second, { role: 'replica', replicationRunning: true });
    t.equal(subject.monitor.topology.primary, first.address);
  });
  await subject.monitor.stop();
});

t.test('a pair whose halves replicate from each other', async (t) => {
  // `first` writes; what `primary` writes would come back to it.
  await set.replicateFrom(first, primary);
  await first.query('SET GLOBAL read_only=0');
  const subject = new MonitorUnderTest([first], { intervalMs: 1000 });
  t.teardown(() => subject.monitor.stop());
  await subject.monitor.start();
  await subject.seePrimary(first);
  await subject.see(primary, { role: 'replica', replicationRunning: true });
  await subject.see(first, { role: 'primary', source: primary.address });
  await subject.seeHeartbeats();

  await t.test('the other half takes over', async (t) => {
    await first.query('SET GLOBAL read_only=1');
    await subject.seePrimary(null);
    await primary.query('SET GLOBAL read_only=0');
    const movedAtMs = Date.now();
    await subject.seePrimary(primary);
    t.ok(checksUntilFollowed(subject, primary, movedAtMs, CheckName.readOnly) <= 1);
    await subject.see(first, { role: 'replica', source: primary.address, replicationRunning: true });
    await waitUntil('its lag is known', () => subject.find(first)?.lagMs !== null);
  });

  await t.test('both take writes: the known one keeps them, and an alarm is given', async (t) => {
    const from = subject.events.length;
    await first.query('SET GLOBAL read_only=0');
    const alarm = await waitUntil('the alarm', () =>
      subject.events.slice(from).find(({ kind }) => kind === 'two-primaries'),
    );
    t.match(alarm, { kept: primary.address, others: [first.address] });
    t.equal(subject.monitor.topology.primary, primary.address);
    t.not(subject.find(first)?.role, 'primary');
    t.ok(subject.log.some(({ level, message }) => level === 'error' && message === 'monitor: two-primaries'));
    const rows = Number(
      await primary.queryValue('SELECT COUNT(*) FROM sluice.heartbeat WHERE server_id = ?', [
        primary.serverId,
      ]),
    );
    t.equal(rows, 1, 'heartbeats go to the known one');
    await first.query('SET GLOBAL read_only=1');
    await waitUntil('its end', () =>
      subject.events.slice(from).find(({ kind }) => kind === 'two-primaries-resolved'),
    );
    t.notOk(
      subject.events.slice(from).some(({ kind }) => kind === 'primary-changed'),
      'writes never moved',
    );
  });
  await subject.monitor.stop();
});
