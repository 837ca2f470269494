/** Time-outs, delays, multiplexing and mirrors of query rules, in front of real servers. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { GeneralLog } from '../../support/general-log.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const set = new ReplicationSet({
  sql: [
    'CREATE TABLE app.t (id INT PRIMARY KEY, n INT)',
    'INSERT INTO app.t VALUES (1, 1)',
    'CREATE PROCEDURE app.leaves() BEGIN SET @left = 1; DO GET_LOCK("left", 0); END',
  ],
});
let log: GeneralLog;
t.before(async () => {
  await set.start();
  log = await GeneralLog.start(set.servers);
});
t.teardown(() => set.dispose());

const ER_STATEMENT_TIMEOUT = 1969;
const ER_QUERY_INTERRUPTED = 1317;
const ENOUGH_MS = 20_000;

async function start(t: Test, config: Readonly<Record<string, unknown>>): Promise<SluiceProcess> {
  const [first, second] = set.replicas;
  const servers = [
    { host: set.primary.host, port: set.primary.port, hostgroup: 0 },
    { host: first?.host, port: first?.port, hostgroup: 1 },
    { host: second?.host, port: second?.port, hostgroup: 50 },
  ];
  const sluice = await SluiceProcess.startFor(set, {
    config: { servers, users: [APP_ACCOUNT], causalReads: { level: 'none' }, workers: 1, ...config },
  });
  t.teardown(() => sluice.dispose());
  const admin = await connected(t, sluice.adminConnection({ database: 'app' }));
  await waitUntil('reads are proven, and every replica is fit', async () => {
    const [rows] = await admin.query<RowDataPacket[]>(
      'EXPLAIN ROUTE /* sluice:hostgroup=50 */ SELECT n FROM t',
    );
    const [others] = await admin.query<RowDataPacket[]>(
      'EXPLAIN ROUTE /* sluice:hostgroup=1 */ SELECT n FROM t',
    );
    return [...rows, ...others].filter(({ value }) => value === 'replica').length === 2;
  });
  return sluice;
}

async function connected(t: Test, connecting: Promise<Connection>): Promise<Connection> {
  const connection = await connecting;
  t.teardown(() => connection.end());
  return connection;
}

interface Failure {
  readonly errno: number;
  readonly message: string;
  readonly elapsedMs: number;
}

async function failure(run: () => Promise<unknown>): Promise<Failure> {
  const startedAt = performance.now();
  return run().then(
    () => ({ errno: 0, message: 'no error', elapsedMs: performance.now() - startedAt }),
    ({ errno, message }: Failure) => ({ errno, message, elapsedMs: performance.now() - startedAt }),
  );
}

async function sleepersOf(server: (typeof set)['primary']): Promise<number> {
  const rows = await server.query(
    "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'",
  );
  return rows.length;
}

t.test('a statement that takes too long is killed, and the limit is named', async (t) => {
  const sluice = await start(t, {
    limits: { queryTimeoutMs: 1000 },
    queryRules: [
      { ruleId: 7, matchDigest: 'SLEEP', schemaname: 'app', timeoutMs: 150 },
      { ruleId: 8, matchDigest: 'BENCHMARK', timeoutMs: 30_000 },
    ],
  });
  const client = await connected(t, sluice.connect());
  const byRule = await failure(() => client.query('SELECT SLEEP(30)'));
  t.match(byRule, { errno: ER_STATEMENT_TIMEOUT, message: /150 ms \(query rule 7\)/ });
  t.ok(byRule.elapsedMs < ENOUGH_MS, `${Math.round(byRule.elapsedMs)} ms`);
  t.match(
    await failure(() => client.execute('SELECT SLEEP(?)', [30])),
    { errno: ER_STATEMENT_TIMEOUT },
    'prepared',
  );
  await waitUntil('nobody sleeps on the server', async () => (await sleepersOf(set.primary)) === 0);
  await set.primary.query('CREATE TABLE IF NOT EXISTS app.many AS SELECT seq AS n FROM app.seq_1_to_3000');
  const slow = 'SELECT COUNT(*) FROM many a JOIN many b JOIN many c WHERE a.n + b.n + c.n = 0';
  t.match(await failure(() => client.query(slow)), {
    errno: ER_STATEMENT_TIMEOUT,
    message: /1000 ms \(limits.queryTimeoutMs\)/,
  });
  t.equal((await failure(() => client.query('SELECT BENCHMARK(1, 1)'))).errno, 0);

  await client.beginTransaction();
  await client.query('INSERT INTO t VALUES (2, 2)');
  t.match(await failure(() => client.query('SELECT SLEEP(30)')), { errno: ER_STATEMENT_TIMEOUT });
  await client.query('INSERT INTO t VALUES (3, 3)');
  await client.commit();
  t.equal(
    await set.primary.queryValue('SELECT COUNT(*) FROM app.t WHERE id IN (2, 3)'),
    '2',
    'the transaction went on',
  );
  await client.query('DELETE FROM t WHERE id > 1');
});

