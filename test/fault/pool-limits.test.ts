/** What happens when all server connections are held, and when the server closes the ones that nobody holds. */

import type { Connection } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';

const POOL_CONNECTIONS = 2;
const WAIT_TIMEOUT_MS = 4000;
const QUEUE_LENGTH = 2;

const set = new ReplicationSet({
  replicas: 0,
  sql: ['CREATE TABLE app.t (id INT PRIMARY KEY AUTO_INCREMENT)'],
});
t.before(() => set.start());
t.teardown(() => set.dispose());

interface Outcome {
  readonly errno: number;
  readonly afterMs: number;
}

async function outcome(connection: Connection, sql: string): Promise<Outcome> {
  const startedAt = performance.now();
  const errno = await connection.query(sql).then(
    () => 0,
    (error: { errno?: number }) => error.errno ?? -1,
  );
  return { errno, afterMs: performance.now() - startedAt };
}

t.test('all connections are held', async (t) => {
  const sluice = await SluiceProcess.startFor(set, {
    config: {
      workers: 1,
      pool: {
        maxConnections: POOL_CONNECTIONS,
        waitTimeoutMs: WAIT_TIMEOUT_MS,
        waitQueueLength: QUEUE_LENGTH,
      },
    },
  });
  t.teardown(() => sluice.dispose());
  // One after the other: a login takes a connection for a moment, too.
  const clients: Connection[] = [];
  while (clients.length < POOL_CONNECTIONS + QUEUE_LENGTH + 1) clients.push(await sluice.connect());
  const [first, second, ...others] = clients as [Connection, Connection, ...Connection[]];
  for (const holder of [first, second]) await holder.query('BEGIN');
  const waits = () => sluice.metric('sluice_pool_waits_total');
  const before = await waits();
  const waiting = others
    .slice(0, QUEUE_LENGTH)
    .map((client) => outcome(client, 'INSERT INTO t () VALUES ()'));
  await waitUntil('they wait', async () => (await waits()) === before + QUEUE_LENGTH);
  const refused = await outcome(others.at(-1) as Connection, 'INSERT INTO t () VALUES ()');
  t.equal(refused.errno, 9003, 'one more than may wait is refused');
  for (const { errno, afterMs } of await Promise.all(waiting)) {
    t.equal(errno, 9002, 'who waits too long is told');
    t.ok(afterMs >= WAIT_TIMEOUT_MS * 0.9, `after ${Math.round(afterMs)} ms`);
  }
  const next = outcome(others[0] as Connection, 'INSERT INTO t () VALUES ()');
  await first.query('COMMIT');
  t.equal((await next).errno, 0, 'a connection that becomes free goes to who waits');
  t.equal((await outcome(second, 'COMMIT')).errno, 0, 'the holders were not disturbed');
  t.equal(
    await set.primary.queryValue('SELECT COUNT(*) FROM app.t'),
    '1',
    'nothing of the refused ones was executed',
  );
  await Promise.all(clients.map((client) => client.end()));
});

t.test('the server closes connections that nobody holds', async (t) => {
  const sluice = await SluiceProcess.startFor(set);
  t.teardown(() => sluice.dispose());
  const client = await sluice.connect();
  let failed = 0;
  for (let round = 0; round < 20; round++) {
    await client.query('INSERT INTO t () VALUES ()');
    // Again and again: right after its answer a connection is not asleep yet in the server's own list.
    await waitUntil('Sluice has noticed', async () => {
      const rows = await set.primary.query<{ id: number }>(
        "SELECT id FROM information_schema.processlist WHERE user = 'app' AND command = 'Sleep'",
      );
      // Gone already, where the last round's KILL was slow.
      for (const { id } of rows) await set.primary.query(`KILL ${id}`).catch(() => undefined);
      return (await sluice.metric('sluice_server_connections')) === 0;
    });
    if ((await outcome(client, 'INSERT INTO t () VALUES ()')).errno !== 0) failed++;
  }
  t.equal(failed, 0, 'no statement goes to a dead connection');
  await client.end();
});
