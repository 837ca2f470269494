/** A client that dies: what it had open is undone, and its server connection is not reused dirty. */

import type { RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';
import { Bystander, undisturbedTest } from './bystander.ts';
import { rawLogin } from './raw-login.ts';

const set = new ReplicationSet({
  replicas: 0,
  sql: ['CREATE TABLE app.t (id INT PRIMARY KEY, n INT)', 'INSERT INTO app.t VALUES (1, 1), (2, 2)'],
});
let sluice: SluiceProcess;
let bystander: Bystander;
const test = undisturbedTest(() => ({ sluice, bystander }));

t.before(async () => {
  await set.start();
  // One connection besides the bystander's: the next session is bound to get the one that the dead client had.
  sluice = await SluiceProcess.startFor(set, { config: { workers: 1, pool: { maxConnections: 2 } } });
  bystander = await Bystander.start(sluice);
});
t.teardown(async () => {
  await bystander?.stop();
  await sluice?.dispose();
  await set.dispose();
});

const waysToDie = ['QUIT', 'FIN', 'RST', 'in the middle of a packet'] as const;

async function die(way: (typeof waysToDie)[number], statements: readonly string[]): Promise<void> {
  const connection = await sluice.connect();
  for (const statement of statements) await connection.query(statement);
  const stream = (connection as unknown as { connection: { stream: import('node:net').Socket } }).connection
    .stream;
  if (way === 'QUIT') await connection.end();
  if (way === 'FIN') stream.end();
  if (way === 'RST') stream.resetAndDestroy();
  if (way === 'in the middle of a packet') {
    stream.write(Buffer.from([50, 0, 0, 0, 3, 0x53]));
    stream.end();
  }
}

for (const way of waysToDie) {
  test(`a client dies in a transaction: ${way}`, async (t) => {
    await die(way, ['BEGIN', 'UPDATE t SET n = 99 WHERE id = 1', 'SELECT * FROM t FOR UPDATE']);
    const connection = await sluice.connect();
    // Waits for the row's lock, which is gone when the transaction is.
    await connection.query('SET innodb_lock_wait_timeout = 30');
    await connection.query('UPDATE t SET n = n + 1 WHERE id = 2');
    const [rows] = await connection.query<RowDataPacket[]>('SELECT n FROM t WHERE id = 1');
    t.equal(rows[0]?.n, 1, 'rolled back');
    await connection.end();
  });

  test(`what a client left on its connection: ${way}`, async (t) => {
    await die(way, [
      "SET time_zone = '+07:00', sql_mode = 'ANSI_QUOTES', @left = 5",
      'CREATE TEMPORARY TABLE left_over (a INT)',
      "SELECT GET_LOCK('left', 0)",
      'LOCK TABLES t WRITE, left_over WRITE',
      'SET autocommit = 0',
    ]);
    // A server gives tables free before it does named locks.
    await waitUntil('the lock is free', () =>
      set.primary.queryValue("SELECT IS_FREE_LOCK('left') = 1 OR NULL"),
    );
    for (let round = 0; round < 4; round++) {
      const connection = await sluice.connect();
      const [rows] = await connection.query<RowDataPacket[]>(
        `SELECT @@time_zone = @@global.time_zone AS zone, @@sql_mode = @@global.sql_mode AS mode, @left AS left_over,
                @@autocommit AS autocommit, IS_FREE_LOCK('left') AS lock_free FROM t LIMIT 1`,
      );
      t.match(rows[0], { zone: 1, left_over: null, autocommit: 1, lock_free: 1 });
      await t.rejects(connection.query('SELECT * FROM left_over'), { code: 'ER_NO_SUCH_TABLE' });
      await connection.end();
    }
  });
}

test('a client dies while its statement runs', async (t) => {
  const client = await rawLogin(sluice);
  client.command(3, Buffer.from('SELECT SLEEP(60) /* runs */'));
  const running = () =>
    set.primary.queryValue(
      "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(60)%'",
    );
  await waitUntil('it runs', async () => (await running()) === '1');
  client.socket.destroy();
  await waitUntil('the statement is ended on the server too', async () => (await running()) === '0');
  t.pass('nothing runs for nobody');
});

test('a client dies while it is sent a big answer', async (t) => {
  const client = await rawLogin(sluice);
  client.command(3, Buffer.from("SELECT REPEAT('x', 1000000) FROM seq_1_to_500"));
  await client.socket.receive();
  client.socket.destroy();
  await waitUntil(
    'its session is gone',
    async () => (await sluice.metric('sluice_frontend_connections')) === 1,
  );
  await waitUntil('the statement is over', async () => {
    const count = await set.primary.queryValue(
      "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT REPEAT%'",
    );
    return count === '0';
  });
  t.pass('nothing is left');
});
