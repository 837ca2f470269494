/** What operators see of the result cache and order of it, on a real server: SHOW, FLUSH, ADVISE, metrics. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const set = new ReplicationSet({
  replicas: 0,
  sql: ['CREATE TABLE app.t (id INT PRIMARY KEY, v INT)', 'INSERT INTO app.t VALUES (1, 10), (2, 20)'],
});
const STRONG = { ruleId: 1, matchDigest: '^SELECT v FROM t ', class: 'strong' };
let sluice: SluiceProcess;
let admin: Connection;
let client: Connection;
t.before(async () => {
  await set.start();
  sluice = await SluiceProcess.startFor(set, {
    config: { workers: 1, cache: { follower: { mode: 'off' }, rules: [STRONG] } },
  });
  admin = await sluice.adminConnection();
  client = await sluice.connect();
});
t.teardown(async () => {
  client.destroy();
  admin.destroy();
  await sluice.dispose();
  await set.dispose();
});

async function rows(text: string): Promise<RowDataPacket[]> {
  return (await admin.query<RowDataPacket[]>(text))[0];
}

/** Of the digest that is cached by the rule. */
async function numbers(): Promise<Record<string, number>> {
  const [row] = (await rows('SHOW CACHE')).filter(({ digest_text: text }) =>
    /^SELECT v FROM t/i.test(String(text)),
  );
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]));
}

async function status(): Promise<Record<string, string>> {
  return Object.fromEntries(
    (await rows('SHOW CACHE STATUS')).map((row) => [row.Variable_name, row.Value]),
  ) as Record<string, string>;
}

async function read(id: number): Promise<void> {
  await client.query(`SELECT v FROM t WHERE id = ${id}`);
}

t.test('what is stored, hit and ended is told by digest', async (t) => {
  await waitUntil('what tables are is known, and the rule holds', async () => {
    await read(1);
    return (await numbers()).hits! > 0;
  });
  const before = await numbers();
  for (let count = 0; count < 5; count++) await read(1);
  await read(2);
  const after = await numbers();
  t.equal(after.hits! - before.hits!, 5);
  t.equal(after.misses! - before.misses!, 1);
  t.equal(after.entries, 2);
  t.ok(after.bytes! > 0);
  await client.query('UPDATE t SET v = v + 1 WHERE id = 2');
  await read(1);
  await read(2);
  const written = await numbers();
  t.equal(written.ended_by_write! - after.ended_by_write!, 2);
  t.equal(written.hits, after.hits);
  t.equal(written.stored! - after.stored!, 2);
  const [warnings] = await admin
    .query<RowDataPacket[]>('SHOW CACHE')
    .then(() => admin.query('SHOW WARNINGS'));
  t.match(
    warnings,
    [{ Message: /writes through this Sluice only/ }],
    'strong without a follower is said plainly',
  );
  const [row] = await rows('SHOW CACHE LIMIT 1');
  t.match(row, { class: 'strong', source: 'cache rule 1', follows: 'own', hit_rate: Number });
});

t.test('the state in all, in SHOW, in ProxySQL’s words, and in metrics', async (t) => {
  await waitUntil('the gauges have been told', async () => (await status()).entries === '2');
  const all = await status();
  t.match(all, {
    enabled: 'ON',
    auto: 'off',
    follower: 'off',
    freshness: /this Sluice only/,
    entries: '2',
  });
  t.ok(Number(all.hits) >= 5);
  const [proxysql] = await rows(
    "SELECT Variable_Value FROM stats_mysql_global WHERE Variable_Name = 'Query_Cache_count_GET_OK'",
  );
  t.equal(String(proxysql!.Variable_Value), all.hits);
  t.equal(await sluice.metric('sluice_cache_hits_total'), Number(all.hits));
  t.equal(await sluice.metric('proxysql_query_cache_entries_total'), 2);
  t.equal(await sluice.metric('sluice_binlog_follower_state', { state: 'off' }), 1);
});

