/** Replicas that their source does not name, names wrongly, or does not know because they hang further down. */

import t from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { REPLICATION_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { MonitorUnderTest } from './monitor-under-test.ts';

t.setTimeout(400_000);

for (const flavor of Object.values(ServerFlavor)) {
  for (const [title, reportHost] of [
    ['without a name', ''],
    ['with a name that leads nowhere', 'replica.invalid'],
  ] as const) {
    t.test(`${flavor}: replicas ${title} are found by where they come from`, async (t) => {
      const set = await new ReplicationSet({ flavor, args: [`--report-host=${reportHost}`] }).start();
      t.teardown(() => set.dispose());
      const subject = new MonitorUnderTest([set.primary]);
      t.teardown(() => subject.monitor.stop());
      await subject.monitor.start();
      const { topology } = subject.monitor;
      t.equal(topology.servers.length, 3);
      const ports = topology.servers.filter(({ role }) => role === 'replica').map(({ port }) => port);
      t.strictSame(ports.sort(), set.replicas.map(({ port }) => port).sort());
      t.equal(topology.primary, set.primary.address);
      const rejected = subject.events.filter(({ kind }) => kind === 'discovery-rejected');
      t.equal(rejected.length, reportHost === '' ? 0 : 2, 'each wrong name is said once');
      await subject.monitor.stop();
    });
  }

  t.test(`${flavor}: a replica of a replica, whichever of the three is the seed`, async (t) => {
    const set = await new ReplicationSet({ flavor }).start();
    t.teardown(() => set.dispose());
    const [middle, leaf] = [set.replicas[0]!, set.replicas[1]!];
    await set.replicateFrom(leaf, middle);
    for (const seed of set.servers) {
      const subject = new MonitorUnderTest([seed]);
      t.teardown(() => subject.monitor.stop());
      await subject.monitor.start();
      await waitUntil('all three are known', () => subject.monitor.topology.servers.length === 3);
      t.equal(subject.monitor.topology.primary, set.primary.address, seed.name);
      t.match(subject.find(leaf), { role: 'replica', source: middle.address, replicationRunning: true });
      t.match(subject.find(middle), { role: 'replica', source: set.primary.address });
      await subject.monitor.stop();
    }
  });

  t.test(`${flavor}: a dual-primary pair has one primary, and follows when it is turned round`, async (t) => {
    const set = await new ReplicationSet({ flavor, replicas: 1 }).start();
    t.teardown(() => set.dispose());
    const { primary } = set;
    const other = set.replicas[0]!;
    await set.replicateFrom(primary, other);
    await primary.query('SET GLOBAL read_only=0');
    const subject = new MonitorUnderTest([other]);
    t.teardown(() => subject.monitor.stop());
    await subject.monitor.start();
    t.equal(subject.monitor.topology.primary, primary.address);
    t.match(subject.find(other), { role: 'replica', replicationRunning: true });
    t.match(subject.find(primary), { role: 'primary', source: other.address });
    await primary.query('SET GLOBAL read_only=1');
    await subject.seePrimary(null);
    await other.query('SET GLOBAL read_only=0');
    await subject.seePrimary(other);
    await subject.see(primary, { role: 'replica', replicationRunning: true });
    await primary.query('SET GLOBAL read_only=0');
    await subject.see(primary, { readOnly: false });
    t.equal(subject.monitor.topology.primary, other.address, 'both writable: the known one stays');
    t.match(subject.find(primary), { role: 'replica' });
    await subject.monitor.stop();
  });
}

t.test('mariadb: of several sources, the one that is ours counts', async (t) => {
  const set = await new ReplicationSet({ replicas: 1 }).start();
  t.teardown(() => set.dispose());
  const elsewhere = await new ReplicationSet({ replicas: 0 }).start();
  t.teardown(() => elsewhere.dispose());
  const replica = set.replicas[0]!;
  await elsewhere.primary.query('SET GLOBAL gtid_domain_id=7');
  await elsewhere.primary.query('SET GLOBAL server_id=77');
  await replica.query(
    `CHANGE MASTER 'other' TO MASTER_HOST='127.0.0.1', MASTER_PORT=${elsewhere.primary.port}, ` +
      `MASTER_USER='${REPLICATION_ACCOUNT.username}', MASTER_PASSWORD='${REPLICATION_ACCOUNT.password}'`,
  );
  const both = new MonitorUnderTest([set.primary, replica], { discovery: false });
  t.teardown(() => both.monitor.stop());
  await both.monitor.start();
  t.match(
    both.find(replica),
    { role: 'replica', replicationRunning: false },
    'one channel was never started',
  );
  t.equal(both.monitor.topology.primary, set.primary.address);
  await replica.query("RESET SLAVE 'other' ALL");
  await both.see(replica, { role: 'replica', replicationRunning: true, source: set.primary.address });
  await both.monitor.stop();
});
