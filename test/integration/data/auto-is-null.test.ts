/** With sql_auto_is_null a read asks for the session's LAST_INSERT_ID without naming it. */

import type { RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

const set = new ReplicationSet({
  replicas: 0,
  sql: ['CREATE TABLE app.numbered (id INT AUTO_INCREMENT PRIMARY KEY, v INT)'],
});
let sluice: SluiceProcess;
t.before(async () => {
  await set.start();
  sluice = await SluiceProcess.startFor(set, { config: { workers: 1, pool: { maxConnections: 2 } } });
});
t.teardown(async () => {
  await sluice?.dispose();
  await set.dispose();
});

t.test('each session finds its own row', async (t) => {
  const [one, two] = [await sluice.connect(), await sluice.connect()];
  await one.query('SET sql_auto_is_null = 1');
  await one.query('INSERT INTO numbered (v) VALUES (1)');
  await two.query('INSERT INTO numbered (v) VALUES (2)');
  const [rows] = await one.query<RowDataPacket[]>('SELECT v FROM numbered WHERE id IS NULL');
  t.same(rows, [{ v: 1 }]);
  await two.query('SET sql_auto_is_null = 0');
  t.equal(await sluice.metric('sluice_pinned_sessions'), 1, 'switching it off pins nobody');
  await one.end();
  await two.end();
});
