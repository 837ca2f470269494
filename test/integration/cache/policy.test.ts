/** Who may ask for a result to be kept, in all the ways to ask, and what EXPLAIN ROUTE says of it; on a real server. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ColumnType, encodeComStmtExecute } from '../../../protocol/index.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WireClient } from '../protocol/wire-client.ts';

const set = new ReplicationSet({
  flavor: 'mariadb',
  replicas: 0,
  sql: [
    'CREATE TABLE app.t (id INT PRIMARY KEY, v INT)',
    'INSERT INTO app.t VALUES (1, 10), (2, 20)',
    'CREATE TABLE app.listed (id INT)',
    'CREATE TABLE app.hours (id INT, at TIME, day DATE)',
    'CREATE TABLE app.computed (id INT, n DATETIME AS (NOW()) VIRTUAL)',
    'CREATE VIEW app.today AS SELECT id, CURDATE() AS d FROM app.t',
    'CREATE VIEW app.plain AS SELECT id, v FROM app.t',
  ],
});
let sluice: SluiceProcess;
let admin: Connection;
let client: Connection;
t.before(async () => {
  await set.start();
  sluice = await SluiceProcess.startFor(set, {
    config: {
      workers: 1,
      queryRules: [
        { ruleId: 1, matchPattern: 'WHERE 1 = 1', cacheTtlMs: 60_000 },
        { ruleId: 2, matchPattern: 'WHERE 2 = 2', attributes: { cache: { class: 'immutable' } } },
        { ruleId: 3, matchPattern: 'WHERE 3 = 3', attributes: { cache: { class: 'off' } } },
      ],
      cache: {
        rules: [
          { ruleId: 7, tables: ['app.listed'], class: 'weak', ttlMs: 60_000, staleWhileRevalidateMs: 5 },
          { ruleId: 8, tables: ['information_schema.schemata'], class: 'immutable' },
        ],
      },
    },
  });
  admin = await sluice.adminConnection({ database: 'app' });
  client = await sluice.connect();
  await waitUntil('what tables are is known', async () =>
    /^weak/.test(await cacheStep('SELECT id FROM listed')),
  );
});
t.teardown(async () => {
  client.destroy();
  admin.destroy();
  await sluice.dispose();
  await set.dispose();
});

async function cacheStep(sql: string, name = 'cache'): Promise<string> {
  const [rows] = await admin.query<RowDataPacket[]>(`EXPLAIN ROUTE ${sql}`);
  return String(rows.find(({ step }) => step === name)?.value);
}

async function hits(): Promise<number> {
  const text = await (await sluice.get('/metrics')).text();
  return Number(/^sluice_cache_hits_total\{worker="0"\} (\d+)$/m.exec(text)?.[1]);
}

/** How many of ten runs of it come from the cache, by text and prepared. */
async function hitsOf(sql: string): Promise<number> {
  const before = await hits();
  for (let count = 0; count < 5; count++) await client.query(sql);
  for (let count = 0; count < 5; count++) await client.execute(sql);
  return (await hits()) - before;
}

t.test('each way to ask', async (t) => {
  for (const [sql, said, expected] of [
    ['SELECT v FROM t WHERE 1 = 1', 'weak: rule 1, up to 60000 ms old', 8],
    ['SELECT v FROM t WHERE 2 = 2', 'immutable: rule 2', 8],
    ['SELECT v FROM t WHERE 3 = 3', 'no: rule-off (rule 3)', 0],
    [
      'SELECT id FROM listed',
      'weak: cache rule 7, up to 60000 ms old, 5 ms longer while it is read again',
      8,
    ],
    ['SELECT id FROM listed /* sluice:nocache */', 'no: hint-off (hint)', 0],
    ['SELECT v FROM t /* sluice:cache=immutable */', 'immutable: hint', 8],
    ['SELECT id FROM plain /* sluice:cache_ttl_ms=60000 */', 'weak: hint, up to 60000 ms old', 8],
    ['SELECT v FROM t', 'no: no-rule', 0],
    [
      'SELECT TABLE_NAME FROM information_schema.TABLES /* sluice:cache_ttl_ms=60000 */',
      'weak: hint, up to 60000 ms old',
      8,
    ],
    ['SELECT SCHEMA_NAME FROM information_schema.SCHEMATA', 'immutable: cache rule 8', 8],
    [
      'SELECT SCHEMA_NAME FROM information_schema.SCHEMATA /* sluice:cache=strong */',
      'no: not-a-proven-read (system-schema: information_schema.SCHEMATA)',
      0,
    ],
    [
      'SELECT ID FROM information_schema.PROCESSLIST WHERE 1 = 1',
      'no: not-a-proven-read (system-schema: information_schema.PROCESSLIST)',
      0,
    ],
    ['SELECT SCHEMA_NAME, NOW() FROM information_schema.SCHEMATA', 'no: clock (NOW)', 0],
    ['SELECT listed.id FROM listed, t', 'no: no-rule', 0],
    ['SELECT NOW() FROM listed', 'no: clock (NOW)', 0],
    ['SELECT SQL_NO_CACHE id FROM listed', 'no: sql-no-cache (SQL_NO_CACHE)', 0],
    ['SELECT d FROM today WHERE 1 = 1', 'no: varying-table (app.today)', 0],
    ['SELECT n FROM computed WHERE 1 = 1', 'no: varying-table (app.computed)', 0],
    ['SELECT at FROM hours WHERE 2 = 2', 'immutable: rule 2', 8],
    ['SELECT id FROM hours WHERE 2 = 2 AND at = day', 'no: time-of-day (app.hours)', 0],
    ['SELECT id FROM hours WHERE 1 = 1 AND at = day', 'weak: rule 1, up to 60000 ms old', 8],
  ] as const) {
    t.equal(await cacheStep(sql), said, sql);
    t.equal(await hitsOf(sql), expected, sql);
  }
  await client.query('/*;cache_ttl=60000*/ SELECT v FROM t');
  const before = await hits();
  await client.query('/*;cache_ttl=60000*/ SELECT v FROM t');
  t.equal((await hits()) - before, 1, "ProxySQL's hint");
});

