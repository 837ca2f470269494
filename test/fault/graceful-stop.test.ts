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

function start(shutdownGraceMs: number): Promise<SluiceProcess> {
  const config: SluiceOptions['config'] = { limits: { shutdownGraceMs } };
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
  t.ok(performance.now() - startedAt < 5000, 'within the grace and a little more');
  for (const [what, client] of [
    ['the slow statement', slow],
    ['the open transaction', open],
  ] as const) {
    const { payload } = await client.socket.receive(1000);
    t.equal(payload[0], 0xff, `${what} gets an error`);
    t.equal(payload.readUInt16LE(1), 1053, `${what} gets 1053`);
  }
  await waitUntil('nothing is left on the server', async () => !(await running("SELECT ''too slow''")));
  t.equal(await set.primary.queryValue('SELECT COUNT(*) FROM app.t WHERE id = 3'), '0', 'rolled back');
});

t.test('with nothing to do it ends at once', async (t) => {
  const sluice = await start(30_000);
  const connection = await sluice.connect();
  await connection.query('SELECT 1');
  const startedAt = performance.now();
  await sluice.stop();
  t.ok(performance.now() - startedAt < 5000, 'no waiting for idle clients');
  connection.destroy();
  await sluice.dispose();
});
