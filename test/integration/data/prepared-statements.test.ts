/**
 * Prepared statements over few connections: what many clients prepare is there once for each connection, what one
 * client leaves is bounded, and an execution means what was prepared wherever it runs.
 */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { Command } from '../../../protocol/index.ts';
import { isNightly } from '../../support/nightly.ts';
import { RawClient } from '../../support/raw-client.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const CLIENTS = 120;
const CONNECTIONS = 6;
const PER_CONNECTION = 20;
const DISTINCT = isNightly ? 1_000_000 : 1_000;
const ROWS = 50;
const NO_SUCH_TABLE = { message: "Table 'app.changing' doesn't exist" };

const set = new ReplicationSet({
  replicas: 0,
  sql: [
    'CREATE TABLE app.t (id INT PRIMARY KEY, v VARCHAR(20))',
    ...Array.from({ length: ROWS }, (_, id) => `INSERT INTO app.t VALUES (${id}, 'app ${id}')`),
    'CREATE DATABASE other',
    'CREATE TABLE other.t (id INT PRIMARY KEY, v VARCHAR(20))',
    "INSERT INTO other.t VALUES (1, 'other 1')",
    "GRANT ALL ON other.* TO 'app'@'%'",
  ],
});
t.before(() => set.start());
t.teardown(() => set.dispose());

async function start(t: Test, limits: Record<string, number> = {}): Promise<SluiceProcess> {
  const sluice = await SluiceProcess.startFor(set, {
    config: {
      workers: 1,
      routing: { readsOnPrimary: 'share' },
      pool: { maxConnections: CONNECTIONS, maxStatementsPerConnection: PER_CONNECTION },
      limits,
    },
  });
  t.teardown(() => sluice.dispose());
  return sluice;
}

async function statementsOnServer(): Promise<number> {
  const [row] = await set.primary.query("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'");
  return Number(row?.Value);
}

async function value(connection: Connection, sql: string, parameters: unknown[] = []): Promise<unknown> {
  const [rows] = await connection.execute<RowDataPacket[]>(sql, parameters as never[]);
  return Object.values(rows[0] ?? {})[0];
}

/** The connections that Sluice has there are gone; its next statement runs on a new one. */
async function loseConnections(sluice: SluiceProcess): Promise<void> {
  const rows = await set.primary.query("SELECT id FROM information_schema.processlist WHERE user = 'app'");
  for (const { id } of rows) await set.primary.query(`KILL ${id}`);
  await waitUntil('they are gone', async () => {
    const left = await set.primary.query("SELECT id FROM information_schema.processlist WHERE user = 'app'");
    return left.length === 0 && (await sluice.metric('sluice_backend_statements')) === 0;
  });
}

t.test(`${CLIENTS} clients share ${CONNECTIONS} connections and what is prepared on them`, async (t) => {
  const sluice = await start(t);
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => sluice.connect()));
  const wrong: string[] = [];
  await Promise.all(
    clients.map(async (client, index) => {
      for (let i = 0; i < 10; i++) {
        const id = (index * 7 + i) % ROWS;
        const got = await value(client, 'SELECT v FROM t WHERE id = ?', [id]);
        if (got !== `app ${id}`) wrong.push(`${id}: ${got}`);
        // Another type for the same statement of the server.
        const text = await value(client, 'SELECT v FROM t WHERE id = ?', [String(id)]);
        if (text !== `app ${id}`) wrong.push(`'${id}': ${text}`);
        if ((await value(client, 'SELECT ? + 1', [index])) !== index + 1) wrong.push(`${index} + 1`);
      }
    }),
  );
  t.same(wrong, [], 'every answer is right');
  t.equal(await sluice.metric('sluice_pinned_sessions'), 0, 'no session is pinned');
  t.equal(await sluice.metric('sluice_client_statements'), CLIENTS * 2, 'every client has its statements');
  const onServer = await statementsOnServer();
  t.ok(onServer <= CONNECTIONS * 2, `the server has ${onServer} statements`);
  t.equal(await sluice.metric('sluice_backend_statements'), onServer, 'and Sluice knows of each');
  for (const client of clients) await client.end();
  await waitUntil('none is left', async () => (await sluice.metric('sluice_client_statements')) === 0);
});

