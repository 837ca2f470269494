/** SIGTERM: what runs may finish, new work is refused with 1053, and the process ends by itself. */

import type { RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { readAnswer } from '../integration/differential/wire-answer.ts';
import { Command } from '../integration/differential/wire-constants.ts';
import { ReplicationSet } from '../support/replication-set.ts';
import { type SluiceOptions, SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';
import { rawLogin } from './raw-login.ts';

const set = new ReplicationSet({ replicas: 1, sql: ['CREATE TABLE app.t (id INT PRIMARY KEY)'] });
t.before(() => set.start());
t.teardown(() => set.dispose());

function start(shutdownGraceMs: number, shutdownDelayMs = 0): Promise<SluiceProcess> {
  const config: SluiceOptions['config'] = { limits: { shutdownGraceMs, shutdownDelayMs } };
  return SluiceProcess.startFor(set, { config });
}

function running(text: string): Promise<boolean> {
  const sql = `SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '${text}%'`;
  return set.primary.queryValue(sql).then((count) => count !== '0');
}

t.test('statements and transactions finish', async (t) => {
  const sluice = await start(20_000);
  t.teardown(() => sluice.dispose());
  const idle = await rawLogin(sluice);
  const statement = await sluice.connect();
  const transaction = await sluice.connect();
  await transaction.query('BEGIN');
  await transaction.query('INSERT INTO t VALUES (1)');
  const slow = statement.query<RowDataPacket[]>("SELECT 'slow' AS answer, SLEEP(2) AS slept");
  await waitUntil('the slow statement runs', () => running("SELECT ''slow''"));
  sluice.signal('SIGTERM');

  // The idle client is told at once, or when it next asks for something.
  const told = await idle.socket.receive(1500).then(
    ({ payload }) => payload.readUInt16LE(1),
    async () => {
      idle.command(Command.query, Buffer.from('SELECT 1'));
      const [first] = await readAnswer(idle).catch(() => []);
      return first?.fields.code ?? 'closed';
    },
  );
  t.equal(told, 1053, 'the idle client gets 1053');
  await idle.socket.waitForClose();
  await t.rejects(sluice.connect(), 'no new connections');

  await transaction.query('INSERT INTO t VALUES (2)');
  await transaction.query('COMMIT');
  const [rows] = await slow;
  t.same(rows[0], { answer: 'slow', slept: 0 }, 'the running statement has its whole answer');
  const { code } = await sluice.exited;
  t.equal(code, 0, 'exit code');
  t.equal(await set.primary.queryValue('SELECT COUNT(*) FROM app.t'), '2', 'the transaction was committed');
  transaction.destroy();
  statement.destroy();
});

t.test('a statement that crosses the end of its client is not executed', async (t) => {
  const sluice = await start(20_000);
  t.teardown(() => sluice.dispose());
  const late = await Promise.all(Array.from({ length: 4 }, () => rawLogin(sluice)));
  const busy = await Promise.all(Array.from({ length: 4 }, () => sluice.connect()));
  t.teardown(() => busy.map((connection) => connection.destroy()));
  const answered = new Set<number>();
  const refused = new Set<number>();
  const writing = busy.map(async (connection, index) => {
    connection.on('error', () => undefined);
    for (let id = 1000 * (index + 1); ; id++) {
      try {
        await connection.query('INSERT INTO t VALUES (?)', [id]);
        answered.add(id);
      } catch {
        refused.add(id);
        return;
      }
    }
  });
  await waitUntil('all of them write', async () => answered.size >= 40);
  sluice.signal('SIGTERM');
  const told = await Promise.all(
    late.map(async (client, index) => {
      const { payload } = await client.socket.receive();
      // On its way while Sluice says that it is over.
      client.command(Command.query, Buffer.from(`INSERT INTO t VALUES (${500 + index})`));
      await client.socket.waitForClose();
      return payload.readUInt16LE(1);
    }),
  );
  t.strictSame(told, [1053, 1053, 1053, 1053]);
  await Promise.all(writing);
  t.equal((await sluice.exited).code, 0);
  const rows = await set.primary.query<{ id: number | string }>('SELECT id FROM app.t WHERE id >= 500');
  const executed = new Set(rows.map(({ id }) => Number(id)));
  t.strictSame(
    [...answered].filter((id) => !executed.has(id)),
    [],
    'what was answered is there',
  );
  t.strictSame(
    [...executed].filter((id) => !answered.has(id)),
    [],
    'what was refused is not',
  );
  t.equal(refused.size, 4);
});

t.test('what takes too long is ended with 1053', async (t) => {
  const sluice = await start(500);
  t.teardown(() => sluice.dispose());
  const slow = await rawLogin(sluice);
  slow.command(Command.query, Buffer.from("SELECT 'too slow', SLEEP(60)"));
  const open = await rawLogin(sluice);
  for (const sql of ['BEGIN', 'INSERT INTO t VALUES (3)']) {
    open.command(Command.query, Buffer.from(sql));
    await readAnswer(open);
  }
  await waitUntil('the slow statement runs', () => running("SELECT ''too slow''"));
  const startedAt = performance.now();
  sluice.signal('SIGTERM');
  const { code } = await sluice.exited;
  t.equal(code, 0, 'exit code');
  t.ok(performance.now() - startedAt < 30_000, 'long before the statement would have ended');
  for (const [what, client] of [
    ['the slow statement', slow],
    ['the open transaction', open],
  ] as const) {
    const { payload } = await client.socket.receive();
    t.equal(payload[0], 0xff, `${what} gets an error`);
    t.equal(payload.readUInt16LE(1), 1053, `${what} gets 1053`);
  }
  await waitUntil('nothing is left on the server', async () => !(await running("SELECT ''too slow''")));
  t.equal(await set.primary.queryValue('SELECT COUNT(*) FROM app.t WHERE id = 3'), '0', 'rolled back');
});

t.test('with nothing to do it ends at once', async () => {
  const sluice = await start(600_000);
  const connection = await sluice.connect();
  await connection.query('SELECT 1');
  // Fails beyond its own time-out, which is shorter than the grace.
  await sluice.stop();
  connection.destroy();
  await sluice.dispose();
});

t.test('for limits.shutdownDelayMs nothing changes but /readyz', async (t) => {
  const sluice = await start(20_000, 600_000);
  t.teardown(() => sluice.dispose());
  const before = await sluice.connect();
  await before.query('BEGIN');
  sluice.signal('SIGTERM');
  await waitUntil('/readyz answers 503', async () => (await sluice.get('/readyz')).status === 503);
  t.match(await (await sluice.get('/readyz')).json(), { status: 'not ready', reasons: ['stopping'] });
  t.equal((await sluice.get('/healthz')).status, 200, 'it lives: nobody is to restart it');

  const during = await sluice.connect();
  await during.query('REPLACE INTO t VALUES (10)');
  const [rows] = await during.query<RowDataPacket[]>('SELECT id FROM t WHERE id = 10');
  t.same(rows, [{ id: 10 }], 'a new client is served');
  await before.query('COMMIT');

  const admin = await sluice.adminConnection();
  await admin.query("INSERT INTO mysql_users (username, password) VALUES ('late', 'secret')");
  await admin.query('LOAD MYSQL USERS TO RUNTIME');
  const known = sluice.connect({ user: 'late', password: 'secret', database: '' });
  await t.resolves(known, 'configurations and topologies still come into force');

  for (const client of [before, during, admin, await known]) client.destroy();
  sluice.signal('SIGTERM');
  t.equal((await sluice.exited).code, 143, 'a second signal does not wait');
});

t.test('after limits.shutdownDelayMs it stops listening, and drains', async (t) => {
  const delayMs = 700;
  const sluice = await start(20_000, delayMs);
  t.teardown(() => sluice.dispose());
  const transaction = await sluice.connect();
  const startedAt = performance.now();
  sluice.signal('SIGTERM');
  await transaction.query('BEGIN');
  await transaction.query('INSERT INTO t VALUES (20)');
  const refused = await waitUntil('nobody is let in', () =>
    sluice.connect().then(
      (client) => void client.destroy(),
      (error: { readonly code?: string; readonly errno?: number }) => error,
    ),
  );
  t.ok(performance.now() - startedAt >= delayMs, 'not before the delay is over');
  t.ok(refused.code === 'ECONNREFUSED' || refused.errno === 1053, 'refused');
  t.equal((await sluice.get('/readyz')).status, 503, '/readyz answers as long as anybody is left');
  await transaction.query('COMMIT');
  t.equal((await sluice.exited).code, 0, 'exit code');
  t.equal(await set.primary.queryValue('SELECT COUNT(*) FROM app.t WHERE id = 20'), '1', 'committed');
  transaction.destroy();
});
