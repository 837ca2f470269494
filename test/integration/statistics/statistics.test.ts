/** A known load over two workers, and what is told of it: nothing is lost, and nothing counted twice. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { parsePrometheusText } from '../../support/prometheus-text.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
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
  config: { routing: { stickyAfterWriteMs: 0 }, statistics: { longQueryMs: 400 } },
});
t.teardown(() => sluice.dispose());
const admin = await sluice.adminConnection();
t.teardown(() => admin.end());

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
  await connection.query('SELECT SLEEP(0.5)');
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
  t.ok(grown('sluice_statement_duration_seconds_sum{hostgroup="0",sort="write"}') >= 0.5);
});