t.test(`${DISTINCT} different statements leave no more than a connection may have`, async (t) => {
  const sluice = await start(t);
  const client = await RawClient.login(
    { host: '127.0.0.1', port: sluice.port },
    { ...APP_ACCOUNT, database: 'app' },
  );
  t.teardown(() => client.destroy());
  let most = 0;
  for (let i = 0; i < DISTINCT; i++) {
    client.sendCommand(Command.COM_STMT_PREPARE, `SELECT ${i} AS c${i}`);
    const { payload } = await client.readPacket();
    if (payload[0] !== 0) throw new Error(`PREPARE ${i} was refused`);
    await client.readPacket();
    const execute = Buffer.alloc(9);
    payload.copy(execute, 0, 1, 5);
    execute.writeUInt32LE(1, 5);
    client.sendCommand(Command.COM_STMT_EXECUTE, execute);
    for (let packets = 0; packets < 4; packets++) await client.readPacket();
    client.sendCommand(Command.COM_STMT_CLOSE, payload.subarray(1, 5));
    if (i % 250 === 249) most = Math.max(most, await statementsOnServer());
  }
  t.ok(most <= CONNECTIONS * PER_CONNECTION, `the server never had more than ${most}`);
  await waitUntil(
    'closed ones are gone',
    async () => (await sluice.metric('sluice_client_statements')) === 0,
  );
});

t.test('one more than the limit is refused, and nobody else notices', async (t) => {
  const sluice = await start(t, { maxPreparedStatements: 5, maxPreparedBytes: 4096 });
  const client = await sluice.connect();
  const bystander = await sluice.connect();
  const prepared = [];
  for (let i = 0; i < 5; i++) prepared.push(await client.prepare(`SELECT ${i}`));
  await t.rejects(client.prepare('SELECT 5'), {
    errno: 1461,
    message: "Can't create more prepared statements: limits.maxPreparedStatements is 5",
  });
  const [rows] = await bystander.query('SELECT 1 AS one');
  t.same(rows, [{ one: 1 }], 'text statements go on');
  await prepared[0]?.close();
  t.equal(await value(client, 'SELECT 6'), 6, 'a place that was given back is taken');
  await client.end();
  await waitUntil('they are gone', async () => (await sluice.metric('sluice_client_statements')) === 0);
  await t.rejects(bystander.prepare(`SELECT '${'x'.repeat(5000)}'`), {
    errno: 1461,
    message: "Can't create more prepared statements: limits.maxPreparedBytes is 4096",
  });
});

t.test('an execution elsewhere means what was prepared', async (t) => {
  const sluice = await start(t);
  const client = await sluice.connect();
  const quoted = await client.prepare('SELECT "v" FROM t WHERE id = 1');
  const first = await client.prepare('SELECT v FROM t WHERE id = ?');
  await client.query("SET sql_mode = 'ANSI_QUOTES'");
  await client.query('USE other');
  await loseConnections(sluice);
  const [text] = (await quoted.execute([])) as unknown as [RowDataPacket[]];
  t.same(Object.values(text[0] ?? {}), ['v'], 'a string, as under the sql_mode of its PREPARE');
  const [app] = (await first.execute([1])) as unknown as [RowDataPacket[]];
  t.same(app, [{ v: 'app 1' }], 'the table of the schema that it was prepared in');
  const [now] = await client.query('SELECT DATABASE() AS d, @@sql_mode AS m, v FROM t');
  t.same(now, [{ d: 'other', m: 'ANSI_QUOTES', v: 'other 1' }], 'the session is where it was');

  await client.query('BEGIN');
  await client.query("INSERT INTO t VALUES (2, 'other 2')");
  const fresh = await client.prepare('SELECT COUNT(*) AS n FROM t');
  await client.query('USE app');
  await client.query("SET sql_mode = ''");
  const [count] = (await fresh.execute([])) as unknown as [RowDataPacket[]];
  t.same(count, [{ n: 2 }], 'within the transaction');
  await client.query('ROLLBACK');
  t.equal(await set.primary.queryValue('SELECT COUNT(*) FROM other.t'), '1', 'which was not ended by it');
  t.equal(await sluice.metric('sluice_pinned_sessions'), 0, 'nothing pins');
});

