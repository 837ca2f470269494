/** Whole servers that go away: replicas under load, and the last server of all. */

import { setTimeout as delay } from 'node:timers/promises';
import type { RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';
import { Bystander } from './bystander.ts';

const NO_SERVER_WAIT_MS = 700;

t.test('a replica is killed under load', async (t) => {
  const set = new ReplicationSet({
    replicas: 2,
    sql: ['CREATE TABLE app.w (id INT PRIMARY KEY AUTO_INCREMENT)'],
  });
  t.teardown(() => set.dispose());
  await set.start();
  const sluice = await SluiceProcess.startFor(set);
  t.teardown(() => sluice.dispose());
  const writer = await sluice.connect();
  t.teardown(() => writer.end());
  const readers = await Promise.all(Array.from({ length: 8 }, () => sluice.connect()));
  const failures: string[] = [];
  let reads = 0;
  let stopped = false;
  let pauseMs = 0;
  const loops = readers.map(async (reader) => {
    while (!stopped) {
      await reader.query('SELECT 1 AS one').then(
        () => reads++,
        (error: Error) => failures.push(error.message),
      );
      if (pauseMs > 0) await delay(pauseMs);
    }
  });
  await waitUntil('reads are running', () => reads > 200);
  const [victim] = set.replicas;
  await victim?.kill();
  let written = 0;
  const seen = reads;
  while (written < 20) {
    await writer.query('INSERT INTO w () VALUES ()');
    written++;
  }
  await waitUntil('reads go on', () => reads > seen + 500);
  await waitUntil(
    'the replica is shunned',
    async () => (await sluice.metric('sluice_server_status', { status: 'SHUNNED' })) === 1,
  );
  const after = failures.length;
  const resumed = reads;
  await waitUntil('reads go on after it is shunned', () => reads > resumed + 200);
  t.equal(failures.length, after, 'no read fails once the replica is known to be gone');
  t.ok(failures.length <= readers.length, `at most one failed read a client: ${failures.length}`);
  // They go on, but a server that starts takes its time.
  pauseMs = 10;
  await victim?.start();
  await waitUntil(
    'it is used again',
    async () => (await sluice.metric('sluice_server_status', { status: 'SHUNNED' })) === 0,
  );
  stopped = true;
  await Promise.all(loops);
  await Promise.all(readers.map((reader) => reader.end()));
});

t.test('no server is there', async (t) => {
  const set = new ReplicationSet({ replicas: 0 });
  t.teardown(() => set.dispose());
  await set.start();
  const sluice = await SluiceProcess.startFor(set, {
    config: { limits: { noServerWaitMs: NO_SERVER_WAIT_MS } },
  });
  t.teardown(() => sluice.dispose());
  const connection = await sluice.connect();
  t.teardown(() => connection.end());
  await connection.query('SELECT 1');
  await set.primary.kill();
  await waitUntil(
    'the server is shunned',
    async () => (await sluice.metric('sluice_server_status', { status: 'SHUNNED' })) === 1,
  );
  const startedAt = performance.now();
  const error = await connection.query('SELECT 1').then(
    () => null,
    (reason: { errno?: number; sqlState?: string; message: string }) => reason,
  );
  const waitedMs = performance.now() - startedAt;
  t.equal(error?.errno, 9001);
  t.equal(error?.sqlState, 'HY000');
  t.match(error?.message, /hostgroup/);
  t.ok(
    waitedMs >= NO_SERVER_WAIT_MS * 0.9 && waitedMs < NO_SERVER_WAIT_MS + 20_000,
    `after ${Math.round(waitedMs)} ms`,
  );
  t.ok(await sluice.waitForLog(/status-changed.*SHUNNED/), 'the log says why there is none');
  await set.primary.start();
  const rows = await waitUntil('the same client works again', async () => {
    const [answer] = await connection.query<RowDataPacket[]>('SELECT 1 AS one');
    return answer;
  });
  t.equal(rows[0]?.one, 1);
});

t.test('a server comes back while a statement waits for it', async (t) => {
  const set = new ReplicationSet({ replicas: 0 });
  t.teardown(() => set.dispose());
  await set.start();
  const sluice = await SluiceProcess.startFor(set, { config: { limits: { noServerWaitMs: 20_000 } } });
  t.teardown(() => sluice.dispose());
  const bystander = await Bystander.start(sluice);
  await bystander.errorsAfter(3);
  await bystander.stop();
  const connection = await sluice.connect();
  await set.primary.stop();
  await waitUntil(
    'the server is shunned',
    async () => (await sluice.metric('sluice_server_status', { status: 'SHUNNED' })) === 1,
  );
  const waiting = connection.query<RowDataPacket[]>('SELECT 7 AS seven');
  await set.primary.start();
  const [rows] = await waiting;
  t.equal(rows[0]?.seven, 7, 'the statement was held, not refused');
  await connection.end();
});
