/** The library against a real MySQL 5.7. */

import t from 'tap';
import { Capability, decodeTextRow, encodeComQuery, uniteCapabilities } from '../../../protocol/index.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { prepareAccounts, runWireTests } from './run-wire-tests.ts';
import { ORDINARY_CAPABILITIES, WireClient } from './wire-client.ts';

const reason = await Mysql57Server.unavailableReason();
const server = new Mysql57Server({ name: 'wire', args: ['--max-allowed-packet=64M'] });

t.test('MySQL 5.7', { skip: reason ?? false }, async (t) => {
  t.teardown(() => server.dispose());
  await server.start();
  await prepareAccounts(server);
  await runWireTests(t, server);

  await t.test('TLS', async (t) => {
    const capabilities = uniteCapabilities(ORDINARY_CAPABILITIES, Capability.CLIENT_SSL);
    const client = await WireClient.login(server, {
      username: 'open',
      password: { kind: 'none' },
      capabilities,
    });
    if (!(client instanceof WireClient)) throw new Error(client.message);
    const { rows } = await client.resultset(
      encodeComQuery({ query: "SHOW SESSION STATUS LIKE 'Ssl_version'" }, client.capabilities),
    );
    t.match(decodeTextRow(rows[0]!, 2)[1]?.toString(), /^TLSv/);
    client.close();
  });
});
