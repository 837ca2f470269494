/** A session that has written reads from the primary for a while, then from the replicas again. */

import type { Connection } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const STICKY_MS = 600;
const set = new ReplicationSet({ sql: ['CREATE TABLE app.t (n INT)'] });
t.before(() => set.start());
t.teardown(() => set.dispose());

/** Whether a replica was asked, as Sluice counts it. */
async function readsFromReplica(sluice: SluiceProcess, connection: Connection): Promise<boolean> {
  const count = (): Promise<number> =>
    sluice.metric('sluice_routed_statements_total', { route: 'read_on_replica' });
  const before = await count();
  await connection.query('SELECT COUNT(*) FROM t');
  return (await count()) > before;
}

t.test('the wait after a write ends', async (t) => {
  const sluice = await SluiceProcess.startFor(set, {
    config: { routing: { stickyAfterWriteMs: STICKY_MS } },
  });
  t.teardown(() => sluice.dispose());
  const writer = await sluice.connect();
  const reader = await sluice.connect();
  await waitUntil('reads come from replicas', () => readsFromReplica(sluice, reader));
  await writer.query('INSERT INTO t VALUES (1)');
  const startedAt = performance.now();
  t.notOk(await readsFromReplica(sluice, writer), 'the writer reads from the primary');
  t.ok(await readsFromReplica(sluice, reader), 'others read from replicas');
  await waitUntil('the writer reads from replicas again', () => readsFromReplica(sluice, writer));
  const waitedMs = performance.now() - startedAt;
  t.ok(waitedMs >= STICKY_MS - 50, `not before ${STICKY_MS} ms: ${Math.round(waitedMs)} ms`);
  await writer.end();
  await reader.end();
});

t.test('0 turns it off', async (t) => {
  const sluice = await SluiceProcess.startFor(set, { config: { routing: { stickyAfterWriteMs: 0 } } });
  t.teardown(() => sluice.dispose());
  const writer = await sluice.connect();
  await waitUntil('reads come from replicas', () => readsFromReplica(sluice, writer));
  await writer.query('INSERT INTO t VALUES (2)');
  t.ok(await readsFromReplica(sluice, writer), 'at once');
  await writer.end();
});
