// sluice-test: nightly alone timeout=900
/** Ten restarts under 10,000 connects, and clients that lose nothing: exact counts. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import type { SluiceProcess } from '../../support/sluice-process.ts';
import { Succession } from '../../support/succession.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { ConnectLoop, PoolLoop } from './crowd.ts';

const RESTARTS = 10;
const CONNECTS = 10_000;
const LOGINS = 1000;
const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('pymysql-pool.py', import.meta.url));

const set = new ReplicationSet({
  replicas: 1,
  sql: [
    'CREATE TABLE app.pooled (id INT AUTO_INCREMENT PRIMARY KEY)',
    'CREATE TABLE app.pythons (id INT AUTO_INCREMENT PRIMARY KEY)',
    'CREATE TABLE app.held (id INT PRIMARY KEY)',
  ],
});
let sluice: SluiceProcess;
let succession: Succession;
t.before(async () => {
  await set.start();
  succession = await Succession.startFor(set, {
    config: { handover: { startTimeoutMs: 120_000, idleMs: 250, drainMs: 60_000 } },
  });
  ({ sluice } = succession);
});
t.teardown(async () => {
  await succession?.dispose();
  await set.dispose();
});

/** Logs in, asks something, leaves; again and again. */
class LoginLoop {
  done = 0;
  readonly errors = new Map<string, number>();
  #isEnding = false;
  readonly #running = this.#run();

  async end(): Promise<object> {
    this.#isEnding = true;
    await this.#running;
    return Object.fromEntries(this.errors);
  }

  async #run(): Promise<void> {
    // Not before there is one.
    await new Promise(setImmediate);
    while (!this.#isEnding) {
      await this.#login().catch(({ code, message }: { code?: string; message: string }) => {
        this.errors.set(code ?? message, (this.errors.get(code ?? message) ?? 0) + 1);
      });
      this.done++;
    }
  }

  async #login(): Promise<void> {
    const connection: Connection = await sluice.connect();
    const [rows] = await connection.query<RowDataPacket[]>('SELECT COUNT(*) AS n FROM held');
    if (typeof rows[0]?.n !== 'number') throw new Error('no answer');
    await connection.end();
  }
}

interface PythonReport {
  readonly committed: number;
  readonly errors: object;
}

function startPython(): { end(): Promise<PythonReport> } {
  const child = spawn(PYTHON, [SCRIPT, sluice.host, String(sluice.port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const output = text(child.stdout);
  const exited = once(child, 'exit');
  return {
    async end() {
      child.stdin.end();
      await exited;
      return JSON.parse(await output) as PythonReport;
    },
  };
}

t.test(`${CONNECTS} connects over ${RESTARTS} restarts`, async (t) => {
  const connects = new ConnectLoop({ host: sluice.host, port: sluice.port }, 4);
  const logins = new LoginLoop();
  const pool = new PoolLoop(sluice, 8, 2500);
  const python = startPython();
  for (const loop of [connects, logins, pool]) t.teardown(() => loop.end());
  for (let number = 0; number < RESTARTS; number++) {
    const old = succession.pid;
    const transaction = await sluice.connect();
    await transaction.query('BEGIN');
    await transaction.query('INSERT INTO held VALUES (?)', [number * 2]);
    await succession.handOver();
    await transaction.query('INSERT INTO held VALUES (?)', [number * 2 + 1]);
    await transaction.query('COMMIT');
    await transaction.end();
    await succession.untilGone(old, 70_000);
  }
  const isEnough = () => connects.counts.done >= CONNECTS && logins.done >= LOGINS;
  await waitUntil('as many have connected', isEnough, { timeoutMs: 300_000 });
  const refused = await connects.end();
  t.strictSame(Object.fromEntries(refused.errors), {}, 'nobody was refused');
  t.strictSame(await logins.end(), {}, 'every login and its statement succeeded');
  t.strictSame(Object.fromEntries((await pool.end()).errors), {}, 'no statement of the pool has failed');
  const { committed, errors } = await python.end();
  t.strictSame(errors, {}, 'no transaction of PyMySQL has failed');
  t.equal(await set.primary.queryValue('SELECT COUNT(*) FROM app.pythons'), String(committed * 2));
  t.equal(await set.primary.queryValue('SELECT COUNT(*) FROM app.pooled'), String(pool.inserted));
  t.equal(await set.primary.queryValue('SELECT COUNT(*) FROM app.held'), String(RESTARTS * 2));
  t.comment(
    `${refused.done} connects, ${logins.done} logins, ${pool.counts.done} statements of a pool, ${committed} transactions of PyMySQL`,
  );
});

t.test('what is left at the limit ends, and the new process is not touched', async (t) => {
  const old = succession.pid;
  sluice.writeConfig({
    servers: [set.primary.address],
    users: [{ username: 'app', password: 'app-secret' }],
    limits: { shutdownGraceMs: 500 },
    handover: { startTimeoutMs: 120_000, idleMs: 600_000, drainMs: 2000 },
  });
  process.kill(old, 'SIGHUP');
  await sluice.waitForLog(/drainMs.*configuration read again/);
  const transaction = await sluice.connect();
  await transaction.query('BEGIN');
  await transaction.query('INSERT INTO held VALUES (100)');
  const idle = await sluice.connect();
  await succession.handOver();
  await succession.untilGone(old);
  await t.rejects(transaction.query('COMMIT'), 'the transaction came to its limit');
  await t.rejects(idle.query('SELECT 1'));
  const left = await set.primary.queryValue('SELECT COUNT(*) FROM app.held WHERE id = 100');
  t.equal(left, '0', 'and nothing is left of it');
  const another = await sluice.connect();
  await another.end();
});

t.test('the end of the old process, without a word, is no end of the service', async (t) => {
  const old = succession.pid;
  const next = succession.handOver((pid) => {
    process.kill(pid, 'SIGUSR2');
    const before = sluice.log.length;
    void waitUntil('the new process starts', () =>
      sluice.log.slice(before).some(({ kind }) => kind === 'handover-started'),
    ).then(() => process.kill(pid, 'SIGKILL'));
  });
  // It waits in the queue until the new process is ready.
  await succession.untilGone(old);
  const waiting = sluice.connect({ connectTimeout: 120_000 });
  await next;
  const [rows] = await (await waiting).query<RowDataPacket[]>('SELECT 1 AS one');
  t.equal(rows[0]?.one, 1);
  await (await waiting).end();
});
