/** Sessions that share few server connections see what each would see alone. */
// sluice-test: long

import t from 'tap';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { runConcurrently } from './concurrent.ts';
import { SERVER_ARGS } from './fixture.ts';

t.test('MariaDB', async (t) => {
  const set = new ReplicationSet({ args: SERVER_ARGS });
  t.teardown(() => set.dispose());
  await set.start();
  await runConcurrently(t, set, 'mariadb');
});

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, async (t) => {
  const set = new ReplicationSet({ flavor: 'mysql', args: SERVER_ARGS });
  t.teardown(() => set.dispose());
  await set.start();
  await runConcurrently(t, set, 'mysql57');
});
