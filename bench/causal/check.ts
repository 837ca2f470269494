/**
 * Counts stale reads. Replicas are behind by a time that changes all the while; clients write and read through Sluice, and
 * each read is compared with what had been acknowledged before it began.
 *
 * `pairs`: a session writes a row and reads it back (level `session`, and `table`).
 * `crowd`: many sessions write to the same few tables and read them, each read against the writes of all.
 *
 * `node bench/causal/check.ts --flavor mysql --level session --mode pairs --count 1000000 --sessions 32 --delay 2000`
 */

import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { ServerFlavor } from '../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../test/support/database-server.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../test/support/replication-set.ts';
import { SluiceProcess } from '../../test/support/sluice-process.ts';

const { values: options } = parseArgs({
  options: {
    flavor: { type: 'string', default: 'mariadb' },
    level: { type: 'string', default: 'session' },
    mode: { type: 'string', default: 'pairs' },
    count: { type: 'string', default: '20000' },
    sessions: { type: 'string', default: '32' },
    replicas: { type: 'string', default: '2' },
    workers: { type: 'string', default: '2' },
    /** Replicas are held up for up to so many milliseconds, one after the other. */
    delay: { type: 'string', default: '2000' },
    waitMs: { type: 'string', default: '50' },
  },
});
const COUNT = Number(options.count);
const SESSIONS = Number(options.sessions);
/** For at most so long a replica applies nothing, and then as it comes: which reads meet it is left to chance. */
const DELAY_MS = Number(options.delay);
const TABLES = ['a', 'b', 'c', 'd'];
const OUTCOMES = ['replica_at_once', 'replica_waited', 'primary'];

interface Tally {
  writes: number;
  reads: number;
  stale: number;
  failed: number;
}

const tally: Tally = { writes: 0, reads: 0, stale: 0, failed: 0 };
const acknowledged = new Map(TABLES.map((table) => [table, 0]));
let ended = false;

/** A read lock lets nothing be applied, and everything be read. */
async function holdUp(replica: DatabaseServer): Promise<void> {
  const lock = await replica.rootConnection();
  while (!ended) {
    await lock.query('FLUSH TABLES WITH READ LOCK');
    await setTimeout(Math.random() * DELAY_MS);
    await lock.query('UNLOCK TABLES');
    await setTimeout(Math.random() * DELAY_MS);
  }
  await lock.end();
}

async function numberOf(connection: Connection, sql: string): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return Number(rows[0]?.n);
}

async function writePair(connection: Connection, session: number, n: number): Promise<void> {
  const table = TABLES[session % TABLES.length];
  const sql = `UPDATE ${table} SET n = ${n} WHERE id = ${session}`;
  if (n % 8 === 0) {
    await connection.query('BEGIN');
    await connection.query(sql);
    await connection.query('COMMIT');
  } else await connection.query(sql);
  tally.writes++;
  tally.reads++;
  if ((await numberOf(connection, `SELECT n FROM ${table} WHERE id = ${session}`)) !== n) tally.stale++;
}

async function crowdStep(connection: Connection, session: number, n: number): Promise<void> {
  const table = TABLES[(session + (n >> 1)) % TABLES.length]!;
  if ((session * 7 + n) % 4 === 0) {
    await connection.query(`UPDATE ${table} SET n = n + 1 WHERE id = 0`);
    acknowledged.set(table, acknowledged.get(table)! + 1);
    tally.writes++;
    return;
  }
  const least = acknowledged.get(table)!;
  tally.reads++;
  if ((await numberOf(connection, `SELECT n FROM ${table} WHERE id = 0`)) < least) tally.stale++;
}

async function runSession(sluice: SluiceProcess, session: number): Promise<void> {
  const step = options.mode === 'crowd' ? crowdStep : writePair;
  const connection = await sluice.connect();
  for (let n = 1; n <= COUNT / SESSIONS; n++) {
    try {
      await step(connection, session, n);
    } catch (error) {
      tally.failed++;
      process.stderr.write(`${(error as Error).message}\n`);
    }
  }
  await connection.end();
}

const tables = TABLES.flatMap((table) => [
  `CREATE TABLE app.${table} (id INT PRIMARY KEY, n INT NOT NULL)`,
  `INSERT INTO app.${table} VALUES ${Array.from({ length: SESSIONS + 1 }, (_, id) => `(${id}, 0)`).join(',')}`,
]);
const set = new ReplicationSet({
  flavor: options.flavor as ServerFlavor,
  replicas: Number(options.replicas),
  sql: tables,
  args: ['--sync-binlog=0', '--innodb-flush-log-at-trx-commit=2'],
});
try {
  await set.start();
  const sluice = await SluiceProcess.startFor(set, {
    config: {
      workers: Number(options.workers),
      users: [APP_ACCOUNT],
      log: { level: 'warn' },
      causalReads: { level: options.level, waitMs: Number(options.waitMs) },
    },
  });
  const began = performance.now();
  const delays = DELAY_MS > 0 ? set.replicas.map((replica) => holdUp(replica)) : [];
  await Promise.all(Array.from({ length: SESSIONS }, (_, session) => runSession(sluice, session)));
  const seconds = (performance.now() - began) / 1000;
  ended = true;
  await Promise.all(delays);
  const causal: Record<string, number> = {};
  for (const outcome of OUTCOMES)
    causal[outcome] = await sluice.metric('sluice_causal_reads_total', { outcome });
  const onReplica = await sluice.metric('sluice_routed_statements_total', { route: 'read_on_replica' });
  const onPrimary = await sluice.metric('sluice_routed_statements_total', { route: 'read_on_primary' });
  const share = onReplica / (onReplica + onPrimary);
  process.stdout.write(
    `${JSON.stringify({ ...options, ...tally, seconds: Math.round(seconds), causal, onReplica, onPrimary, share: Number(share.toFixed(3)) })}\n`,
  );
  await sluice.stop();
  await sluice.dispose();
} finally {
  await set.dispose();
}
process.exitCode = tally.stale + tally.failed === 0 ? 0 : 1;
