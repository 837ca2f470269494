/** A pair that replicates from each other, with one active writer: only who is read-only changes, again and again. */

import type { RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

t.test('a pair, there and back', async (t) => {
  const sql = ['CREATE TABLE app.t (a INT PRIMARY KEY)'];
  const set = await new ReplicationSet({ replicas: 1, sql }).start();
  t.teardown(() => set.dispose());
  const [first, second] = [set.primary, set.replicas[0]!];
  await set.replicateFrom(first, second);
  await first.query('SET GLOBAL read_only=0');
  const sluice = await SluiceProcess.startFor(set);
  t.teardown(() => sluice.dispose());
  const admin = await sluice.adminConnection();
  t.teardown(() => admin.end());
  const client = await sluice.connect();
  t.teardown(() => client.end());
  let value = 0;
  for (const target of [second, first, second]) {
    await waitUntil('the other one is a replica that runs', async () => {
      const [rows] = await admin.query<RowDataPacket[]>(`SWITCHOVER TO '${target.address}' DRY RUN`);
      return rows.every(({ result }) => result !== 'refused');
    });
    const [rows] = await admin.query<RowDataPacket[]>(`SWITCHOVER TO '${target.address}'`);
    t.notOk(
      rows.some(({ name }) => name === 'stop' || name === 'reset'),
      'replication goes on both ways',
    );
    await client.query('INSERT INTO t VALUES (?)', [++value]);
    t.equal(await target.queryValue('SELECT COUNT(*) FROM app.t'), String(value), 'written there');
    t.equal(await target.queryValue('SELECT @@global.read_only'), '0');
  }
  for (const server of set.servers)
    await waitUntil(
      `${server.name} has all`,
      async () => (await server.queryValue('SELECT COUNT(*) FROM app.t')) === '3',
    );
  t.equal(await first.queryValue('SELECT @@global.read_only'), '1');
});
