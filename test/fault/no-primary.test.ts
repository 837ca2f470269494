/** The primary dies: who held something there is told, reads go on, for new clients as well. */

import t from 'tap';
import { waitForReplicaReads } from '../support/replica-reads.ts';
import { ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';

const set = new ReplicationSet({
  replicas: 1,
  sql: ['CREATE TABLE app.t (id INT)', 'INSERT INTO app.t VALUES (5)'],
});
t.before(() => set.start());
t.teardown(() => set.dispose());

t.test('without a primary', async (t) => {
  const sluice = await SluiceProcess.startFor(set, { config: { limits: { noServerWaitMs: 500 } } });
  t.teardown(() => sluice.dispose());
  await waitForReplicaReads(sluice, set, 't');
  const holding = await sluice.connect();
  holding.on('error', () => undefined);
  await holding.query('BEGIN');
  await holding.query('SELECT id FROM t');
  await set.primary.kill();
  // The bug: nobody told a session whose held connection died between two statements, and the next one hung.
  // Closed before the statement was sent, an error behind it, or the driver knows already: never an answer, never a wait.
  const lost = await holding.query('SELECT 1').catch((error: Error) => error);
  t.ok(lost instanceof Error, 'the transaction is lost, and its client knows');
  await waitUntil('Sluice has no primary', async () => (await sluice.get('/readyz')).status === 503);

  const newcomer = await sluice.connect();
  const [rows] = await newcomer.query('SELECT id FROM t');
  t.strictSame(rows, [{ id: 5 }], 'a client that comes now reads from the replica');
  const refused = await newcomer
    .query('INSERT INTO t VALUES (6)')
    .catch((error: { errno?: number }) => error);
  t.match(refused, { errno: 9001 }, 'a write has nowhere to go');
  await newcomer.end();
});
