/** HOLD WRITES: what is new on the primary waits, what is open there ends, reads go on, and nobody gets an error. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const set = new ReplicationSet({
  replicas: 1,
  sql: [
    'CREATE TABLE app.t (n INT)',
    'INSERT INTO app.t VALUES (0)',
    'CREATE TABLE app.gate (n INT PRIMARY KEY)',
    'INSERT INTO app.gate VALUES (11)',
  ],
});
let sluice: SluiceProcess;
let admin: Connection;

t.before(async () => {
  await set.start();
  sluice = await SluiceProcess.startFor(set, { config: { limits: { heldBytes: 100_000 } } });
  admin = await sluice.adminConnection();
});
t.teardown(async () => {
  await admin?.end();
  await sluice?.dispose();
  await set.dispose();
});
t.afterEach(() => admin.query('RELEASE WRITES'));

/** @returns the warnings */
async function hold(seconds: number): Promise<string[]> {
  await admin.query(`HOLD WRITES TIMEOUT ${seconds}`);
  const [rows] = await admin.query<RowDataPacket[]>('SHOW WARNINGS');
  return rows.map(({ Message }) => String(Message));
}

function heldNow(): Promise<number> {
  return sluice.metric('sluice_held_statements');
}

async function waitsFor(count: number): Promise<void> {
  await waitUntil(`${count} statements wait`, async () => (await heldNow()) === count);
}

/** On the primary, which no gate stands in front of. */
async function countOf(n: number): Promise<number> {
  return Number(await set.primary.queryValue(`SELECT COUNT(*) FROM app.t WHERE n = ${n}`));
}

t.test('writes, transactions and pins wait; reads do not', async (t) => {
  const clients = await Promise.all(Array.from({ length: 4 }, () => sluice.connect()));
  const [writer, transaction, prepared, reader] = clients as [Connection, Connection, Connection, Connection];
  await prepared.execute('INSERT INTO t VALUES (?)', [1]);
  t.same(await hold(30), [], 'nothing is in the way');
  const order: string[] = [];
  const done = (name: string, result: Promise<unknown>): Promise<unknown> =>
    result.then(() => order.push(name));
  const first = done('write', writer.query('INSERT INTO t VALUES (2)'));
  await waitsFor(1);
  const second = done('begin', transaction.query('BEGIN'));
  const third = done('execute', prepared.execute('INSERT INTO t VALUES (?)', [3]));
  await waitsFor(3);
  const [rows] = await reader.query('SELECT COUNT(*) AS n FROM t WHERE n = 0');
  t.same(rows, [{ n: 1 }], 'a replica answers');
  const [hinted] = await reader.query('/* sluice:primary */ SELECT COUNT(*) AS n FROM t WHERE n = 0');
  t.same(hinted, [{ n: 1 }], 'and the primary too');
  t.same(order, [], 'and all the others wait');
  t.equal(await countOf(2), 0);
  await admin.query('RELEASE WRITES');
  await Promise.all([first, second, third]);
  t.equal(await countOf(2), 1, 'exactly once');
  t.equal(await countOf(3), 1);
  await transaction.query('INSERT INTO t VALUES (4)');
  await transaction.query('COMMIT');
  t.equal(await countOf(4), 1);
  t.ok((await sluice.metric('sluice_held_statements_total')) >= 3);
  t.ok((await sluice.metric('sluice_held_milliseconds_total')) > 0);
  await Promise.all(clients.map((client) => client.end()));
});