// Beside a DATETIME a TIME is one of the current day: what was kept of it was another day's behind midnight.
t.test('what is asked with a parameter of the type TIME is not kept', async (t) => {
  const { username, password } = APP_ACCOUNT;
  const wire = await WireClient.login(
    { host: '127.0.0.1', port: sluice.port },
    { username, password: { kind: 'plain', value: password }, database: 'app' },
  );
  if (!(wire instanceof WireClient)) throw new Error(wire.message);
  t.teardown(() => wire.close());
  const { statementId } = await wire.prepare('SELECT id FROM hours WHERE 2 = 2 AND ? < day');
  const time = { negative: false, days: 0, hours: 10, minutes: 0, seconds: 0, microseconds: 0 };
  for (const [type, value, expected] of [
    [ColumnType.MYSQL_TYPE_TIME, time, 0],
    [ColumnType.MYSQL_TYPE_VAR_STRING, Buffer.from('10:00:00'), 3],
  ] as const) {
    const before = await hits();
    const types = [{ type, unsigned: false, name: '' }];
    const execution = { statementId, flags: 0, iterationCount: 1, typesSent: true, types, values: [value] };
    for (let count = 0; count < 4; count++)
      await wire.resultset(encodeComStmtExecute(execution, wire.capabilities));
    t.equal((await hits()) - before, expected);
  }
});

t.test('a hint for strong has the binary log followed, so that writes around Sluice are seen', async (t) => {
  const sql = 'SELECT v FROM t WHERE id = 2 /* sluice:cache=strong */';
  t.match(await cacheStep(sql), 'strong: hint, counts only what is written through this Sluice');
  await client.query(sql);
  await waitUntil('the log is followed', async () => /seen within 500 ms/.test(await cacheStep(sql)));
  await waitUntil('it is served from the cache', async () => (await hitsOf(sql)) === 10);
  const now = (): Promise<string> => cacheStep(sql, 'cache_now');
  t.match(
    await now(),
    /^worker 0: a hit, read \d+ ms ago within \d+\.\d ms, 1 rows, \d+ bytes, by (?:row|table), for app$/,
  );
  t.equal(await cacheStep(sql.replace('2', '3'), 'cache_now'), 'worker 0: nothing is kept', 'other literals');
  const root = await set.primary.rootConnection();
  await root.query('UPDATE app.t SET v = 21 WHERE id = 2');
  await root.end();
  await waitUntil('the write is seen', async () => {
    const [rows] = await client.query<RowDataPacket[]>(sql);
    return rows[0]?.v === 21;
  });
  await client.query('UPDATE t SET v = 22');
  // Until the follower has come to the write nobody knows which rows it has changed.
  await waitUntil('it is known to be over', async () =>
    /^worker 0: no hit any more: a write, DDL, or its time has ended it, read/.test(await now()),
  );
  await admin.query('FLUSH CACHE');
  t.equal(await now(), 'worker 0: nothing is kept');
  t.equal(await cacheStep('SELECT v FROM t', 'cache_now'), 'worker 0: nothing is kept');
});

t.test('cache.auto keeps what repeats, and leaves what does not', async (t) => {
  await admin.query("SET sluice-cache_auto = 'strong'");
  await admin.query('LOAD SLUICE VARIABLES TO RUNTIME');
  const repeated = 'SELECT v, id FROM t WHERE id = 1';
  t.match(await cacheStep(repeated), 'strong: auto, while it pays, as each worker finds out');
  t.equal(await hitsOf(repeated), 0, 'nothing is known of it yet');
  t.equal(await cacheStep(repeated, 'cache_auto'), 'worker 0: not enough statements yet (10)');
  await waitUntil('it is served from the cache', async () => (await hitsOf(repeated)) === 10);
  const before = await hits();
  for (let id = 0; id < 100; id++) await client.query(`SELECT v + id FROM t WHERE id = ${id}`);
  t.equal((await hits()) - before, 0);
  const pays =
    /^worker 0: pays: \d\d % of the last statements would have been hits, each of \d+\.\d\d ms on a server$/;
  t.match(await cacheStep(repeated, 'cache_auto'), pays);
  t.match(
    await cacheStep('SELECT v + id FROM t WHERE id = 7', 'cache_auto'),
    /^worker 0: does not pay: 0 % of the last statements would have been hits/,
  );
});
