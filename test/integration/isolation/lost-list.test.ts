/** The connection that has a session's list of warnings and errors dies with its server; what the answer had told is left. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const WHERE = 'SELECT @@server_id AS id FROM t';

async function serverOf(connection: Connection): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>(WHERE);
  return rows[0]?.id as number;
}

t.test('a replica is killed behind an error', async (t) => {
  const sql = ['CREATE TABLE app.t (id INT PRIMARY KEY)', 'INSERT INTO app.t VALUES (1)'];
  const set = await new ReplicationSet({ replicas: 1, sql }).start();
  t.teardown(() => set.dispose());
  const heartbeat = { table: null, write: false };
  const sluice = await SluiceProcess.startFor(set, { config: { workers: 1, monitor: { heartbeat } } });
  t.teardown(() => sluice.dispose());
  const [connection, other] = [await sluice.connect(), await sluice.connect()];
  const [replica] = set.replicas;
  await waitUntil('reads go to it', async () => (await serverOf(connection)) === replica?.serverId);
  await t.rejects(connection.query('SELECT nope FROM t'), { errno: 1054 } as object as Error);
  await replica?.kill();
  await waitUntil('reads go elsewhere', async () => (await serverOf(other)) === set.primary.serverId);
  const [counts] = await connection.query<RowDataPacket[]>('SHOW COUNT(*) ERRORS');
  t.strictSame(Object.values(counts[0] ?? {}), [1]);
  const [errors] = await connection.query<RowDataPacket[]>('SHOW ERRORS');
  t.match(errors, [{ Level: 'Error', Code: 1054, Message: /nope/ }]);
  t.equal(errors.length, 1);
  await connection.query('SELECT id FROM t');
  const [cleared] = await connection.query<RowDataPacket[]>('SHOW WARNINGS');
  t.strictSame(cleared, []);
  await Promise.all([connection.end(), other.end()]);
});
