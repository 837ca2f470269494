/** A session that has set its `wait_timeout` is ended when it idles for longer, in silence, as a server does it. */

import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

const set = new ReplicationSet({ replicas: 0 });
t.before(() => set.start());
t.teardown(() => set.dispose());

function socketOf(connection: Connection): Socket {
  return (connection as unknown as { connection: { stream: Socket } }).connection.stream;
}

t.test('idle for longer than its own wait_timeout', async (t) => {
  const sluice = await SluiceProcess.startFor(set);
  t.teardown(() => sluice.dispose());
  const other = await sluice.connect();
  await other.query('SET wait_timeout = 1');
  await other.query('SET wait_timeout = DEFAULT');
  const client = await sluice.connect();
  client.on('error', () => undefined);
  await client.query('SET SESSION wait_timeout = 2');
  await client.query('SELECT SLEEP(3.5)');
  const [[row]] = await client.query<RowDataPacket[]>('SELECT @@wait_timeout AS seconds');
  t.equal(row?.seconds, 2, 'a statement may take longer');
  let said = 0;
  socketOf(client).on('data', (bytes: Buffer) => {
    said += bytes.length;
  });
  await once(socketOf(client), 'end');
  t.equal(said, 0, 'the end comes in silence');
  t.ok(await other.query('SELECT 1'), 'others idle as long as before');
  await other.end();
});