t.test('a schema that is dropped between a statement and its execution', async (t) => {
  const sluice = await start(t);
  const [visitor, client] = [await sluice.connect(), await sluice.connect()];
  await set.primary.query('CREATE DATABASE gone');
  await set.primary.query("GRANT ALL ON gone.* TO 'app'@'%'");

  // Visited for the PREPARE, and back to a schema that is there no more.
  const first = await visitor.prepare('SELECT v FROM t WHERE id = ?');
  await loseConnections(sluice);
  await visitor.query('USE gone');
  await set.primary.query('DROP DATABASE gone');
  const execution = first.execute([1]) as unknown as Promise<unknown>;
  await t.rejects(execution, { errno: 1049 } as object as Error, 'is told, and does not wait for ever');

  // Visited from a session that is in no schema.
  await set.primary.query('CREATE DATABASE gone');
  await client.query('USE gone');
  await client.query('CREATE TABLE t AS SELECT 7 AS v');
  const second = await client.prepare('SELECT v FROM t WHERE v = ?');
  await client.query('DROP DATABASE gone');
  await set.primary.query('CREATE DATABASE gone');
  await set.primary.query('CREATE TABLE gone.t AS SELECT 8 AS v');
  await loseConnections(sluice);
  const [there] = (await second.execute([8])) as unknown as [RowDataPacket[]];
  t.same(there, [{ v: 8 }], 'a statement keeps its schema');
  const [now] = await client.query('SELECT DATABASE() AS d');
  t.same(now, [{ d: null }], 'and the session still has none');
  const another = await sluice.connect({ database: '' });
  const [other] = await another.query('SELECT DATABASE() AS d');
  t.same(other, [{ d: null }], 'nor has another session without one');
  await set.primary.query('DROP DATABASE gone');
});

t.test('a table that changes behind a statement', async (t) => {
  const sluice = await start(t);
  const client = await sluice.connect();
  const other = await sluice.connect();
  await client.query('CREATE TABLE changing (a INT)');
  await client.query('INSERT INTO changing VALUES (1)');
  const all = await client.prepare('SELECT * FROM changing');
  await all.execute([]);
  await other.query("ALTER TABLE changing ADD b VARCHAR(5) DEFAULT 'new'");
  t.same((await all.execute([]))[0], [{ a: 1, b: 'new' }], 'the new column comes');
  await loseConnections(sluice);
  t.same((await all.execute([]))[0], [{ a: 1, b: 'new' }], 'on a new connection as well');
  await other.query('DROP TABLE changing');
  await t.rejects(async () => all.execute([]), NO_SUCH_TABLE);
  await loseConnections(sluice);
  await t.rejects(async () => all.execute([]), NO_SUCH_TABLE);
  await other.query('CREATE TABLE changing (c INT)');
  t.same((await all.execute([]))[0], [], 'and it works again');
  await other.query('DROP TABLE changing');
});

t.test('what clients have closed makes room where the server has none left', async (t) => {
  const sluice = await start(t);
  const client = await sluice.connect();
  const kept = await client.prepare('SELECT v FROM t WHERE id = ?');
  const before = await set.primary.queryValue('SELECT @@global.max_prepared_stmt_count');
  await set.primary.query('SET GLOBAL max_prepared_stmt_count = 4');
  try {
    for (let i = 0; i < 20; i++) {
      const statement = await client.prepare(`SELECT ${i} AS i`);
      const [rows] = (await statement.execute([])) as unknown as [RowDataPacket[]];
      t.same(rows, [{ i }]);
      await statement.close();
    }
    const [rows] = (await kept.execute([1])) as unknown as [RowDataPacket[]];
    t.same(rows, [{ v: 'app 1' }], 'what was closed to make room is prepared again');
    await set.primary.query('SET GLOBAL max_prepared_stmt_count = 0');
    await t.rejects(
      client.prepare('SELECT 1 AS one'),
      { code: 'ER_MAX_PREPARED_STMT_COUNT_REACHED' },
      'the last word',
    );
  } finally {
    await set.primary.query(`SET GLOBAL max_prepared_stmt_count = ${before}`);
  }
  await client.end();
});