t.test('FLUSH CACHE, of all, of a table, of a digest', async (t) => {
  const digest = String((await rows('SHOW CACHE LIMIT 1'))[0]!.digest);
  const ends = async (order: string, ended: number): Promise<void> => {
    await read(1);
    await read(2);
    const before = await numbers();
    await admin.query(order);
    await waitUntil(
      `${order} is done`,
      async () => (await numbers()).ended_by_flush! >= before.ended_by_flush! + ended,
    );
    t.equal((await numbers()).ended_by_flush! - before.ended_by_flush!, ended, order);
  };
  await ends('FLUSH CACHE', 2);
  await ends('PROXYSQL FLUSH QUERY CACHE', 2);
  await ends(`FLUSH CACHE DIGEST '${digest}'`, 2);
  await ends('FLUSH CACHE TABLE app.t', 2);
  await ends('FLUSH CACHE TABLE `app`.`t`', 2);
  await read(1);
  const before = await numbers();
  await admin.query('FLUSH CACHE TABLE app.other');
  await read(1);
  t.equal((await numbers()).hits! - before.hits!, 1, 'of another table nothing goes');
});

t.test('bad orders', async (t) => {
  for (const [text, message] of [
    ['FLUSH CACHE TABLE t', /takes schema.table, not t/],
    ['FLUSH CACHE DIGEST 12', /0x and 16 digits/],
    ['FLUSH CACHE EVERYTHING', /FLUSH CACHE \[TABLE/],
    ['ADVISE CACHE FOR 0 SECONDS', /1 to 300 seconds/],
    ['ADVISE CACHE FOR 301 SECONDS', /1 to 300 seconds/],
  ] as const)
    await t.rejects(admin.query(text), { message }, text);
});

t.test('ADVISE CACHE gives a rule, and the rule does what was promised', async (t) => {
  const advice = rows('ADVISE CACHE FOR 2 SECONDS');
  const other = await sluice.adminConnection();
  await waitUntil('it watches', async () => {
    const error = await other.query('ADVISE CACHE FOR 1 SECOND').then(
      () => null,
      (reason: Error) => reason,
    );
    return error !== null && /Another ADVISE CACHE is watching/.test(error.message);
  });
  let isOver = false;
  const done = advice.then((found) => {
    isOver = true;
    return found;
  });
  let reads = 0;
  while (!isOver) {
    await client.query('SELECT COUNT(*) FROM t, t AS u, t AS w, t AS x WHERE t.v > 5');
    await client.query(`SELECT v + ${reads++} FROM t WHERE id = 1`);
    await client.query('SELECT RAND(), v FROM t');
  }
  const found = await done;
  const [best] = found.filter(({ digest_text: text }) => /COUNT/.test(String(text)));
  t.ok(best);
  t.ok(Number(best!.expected_hit_rate) > 0.9, `${best!.expected_hit_rate}`);
  t.equal(Number(best!.distinct), 1);
  const never = found.find(({ digest_text: text }) => /v \+ \?/.test(String(text)));
  t.equal(Number(never?.expected_hit_rate), 0, 'what never comes again');
  t.match(never?.rule, /not worth it/);
  t.notOk(
    found.some(({ digest_text: text }) => /RAND/.test(String(text))),
    'what may not be cached',
  );
  t.match(best!.rule, /^INSERT INTO mysql_query_rules/);
  await admin.query(String(best!.rule));
  await admin.query('LOAD MYSQL QUERY RULES TO RUNTIME');
  await client.query('SELECT COUNT(*) FROM t, t AS u, t AS w, t AS x WHERE t.v > 5');
  await client.query('SELECT COUNT(*) FROM t, t AS u, t AS w, t AS x WHERE t.v > 5');
  const [row] = (await rows('SHOW CACHE')).filter(({ digest }) => digest === best!.digest);
  t.match(row, { class: 'strong', source: /^rule / });
  t.ok(Number(row!.hits) >= 1);
  other.destroy();
});
