/** SHOW PROCESSLIST through Sluice: clients see each other, by the ids that KILL takes. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const BOSS = { username: 'boss', password: 'boss-secret' } as const;

interface Listed {
  readonly Id: number;
  readonly User: string;
  readonly Host: string;
  readonly db: string | null;
  readonly Command: string;
  readonly Info: string | null;
}

async function list(connection: Connection, sql = 'SHOW PROCESSLIST'): Promise<Listed[]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return rows as unknown as Listed[];
}

function portOf(connection: Connection): number {
  const { stream } = (connection as unknown as { connection: { stream: { localPort: number } } }).connection;
  return stream.localPort;
}

async function runLists(t: Test, flavor: ServerFlavor): Promise<void> {
  const set = new ReplicationSet({
    flavor,
    replicas: 1,
    sql: [`CREATE USER boss IDENTIFIED BY '${BOSS.password}'`, 'GRANT ALL ON *.* TO boss'],
  });
  t.teardown(() => set.dispose());
  await set.start();
  const sluice = await SluiceProcess.startFor(set, { config: { users: [APP_ACCOUNT, BOSS] } });
  t.teardown(() => sluice.dispose());
  const boss = await sluice.connect({ user: BOSS.username, password: BOSS.password });
  const idle = await sluice.connect();
  const inTransaction = await sluice.connect();
  const asker = await sluice.connect();
  t.teardown(() => Promise.all([boss, idle, inTransaction, asker].map((one) => one.end())));
  await idle.query('SELECT 1');
  await inTransaction.query('BEGIN');

  await t.test('without the privilege: one’s own', async (t) => {
    const rows = await list(asker);
    t.same(
      rows.map(({ Id }) => Id),
      [idle, inTransaction, asker].map(({ threadId }) => threadId).sort((one, other) => one - other),
    );
    for (const connection of [idle, inTransaction, asker]) {
      const row = rows.find(({ Id }) => Id === connection.threadId);
      t.match(row, { User: 'app', db: 'app', Host: `127.0.0.1:${portOf(connection)}` });
      t.equal(row?.Command, connection === asker ? 'Query' : 'Sleep');
      t.equal(row?.Info, connection === asker ? 'SHOW PROCESSLIST' : null);
    }
  });

  await t.test('with it: everybody, the server’s own threads too', async (t) => {
    const rows = await list(boss, 'SHOW FULL PROCESSLIST');
    const ids = new Set(rows.map(({ Id }) => Id));
    for (const connection of [boss, idle, inTransaction, asker]) t.ok(ids.has(connection.threadId));
    t.ok(
      rows.some(({ User }) => User === 'monitor'),
      'whoever else is connected',
    );
    const [straight] = await set.primary.query<{ ids: string }>(
      "SELECT GROUP_CONCAT(id) AS ids FROM information_schema.processlist WHERE user IN ('app', 'boss')",
    );
    const threads = straight?.ids.split(',').map(Number) ?? [];
    t.ok(threads.length > 0 && threads.every((id) => !ids.has(id)), 'no connection of the pools');
    t.equal(ids.size, rows.length, 'nobody twice');
  });

  await t.test('what runs is shown, and KILL takes its id', async (t) => {
    const slow = inTransaction.query('SELECT 9 AS nine, SLEEP(20)').then(
      () => 'done',
      (error: { errno: number }) => error.errno,
    );
    const row = await waitUntil('it is in the list', async () =>
      (await list(boss)).find(({ Info }) => Info === 'SELECT 9 AS nine, SLEEP(20)'),
    );
    t.equal(row?.Id, inTransaction.threadId);
    await boss.query(`KILL QUERY ${row?.Id}`);
    t.ok([1317, 'done'].includes(await slow));
  });

  await t.test('in a transaction, and in one statement after the other', async (t) => {
    const [own] = (await list(inTransaction)).filter(({ Command }) => Command === 'Query');
    t.equal(own?.Id, inTransaction.threadId);
    await inTransaction.query('COMMIT');
    for (let round = 0; round < 20; round++) {
      const rows = await list(asker);
      if (rows.length !== 3) t.fail(`round ${round}: ${rows.length} rows`);
    }
    const [rows] = await asker.query<RowDataPacket[]>('SELECT 1 AS one');
    t.equal(rows[0]?.one, 1);
  });
}

t.test('MariaDB', (t) => runLists(t, ServerFlavor.mariadb));

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, (t) => runLists(t, ServerFlavor.mysql));
