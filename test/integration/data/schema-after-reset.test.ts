/**
 * A server connection that is reset between two clients keeps its schema; MariaDB gives it the global character set
 * for `@@character_set_database` and `@@collation_database` then, which the next client must not see.
 */

import type { RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

for (const flavor of ['mariadb', 'mysql'] satisfies ServerFlavor[]) {
  t.test(flavor, async (t) => {
    const set = new ReplicationSet({
      flavor,
      replicas: 0,
      sql: [
        'CREATE DATABASE latin CHARACTER SET latin2 COLLATE latin2_croatian_ci',
        `GRANT ALL ON latin.* TO '${APP_ACCOUNT.username}'@'%'`,
      ],
    });
    t.teardown(() => set.dispose());
    await set.start();
    const sluice = await SluiceProcess.startFor(set, { config: { workers: 1, pool: { maxConnections: 1 } } });
    t.teardown(() => sluice.dispose());
    const first = await sluice.connect({ database: 'latin' });
    const read = 'SELECT @@character_set_database, @@collation_database';
    const [[expected]] = await first.query<RowDataPacket[]>(read);
    t.same(expected, {
      '@@character_set_database': 'latin2',
      '@@collation_database': 'latin2_croatian_ci',
    });
    const own = `SELECT id FROM information_schema.processlist WHERE user = '${APP_ACCOUNT.username}'`;
    const before = await set.primary.query(own);
    await first.query('CREATE TEMPORARY TABLE leaves_something (id INT)');
    await first.end();
    const second = await sluice.connect({ database: 'latin' });
    const [[actual]] = await second.query<RowDataPacket[]>(read);
    t.same(actual, expected);
    t.same(await set.primary.query(own), before, 'on the same connection');
    await second.end();
  });
}
