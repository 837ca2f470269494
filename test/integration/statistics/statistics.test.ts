/** A known load over two workers, and what is told of it: nothing is lost, and nothing counted twice. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { STATS_TABLES } from '../../../src/common/admin-tables/stats-tables.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';
import { parsePrometheusText } from '../../support/prometheus-text.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const CLIENTS = 8;
const SELECTS = 40;
const UPDATES = 5;

const set = await new ReplicationSet({
  replicas: 1,
  sql: [
    'CREATE TABLE app.items (id INT PRIMARY KEY, n INT)',
    'INSERT INTO app.items VALUES (1,0),(2,0),(3,0)',
  ],
}).start();
t.teardown(() => set.dispose());
const sluice = await SluiceProcess.startFor(set, {
  config: { causalReads: { level: 'none' }, statistics: { longQueryMs: 1000 } },
});
t.teardown(() => sluice.dispose());
const admin = await sluice.adminConnection();
t.teardown(() => admin.end());
await readsAreProven(admin);

/** Until then the primary answers, and the digest counts for its hostgroup. */
async function readsAreProven(operator: Connection): Promise<void> {
  await waitUntil('reads are proven, and the replica is fit', async () => {
    const [steps] = await operator.query<RowDataPacket[]>('EXPLAIN ROUTE SELECT n FROM app.items');
    return steps.some(({ step, value }) => step === 'target' && value === 'replica');
  });
}

async function rows(sql: string): Promise<RowDataPacket[]> {
  const [found] = await admin.query<RowDataPacket[]>(sql);
  return found;
}

async function client(): Promise<Connection> {
  return sluice.connect();
}

async function digests(): Promise<Map<string, RowDataPacket>> {
  const found = await rows('SHOW DIGESTS LIMIT 1000');
  return new Map(found.map((row) => [`${row.digest_text} @${row.hostgroup}`, row]));
}

t.test('every statement of every client is counted once', async (t) => {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, client));
  await Promise.all(
    clients.map(async (connection, index) => {
      for (let each = 0; each < SELECTS; each++)
        await connection.query(`SELECT id, n FROM items WHERE id <= ${1 + (each % 3)}`);
      for (let each = 0; each < UPDATES; each++)
        await connection.query(`UPDATE items SET n = ${1000 * index + each + 1} WHERE id = 1`);
      for (let each = 0; each < SELECTS; each++)
        await connection.execute('SELECT n FROM items WHERE id = ?', [2]);
      await t.rejects(connection.query(`SELECT secret${index} FROM items`));
    }),
  );
  const found = await digests();
  const select = found.get('SELECT id, n FROM items WHERE id <= ? @1')!;
  const update = found.get('UPDATE items SET n = ? WHERE id = ? @0')!;
  const prepared = found.get('SELECT n FROM items WHERE id = ? @1')!;
  t.equal(select.count, CLIENTS * SELECTS);
  t.equal(select.count_error, 0);
  const byThree = Math.floor(SELECTS / 3);
  t.equal(select.rows_sent, CLIENTS * (byThree * 6 + 1), 'one, two, three rows in turn');
  t.equal(update.count, CLIENTS * UPDATES);
  t.equal(update.rows_affected, CLIENTS * UPDATES);
  t.equal(prepared.count, CLIENTS * SELECTS, 'executions, not the preparing');
  for (const row of [select, update, prepared]) {
    const { min_us, p50_us, p95_us, p99_us, max_us, avg_us, sum_us } = row as Record<string, number>;
    t.ok(
      min_us! <= p50_us! && p50_us! <= p95_us! && p95_us! <= p99_us! && p99_us! <= max_us!,
      row.digest_text,
    );
    t.equal(avg_us, Math.round(sum_us! / row.count));
  }
  t.strictSame([select.target, select.reason], ['replica', 'proven-read']);
  t.strictSame(
    [update.target, update.reason, update.user, update.schema],
    ['primary', 'not-a-read', 'app', 'app'],
  );
  const failed = [...found.values()].filter(({ errors }) => errors > 0);
  t.equal(failed.length, CLIENTS, 'names are no literals');
  t.ok(failed.every(({ errors }) => errors === 1));
  await Promise.all(clients.map((connection) => connection.end()));
});

