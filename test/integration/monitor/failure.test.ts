import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import t from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { MonitorUnderTest } from './monitor-under-test.ts';

t.setTimeout(400_000);

for (const flavor of Object.values(ServerFlavor)) {
  t.test(flavor, async (t) => {
    const set = await new ReplicationSet({ flavor }).start();
    t.teardown(() => set.dispose());
    const { primary } = set;
    const [first, second] = [set.replicas[0]!, set.replicas[1]!];

    async function watch(settings = {}): Promise<MonitorUnderTest> {
      const subject = new MonitorUnderTest(set.servers, settings);
      t.teardown(() => subject.monitor.stop());
      await subject.monitor.start();
      for (const server of set.servers) await subject.see(server, { status: 'ONLINE' });
      await subject.seeHeartbeats();
      // MySQL 5.7's DDL is not atomic: a replica that is killed while it creates the table of the heartbeats stays broken.
      for (const server of set.servers)
        await waitUntil(
          `${server.name} has heartbeats`,
          async () => (await server.query('SELECT ts FROM sluice.heartbeat')).length > 0,
        );
      return subject;
    }

    await t.test('a replica is killed: SHUNNED after the threshold; back: ONLINE', async (t) => {
      const subject = await watch();
      const from = subject.events.length;
      await first.kill();
      const shunned = await subject.see(first, { status: 'SHUNNED' });
      t.match(shunned.statusReason, /failed: .*(ECONNREFUSED|closed|lost)/i);
      t.equal(shunned.role, 'replica');
      const kinds = subject.kindsOf(first, from);
      t.equal(kinds.filter((kind) => kind === 'check-failed').length >= 1, true);
      t.equal(kinds.filter((kind) => kind === 'status-changed').length, 1);
      t.ok(kinds.indexOf('check-failed') < kinds.indexOf('status-changed'), 'not at the first failure');
      await first.start();
      await subject.see(first, { status: 'ONLINE', role: 'replica', replicationRunning: true });
      t.equal(subject.kindsOf(first, from).filter((kind) => kind === 'status-changed').length, 2);
      t.strictSame(subject.kindsOf(second, from), [], 'nothing happened to the others');
      t.strictSame(subject.kindsOf(primary, from), []);
      await subject.monitor.stop();
    });

    await t.test('a report of a worker, confirmed by one connect check, shuns at once', async (t) => {
      const subject = await watch({ intervalMs: 60_000, connectIntervalMs: 60_000 });
      const from = subject.events.length;
      await first.kill();
      await subject.monitor.reportFailure(first.address, 'connection refused');
      t.match(subject.find(first), { status: 'SHUNNED' });
      const changes = subject.events.slice(from).filter(({ kind }) => kind === 'status-changed');
      t.match(changes, [
        { address: first.address, to: 'SHUNNED', reason: /^connect failed: .*a worker: connection refused/ },
      ]);
      await first.start();
      await subject.monitor.wake(first.address);
      t.match(subject.find(first), { status: 'SHUNNED' }, 'one good round is not enough');
      await subject.monitor.wake(first.address);
      t.match(subject.find(first), { status: 'ONLINE' });
      await subject.monitor.stop();
    });

    await t.test('a report about a server that is well changes nothing', async (t) => {
      const subject = await watch();
      const from = subject.events.length;
      await Promise.all(
        Array.from({ length: 200 }, () => subject.monitor.reportFailure(first.address, 'reset')),
      );
      await subject.monitor.reportFailure('nobody:1', 'unknown addresses are nothing');
      t.match(subject.find(first), { status: 'ONLINE' });
      t.strictSame(subject.kindsOf(first, from), []);
      await subject.monitor.stop();
    });

    await t.test('a server that hangs counts as failed, and holds up nobody', async (t) => {
      const subject = await watch({ timeoutMs: 600 });
      second.freeze();
      t.teardown(() => second.resume());
      const shunned = await subject.see(second, { status: 'SHUNNED' });
      t.match(shunned.statusReason, /no answer within 600 ms/);
      await subject.see(first, { status: 'ONLINE', replicationRunning: true });
      const gtids = subject.find(first)?.gtidExecuted;
      await primary.query('CREATE DATABASE moved');
      await waitUntil('the other checks go on', () => subject.find(first)?.gtidExecuted !== gtids);
      await primary.query('DROP DATABASE moved');
      // Half-closed sockets to a server that never answers once stayed for as long as it hung.
      const sockets = (): number =>
        process.getActiveResourcesInfo().filter((type) => type.startsWith('TCPSocket')).length;
      const before = sockets();
      for (let round = 0; round < 5; round++) await subject.monitor.wake(second.address);
      t.ok(sockets() <= before + 4, `${before} sockets before, ${sockets()} after five more rounds`);
      second.resume();
      await subject.see(second, { status: 'ONLINE', replicationRunning: true });
      await subject.monitor.stop();
    });

    await t.test('the primary is set read-only and back', async (t) => {
      const subject = await watch();
      await primary.query('SET GLOBAL read_only=1');
      await subject.seePrimary(null);
      t.match(subject.find(primary), { status: 'ONLINE', role: 'unknown', readOnly: true, hostgroup: 1 });
      t.match(subject.find(first), { role: 'replica', replicationRunning: true });
      await primary.query('SET GLOBAL read_only=0');
      await subject.seePrimary(primary);
      t.match(subject.find(primary), { role: 'primary', readOnly: false, hostgroup: 0 });
      await subject.monitor.stop();
    });

    await t.test('a replica that takes writes is no primary', async (t) => {
      const subject = await watch();
      await first.query('SET GLOBAL read_only=0');
      await subject.see(first, { readOnly: false });
      t.match(subject.find(first), { role: 'replica', hostgroup: 1 });
      t.equal(subject.monitor.topology.primary, primary.address);
      await first.query('SET GLOBAL read_only=1');
      await subject.monitor.stop();
    });

    await t.test('replication is stopped and started', async () => {
      const subject = await watch();
      await first.query('STOP SLAVE SQL_THREAD');
      await subject.see(first, { replicationRunning: false, status: 'ONLINE' });
      await first.query('START SLAVE');
      await subject.see(first, { replicationRunning: true });
      await subject.monitor.stop();
    });

    await t.test('an operator moves the primary: followed, with one primary at every moment', async (t) => {
      const subject = await watch();
      const seen = new Set<number>();
      subject.monitor.on('change', () => {
        seen.add(subject.monitor.topology.servers.filter(({ role }) => role === 'primary').length);
      });
      await primary.query('SET GLOBAL read_only=1');
      // Seen in the other order the two would be rivals for a moment.
      await subject.seePrimary(null);
      await set.waitForSync();
      await first.query('STOP SLAVE; RESET SLAVE ALL');
      await first.query('SET GLOBAL read_only=0');
      await subject.seePrimary(first);
      await set.replicateFrom(second, first);
      await set.replicateFrom(primary, first);
      await subject.see(second, { role: 'replica', source: first.address, replicationRunning: true });
      await subject.see(primary, { role: 'replica', source: first.address, replicationRunning: true });
      t.notOk(seen.has(2));
      t.strictSame(
        subject.events.filter(({ kind }) => kind === 'two-primaries'),
        [],
      );
      await subject.monitor.stop();
    });

    await t.test(
      'the primary dies, and a replica is promoted by hand; the dead one comes back writable',
      async (t) => {
        // Now `first` is the primary of the other two.
        const subject = await watch();
        await first.kill();
        await subject.see(first, { status: 'SHUNNED', role: 'primary' });
        t.equal(subject.monitor.topology.primary, first.address);
        t.match(
          subject.find(second),
          { status: 'ONLINE', role: 'replica', replicationRunning: true },
          'reads go on',
        );
        await second.query('STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only=0');
        await subject.seePrimary(second);
        await first.start();
        await first.query('SET GLOBAL read_only=0');
        await subject.see(first, { status: 'ONLINE', readOnly: false });
        t.match(subject.find(first), { role: 'unknown' });
        t.equal(subject.monitor.topology.primary, second.address);
        t.match(
          subject.events.findLast(({ kind }) => kind === 'two-primaries'),
          { kept: second.address, others: [first.address] },
        );
        await subject.monitor.stop();
      },
    );
  });
}

