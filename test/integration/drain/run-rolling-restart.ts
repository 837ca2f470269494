/** Draining, as an operator does it: all replicas restarted one after the other under load, without one error. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Test } from 'tap';
import type { DatabaseServer } from '../../support/database-server.ts';
import { waitForReplicaReads } from '../../support/replica-reads.ts';
import { APP_ACCOUNT, type ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { ReadLoad } from './read-load.ts';

const DEADLINE = { timeoutMs: 60_000 };

async function rowOf(admin: Connection, command: string, address: string): Promise<RowDataPacket> {
  const [rows] = await admin.query<RowDataPacket[]>(command);
  const row = rows.find(
    (one) => one.address === address || (one.server === address && one.kind === 'reader'),
  );
  if (row === undefined) throw new Error(`${command} has no ${address}`);
  return row;
}

/** Connections of clients, as the server itself counts them. */
async function clientsOn(server: DatabaseServer): Promise<string | null> {
  const sql = 'SELECT COUNT(*) FROM information_schema.processlist WHERE user = ?';
  return server.queryValue(sql, [APP_ACCOUNT.username]);
}

/** A server counts a closed connection until its thread has ended, which takes time on a busy machine. */
async function clientsBecome(
  t: Test,
  server: DatabaseServer,
  wanted: string,
  message: string,
): Promise<void> {
  const count = () => clientsOn(server);
  await waitUntil(message, async () => (await count()) === wanted, DEADLINE);
  t.equal(await count(), wanted, message);
}

async function takesReads(sluice: SluiceProcess, server: DatabaseServer, load: ReadLoad): Promise<void> {
  const counted = () => sluice.metric('sluice_server_queries_total', { server: server.address });
  const before = await counted();
  await waitUntil(
    `${server.name} takes reads`,
    async () => load.failures.length > 0 || (await counted()) > before + 20,
    DEADLINE,
  );
}

async function isFit(admin: Connection, server: DatabaseServer): Promise<void> {
  await waitUntil(
    `${server.name} is fit again`,
    async () => (await rowOf(admin, 'SHOW HOSTGROUPS', server.address)).verdict === 'fit',
    DEADLINE,
  );
}

async function isShunned(admin: Connection, address: string): Promise<void> {
  await waitUntil(
    `${address} is shunned`,
    async () => (await rowOf(admin, 'SHOW HOSTGROUPS', address)).verdict === 'shunned',
    DEADLINE,
  );
}

