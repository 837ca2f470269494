import t from 'tap';
import { ServerFlavor, WITHOUT_TLS } from '../../../src/topology/server-description.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { MonitorUnderTest } from './monitor-under-test.ts';

t.setTimeout(400_000);

/**
 * Nothing is written by these monitors. A replica of MySQL 5.7 that is killed in a CREATE TABLE keeps the half of it
 * (the .frm without the table), and stops at that statement for ever.
 */
const heartbeat = { table: null, write: false, intervalMs: 250 };

for (const flavor of Object.values(ServerFlavor)) {
  t.test(flavor, async (t) => {
    const set = await new ReplicationSet({ flavor }).start();
    t.teardown(() => set.dispose());
    const [first, second] = [set.replicas[0]!, set.replicas[1]!];

    async function startFrom(...seeds: typeof set.servers): Promise<MonitorUnderTest> {
      const subject = new MonitorUnderTest(seeds, { heartbeat });
      t.teardown(() => subject.monitor.stop());
      await subject.monitor.start();
      return subject;
    }

    for (const [title, seed] of [
      ['the primary', set.primary],
      ['a replica', first],
    ] as const) {
      await t.test(`from ${title} alone, complete when start() resolves`, async (t) => {
        const { monitor } = await startFrom(seed);
        t.equal(monitor.topology.primary, set.primary.address);
        t.equal(monitor.topology.servers.length, 3);
        for (const server of set.servers) {
          const found = monitor.topology.find(server.address);
          const isPrimary = server === set.primary;
          t.match(found, {
            address: server.address,
            status: 'ONLINE',
            statusReason: '',
            role: isPrimary ? 'primary' : 'replica',
            hostgroup: isPrimary ? 0 : 1,
            origin: server === seed ? 'seed' : 'discovered',
            flavor,
            readOnly: !isPrimary,
            serverId: server.serverId,
            source: isPrimary ? null : set.primary.address,
            replicationRunning: !isPrimary,
            sessionTracking: true,
          });
          t.not(found?.gtidExecuted, '');
          t.equal(found?.serverUuid !== null, flavor === ServerFlavor.mysql);
          t.match(
            found?.version,
            flavor === ServerFlavor.mysql ? /^5\.7\.29/ : /^(5\.5\.5-)?10\.11\.\d+-MariaDB/,
          );
          t.ok((found?.versionId ?? 0) >= (flavor === ServerFlavor.mysql ? 50_729 : 101_100));
        }
        // In whole seconds, as replicas say it: one that has just applied something may say 1 in that moment.
        for (const replica of set.replicas)
          await waitUntil('it has caught up', () => monitor.topology.find(replica.address)?.lagMs === 0);
        t.equal(monitor.topology.find(set.primary.address)?.lagMs, null);
        await monitor.stop();
      });
    }

    await t.test('all three as seeds: nothing more to find', async (t) => {
      const { monitor, events } = await startFrom(...set.servers);
      t.equal(monitor.topology.servers.length, 3);
      t.strictSame(
        events
          .filter(({ kind }) => kind === 'server-added')
          .map((event) => 'origin' in event && event.origin),
        ['seed', 'seed', 'seed'],
      );
      t.strictSame(
        events.filter(({ kind }) => kind === 'discovery-rejected' || kind === 'discovery-failed'),
        [],
      );
      await monitor.stop();
    });

    await t.test('a second name of a server is told apart from a second server', async (t) => {
      const { monitor, events } = await startFrom(set.primary);
      await monitor.updateServers([
        { ...seedOf(set.primary.port), host: '127.0.0.1' },
        { ...seedOf(set.primary.port), host: 'localhost' },
      ]);
      const other = `localhost:${set.primary.port}`;
      await waitUntil('the duplicate is noticed', () =>
        monitor.topology.find(other)?.statusReason.startsWith('the same'),
      );
      t.match(monitor.topology.find(other), {
        status: 'SHUNNED',
        statusReason: `the same server as ${set.primary.address}`,
      });
      t.equal(monitor.topology.primary, set.primary.address);
      t.equal(events.filter(({ kind }) => kind === 'duplicate-server').length, 1);
      t.equal(events.filter(({ kind }) => kind === 'two-primaries').length, 0);
      await monitor.stop();
    });

    await t.test('a replica that appears later is found, and forgotten when it stays away', async (t) => {
      const subject = new MonitorUnderTest([set.primary], { forgetDiscoveredAfterMs: 1000, heartbeat });
      t.teardown(() => subject.monitor.stop());
      await set.waitForSync([second]);
      await second.kill();
      // A thread that sends the binlog notices when it has something to send.
      await set.primary.query('CREATE DATABASE IF NOT EXISTS noticed');
      await set.primary.query('DROP DATABASE noticed');
      await waitUntil('the primary has lost it', async () => {
        const dumps = await set.primary.queryValue(
          "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'",
        );
        return dumps === '1';
      });
      await subject.monitor.start();
      t.equal(subject.find(second), null);
      await second.start();
      await subject.see(second, { status: 'ONLINE', role: 'replica', origin: 'discovered' });
      await second.kill();
      await subject.see(second, { status: 'SHUNNED' });
      await waitUntil('it is forgotten', () => subject.find(second) === null);
      t.match(
        subject.events.find(({ kind }) => kind === 'server-removed'),
        { address: second.address, reason: 'unreachable' },
      );
      t.ok(subject.find(first), 'the other one stays');
      await subject.monitor.stop();
      await second.start();
    });

    await t.test('a name that leads nowhere is not added', async (t) => {
      const subject = await startFrom(first);
      const port = set.primary.port;
      // The seed's source gets a name that only the servers themselves understand.
      await second.query('STOP SLAVE');
      await second.query(`CHANGE MASTER TO MASTER_HOST='db.invalid', MASTER_PORT=${port}`);
      await subject.monitor.wake();
      await waitUntil('it was tried', () =>
        subject.events.some(
          (event) => event.kind === 'discovery-rejected' && event.address === `db.invalid:${port}`,
        ),
      );
      t.equal(subject.monitor.topology.find(`db.invalid:${port}`), null);
      t.equal(subject.monitor.topology.primary, set.primary.address);
      await subject.monitor.stop();
      await set.replicateFrom(second, set.primary);
    });

    await t.test('discovery switched off', async (t) => {
      const subject = new MonitorUnderTest([first], { discovery: false, heartbeat });
      t.teardown(() => subject.monitor.stop());
      await subject.monitor.start();
      t.equal(subject.monitor.topology.servers.length, 1);
      t.equal(subject.monitor.topology.primary, null);
      t.match(subject.find(first), { role: 'replica', status: 'ONLINE' });
      await subject.monitor.stop();
    });
  });
}

function seedOf(port: number) {
  return {
    host: '',
    port,
    weight: 1,
    maxConnections: 0,
    maxReplicationLagMs: 0,
    hostgroup: null,
    status: 'ONLINE' as const,
    latencyLimitsMs: [],
    lagLimitsMs: [],
    tls: WITHOUT_TLS,
  };
}