t.test('who waits for a connection is told as well', async (t) => {
  const sluice = await start(t, {
    pool: { maxConnections: 1 },
    queryRules: [{ ruleId: 1, matchPattern: 'SET n = 77', timeoutMs: 200 }],
  });
  const holder = await connected(t, sluice.connect());
  const client = await connected(t, sluice.connect());
  await holder.beginTransaction();
  await holder.query('SELECT * FROM t FOR UPDATE');
  t.match(await failure(() => client.query('UPDATE t SET n = 77')), {
    errno: ER_STATEMENT_TIMEOUT,
    message: /200 ms \(query rule 1\)/,
  });
  await holder.rollback();
  t.equal((await failure(() => client.query('UPDATE t SET n = 1'))).errno, 0);
  t.equal(await set.primary.queryValue('SELECT COUNT(*) FROM app.t WHERE n = 77'), '0', 'it was never sent');
});

t.test('a KILL that comes late hits nobody', async (t) => {
  const sluice = await start(t, {
    queryRules: [{ ruleId: 1, matchDigest: 'SLEEP', timeoutMs: 100 }],
  });
  const client = await connected(t, sluice.connect());
  await client.beginTransaction();
  let killed = 0;
  let sleepMs = 85;
  for (let i = 0; i < 40; i++) {
    // Around the moment at which the timer fires: how late that is depends on the machine.
    const { errno } = await failure(() => client.query(`SELECT SLEEP(${sleepMs / 1000})`));
    if (errno === ER_STATEMENT_TIMEOUT) killed++;
    else t.equal(errno, 0);
    sleepMs += errno === 0 ? 7 : -7;
    const [rows] = await client.query<RowDataPacket[]>('SELECT 1 AS one');
    t.strictSame(rows, [{ one: 1 }], 'the next statement is left alone');
  }
  await client.rollback();
  t.ok(killed > 0 && killed < 40, `${killed} of 40 were killed`);
});

t.test('a delay holds up, and ends with a KILL or with the client', async (t) => {
  const sluice = await start(t, {
    queryRules: [
      { ruleId: 1, matchPattern: 'delayed a little', delayMs: 300 },
      { ruleId: 2, matchPattern: 'delayed for long', delayMs: 600_000 },
    ],
  });
  const client = await connected(t, sluice.connect());
  const killer = await connected(t, sluice.connect());
  const startedAt = performance.now();
  const [rows] = await client.query<RowDataPacket[]>("SELECT 'delayed a little' AS x");
  t.strictSame(rows, [{ x: 'delayed a little' }]);
  t.ok(performance.now() - startedAt >= 290, `${Math.round(performance.now() - startedAt)} ms`);
  const [prepared] = await client.execute<RowDataPacket[]>("SELECT 'delayed a little' AS x, ? AS y", ['y']);
  t.strictSame(prepared, [{ x: 'delayed a little', y: 'y' }]);

  await log.mark();
  const waiting = failure(() => client.query("SELECT 'delayed for long'"));
  await waitUntil('it waits', async () => {
    const [sessions] = await killer.query<RowDataPacket[]>('SHOW PROCESSLIST');
    return sessions.filter(({ Command }) => Command === 'Query').length >= 2;
  });
  await killer.query(`KILL QUERY ${client.threadId}`);
  t.match(await waiting, { errno: ER_QUERY_INTERRUPTED });
  t.equal((await failure(() => client.query('SELECT 1'))).errno, 0, 'the session goes on');

  const gone = await sluice.connect();
  void failure(() => gone.query("SELECT 'delayed for long'"));
  gone.destroy();
  const admin = await connected(t, sluice.adminConnection());
  await waitUntil('its session has ended', async () => {
    const [sessions] = await admin.query<RowDataPacket[]>('SHOW SESSIONS');
    return sessions.length === 2;
  });
  t.strictSame(await log.executedBy('delayed for long'), [], 'no server has seen it');
});

