/** The binlog follower within Sluice: what an operator is told, and what strong entries do while it cannot vouch for them. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { MONITOR_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** `cache.follower.maxLagMs` */
const BOUND_MS = 500;

/** Over all workers, where each has one. */
async function metric(sluice: SluiceProcess, series: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${sluice.httpPort}/metrics`);
  const lines = (await response.text()).split('\n');
  const found = lines.filter((line) => line.startsWith(`${series} `) || line.startsWith(`${series}{`));
  return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

async function value(client: Connection): Promise<string> {
  const [rows] = await client.query<RowDataPacket[]>('SELECT v FROM t WHERE id = 1');
  return String(rows[0]?.v);
}

async function told(admin: Connection): Promise<readonly string[]> {
  const [rows] = await admin.query<RowDataPacket[]>('SHOW EVENTS');
  return rows.filter(({ event }) => event === 'binlog-follower-changed').map(({ detail }) => String(detail));
}

async function isFollowing(sluice: SluiceProcess): Promise<void> {
  await waitUntil(
    'it follows',
    async () => (await metric(sluice, 'sluice_binlog_follower_state{state="following"}')) === 1,
  );
}

/** Reads until a hit has been counted. */
async function untilCached(sluice: SluiceProcess, client: Connection): Promise<void> {
  const hits = () => metric(sluice, 'sluice_cache_hits_total');
  const before = await hits();
  await waitUntil('a hit', async () => {
    for (let i = 0; i < 5; i++) await value(client);
    return (await hits()) > before;
  });
}

async function runFlavor(t: Test, flavor: ServerFlavor): Promise<void> {
  const set = new ReplicationSet({
    flavor,
    replicas: 0,
    sql: [
      'CREATE TABLE app.t (id INT PRIMARY KEY, v VARCHAR(100))',
      "INSERT INTO app.t VALUES (1, 'first')",
      `REVOKE REPLICATION SLAVE ON *.* FROM '${MONITOR_ACCOUNT.username}'@'%'`,
    ],
  });
  t.teardown(() => set.dispose());
  await set.start();
  const config = {
    workers: 1,
    // A server that is slow on a busy machine is no loss.
    monitor: { timeoutMs: 10_000 },
    cache: { rules: [{ ruleId: 1, class: 'strong' }], follower: { maxLagMs: BOUND_MS } },
  };
  const sluice = await SluiceProcess.startFor(set, { config });
  t.teardown(() => sluice.dispose());
  const admin = await sluice.adminConnection();
  const client = await sluice.connect();
  t.teardown(() => Promise.all([admin.end(), client.end()]));

  await waitUntil('the lack is told', async () => (await told(admin)).length > 0);
  const grant = `GRANT REPLICATION SLAVE ON *.* TO '${MONITOR_ACCOUNT.username}'@'%'`;
  const [first = ''] = await told(admin);
  t.match(first, /^to=suspended reason="missing-privilege: the monitor account lacks REPLICATION SLAVE/);
  t.ok(first.includes(grant), 'with the statement that helps');
  for (let i = 0; i < 5; i++) await value(client);
  await set.primary.query("UPDATE app.t SET v = 'second'");
  t.equal(await value(client), 'second', 'what nobody vouches for is not served');
  t.equal(await metric(sluice, 'sluice_cache_hits_total'), 0);

  await set.primary.query(grant);
  await isFollowing(sluice);
  t.strictSame((await told(admin)).slice(1), ['to=following'], 'it goes on by itself');
  await untilCached(sluice, client);
  for (const text of ['third', 'fourth', 'fifth']) {
    await set.primary.query(`UPDATE app.t SET v = '${text}'`);
    const since = performance.now();
    let askedMs = 0;
    // When the last one asked that did not see it: how long its answer was on its way does not count.
    for (let now = 0; now < 2 * BOUND_MS; now = performance.now() - since) {
      if ((await value(client)) === text) break;
      askedMs = now;
    }
    t.ok(askedMs < BOUND_MS, `${text}: not seen by who asked after ${askedMs.toFixed(1)} ms`);
    await untilCached(sluice, client);
  }
  t.ok((await metric(sluice, 'sluice_binlog_follower_age_quantile_milliseconds{quantile="0.99"}')) > 0);
  t.equal(await metric(sluice, 'sluice_binlog_follower_losses_total'), 0);
  t.equal((await metric(sluice, 'sluice_binlog_follower_suspensions_total')) > 0, true);
}

t.test('MariaDB', (t) => runFlavor(t, ServerFlavor.mariadb));

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, (t) => runFlavor(t, ServerFlavor.mysql));
