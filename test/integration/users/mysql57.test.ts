/** Logins with the accounts of a MySQL server, straight and through Sluice. */

import t from 'tap';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { runChangeUser, runHosts, runTable, startSluice } from './run-logins.ts';

const missing = await Mysql57Server.unavailableReason();
t.test('a MySQL server', { skip: missing ?? false }, async (t) => {
  const server = await new Mysql57Server().start();
  const sluice = await startSluice(server);
  t.teardown(async () => {
    await sluice.stop();
    await sluice.dispose();
    await server.dispose();
  });
  await t.test('hosts', (t) => runHosts(t, server, sluice, 12));
  await t.test('COM_CHANGE_USER ends as at a server', (t) => runChangeUser(t, server, sluice));
  await t.test('accounts and passwords', (t) => runTable(t, server, sluice, [], []));
});
