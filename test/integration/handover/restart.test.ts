/**
 * A new process takes over while clients connect, ask and hold transactions: nobody is refused, nothing is lost. And when
 * the new process cannot, all is as before.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { FIRST_CONNECTION_ID } from '../../../src/common/shared-counters.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { runSluice } from '../../support/run-program.ts';
import type { ConfigObject, SluiceProcess } from '../../support/sluice-process.ts';
import { Succession } from '../../support/succession.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { ConnectLoop, type Counts, PoolLoop } from './crowd.ts';

const CONNECTS = 1500;

const set = new ReplicationSet({
  replicas: 0,
  sql: [
    'CREATE TABLE app.pooled (id INT AUTO_INCREMENT PRIMARY KEY)',
    'CREATE TABLE app.held (id INT PRIMARY KEY)',
  ],
});
const folder = makeTemporaryDirectory('handover');
const socket = join(folder, 'sluice.sock');
let sluice: SluiceProcess;
let succession: Succession;

function config(handover: ConfigObject): ConfigObject {
  return {
    servers: [set.primary.address],
    users: [{ username: 'app', password: 'app-secret' }],
    listen: { socket },
    dataDir: join(folder, 'data'),
    limits: { shutdownGraceMs: 300 },
    handover: { startTimeoutMs: 60_000, ...handover },
  };
}

t.before(async () => {
  await set.start();
  succession = await Succession.startFor(set, { config: config({ idleMs: 150, drainMs: 20_000 }) });
  ({ sluice } = succession);
});
t.teardown(async () => {
  await succession?.dispose();
  await set.dispose();
  removeTemporaryDirectory(folder);
});

function errorsOf({ errors }: Counts): object {
  return Object.fromEntries(errors);
}

async function idOf(connection: Connection): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id');
  return Number(rows[0]?.id);
}

async function order(sql: string): Promise<string> {
  const admin = await sluice.adminConnection();
  try {
    const [{ info }] = await admin.query<ResultSetHeader>(sql);
    // The driver leaves the length in front of it.
    return info.slice(1);
  } finally {
    admin.destroy();
  }
}

async function command(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runSluice([...args, '--config', sluice.configFile]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** With more workers than there are sockets, and fewer. */
const WAYS = [
  { name: 'SIGUSR2', workers: 3, ask: (pid: number) => Promise.resolve(process.kill(pid, 'SIGUSR2')) },
  { name: 'PROXYSQL RESTART', workers: 1, ask: () => order('PROXYSQL RESTART') },
  { name: 'sluice reload --binary', workers: 2, ask: () => command('reload', '--binary') },
] as const;

t.test('three restarts, three ways to ask for one', async (t) => {
  await order(
    "INSERT INTO mysql_query_rules (rule_id, active, match_digest, apply) VALUES (1, 1, '^NEVER', 1)",
  );
  await order('LOAD MYSQL QUERY RULES TO RUNTIME');
  await order('SAVE MYSQL QUERY RULES TO DISK');
  await order(
    "INSERT INTO mysql_query_rules (rule_id, active, match_digest, apply) VALUES (2, 1, '^NEVER', 1)",
  );
  await order('LOAD MYSQL QUERY RULES TO RUNTIME');
  const byPort = new ConnectLoop({ host: sluice.host, port: sluice.port }, 3);
  const bySocket = new ConnectLoop({ path: socket }, 1);
  const pool = new PoolLoop(sluice, 4, 2000);
  for (const loop of [byPort, bySocket, pool]) t.teardown(() => loop.end());
  let lastId = 0;
  for (const [number, { name, ask, workers }] of WAYS.entries()) {
    const old = succession.pid;
    sluice.writeConfig({ ...config({ idleMs: 150, drainMs: 20_000 }), workers });
    const transaction = await sluice.connect();
    await transaction.query('BEGIN');
    await transaction.query('INSERT INTO held VALUES (?)', [number * 2]);
    const id = await idOf(transaction);
    t.ok(id >= FIRST_CONNECTION_ID && id !== lastId, `${name}: its clients have ids of their own`);
    lastId = id;
    let answer: Promise<unknown> = Promise.resolve();
    await succession.handOver((pid) => {
      answer = ask(pid);
    });
    t.match(String(await answer), name === 'SIGUSR2' ? 'true' : /^process \d+, version .* has taken over/);
    t.equal(succession.lives(old), true, `${name}: the old process lives as long as a transaction does`);
    await transaction.query('INSERT INTO held VALUES (?)', [number * 2 + 1]);
    await transaction.query('COMMIT');
    await transaction.end();
    await succession.untilGone(old);
  }
  await waitUntil('as many have connected', () => byPort.counts.done + bySocket.counts.done >= CONNECTS);
  t.strictSame(errorsOf(await byPort.end()), {}, 'nobody was refused on the port');
  t.strictSame(errorsOf(await bySocket.end()), {}, 'nor on the socket');
  t.strictSame(errorsOf(await pool.end()), {}, 'no statement of the pool has failed');
  t.ok(pool.counts.done > 100);
  t.equal(
    await set.primary.queryValue('SELECT COUNT(*) FROM app.held'),
    '6',
    'all transactions were committed',
  );
  const rows = await set.primary.queryValue('SELECT COUNT(*) FROM app.pooled');
  t.equal(rows, String(pool.inserted), 'every row that was acknowledged, once');
  t.strictSame(await sluice.exited, { code: 0, signal: null }, 'the first process ended well');
});