t.test('an address that is moved to another server while the old one goes on living', async (t) => {
  const set = await new ReplicationSet({ replicas: 1 }).start();
  t.teardown(() => set.dispose());
  let target = set.primary.port;
  const sockets = new Set<Socket>();
  const forwarder = createServer((socket) => {
    const upstream = connect(target, '127.0.0.1');
    for (const each of [socket, upstream]) sockets.add(each.on('error', () => {}));
    socket.pipe(upstream).pipe(socket);
    socket.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => forwarder.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    forwarder.close();
  });
  const { port } = forwarder.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  const subject = new MonitorUnderTest([{ host: '127.0.0.1', port }], { discovery: false });
  t.teardown(() => subject.monitor.stop());
  await subject.monitor.start();
  t.match(subject.monitor.topology.find(address), { role: 'primary', serverId: set.primary.serverId });
  target = set.replicas[0]!.port;
  await waitUntil(
    'the other server is seen',
    () => subject.monitor.topology.find(address)?.serverId === set.replicas[0]!.serverId,
  );
  await waitUntil('and measured', () => subject.monitor.topology.find(address)?.role === 'replica');
  t.match(subject.monitor.topology.find(address), { readOnly: true, source: set.primary.address });
  t.equal(subject.monitor.topology.primary, null);
  t.equal(subject.events.filter(({ kind }) => kind === 'server-replaced').length, 1);
  await subject.monitor.stop();
});

