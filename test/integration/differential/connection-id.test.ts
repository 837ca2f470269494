/** CONNECTION_ID() and the id of the handshake agree, whichever server connection answers. */

import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

const set = new ReplicationSet({ replicas: 1, sql: ['CREATE TABLE app.t (n INT)'] });
let sluice: SluiceProcess;

t.before(async () => {
  await set.start();
  sluice = await SluiceProcess.startFor(set);
});
t.teardown(async () => {
  await sluice?.dispose();
  await set.dispose();
});

async function idOf(connection: Connection): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id');
  return Number(rows[0]?.id);
}

t.test('the id of the handshake is CONNECTION_ID()', async (t) => {
  const connection = await sluice.connect();
  t.equal(await idOf(connection), connection.threadId);
  await connection.query('SELECT COUNT(*) FROM t');
  t.equal(await idOf(connection), connection.threadId, 'it stays the same');
  await connection.query('BEGIN');
  t.equal(await idOf(connection), connection.threadId, 'in a transaction too');
  await connection.end();
});

t.test('KILL of oneself is an error, as at a server', async (t) => {
  for (const endpoint of [set.primary, sluice]) {
    const connection = await createConnection({
      user: APP_ACCOUNT.username,
      password: APP_ACCOUNT.password,
      host: endpoint.host,
      port: endpoint.port,
    });
    connection.on('error', () => undefined);
    const saw = await connection.query(`KILL ${connection.threadId}`).then(
      () => 'done',
      (error: { errno?: number }) => error.errno,
    );
    t.ok(saw === 1317 || saw === 1927, `${endpoint === sluice ? 'proxied' : 'direct'}: error ${saw}`);
    connection.destroy();
  }
});
