/** The library against a real MariaDB, and what only MariaDB has. */

import t from 'tap';
import { MariadbCapability } from '../../../protocol/index.ts';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { prepareAccounts, runWireTests } from './run-wire-tests.ts';
import { ordinaryWithout, WireClient } from './wire-client.ts';

const server = new MariadbServer({
  name: 'wire',
  args: ['--max-allowed-packet=64M', '--plugin-load-add=auth_ed25519'],
});
t.before(async () => {
  await server.start();
  await prepareAccounts(server);
});
t.teardown(() => server.dispose());

t.test('MariaDB', (t) => runWireTests(t, server));

t.test('client_ed25519', async (t) => {
  await server.query(
    "CREATE USER 'ed'@'127.0.0.1' IDENTIFIED VIA ed25519 USING PASSWORD('a longer secret, of 33 bytes +')",
  );
  const password = { kind: 'plain', value: 'a longer secret, of 33 bytes +' } as const;
  const client = await WireClient.login(server, { username: 'ed', password });
  t.ok(client instanceof WireClient);
  if (client instanceof WireClient) {
    t.equal(client.handshake.authPlugin, 'client_ed25519');
    client.close();
  }
  const wrong = await WireClient.login(server, { username: 'ed', password: { kind: 'plain', value: 'x' } });
  t.match(wrong, { kind: 'failed', errno: 1045, fromServer: true });
});

t.test('extended capabilities', async (t) => {
  const wanted = MariadbCapability.MARIADB_CLIENT_CACHE_METADATA;
  const client = await WireClient.login(server, {
    username: 'open',
    password: { kind: 'none' },
    capabilities: ordinaryWithout(),
    mariadbCapabilities: wanted,
  });
  t.ok(client instanceof WireClient);
  if (client instanceof WireClient) {
    t.equal(client.handshake.mariadbCapabilities, wanted);
    client.close();
  }
});
