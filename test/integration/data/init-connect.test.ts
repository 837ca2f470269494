/** What a server's init_connect does at a login is what each session finds, whatever others did on its connection. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import { MONITOR_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

const INIT =
  'SET group_concat_max_len = 777, net_write_timeout = 123; SET @initial = 5; INSERT INTO app.audit (n) VALUES (1)';
const READ =
  'SELECT @@group_concat_max_len AS length, @@net_write_timeout AS timeout, CAST(@initial AS SIGNED) AS initial';
const EXPECTED = { length: 777, timeout: 123, initial: 5 };

async function seen(connection: Connection): Promise<RowDataPacket | undefined> {
  const [rows] = await connection.query<RowDataPacket[]>(READ);
  return rows[0];
}

for (const flavor of ['mariadb', 'mysql'] satisfies ServerFlavor[]) {
  t.test(flavor, async (t) => {
    const set = new ReplicationSet({ flavor, replicas: 0, sql: ['CREATE TABLE app.audit (n INT)'] });
    t.teardown(() => set.dispose());
    await set.start();
    // A server ends the connection of whom it cannot run it for: the monitor too.
    await set.primary.query(`GRANT INSERT ON app.audit TO '${MONITOR_ACCOUNT.username}'@'%'`);
    await set.primary.query(`SET GLOBAL init_connect = '${INIT}'`);
    const sluice = await SluiceProcess.startFor(set, { config: { workers: 1, pool: { maxConnections: 1 } } });
    t.teardown(() => sluice.dispose());
    const session = async (
      name: string,
      leave?: (connection: Connection) => Promise<unknown>,
    ): Promise<void> => {
      const connection = await sluice.connect();
      t.match(await seen(connection), EXPECTED, name);
      await leave?.(connection);
      await connection.end();
    };
    await session('the first session');
    await session('the next', (connection) =>
      connection.query('CREATE TEMPORARY TABLE app.left_behind (a INT)'),
    );
    await session('behind one whose connection was not clean', (connection) =>
      connection.query('SET group_concat_max_len = 1000, net_write_timeout = 99'),
    );
    await session('behind one with variables of its own', (connection) =>
      connection.query('SET @initial = 6'),
    );
    await session('behind one with a user variable of the same name', async (connection) => {
      await connection.reset();
      t.match(
        await seen(connection),
        { length: flavor === 'mysql' ? 1024 : 1048576 },
        'a reset takes it away',
      );
    });
    await session('behind one that was reset');
  });
}