t.test('what is open goes on to its end, and a hold waits for it', async (t) => {
  const [client, slow] = await Promise.all([sluice.connect(), sluice.connect()]);
  await client.query('BEGIN');
  await client.query('INSERT INTO t VALUES (10)');
  const gate = await set.primary.rootConnection();
  await gate.query('BEGIN; SELECT n FROM app.gate FOR UPDATE');
  const running = slow.query('INSERT INTO t SELECT n FROM gate');
  await waitUntil('it runs', async () => {
    const list = await set.primary.query<{ Info: string | null }>('SHOW PROCESSLIST');
    return list.some(({ Info }) => Info?.includes('SELECT n FROM gate'));
  });
  let isHeld = false;
  const held = hold(30).then((warnings) => {
    isHeld = true;
    return warnings;
  });
  await gate.end();
  await running;
  await client.query('INSERT INTO t VALUES (12)');
  t.notOk(isHeld, 'the transaction is open');
  await client.query('COMMIT');
  t.same(await held, []);
  t.same(await Promise.all([10, 11, 12].map(countOf)), [1, 1, 1]);
  const next = client.query('INSERT INTO t VALUES (13)');
  await waitsFor(1);
  await admin.query('RELEASE WRITES');
  await next;
  t.equal(await countOf(13), 1);
  await Promise.all([client.end(), slow.end()]);
});

t.test('who is in the way is named, and the hold ends by itself', async (t) => {
  const [pinned, open, writer] = await Promise.all([sluice.connect(), sluice.connect(), sluice.connect()]);
  await pinned.query('CREATE TEMPORARY TABLE mine (n INT)');
  await open.query('BEGIN');
  const began = performance.now();
  const warnings = await hold(1);
  t.ok(performance.now() - began >= 950);
  t.equal(warnings.length, 2);
  t.match(warnings.join('\n'), /'app' at 127\.0\.0\.1:\d+ is in the way: temporary-table since 20/);
  t.match(warnings.join('\n'), /is in the way: transaction since 20/);
  const [result] = await writer.query<ResultSetHeader>('INSERT INTO t VALUES (20)');
  t.equal(result.affectedRows, 1, 'nobody has released anything');
  await open.query('ROLLBACK');
  await Promise.all([pinned.end(), open.end(), writer.end()]);
});

t.test('the client of a statement that waits', async (t) => {
  const [killed, gone, late] = await Promise.all([sluice.connect(), sluice.connect(), sluice.connect()]);
  const [[row]] = await killed.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id');
  await hold(30);
  gone.on('error', () => undefined);
  const endings = [
    killed.query('INSERT INTO t VALUES (30)'),
    gone.query('INSERT INTO t VALUES (31)'),
    late.query('INSERT INTO t VALUES (32)'),
  ].map((query) => query.catch((error: { errno?: number }) => error));
  await waitsFor(3);
  await admin.query(`KILL QUERY ${row?.id}`);
  t.match(await endings[0], { errno: 1317 }, 'KILL QUERY ends its wait');
  gone.destroy();
  await waitsFor(1);
  await admin.query('RELEASE WRITES');
  t.match(await endings[2], [{ affectedRows: 1 }]);
  await killed.query('INSERT INTO t VALUES (33)');
  t.same(await Promise.all([30, 31, 32, 33].map(countOf)), [0, 0, 1, 1], 'what ended has not been executed');
  await Promise.all([killed.end(), late.end()]);
});

t.test('the memory of what waits has a limit', async (t) => {
  const clients = await Promise.all(Array.from({ length: 6 }, () => sluice.connect()));
  await hold(30);
  const large = `INSERT INTO t VALUES (40) /* ${'x'.repeat(40_000)} */`;
  const results = clients.map((client) => client.query(large).catch((error: { errno?: number }) => error));
  // Two workers, of which each takes two.
  await waitUntil('the rest has its error', async () => {
    const settled = await Promise.all(results.map((result) => Promise.race([result, delay(0, null)])));
    return settled.filter((result) => result !== null).length + (await heldNow()) === 6;
  });
  const waiting = await heldNow();
  t.ok(waiting >= 2 && waiting <= 4, `${waiting} of six wait`);
  await admin.query('RELEASE WRITES');
  const ended = await Promise.all(results);
  const failed = ended.filter((result) => 'errno' in result);
  t.equal(failed.length, 6 - waiting);
  for (const error of failed) t.match(error, { errno: 9040 });
  t.equal(await countOf(40), waiting);
  await Promise.all(clients.map((client) => client.end()));
});
