/** Primaries that only seem to be dead, ones that nobody can follow, and a Sluice that dies in the middle. */

import type { RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import type { DatabaseServer } from '../../support/database-server.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { FailoverStage } from './failover-stage.ts';

const operationsOf = (events: readonly string[]) =>
  events.filter((text) => text.startsWith('operation-started'));

/** Past the binlog: only this server has it. */
async function alone(server: DatabaseServer, sql: string): Promise<void> {
  const root = await server.rootConnection();
  try {
    await root.query('SET sql_log_bin=0');
    await root.query(sql);
  } finally {
    await root.end();
  }
}

t.test('[B5] [B6] a primary that replicas hear, and others that are dead', { bail: true }, async (t) => {
  const stage = await FailoverStage.start({});
  t.teardown(() => stage.dispose());
  const { primary, replicas } = stage.set;
  const [one, two] = [replicas[0]!, replicas[1]!];
  await stage.seeCalm();
  await stage.write(1);
  await stage.set.waitForSync();

  await t.test(
    'a primary that replicas still hear is not dead, however it is cut off from Sluice',
    async (t) => {
      await stage.stopSluice();
      const line = await FaultProxy.start({ host: primary.host, port: primary.port });
      t.teardown(() => line.close());
      await stage.startSluice({ servers: [`${line.host}:${line.port}`, one.address, two.address] });
      await stage.write(2);
      line.refuse();
      await stage.seeEvent(/primary-suspected .*verdict=heard/);
      line.heal();
      await stage.seeEvent('primary-answers');
      line.drop('up', 'down');
      const heardTwice = async () =>
        (await stage.events()).filter((text) => text.includes('verdict=heard')).length >= 2;
      await waitUntil('it is silent, and heard', heardTwice);
      line.heal();
      await stage.write(3);
      t.same(operationsOf(await stage.events()), []);
      for (const replica of [one, two]) {
        const [status] = await replica.query<Record<string, string>>('SHOW SLAVE STATUS');
        t.match(status, { Slave_IO_Running: 'Yes', Slave_SQL_Running: 'Yes' });
        t.equal(await stage.isReadOnly(replica), true);
      }
      await stage.stopSluice();
      await stage.startSluice();
    },
  );

  await t.test('nobody is promoted who cannot execute what it has, until it can', async (t) => {
    await stage.seeCalm();
    for (const replica of [one, two]) await alone(replica, 'INSERT INTO app.t VALUES (50)');
    await stage.write(50);
    for (const replica of [one, two])
      await waitUntil(`${replica.name} is broken`, async () => {
        const [status] = await replica.query<Record<string, string>>('SHOW SLAVE STATUS');
        return status?.Slave_SQL_Running === 'No';
      });
    await primary.kill();
    await stage.seeEvent(/failover-refused primary .*cannot execute what it has received/);
    t.same(operationsOf(await stage.events()), []);
    t.equal(await stage.isReadOnly(one), true);
    t.equal(await stage.isReadOnly(two), true);
    for (const replica of [one, two]) {
      await alone(replica, 'DELETE FROM app.t WHERE a = 50');
      await replica.query('START SLAVE SQL_THREAD');
    }
    await stage.write(51);
    await stage.steps('failover');
    await stage.see(one, { role: 'primary', status: 'ONLINE' });
    t.equal(await one.queryValue('SELECT COUNT(*) FROM app.t WHERE a IN (50, 51)'), '2');
  });

  await t.test('both other servers are away: nothing, until one is back', async (t) => {
    await stage.see(two, { role: 'replica', source: 'replica1', replication_running: 'YES' });
    await waitUntil(
      'it has everything',
      async () => (await two.queryValue('SELECT MAX(a) FROM app.t')) === '51',
    );
    await two.kill();
    await one.kill();
    await stage.seeEvent(/primary-suspected replica1 .*verdict=no-quorum/);
    t.equal(operationsOf(await stage.events()).length, 1);
    await two.start();
    await stage.write(52);
    await stage.steps('failover', 2);
    await stage.see(two, { role: 'primary', status: 'ONLINE' });
    await Promise.all([primary.start(), one.start()]);
    for (const old of [primary, one])
      await stage.see(old, { role: 'replica', source: 'replica2', replication_running: 'YES' });
  });

  await t.test('[B6] Sluice starts when the primary is dead already', async (t) => {
    await stage.stopSluice();
    for (const old of [primary, one])
      await waitUntil(
        `${old.name} has everything`,
        async () => (await old.queryValue('SELECT MAX(a) FROM app.t')) === '52',
      );
    await two.kill();
    await stage.startSluice({ monitor: { timeoutMs: 500 } });
    await stage.write(53);
    await stage.steps('failover');
    await stage.see(primary, { role: 'primary', status: 'ONLINE' });
    await stage.see(one, { role: 'replica', source: 'primary', replication_running: 'YES' });
    t.equal(await primary.queryValue('SELECT COUNT(*) FROM app.t WHERE a IN (52, 53)'), '2');
    await two.start();
    await stage.see(two, { role: 'replica', source: 'primary', replication_running: 'YES' });
  });

  await t.test('a primary that comes back in time stays what it was', async (t) => {
    const blockers = await Promise.all([one, two].map((replica) => replica.rootConnection()));
    await stage.see(two, { replication_running: 'YES' });
    for (const blocker of blockers) await blocker.query('LOCK TABLES app.t READ');
    await stage.write(58);
    for (const replica of [one, two])
      await waitUntil(`${replica.name} has received it`, async () => {
        const [status] = await replica.query<Record<string, string>>('SHOW SLAVE STATUS');
        return status?.Gtid_IO_Pos === (await primary.queryValue('SELECT @@gtid_binlog_pos'));
      });
    await primary.kill();
    await stage.seeEvent(/operation-started .*operation=failover .*from=primary/);
    await primary.start();
    for (const blocker of blockers) await blocker.end();
    t.match((await stage.steps('failover', 2)).join(), 'promote failed,undo stop,undo stop-io,undo fence');
    await stage.write(59);
    await stage.see(primary, { role: 'primary', status: 'ONLINE' });
    for (const replica of [one, two]) {
      t.equal(await stage.isReadOnly(replica), true);
      await stage.see(replica, { role: 'replica', source: 'primary', replication_running: 'YES' });
    }
    t.equal(await primary.queryValue('SELECT COUNT(*) FROM app.t WHERE a IN (58, 59)'), '2');
    t.match((await stage.events()).at(-1), 'primary-answers primary');
  });

  await t.test('Sluice is killed in the middle, and started again', async (t) => {
    const blockers = await Promise.all([one, two].map((replica) => replica.rootConnection()));
    await stage.write(54);
    await stage.set.waitForSync();
    for (const blocker of blockers) await blocker.query('LOCK TABLES app.t READ');
    await stage.write(55);
    for (const replica of [one, two])
      await waitUntil(`${replica.name} has received it`, async () => {
        const [status] = await replica.query<Record<string, string>>('SHOW SLAVE STATUS');
        return status?.Gtid_IO_Pos === (await primary.queryValue('SELECT @@gtid_binlog_pos'));
      });
    await primary.kill();
    await stage.seeEvent(/operation-step .*step=stop-io/);
    await stage.stopSluice();
    for (const replica of [one, two]) t.equal(await stage.isReadOnly(replica), true);
    const candidates = [one.address, two.address];
    await stage.startSluice({ failover: { candidates } }, false);
    await stage.seeEvent(/operation-step .*step=stop-io/);
    for (const blocker of blockers) await blocker.end();
    await stage.write(56);
    await stage.steps('failover');
    await stage.see(one, { role: 'primary', status: 'ONLINE' });
    t.equal(await one.queryValue('SELECT COUNT(*) FROM app.t WHERE a IN (54, 55, 56)'), '3');
    await stage.see(two, { role: 'replica', source: 'replica1', replication_running: 'YES' });
    await primary.start();
    await stage.see(primary, { role: 'replica', source: 'replica1', replication_running: 'YES' });
  });

  await t.test('a frozen primary is replaced, and read-only when it goes on', async (t) => {
    one.freeze();
    // A write that is on its way to a frozen server is executed there when it goes on: it would be kept out.
    await stage.steps('failover', 2);
    await stage.write(57);
    const [rows] = await stage.admin.query<RowDataPacket[]>('SHOW TOPOLOGY');
    const now = stage.named(String(rows.find(({ role }) => role === 'primary')?.address));
    t.equal(now, 'replica2');
    one.resume();
    await stage.seeEvent('server-fenced replica1');
    await stage.see(one, { role: 'replica', source: now, replication_running: 'YES' });
    t.equal(await stage.isReadOnly(one), true);
    const writable: string[] = [];
    for (const server of stage.set.servers) if (!(await stage.isReadOnly(server))) writable.push(server.name);
    t.same(writable, [now]);
  });

  await t.test(
    'a primary that was restarted read-only takes writes again; one that was set read-only does not',
    async (t) => {
      const current = await writable();
      await stage.stopSluice();
      // Long enough for it to come back.
      await stage.startSluice({ failover: { confirmMs: 60_000 } });
      await stage.see(current, { role: 'primary', status: 'ONLINE' });
      await current.query('SET GLOBAL read_only=1');
      await stage.seeEvent('read-only-changed');
      await stage.seeEvent(/primary-changed .*to=-/);
      t.equal(await stage.isReadOnly(current), true);
      await current.query('SET GLOBAL read_only=0');
      await stage.write(60);
      await current.kill();
      await stage.seeEvent(/primary-suspected .*verdict=dead/);
      await current.start();
      await stage.write(61);
      t.equal(await stage.isReadOnly(current), false);
      t.same(operationsOf(await stage.events()), [
        `operation-started operation=recovery from=${current.name} to=${current.name}`,
      ]);
    },
  );

  async function writable(): Promise<DatabaseServer> {
    for (const server of stage.set.servers) if (!(await stage.isReadOnly(server))) return server;
    throw new Error('nobody is writable');
  }
});