t.test('multiplexing off, on, and in spite of a procedure', async (t) => {
  const sluice = await start(t, {
    queryRules: [
      { ruleId: 1, matchPattern: 'please stay', multiplex: 0 },
      { ruleId: 2, matchPattern: 'please move', multiplex: 1 },
      { ruleId: 3, matchDigest: '^CALL', multiplex: 2 },
    ],
  });
  const client = await connected(t, sluice.connect());
  const admin = await connected(t, sluice.adminConnection());
  const pins = async (): Promise<string[]> => {
    const [rows] = await admin.query<RowDataPacket[]>('SHOW PINS');
    return rows.map(({ pin, reason }) => pin ?? reason);
  };
  const servedBy = async (sql: string): Promise<number> => {
    const [rows] = await client.query<RowDataPacket[]>(sql);
    return rows[0]?.id;
  };
  t.not(await servedBy('SELECT n, @@server_id AS id FROM t'), undefined);
  t.equal(await servedBy("SELECT 'please stay', @@server_id AS id FROM t"), set.primary.serverId);
  t.strictSame(await pins(), ['multiplexing-off']);
  t.equal(await servedBy('SELECT @@server_id AS id FROM t'), set.primary.serverId);
  await client.query("SELECT 'please move'");
  t.strictSame(await pins(), []);

  await client.query('CALL leaves()');
  t.strictSame(await pins(), [], 'the rule vouches for the procedure');
  const other = await connected(t, sluice.connect());
  for (let i = 0; i < 5; i++) {
    const [rows] = await other.query<RowDataPacket[]>(
      'SELECT @left AS x, IS_USED_LOCK("left") AS l FROM t FOR UPDATE',
    );
    t.strictSame(rows[0], { x: null, l: null }, 'nobody finds what it has left');
  }
});

t.test('reads are mirrored, each once, and nothing else is', async (t) => {
  const sluice = await start(t, {
    queryRules: [
      { ruleId: 1, matchPattern: 'mirrored', mirrorHostgroup: 50 },
      { ruleId: 2, matchPattern: 'for the primary', mirrorHostgroup: 0 },
      { ruleId: 3, matchPattern: 'by a chain', mirrorHostgroup: 0, mirrorFlagOut: 7 },
      {
        ruleId: 4,
        flagIn: 7,
        matchPattern: 'by a chain',
        replacePattern: 'rewritten',
        destinationHostgroup: 50,
      },
      { ruleId: 5, flagIn: 7, matchPattern: 'LIMIT 77', replacePattern: 'FOR UPDATE' },
    ],
  });
  const client = await connected(t, sluice.connect());
  const admin = await connected(t, sluice.adminConnection());
  const counts = async (marker: string): Promise<Record<string, number>> => {
    const found: Record<string, number> = {};
    for (const server of await log.executedBy(marker)) found[server] = (found[server] ?? 0) + 1;
    return found;
  };
  await log.mark();
  for (let i = 0; i < 20; i++) await client.query(`SELECT n, 'mirrored' AS one${i} FROM t WHERE id = 1`);
  await waitUntil('all copies have run', async () => (await counts('mirrored')).replica2 === 20);
  t.strictSame(await counts('mirrored'), { replica1: 20, replica2: 20 });

  await log.mark();
  await client.query('USE app');
  await client.query('SET NAMES latin1');
  const [rows] = await client.query<RowDataPacket[]>(
    "SELECT 'for the primary' AS x, @@character_set_client AS c FROM t",
  );
  t.strictSame(rows, [{ x: 'for the primary', c: 'latin1' }]);
  await waitUntil('it has run', async () => (await counts('for the primary')).primary === 1);
  t.strictSame(await counts('for the primary'), { primary: 1, replica1: 1 });

  await log.mark();
  const [own] = await client.query<RowDataPacket[]>("SELECT 'by a chain' AS x FROM t");
  t.strictSame(own, [{ x: 'by a chain' }]);
  await waitUntil('it has run', async () => (await counts("'rewritten'")).replica2 === 1);
  t.strictSame(await counts("'rewritten'"), { replica2: 1 });
  t.strictSame(await counts("'by a chain'"), { replica1: 1 });

  await log.mark();
  await client.query("SELECT 'by a chain' AS x FROM t LIMIT 77");
  await client.query("UPDATE t SET n = 5 /* mirrored */ WHERE 'mirrored' = 'mirrored'");
  await client.query("SELECT n, 'mirrored' FROM t FOR UPDATE");
  await client.query("SELECT SLEEP(0), 'mirrored'");
  await client.execute("SELECT ?, 'mirrored'", [1]);
  await client.beginTransaction();
  await client.query("SELECT n, 'mirrored' FROM t");
  await client.rollback();
  // Behind all of the above: the mirrored one shows that none of them is still to come.
  await client.query("SELECT 'mirrored last' FROM t");
  await waitUntil('the last one has run', async () => (await counts('mirrored last')).replica2 === 1);
  const onSecond = (await log.executedBy('mirrored')).filter((server) => server === 'replica2');
  t.equal(onSecond.length, 1, 'no copy of a write, of an execution, nor from a transaction');
  t.strictSame(await counts("'rewritten'"), {}, 'what the chain has made no read of is not mirrored');
  t.equal(await sluice.metric('sluice_mirrored_statements_total'), 23);
  t.equal(await sluice.metric('sluice_mirrored_statements_dropped_total'), 0);

  await admin.query(`DRAIN '${set.replicas[1]?.address}'`);
  await waitUntil('nobody is left to mirror to', async () => {
    await client.query("SELECT 'mirrored to nobody' FROM t");
    return (await sluice.metric('sluice_mirrored_statements_dropped_total')) > 0;
  });
});