export async function runRollingRestart(t: Test, set: ReplicationSet): Promise<void> {
  const sluice = await SluiceProcess.startFor(set, {
    config: { routing: { slowStartMs: 500 }, monitor: { timeoutMs: 800 } },
  });
  t.teardown(() => sluice.dispose());
  const admin = await sluice.adminConnection();
  t.teardown(() => admin.end());
  for (const replica of set.replicas) await isFit(admin, replica);
  await waitForReplicaReads(sluice, set, 'kv');

  await t.test('a drained server ends what runs, and tells when nothing is left', async (t) => {
    const [replica, other] = set.replicas;
    const client = await sluice.connect();
    // The other one first, so that the transaction is on this one.
    await admin.query(`DRAIN '${other!.address}' TIMEOUT 20`);
    const warned = await sluice.connect();
    await warned.query(`SELECT CAST('12x' AS SIGNED), v FROM kv WHERE id = 1`);
    await client.query('START TRANSACTION READ ONLY');
    const [port] = await client.query<RowDataPacket[]>('SELECT @@port AS port');
    t.equal(Number(port[0]?.port), replica!.port);
    await admin.query(`UNDRAIN '${other!.address}'`);
    await isFit(admin, other!);
    await admin.query(`DRAIN '${replica!.address}'`);
    await t.rejects(admin.query(`DRAIN '${replica!.address}' TIMEOUT 1`), {
      errno: 3024,
      message: /1 connection/,
    });
    t.match(await rowOf(admin, 'SHOW TOPOLOGY', replica!.address), { status: 'OFFLINE_SOFT', drained: 'NO' });
    t.match(await rowOf(admin, 'SHOW TOPOLOGY', other!.address), { status: 'ONLINE', drained: null });
    await clientsBecome(t, replica!, '1', 'the idle ones are closed, the one in the transaction is not');
    const [warnings] = await warned.query<RowDataPacket[]>('SHOW WARNINGS');
    t.match(
      warnings,
      [{ Code: 1292 }],
      'what a session may still ask about was read before its connection closed',
    );
    await warned.end();
    const [again] = await client.query<RowDataPacket[]>('SELECT @@port AS port');
    t.equal(Number(again[0]?.port), replica!.port, 'the transaction goes on');
    await client.query('COMMIT');
    await waitUntil(
      'it is drained',
      async () => (await rowOf(admin, 'SHOW TOPOLOGY', replica!.address)).drained === 'YES',
    );
    await clientsBecome(t, replica!, '0', 'nobody is there');
    await client.query('START TRANSACTION READ ONLY');
    const [moved] = await client.query<RowDataPacket[]>('SELECT @@port AS port, v FROM kv WHERE id = 3');
    t.match(moved, [{ port: other!.port, v: 21 }], 'the session goes on elsewhere');
    await client.query('COMMIT');
    await admin.query(`UNDRAIN '${replica!.address}'`);
    await isFit(admin, replica!);
    await client.end();
  });

  await t.test('a rolling restart of all replicas: no error, nothing lost', async (t) => {
    const load = await ReadLoad.start(sluice, { readers: 4, transactions: 2, writers: 1 });
    await load.goesOn(100, 10);
    for (const replica of set.replicas) {
      await takesReads(sluice, replica, load);
      await admin.query(`DRAIN '${replica.address}' TIMEOUT 30`);
      t.equal((await rowOf(admin, 'SHOW TOPOLOGY', replica.address)).drained, 'YES');
      await clientsBecome(t, replica, '0', `${replica.name} has no clients`);
      await load.calmly(() => replica.restart());
      await load.goesOn(50, 5);
      t.equal(await clientsOn(replica), '0', 'nor has it after the restart');
      await admin.query(`UNDRAIN '${replica.address}'`);
      await load.calmly(() => isFit(admin, replica));
      await takesReads(sluice, replica, load);
    }
    await load.goesOn(100, 10);
    await load.stop();
    t.strictSame(load.failures, []);
    t.equal(Number(await set.primary.queryValue('SELECT COUNT(*) FROM app.log')), load.writes);
    t.equal(await sluice.metric('sluice_errors_sent_total'), 0);
    t.comment(`${load.reads} rounds of reads, ${load.writes} writes`);
  });

  await t.test('[B8] a frozen server holds no read up for ever, and takes reads again', async (t) => {
    const load = await ReadLoad.start(sluice, { readers: 4, transactions: 0, writers: 1 });
    const [frozen] = set.replicas;
    await takesReads(sluice, frozen!, load);
    frozen!.freeze();
    t.teardown(() => frozen!.resume());
    await load.calmly(() => load.goesOnEverywhere(20));
    frozen!.resume();
    await load.calmly(() => takesReads(sluice, frozen!, load));
    await load.stop();
    t.strictSame(load.failures, []);
    t.equal(await sluice.metric('sluice_errors_sent_total'), 0);
  });

  await t.test(
    '[B8] killed servers cost reads nothing, and take reads again when they are back',
    async (t) => {
      const load = await ReadLoad.start(sluice, { readers: 4, transactions: 0, writers: 1 });
      await load.goesOn(100, 5);
      await Promise.all(set.replicas.map((replica) => replica.kill()));
      await load.goesOn(300, 5);
      for (const { address } of set.replicas) await load.calmly(() => isShunned(admin, address));
      await load.goesOn(100, 5);
      await load.calmly(() => Promise.all(set.replicas.map((replica) => replica.start())));
      for (const replica of set.replicas) await load.calmly(() => takesReads(sluice, replica, load));
      await load.goesOn(100, 5);
      await load.stop();
      t.strictSame(load.failures, []);
      t.equal(await sluice.metric('sluice_errors_sent_total'), 0);
    },
  );
}
