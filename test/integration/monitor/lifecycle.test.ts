import t from 'tap';
import type { MonitorEvent } from '../../../src/control/monitor/monitor-event.ts';
import { TlsMode, WITHOUT_TLS } from '../../../src/topology/server-description.ts';
import { MONITOR_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { MonitorUnderTest, seed } from './monitor-under-test.ts';

t.setTimeout(400_000);

t.test('one primary, one replica', async (t) => {
  const set = await new ReplicationSet({ replicas: 1 }).start();
  t.teardown(() => set.dispose());
  const { primary } = set;
  const replica = set.replicas[0]!;

  async function watch(
    settings = {},
    seeds: Parameters<typeof seed>[0][] = [...set.servers],
  ): Promise<MonitorUnderTest> {
    const subject = new MonitorUnderTest(seeds, settings);
    t.teardown(() => subject.monitor.stop());
    await subject.monitor.start();
    return subject;
  }

  /** Connections of the monitor account, as the server counts them. */
  const connections = (): Promise<string | null> =>
    primary.queryValue('SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = ?', [
      MONITOR_ACCOUNT.username,
    ]);

  await t.test('it is ready without waiting for a period', async (t) => {
    const startedAt = performance.now();
    const subject = await watch(
      { intervalMs: 60_000, connectIntervalMs: 60_000, timeoutMs: 60_000, discoveryIntervalMs: 60_000 },
      [primary],
    );
    const tookMs = performance.now() - startedAt;
    t.ok(tookMs < 30_000, `${Math.round(tookMs)} ms`);
    t.equal(subject.monitor.topology.servers.length, 2);
    t.equal(subject.monitor.catalog.complete, true);
    await subject.monitor.stop();
  });

  await t.test('events: in order, without gaps, each logged, and the last ones kept', async (t) => {
    const subject = await watch({ eventHistory: 5 });
    const { events, log, monitor } = subject;
    t.strictSame(
      events.map(({ sequence }) => sequence),
      events.map((_, index) => index + 1),
    );
    t.ok(events.every(({ atMs }) => Math.abs(atMs - Date.now()) < 60_000));
    t.strictSame(monitor.events(), events.slice(-5));
    t.strictSame(
      log.map(({ message }) => message),
      events.map(({ kind }) => `monitor: ${kind}`),
    );
    t.throws(() => Object.assign(events[0] as MonitorEvent, { sequence: 0 }), TypeError);
    await monitor.stop();
  });

  await t.test('change: once for what happens together, never for a moving GTID alone', async (t) => {
    const subject = await watch();
    await new Promise((resolve) => setImmediate(resolve));
    const before = subject.changes;
    const gtids = subject.find(primary)?.gtidExecuted;
    await primary.query('CREATE DATABASE moved');
    await waitUntil('the GTID moves', () => subject.find(primary)?.gtidExecuted !== gtids);
    await set.waitForSync();
    t.equal(subject.changes, before);
    subject.monitor.setAdministrativeStatus(replica.address, 'OFFLINE_SOFT');
    subject.monitor.setAdministrativeStatus(replica.address, 'OFFLINE_HARD');
    t.equal(subject.changes, before, 'not yet');
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(subject.changes, before + 1);
    await primary.query('DROP DATABASE moved');
    await subject.monitor.stop();
  });

  await t.test('a listener that throws disturbs nobody', async (t) => {
    const subject = await watch();
    subject.monitor.on('event', () => {
      throw new Error('a bug in a listener');
    });
    subject.monitor.setAdministrativeStatus(replica.address, 'OFFLINE_SOFT');
    t.equal(subject.find(replica)?.status, 'OFFLINE_SOFT');
    t.match(subject.log.at(-1), { level: 'error', message: 'monitor: a listener threw' });
    await subject.monitor.stop();
  });

  await t.test('the operator drains a server and brings it back', async (t) => {
    const subject = await watch();
    subject.monitor.setAdministrativeStatus(replica.address, 'OFFLINE_SOFT');
    await subject.monitor.wake();
    t.match(subject.find(replica), {
      status: 'OFFLINE_SOFT',
      statusReason: 'set by the operator',
      role: 'replica',
    });
    subject.monitor.setAdministrativeStatus(replica.address, 'ONLINE');
    t.equal(subject.find(replica)?.status, 'ONLINE');
    subject.monitor.setAdministrativeStatus(replica.address, 'OFFLINE_HARD');
    subject.monitor.setAdministrativeStatus(replica.address, 'ONLINE');
    t.equal(subject.find(replica)?.status, 'SHUNNED');
    await subject.see(replica, { status: 'ONLINE' });
    subject.monitor.setAdministrativeStatus('nobody:1', 'OFFLINE_HARD');
    await subject.monitor.stop();
  });

  await t.test('a reload of the servers', async (t) => {
    const subject = await watch({ discovery: false });
    await subject.monitor.updateServers([{ ...seed(primary), weight: 7 }]);
    t.equal(subject.find(replica), null);
    t.match(
      subject.find(primary),
      { weight: 7, status: 'ONLINE', role: 'primary' },
      'what was measured stays',
    );
    await subject.monitor.updateServers([seed(primary), seed(replica)]);
    await subject.see(replica, { status: 'ONLINE', role: 'replica' });
    const required = { ...WITHOUT_TLS, mode: TlsMode.REQUIRED };
    await subject.monitor.updateServers([seed(primary), { ...seed(replica), tls: required }]);
    const refused = await subject.see(replica, { tls: required, status: 'SHUNNED' });
    t.match(refused.statusReason, /secure connection|SSL|TLS/i, 'this server has none');
    await subject.monitor.stop();
  });

  await t.test('a reload of everything else keeps what is known', async (t) => {
    const subject = await watch();
    await subject.seeHeartbeats();
    const from = subject.events.length;
    await subject.monitor.reconfigure({
      credentials: MONITOR_ACCOUNT,
      hostgroups: { writer: 10, reader: 20 },
      settings: { intervalMs: 50, failureThreshold: 1, timeoutMs: 5000, catalogIntervalMs: 60_000 },
    });
    t.match(subject.find(primary), { status: 'ONLINE', role: 'primary', hostgroup: 10 });
    t.match(subject.find(replica), { status: 'ONLINE', role: 'replica', hostgroup: 20 });
    t.equal(subject.monitor.catalog.complete, true);
    await subject.monitor.wake();
    t.strictSame(subject.events.slice(from), []);
    await replica.kill();
    await subject.see(replica, { status: 'SHUNNED' });
    await replica.start();
    await subject.see(replica, { status: 'ONLINE' });
    await subject.monitor.reconfigure({
      credentials: { username: 'monitor', password: 'wrong' },
      hostgroups: { writer: 0, reader: 1 },
      settings: { intervalMs: 50, failureThreshold: 2 },
    });
    const shunned = await subject.see(primary, { status: 'SHUNNED' });
    t.match(shunned.statusReason, /Access denied/);
    await subject.monitor.stop();
  });

  await t.test('stop() closes every connection, and nothing happens after it', async (t) => {
    const subject = await watch();
    t.not(await connections(), '0');
    await subject.monitor.stop();
    await subject.monitor.stop();
    await waitUntil('the server has nobody left', async () => (await connections()) === '0');
    const { changes } = subject;
    const events = subject.events.length;
    await subject.monitor.wake();
    await subject.monitor.reportFailure(primary.address, 'too late');
    await subject.monitor.updateServers([]);
    await subject.monitor.refreshCatalog();
    subject.monitor.setAdministrativeStatus(primary.address, 'OFFLINE_HARD');
    t.equal(subject.changes, changes);
    t.equal(subject.events.length, events);
    t.equal(await connections(), '0');
  });

  await t.test('stop() in the middle of start()', async (t) => {
    const subject = new MonitorUnderTest(set.servers);
    const starting = subject.monitor.start();
    await subject.monitor.stop();
    await starting;
    await waitUntil('the server has nobody left', async () => (await connections()) === '0');
    t.equal(subject.monitor.topology.primary, null);
  });

  await t.test('a monitor leaves no aborted client behind', async (t) => {
    const aborted = (): Promise<string | null> =>
      primary.queryValue(
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Aborted_clients'",
      );
    const before = await aborted();
    // Long periods, so that stop() interrupts nothing: an interrupted check leaves one, and has to.
    const seldom = {
      intervalMs: 60_000,
      discoveryIntervalMs: 60_000,
      connectIntervalMs: 60_000,
      timeoutMs: 10_000,
      heartbeat: { table: 'sluice.heartbeat', write: true, intervalMs: 60_000 },
    };
    const subject = await watch(seldom);
    for (let round = 0; round < 5; round++) await subject.monitor.wake();
    await subject.monitor.stop();
    await waitUntil('the server has nobody left', async () => (await connections()) === '0');
    t.equal(await aborted(), before);
  });
});
