/** A server that dies in the middle of an answer: the client gets an error, never a short answer that looks whole. */

import type { RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { readAnswer } from '../integration/differential/wire-answer.ts';
import type { WireClient } from '../integration/differential/wire-client.ts';
import { Capability, Command } from '../integration/differential/wire-constants.ts';
import type { WireRecord } from '../integration/differential/wire-record.ts';
import { WireClosedError } from '../integration/differential/wire-socket.ts';
import { ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { Bystander, undisturbedTest } from './bystander.ts';
import { MarkedFaultProxy } from './marked-fault-proxy.ts';
import { rawLogin } from './raw-login.ts';

const ROWS = 40;
const set = new ReplicationSet({
  replicas: 0,
  sql: [
    'CREATE TABLE app.numbers (id INT PRIMARY KEY, text VARCHAR(100))',
    `INSERT INTO app.numbers SELECT seq, REPEAT('n', 90) FROM app.seq_1_to_${ROWS}`,
    'CREATE TABLE app.written (id INT PRIMARY KEY AUTO_INCREMENT, mark VARCHAR(40))',
  ],
});
let proxy: MarkedFaultProxy;
let sluice: SluiceProcess;
let bystander: Bystander;
const test = undisturbedTest(() => ({ sluice, bystander }));

t.before(async () => {
  await set.start();
  proxy = await MarkedFaultProxy.start(set.primary);
  sluice = await SluiceProcess.startFor(set, {
    config: { servers: [proxy.address], monitor: { discovery: false } },
  });
  bystander = await Bystander.start(sluice);
});
t.teardown(async () => {
  await bystander?.stop();
  await sluice?.dispose();
  await proxy?.close();
  await set.dispose();
});

type Outcome = 'whole' | 'error' | 'closed';

/** Runs a statement and says what a client would make of the answer. */
async function outcomeOf(client: WireClient, sql: string, rows: number): Promise<Outcome> {
  client.command(Command.query, Buffer.from(sql));
  let records: WireRecord[];
  try {
    records = await readAnswer(client);
  } catch (error) {
    if (error instanceof WireClosedError && !error.message.startsWith('no packet')) return 'closed';
    throw new Error(`after ${proxy.faults.get('cut')?.cutAfterBytes} bytes of ${sql}`, { cause: error });
  }
  if (records.at(-1)?.kind === 'err') return 'error';
  const got = records.filter(({ kind }) => kind === 'row').length;
  if (got !== rows) throw new Error(`a short answer that looks whole: ${got} of ${rows} rows`);
  return 'whole';
}

/** Cuts the server's answer after each of these numbers of bytes. */
async function cutEverywhere(
  t: Test,
  sql: string,
  rows: number,
  cuts: readonly number[],
  capabilities: number,
) {
  const outcomes = new Map<Outcome, number>();
  for (const bytes of cuts) {
    proxy.faults.set('cut', { cutAfterBytes: bytes });
    const client = await rawLogin(sluice, { capabilities });
    const outcome = await outcomeOf(client, `${sql} ${MarkedFaultProxy.mark('cut')}`, rows);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    t.same(client.socket.sequenceErrors, [], `cut after ${bytes} bytes: ${outcome}, packets in order`);
    client.close();
  }
  return outcomes;
}

const everyStart = Array.from({ length: 30 }, (_, bytes) => bytes);
const laterOn = Array.from({ length: 40 }, (_, step) => 30 + step * 97);

test('a read is cut after any number of bytes', async (t) => {
  for (const capabilities of [Capability.deprecateEof, 0]) {
    const outcomes = await cutEverywhere(
      t,
      'SELECT id, text FROM numbers ORDER BY id',
      ROWS,
      [...everyStart, ...laterOn],
      capabilities,
    );
    t.ok(
      (outcomes.get('error') ?? 0) + (outcomes.get('closed') ?? 0) >= laterOn.length,
      'most cuts are seen',
    );
  }
  t.ok(await sluice.waitForLog('a server was lost during an answer'), 'the log says why');
});

test('a result of two, cut in the second', async (t) => {
  const sql = 'SELECT id FROM numbers ORDER BY id; SELECT text FROM numbers ORDER BY id';
  const cuts = [150, 300, 400, 600, 1000, 2000, 3000];
  await cutEverywhere(t, sql, 2 * ROWS, cuts, Capability.deprecateEof | Capability.multiStatements);
});

test('a write is never executed twice, and its loss is said', async (t) => {
  for (const bytes of [0, 1, 4, 5, 6, 8]) {
    proxy.faults.set('write', { cutAfterBytes: bytes });
    const client = await rawLogin(sluice);
    const name = `cut-${bytes}`;
    client.command(
      Command.query,
      Buffer.from(`INSERT INTO written (mark) VALUES ('${name}') ${MarkedFaultProxy.mark('write')}`),
    );
    const records = await readAnswer(client).catch(() => []);
    const code = records[0]?.fields.code;
    t.not(records[0]?.kind, 'ok', `${name}: not reported as done`);
    if (code !== undefined) t.equal(code, 9009, `${name}: the outcome is unknown`);
    const count = Number(
      await set.primary.queryValue('SELECT COUNT(*) FROM app.written WHERE mark = ?', [name]),
    );
    t.ok(count <= 1, `${name}: executed ${count} times`);
    client.close();
  }
});

test('a transaction whose connection dies is over, and the client is told', async (t) => {
  proxy.faults.set('transaction', { cutAfterBytes: 3 });
  const connection = await sluice.connect();
  await connection.query('BEGIN');
  await connection.query("INSERT INTO written (mark) VALUES ('in transaction')");
  await t.rejects(
    connection.query(`SELECT 1 ${MarkedFaultProxy.mark('transaction')}`),
    'the statement fails',
  );
  const alive = await connection.query<RowDataPacket[]>('SELECT 1 AS one').catch(() => null);
  if (alive !== null) {
    // The connection may go on, but not as if the transaction were still open.
    await connection.query('COMMIT').catch(() => undefined);
  }
  connection.destroy();
  const count = await set.primary.queryValue(
    "SELECT COUNT(*) FROM app.written WHERE mark = 'in transaction'",
  );
  t.equal(count, '0', 'nothing of the transaction is there');
});

test('a temporary table that is lost with its connection is not replaced by the real one', async (t) => {
  proxy.faults.set('pinned', { cutAfterBytes: 0 });
  const connection = await sluice.connect();
  await connection.query('CREATE TEMPORARY TABLE numbers (id INT)');
  await t.rejects(connection.query(`SELECT COUNT(*) FROM numbers ${MarkedFaultProxy.mark('pinned')}`));
  const after = await connection
    .query<RowDataPacket[]>('SELECT COUNT(*) AS n FROM numbers')
    .catch(() => null);
  // A client that was told of the loss may go on; one that was not must not read the table below.
  if (after !== null)
    t.ok(await sluice.waitForLog(/9012|PROXY_SESSION_LOST|session.*lost/i), 'the loss was reported as such');
  connection.destroy();
});