t.test('what the last process knows', async (t) => {
  await sluice.waitForLog('"handover-ended"');
  t.equal(await sluice.metric('sluice_handovers_total', { outcome: 'done' }), 3);
  t.equal(await sluice.metric('sluice_handover_predecessor'), 0);
  const admin = await sluice.adminConnection();
  const [events] = await admin.query<RowDataPacket[]>('SHOW EVENTS');
  t.ok(events.some(({ event }) => event === 'handover-taken'));
  const [rules] = await admin.query<RowDataPacket[]>('SELECT rule_id FROM runtime_mysql_query_rules');
  t.strictSame(
    rules.map(({ rule_id: id }) => Number(id)),
    [1],
    'what was saved to disk is in force',
  );
  t.match(await sluice.waitForLog('what is in force is not saved'), { unsaved: ['mysql_query_rules'] });
  await admin.end();
});

t.test('a new process that cannot leaves all as it was', async (t) => {
  const client = await sluice.connect();
  const id = await idOf(client);
  const { pid } = succession;
  sluice.writeConfig({ ...config({}), limits: { maxConnections: 'many' } });
  process.kill(pid, 'SIGUSR2');
  const refused = await sluice.waitForLog('not restarted, all is as before');
  t.match(refused, { by: 'SIGUSR2', reason: /limits\.maxConnections: expected a whole number/ });

  const taken = await set.primary.queryValue('SELECT @@port');
  sluice.writeConfig({ ...config({}), listen: { socket, addresses: [`127.0.0.1:${taken}`] } });
  await t.rejects(order('PROXYSQL RESTART'), /Not restarted, all is as before: it ended with exit code 2/);
  // One address could not be had, when all others were.
  await sluice.waitForLog(/"handover-failed".*cannot listen: .*EADDRINUSE/);
  const bySocket = await sluice.connect({ socketPath: socket });
  await bySocket.end();

  sluice.writeConfig(config({ startTimeoutMs: 1 }));
  t.match(await command('reload'), /^changed: handover\.startTimeoutMs/);
  await t.rejects(order('PROXYSQL RESTART'), /Not restarted, all is as before: it was not ready within/);
  t.equal(await sluice.metric('sluice_handovers_total', { outcome: 'failed' }), 3);
  t.equal(await idOf(client), id, 'the client is where it was');
  await client.end();
  const another = await sluice.connect();
  await another.end();
  t.equal(succession.lives(pid), true);
});

t.test('SIGTERM ends a process that is being emptied; the last one takes the socket with it', async (t) => {
  sluice.writeConfig(config({ idleMs: 60_000, drainMs: 60_000 }));
  await command('reload');
  const old = succession.pid;
  const client = await sluice.connect();
  const before = sluice.log.length;
  const another = succession.handOver();
  await waitUntil('the new process starts', () =>
    sluice.log.slice(before).some(({ kind }) => kind === 'handover-started'),
  );
  await t.rejects(order('PROXYSQL RESTART'), /a handover is under way already/);
  await another;
  await t.rejects(order('PROXYSQL RESTART'), /the process before this one \(\d+\) has 1 clients still/);
  t.equal(succession.lives(old), true);
  process.kill(old, 'SIGTERM');
  await succession.untilGone(old);
  await t.rejects(client.query('SELECT 1'));
  t.equal(existsSync(socket), true, 'the socket is the new process’s');
  const next = await sluice.connect({ socketPath: socket });
  await next.end();
  process.kill(succession.pid, 'SIGTERM');
  await succession.untilGone(succession.pid);
  t.equal(existsSync(socket), false);
});
