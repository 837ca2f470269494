/** Logins with the accounts of a MariaDB server, straight and through Sluice. */

import t from 'tap';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { runHosts, runTable, startSluice } from './run-logins.ts';

const server = await new MariadbServer().start();
await server.query("INSTALL SONAME 'auth_ed25519'");
await server.query(
  "DELETE FROM mysql.global_priv WHERE User IN ('', 'root') AND Host <> 'localhost'; FLUSH PRIVILEGES",
);
const sluice = await startSluice(server);
t.teardown(async () => {
  await sluice.stop();
  await sluice.dispose();
  await server.dispose();
});

t.test('nobody from hosts without accounts', async (t) => {
  await runHosts(t, server, sluice, 12);
});

t.test('accounts and passwords', async (t) => {
  await runTable(
    t,
    server,
    sluice,
    [
      "CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('pw')",
      "CREATE USER edornative@'%' IDENTIFIED VIA ed25519 USING PASSWORD('pw') OR mysql_native_password USING PASSWORD('pw')",
      "CREATE USER socketornative@'%' IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('pw')",
      "CREATE USER bysocket@'%' IDENTIFIED VIA unix_socket",
      "CREATE USER invalid@'%' IDENTIFIED VIA mysql_native_password USING 'invalid'",
      'CREATE ROLE somerole',
    ],
    ['ed', 'edornative', 'socketornative', 'bysocket', 'invalid', 'somerole'],
  );
});