t.test('latencies by hostgroup', async (t) => {
  const found = await rows('SHOW LATENCIES');
  const reads = found.find(({ hostgroup, statements }) => hostgroup === 1 && statements === 'reads')!;
  t.equal(reads.count, CLIENTS * (2 * SELECTS + 1));
  const { p50_us, p90_us, p95_us, p99_us, p999_us, max_us } = reads;
  const sorted = [p50_us, p90_us, p95_us, p99_us, p999_us, max_us];
  t.strictSame(
    sorted,
    sorted.toSorted((a, b) => a - b),
  );
  t.ok(p50_us > 0);
});

t.test('ORDER BY and LIMIT', async (t) => {
  const [first, ...others] = await rows('SHOW DIGESTS ORDER BY count DESC LIMIT 2');
  t.equal(others.length, 1);
  t.ok(first!.count >= others[0]!.count);
  await t.rejects(admin.query('SHOW DIGESTS ORDER BY colour'), /ORDER BY takes one of count, /);
});

t.test('what is counted shows in /metrics', async (t) => {
  const page = await sluice.get('/metrics');
  t.ok(parsePrometheusText(await page.text()).length > 100, 'a strict parser accepts it');
  const before = await sluice.metrics();
  const connection = await client();
  await connection.query('BEGIN');
  await waitUntil('one transaction is open', async () => {
    const metrics = await sluice.metrics();
    return metrics.get('proxysql_active_transactions') === 1;
  });
  await connection.query('SELECT SLEEP(1.1)');
  await connection.query('COMMIT');
  await connection.end();
  const after = await sluice.metrics();
  const grown = (name: string): number => (after.get(name) ?? Number.NaN) - (before.get(name) ?? 0);
  t.equal(grown('sluice_statements_total{command="COMMIT"}'), 1);
  t.equal(grown('sluice_statements_total{command="SELECT"}'), 1);
  t.equal(grown('sluice_slow_statements_total'), 1);
  t.equal(grown('proxysql_slow_queries_total'), 1);
  t.equal(after.get('proxysql_active_transactions'), 0);
  t.equal(grown('sluice_statement_duration_seconds_count{hostgroup="0",sort="write"}'), 3);
  t.ok(grown('sluice_statement_duration_seconds_sum{hostgroup="0",sort="write"}') >= 1.1);
});

