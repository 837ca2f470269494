/** Sessions whose only server connection serves somebody else between any two of their statements. */
// sluice-test: long

import t from 'tap';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import type { DifferentialCase } from './corpus.ts';
import { runDisturbed } from './disturbed.ts';
import { SERVER_ARGS } from './fixture.ts';

t.test('MariaDB', async (t) => {
  const set = new ReplicationSet({ flavor: 'mariadb', args: SERVER_ARGS, replicas: 1 });
  t.teardown(() => set.dispose());
  await set.start();
  await runDisturbed(t, set, 'mariadb', ({ file }) => /^(errors and warnings|session state)$/.test(file));
});

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, async (t) => {
  const set = new ReplicationSet({ flavor: 'mysql', args: SERVER_ARGS, replicas: 1 });
  t.teardown(() => set.dispose());
  await set.start();
  await runDisturbed(t, set, 'mysql57', ({ file }) => file === 'errors and warnings');
});

/** MySQL adds it to whatever list it finds; to bring a session's own mode back is a warning as well. */
t.test('the late error of long data', { skip: missing ?? false }, async (t) => {
  const args = [...SERVER_ARGS, '--sql-mode=NO_AUTO_CREATE_USER'];
  const set = new ReplicationSet({ flavor: 'mysql', args, replicas: 0 });
  t.teardown(() => set.dispose());
  await set.start();
  const only = ({ name }: DifferentialCase): boolean => name.startsWith('long data for a parameter');
  const by = ["SET sql_mode = ''", "SELECT CAST('left by another' AS SIGNED)"].map((statement) => ({
    statements: [statement],
    schema: 'diff',
  }));
  await runDisturbed(t, set, 'mysql57', only, by);
});
