/** The library against a real MySQL 5.7. */

import t from 'tap';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { prepareAccounts, runWireTests } from './run-wire-tests.ts';

const reason = await Mysql57Server.unavailableReason();
const server = new Mysql57Server({ name: 'wire', args: ['--max-allowed-packet=64M'] });

t.test('MySQL 5.7', { skip: reason ?? false }, async (t) => {
  t.teardown(() => server.dispose());
  await server.start();
  await prepareAccounts(server);
  await runWireTests(t, server);
});