/** Statements of one digest, by several clients, until `isOver`; how many there were. */
async function load(sql: string, isOver: () => boolean): Promise<number> {
  const counts = await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const connection = await client();
      let count = 0;
      for (; !isOver(); count++) await connection.query(sql);
      await connection.end();
      return count;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

t.test('who resets while statements run gets each of them once', async (t) => {
  await rows('TRUNCATE TABLE stats.stats_mysql_query_digest');
  let isOver = false;
  const running = load('SELECT n FROM items WHERE id = 3', () => isOver);
  const select = `FROM stats_mysql_query_digest_reset WHERE digest_text = 'SELECT n FROM items WHERE id = ?'`;
  let counted = 0;
  let looks = 0;
  const look = async (): Promise<void> => {
    looks++;
    for (const { count_star } of await rows(`SELECT count_star ${select}`)) counted += Number(count_star);
  };
  // Not asked again when it fails: what was on its way then is in no other answer.
  while (counted <= 2000 || looks <= 10) await look();
  isOver = true;
  const sent = await running;
  // What a worker tells too late is in the next answer.
  await waitUntil('all are counted', async () => {
    await look();
    return counted >= sent;
  });
  t.equal(counted, sent, `${sent} statements, ${looks} looks`);
  t.strictSame(await rows(`SELECT count_star ${select}`), [], 'nothing is left');
});

t.test('every table of statistics can be read, and empty ones are', async (t) => {
  for (const { name, columns } of STATS_TABLES) {
    const [found, fields] = await admin.query<RowDataPacket[]>(`SELECT * FROM stats.${name}`);
    t.strictSame(
      fields.map((field) => field.name),
      columns,
      name,
    );
    for (const row of found) t.notOk(Object.values(row).includes(null), `${name} holds no NULL`);
  }
});

t.test('errors, with what stood in quotes left out', async (t) => {
  await rows('SELECT * FROM stats_mysql_errors_reset');
  const connection = await client();
  await t.rejects(connection.query("INSERT INTO items VALUES (1, 'secret')"));
  await t.rejects(connection.query("INSERT INTO items VALUES (1, 'secret')"));
  await connection.end();
  const found = await rows('SELECT * FROM stats_mysql_errors');
  t.equal(found.length, 1);
  t.match(found[0], { hostgroup: 0, hostname: '127.0.0.1', port: set.primary.port, username: 'app' });
  t.match(found[0], { schemaname: 'app', count_star: 2, client_address: '127.0.0.1' });
  t.notMatch(found[0]!.last_error, /secret/);
  await rows('TRUNCATE TABLE stats_mysql_errors');
  t.strictSame(await rows('SELECT * FROM stats_mysql_errors'), []);
});

t.test('connections, and what is prepared', async (t) => {
  const connection = await client();
  await connection.prepare('SELECT n FROM items WHERE id = ? AND n > ?');
  const prepared = await rows('SELECT * FROM stats_mysql_prepared_statements_info');
  t.match(prepared, [{ username: 'app', schemaname: 'app', ref_count_client: 1, num_params: 2 }]);
  const [own] = await rows(`SELECT * FROM stats_mysql_processlist WHERE user = 'app'`);
  t.match(own, { db: 'app', cli_host: '127.0.0.1', command: 'Sleep' });
  const free = await rows(`SELECT DISTINCT srv_port, user, schema FROM stats_mysql_free_connections`);
  t.ok(free.some(({ srv_port }) => Number(srv_port) === set.replicas[0]!.port));
  t.ok(free.every(({ user }) => user === 'app'));
  await connection.end();
  await rows('SELECT * FROM stats_mysql_connection_pool_reset');
  const after = await rows(
    'SELECT SUM(Queries) AS queries, SUM(ConnOK) AS opened FROM stats_mysql_connection_pool',
  );
  t.strictSame(
    after.map(({ queries, opened }) => [Number(queries), Number(opened)]),
    [[0, 0]],
  );
  t.ok(Number((await rows('SELECT COUNT(*) AS checks FROM monitor.mysql_server_ping_log'))[0]!.checks) > 2);
});

t.test('SHOW PROMETHEUS METRICS is the page of /metrics', async (t) => {
  const [row] = await rows('SHOW PROMETHEUS METRICS');
  t.ok(parsePrometheusText(row!.Data).some(({ name }) => name === 'proxysql_questions_total'));
});

t.test('nothing is counted when it is turned off', async (t) => {
  const before = await sluice.metrics();
  const counted = 'sluice_statements_total{command="SELECT"}';
  sluice.writeConfig({
    servers: [set.primary.address],
    users: [{ username: 'app', password: APP_ACCOUNT.password }],
    statistics: { enabled: false },
  });
  sluice.signal('SIGHUP');
  await waitUntil('the setting is in force', async () => (await rows('SHOW DIGESTS')).length === 0);
  const connection = await client();
  await connection.query('SELECT n FROM items WHERE id = 2');
  await connection.end();
  t.equal((await sluice.metrics()).get(counted), before.get(counted));
  t.strictSame(await rows('SHOW DIGESTS'), []);
});

t.test('with dataDir there is a history, and digests can be saved', async (t) => {
  const dataDir = makeTemporaryDirectory('history');
  const keeping = await SluiceProcess.startFor(set, {
    config: { causalReads: { level: 'none' }, dataDir, statistics: { historyIntervalMs: 1000 } },
  });
  const operator = await keeping.adminConnection();
  t.teardown(async () => {
    await operator.end();
    await keeping.dispose();
    removeTemporaryDirectory(dataDir);
  });
  await readsAreProven(operator);
  const ask = async (sql: string): Promise<RowDataPacket[]> =>
    (await operator.query<RowDataPacket[]>(sql))[0];
  const connection = await keeping.connect();
  for (let each = 0; each < 7; each++) await connection.query(`SELECT n FROM items WHERE id = ${each}`);
  await connection.end();
  await waitUntil('a row is written', async () => {
    const [row] = await ask('SELECT MAX(Questions) AS questions FROM stats_history.mysql_connections');
    return Number(row!.questions) >= 7;
  });
  t.equal((await ask('SELECT * FROM stats_history.mysql_connections_day')).length, 1);
  await operator.query('SAVE MYSQL DIGEST TO DISK');
  const saved = await ask(
    'SELECT count_star FROM stats_history.history_mysql_query_digest WHERE digest_text LIKE "SELECT n%"',
  );
  t.strictSame(
    saved.map(({ count_star }) => Number(count_star)),
    [7],
  );
  t.strictSame(await ask('SHOW DIGESTS'), [], 'they are counted anew');
  await keeping.stop();
});

t.test('without it nothing can be saved', async (t) => {
  await t.rejects(admin.query('SAVE MYSQL DIGEST TO DISK'), /dataDir is not set/);
});
