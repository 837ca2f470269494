import t from 'tap';
import { Capability, Command, withoutCapabilities } from '../../../protocol/index.ts';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { MODERN_CAPABILITIES, RawClient, textRows } from '../../support/raw-client.ts';

const server = new MariadbServer({ args: ['--local-infile=1'] });
t.teardown(() => server.dispose());
await server.start();
await server.query("CREATE USER app@'%' IDENTIFIED BY 'secret'");
await server.query("GRANT ALL ON *.* TO app@'%'");
await server.query('CREATE DATABASE app');
const login = { username: 'app', password: 'secret', database: 'app' };

for (const [name, capabilities] of [
  ['with DEPRECATE_EOF', MODERN_CAPABILITIES],
  ['without it', withoutCapabilities(MODERN_CAPABILITIES, Capability.CLIENT_DEPRECATE_EOF)],
] as const) {
  t.test(`whole answers are read ${name}`, async (t) => {
    const client = await RawClient.login(server, { ...login, capabilities });
    t.teardown(() => client.destroy());
    const [rows, ok, error] = await client.query(
      "SELECT 1 AS a, NULL AS b UNION SELECT 2, 'x'; SET @a = 1; NONSENSE",
    );
    if (rows?.kind !== 'rows') throw new Error('no rows');
    t.strictSame(textRows(rows), [
      ['1', null],
      ['2', 'x'],
    ]);
    t.strictSame(
      rows.columns.map((column) => column.name),
      ['a', 'b'],
    );
    t.equal(ok?.kind, 'ok');
    t.match(error, { kind: 'error', error: { errno: 1064, sqlState: '42000' } });
    await client.query('CREATE OR REPLACE TABLE t (a INT)');
    const [loaded] = await client.query("LOAD DATA LOCAL INFILE 'some file' INTO TABLE t", {
      localFile: (filename) => Buffer.from(filename === 'some file' ? '1\n2\n' : ''),
    });
    t.match(loaded, { kind: 'ok', ok: { affectedRows: 2 } });
    await client.quit();
    t.equal(client.errorCode, null);
  });
}

t.test("a refusal is the server's error", async (t) => {
  const client = await RawClient.connect(server);
  t.teardown(() => client.destroy());
  t.match(await client.logIn({ ...login, password: 'wrong' }), { errno: 1045, sqlState: '28000' });
});

t.test('bytes that are no packet close the connection', async (t) => {
  const client = await RawClient.connect(server);
  t.teardown(() => client.destroy());
  t.equal((await client.readPacket()).payload[0], 10, 'the greeting');
  client.sendPacket(Buffer.from('nonsense'), 1);
  await client.waitUntilClosed();
  await t.rejects(async () => {
    for (;;) await client.readPacket(1000);
  }, /the connection was closed/);
});

t.test('single commands can be sent', async (t) => {
  const client = await RawClient.login(server, login);
  t.teardown(() => client.destroy());
  client.sendCommand(Command.COM_PING);
  const { payload, sequenceId } = await client.readPacket();
  t.equal(payload[0], 0);
  t.equal(sequenceId, 1);
});