t.test('servers that are none', async (t) => {
  const sockets = new Set<Socket>();
  function listen(greet: (socket: Socket) => void): Promise<{ host: string; port: number; server: Server }> {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      greet(socket);
    });
    t.teardown(() => server.close());
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        if (address === null || typeof address === 'string') throw new Error('no port');
        resolve({ host: '127.0.0.1', port: address.port, server });
      });
    });
  }
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  const silent = await listen(() => {});
  const rude = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const garbage = await listen((socket) => socket.end(Buffer.alloc(4096, 0xff)));
  const closing = await listen((socket) => socket.end());
  const subject = new MonitorUnderTest([silent, rude, garbage, closing], { timeoutMs: 200 });
  t.teardown(() => subject.monitor.stop());
  const startedAt = performance.now();
  await subject.monitor.start();
  t.ok(performance.now() - startedAt < 20_000, 'start() does not wait for them longer than the time-out');
  t.equal(subject.monitor.topology.primary, null);
  t.match(
    subject.monitor.topology.servers.map(({ status }) => status),
    ['SHUNNED', 'SHUNNED', 'SHUNNED', 'SHUNNED'],
  );
  t.match(subject.monitor.topology.find(`127.0.0.1:${silent.port}`)?.statusReason, /no answer within 200 ms/);
  t.equal(subject.monitor.catalog.complete, false);
  await subject.monitor.stop();
  await waitUntil('every connection is closed', () => [...sockets].every((socket) => socket.destroyed));
});

t.test('a wrong password is named, without the password', async (t) => {
  const set = await new ReplicationSet({ replicas: 0 }).start();
  t.teardown(() => set.dispose());
  const subject = new MonitorUnderTest(set.servers, {}, { username: 'monitor', password: 'not-the-secret' });
  t.teardown(() => subject.monitor.stop());
  await subject.monitor.start();
  t.match(subject.find(set.primary), { status: 'SHUNNED', statusReason: /Access denied for user 'monitor'/ });
  t.notMatch(JSON.stringify(subject.log), /not-the-secret/);
});

t.test('a server that is full for another connection is not shunned', async (t) => {
  const set = await new ReplicationSet({ replicas: 0 }).start();
  t.teardown(() => set.dispose());
  const subject = new MonitorUnderTest(set.servers, { discovery: false, connectIntervalMs: 100 });
  t.teardown(() => subject.monitor.stop());
  await subject.monitor.start();
  await subject.see(set.primary, { status: 'ONLINE' });
  await set.primary.query('GRANT USAGE ON *.* TO monitor WITH MAX_USER_CONNECTIONS 1');
  const from = subject.events.length;
  for (let round = 0; round < 5; round++) await subject.monitor.wake();
  // The writer of heartbeats has no connection then, which is no matter of the server's health.
  const kinds = subject.kindsOf(set.primary, from).filter((kind) => kind !== 'heartbeat-changed');
  t.strictSame(kinds, []);
  t.match(subject.find(set.primary), { status: 'ONLINE' });
});
