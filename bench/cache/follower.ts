/**
 * What the binlog follower costs, in CPU of the main thread, for each 10,000 row events in a second, and whether it keeps up: rows are written to the
 * primary around Sluice, as fast as it takes them, while a Sluice with a follower watches and, beside it, one without.
 *
 *   node bench/cache/follower.ts --flavor mysql --rounds 4 --seconds 6 --rowsPerStatement 1
 */

import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { ServerFlavor } from '../../src/topology/server-description.ts';
import { nodeProgram } from '../../test/support/node-program.ts';
import { ReplicationSet } from '../../test/support/replication-set.ts';
import { SluiceProcess } from '../../test/support/sluice-process.ts';
import { checkoutDirectory } from '../../test/support/sluice-script.ts';
import { describeMachine } from '../e2e/machine.ts';
import { median } from '../e2e/measurement.ts';
import { pairedRatio, ratioText } from '../e2e/paired-ratio.ts';
import { readThreadRunTime } from '../e2e/process-usage.ts';

const { values } = parseArgs({
  options: {
    flavor: { type: 'string', default: 'mariadb' },
    rounds: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '6' },
    writers: { type: 'string', default: '4' },
    rowsPerStatement: { type: 'string', default: '100' },
    rows: { type: 'string', default: '20000' },
    /** Reads of single rows are cached, so that every row has to be looked at. */
    precise: { type: 'boolean', default: false },
    /** Another checkout, which follows at the same time. */
    base: { type: 'string' },
  },
});
const ROWS = Number(values.rows);
const ROWS_PER_STATEMENT = Number(values.rowsPerStatement);
const MOST = 0.15;
const CAUGHT_UP_MS = 60_000;

/** Gives how many rows were changed. */
async function write(connection: Connection, seed: number, endsAt: number): Promise<number> {
  let changed = 0;
  for (let n = seed; performance.now() < endsAt; n++) {
    const from = 1 + ((n * 7919 * ROWS_PER_STATEMENT) % (ROWS - ROWS_PER_STATEMENT + 1));
    await connection.query(
      `UPDATE k SET n = n + 1 WHERE id BETWEEN ${from} AND ${from + ROWS_PER_STATEMENT - 1}`,
    );
    changed += ROWS_PER_STATEMENT;
  }
  return changed;
}

/** How long a write around Sluice stays unseen through it; a row that is read again and again, from the cache if it may be. */
async function waitForCaughtUp(direct: Connection, through: Connection): Promise<number> {
  const began = performance.now();
  await direct.query('UPDATE seen SET n = n + 1');
  const [wanted] = await direct.query<RowDataPacket[]>('SELECT n FROM seen');
  while (performance.now() - began < CAUGHT_UP_MS) {
    const [rows] = await through.query<RowDataPacket[]>('SELECT n FROM seen');
    if (rows[0]?.n === wanted[0]?.n) return performance.now() - began;
    await delay(1);
  }
  throw new Error(`what was written was not seen within ${CAUGHT_UP_MS} ms`);
}

/** Of the main threads, in microseconds. */
function runTimes(): Promise<number[]> {
  return Promise.all(sluices.map(({ pid }) => readThreadRunTime(pid, pid)));
}

interface Round {
  readonly rows: number;
  readonly seconds: number;
  /** Beyond what a Sluice without a follower took meanwhile: checks and samples cost it the same. */
  readonly extraSeconds: readonly number[];
  readonly behindMs: number;
}

/** All of them watch the same writes. */
async function measure(round: number): Promise<Round> {
  const through = await sluices[1]!.connect();
  if (values.precise) {
    for (const sluice of sluices.slice(1)) {
      const reader = await sluice.connect();
      for (let id = 1; id <= 500; id++) await reader.query(`SELECT n FROM k WHERE id = ${id}`);
      await reader.end();
    }
  }
  await through.query('SELECT n FROM seen');
  const before = await runTimes();
  const began = performance.now();
  const endsAt = began + Number(values.seconds) * 1000;
  const changed = await Promise.all(
    connections.map((one, n) => write(one, n * 1_000_003 + round * 17, endsAt)),
  );
  const seconds = (performance.now() - began) / 1000;
  const behindMs = await waitForCaughtUp(connections[0]!, through);
  const spent = (await runTimes()).map((time, n) => time - before[n]!);
  await through.end();
  const rows = changed.reduce((sum, one) => sum + one, 0);
  const extraSeconds = spent.slice(1).map((time) => (time - spent[0]!) / 1e6);
  return { rows, seconds, extraSeconds, behindMs };
}

process.stdout.write(`${JSON.stringify({ ...values, machine: await describeMachine() })}\n`);
const filled = Array.from({ length: ROWS }, (_, n) => `(${n + 1}, 0, REPEAT('x', 60))`).join(',');
const set = new ReplicationSet({
  flavor: values.flavor as ServerFlavor,
  replicas: 0,
  sql: [
    'CREATE TABLE app.k (id INT PRIMARY KEY, n INT NOT NULL, c CHAR(60) NOT NULL)',
    `INSERT INTO app.k VALUES ${filled}`,
    'CREATE TABLE app.seen (n INT NOT NULL)',
    'INSERT INTO app.seen VALUES (0)',
  ],
  args: ['--innodb-buffer-pool-size=128M', '--max-allowed-packet=64M'],
});
const sluices: SluiceProcess[] = [];
const connections: Connection[] = [];

async function start(mode: 'off' | 'on', directory: string): Promise<void> {
  const cache = { follower: { mode }, rules: [{ ruleId: 1, class: 'strong' }] };
  const config = { workers: 1, monitor: { intervalMs: 1000 }, log: { level: 'warn' }, cache };
  const command = { program: await nodeProgram(), args: [resolve(directory, 'src/main.ts')] };
  sluices.push(await SluiceProcess.startFor(set, { config, command }));
}

try {
  await set.start();
  await start('off', checkoutDirectory);
  await start('on', checkoutDirectory);
  if (values.base !== undefined) await start('on', values.base);
  for (let n = 0; n < Number(values.writers); n++) connections.push(await set.connect(set.primary));
  await measure(-1);
  const shares: number[][] = sluices.slice(1).map(() => []);
  const behind: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const { rows, seconds, extraSeconds, behindMs } = await measure(round);
    const each = extraSeconds.map((extra) => (extra / rows) * 10_000);
    for (const [n, share] of each.entries()) shares[n]!.push(share);
    behind.push(behindMs);
    process.stdout.write(
      `round ${round}: ${Math.round(rows / seconds)} row events/s, ${each.map((share) => share.toFixed(4)).join(' / ')} of a core per 10,000, seen ${behindMs.toFixed(1)} ms after the last\n`,
    );
  }
  const share = median(shares[0]!);
  const reached = share <= MOST;
  process.stdout.write(
    `${reached ? 'reached' : 'MISSED '}  of a core per 10,000 row events/s: ${share.toFixed(4)}, at most ${MOST}; median delay ${median(behind).toFixed(1)} ms\n`,
  );
  if (shares[1] !== undefined)
    process.stdout.write(`÷ base: ${ratioText(pairedRatio(shares[0]!, shares[1]))}\n`);
  if (!reached) process.exitCode = 1;
} finally {
  for (const connection of connections) connection.destroy();
  for (const sluice of sluices) await sluice.dispose();
  await set.dispose();
}
