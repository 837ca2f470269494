/** Accounts that change while Sluice runs, and logins that need more than one look. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import t from 'tap';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { logIn } from './login-probe.ts';
import { loadUsers, runChangeUser, startSluice } from './run-logins.ts';

const execFileAsync = promisify(execFile);
const server = await new MariadbServer().start();
await server.query("INSTALL SONAME 'auth_ed25519'");
await server.query("CREATE USER boss@'%' IDENTIFIED BY 'pw'; GRANT ALL ON *.* TO boss@'%' WITH GRANT OPTION");
const sluice = await startSluice(server, { listed: [{ username: 'listed', password: 'pw' }] });
t.teardown(async () => {
  await sluice.stop();
  await sluice.dispose();
  await server.dispose();
});

const boss = () =>
  createConnection({
    host: '127.0.0.1',
    port: sluice.port,
    user: 'boss',
    password: 'pw',
    multipleStatements: true,
  });
const denied = (user: string) =>
  `1045 28000 Access denied for user '${user}'@'127.0.0.1' (using password: YES)`;

t.test('who has just been created through Sluice can log in, and who has been dropped cannot', async (t) => {
  const connection = await boss();
  t.teardown(() => connection.destroy());
  for (let round = 0; round < 5; round++) {
    await connection.query("CREATE USER fresh@'%' IDENTIFIED BY 'one'");
    t.equal(await logIn(sluice, { user: 'fresh', password: 'one', query: 'SELECT 1' }), 'ok, answered');
    await connection.query("ALTER USER fresh@'%' IDENTIFIED BY 'two'");
    t.equal(await logIn(sluice, { user: 'fresh', password: 'one' }), denied('fresh'));
    t.equal(await logIn(sluice, { user: 'fresh', password: 'two', query: 'SELECT 1' }), 'ok, answered');
    await connection.query("ALTER USER fresh@'%' ACCOUNT LOCK");
    t.match(await logIn(sluice, { user: 'fresh', password: 'two' }), /^4151 /);
    await connection.query("DROP USER fresh@'%'");
    t.equal(await logIn(sluice, { user: 'fresh', password: 'two' }), denied('fresh'));
  }
});

t.test('a change at the server itself is seen at the next login, or the one after', async (t) => {
  await server.query("CREATE USER behind@'%' IDENTIFIED BY 'pw'");
  await waitUntil('the account is known', async () => {
    return (await logIn(sluice, { user: 'behind', password: 'pw' })) === 'ok';
  });
  const [, session] = await Promise.all([
    server.query('DO 1'),
    createConnection({ host: '127.0.0.1', port: sluice.port, user: 'behind', password: 'pw' }),
  ]);
  await session.query('SELECT 1');
  await server.query("DROP USER behind@'%'");
  await loadUsers(sluice);
  t.equal(await logIn(sluice, { user: 'behind', password: 'pw' }), denied('behind'));
  const [rows] = await session.query('SELECT 2 AS two');
  t.strictSame(rows, [{ two: 2 }], 'the session goes on, on the connection that there is');
  session.destroy();
});

t.test('ed25519: the client is asked for the password once, and the server gets its signature', async (t) => {
  await server.query("CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('sécret')");
  await server.query(
    "CREATE USER either@'%' IDENTIFIED VIA ed25519 USING PASSWORD('x') OR mysql_native_password USING PASSWORD('pw')",
  );
  await loadUsers(sluice);
  for (let round = 0; round < 3; round++) {
    t.equal(
      await logIn(sluice, { user: 'ed', password: 'sécret', query: 'SELECT CURRENT_USER()' }),
      'ok, answered',
    );
    t.equal(await logIn(sluice, { user: 'ed', password: 'secret' }), denied('ed'));
  }
  t.equal(await logIn(sluice, { user: 'either', password: 'pw', query: 'SELECT 1' }), 'ok, answered');
  t.equal(await logIn(sluice, { user: 'either', password: 'x', query: 'SELECT 1' }), denied('either'));
  const { stdout } = await execFileAsync(
    'mariadb',
    [
      '--no-defaults',
      '--skip-ssl',
      '-h127.0.0.1',
      `-P${sluice.port}`,
      '-ued',
      '-N',
      '-e',
      'SELECT CURRENT_USER()',
    ],
    { env: { ...process.env, MYSQL_PWD: 'sécret' }, timeout: 60_000 },
  );
  t.equal(stdout.trim(), 'ed@%', 'the stock client');
});

t.test('listed users beside them', async (t) => {
  await server.query("CREATE USER listed@'%' IDENTIFIED BY 'another'");
  await loadUsers(sluice);
  t.equal(await logIn(sluice, { user: 'listed', password: 'pw' }), 'ok');
  t.equal(await logIn(sluice, { user: 'listed', password: 'another' }), denied('listed'));
  const admin = await sluice.adminConnection();
  const [rows] = await admin.query('SHOW USERS');
  admin.destroy();
  const find = (name: string) =>
    (rows as Record<string, unknown>[]).filter(({ username }) => username === name);
  t.match(find('listed'), [{ source: 'config', host: '%', plugins: 'plain' }]);
  t.match(find('ed'), [{ source: 'backend', plugins: 'ed25519', usable: 'YES' }]);
});

t.test('limits of an account hold over all workers', async (t) => {
  await server.query("CREATE USER few@'%' IDENTIFIED BY 'pw' WITH MAX_USER_CONNECTIONS 2");
  await loadUsers(sluice);
  const open = () => createConnection({ host: '127.0.0.1', port: sluice.port, user: 'few', password: 'pw' });
  const first = await open();
  const second = await open();
  t.match(
    await logIn(sluice, { user: 'few', password: 'pw' }),
    "1226 42000 User 'few' has exceeded the 'max_user_connections' resource (current value: 2)",
  );
  t.equal(await logIn(sluice, { user: 'few', password: 'bad' }), denied('few'), 'the password comes first');
  first.destroy();
  await waitUntil(
    'a place is free',
    async () => (await logIn(sluice, { user: 'few', password: 'pw' })) === 'ok',
  );
  second.destroy();
});

t.test('COM_CHANGE_USER ends as at a server', (t) => runChangeUser(t, server, sluice));

t.test('a monitor account without the privilege, and no primary', async (t) => {
  await server.query(
    `CREATE USER blind@'127.0.0.1' IDENTIFIED BY 'pw'; GRANT SLAVE MONITOR ON *.* TO blind@'127.0.0.1'`,
  );
  const blind = await SluiceProcess.start({
    config: {
      servers: [server.address],
      monitor: { username: 'blind', password: 'pw', discovery: false },
      users: { source: 'backend', refreshIntervalMs: 300, listed: [{ username: 'boss', password: 'pw' }] },
    },
  });
  t.teardown(() => blind.dispose());
  t.match(
    await logIn(blind, { user: 'other', password: 'pw' }),
    /^9020 HY000 The accounts of the primary are not known: .*GRANT SELECT ON mysql.global_priv TO 'blind'@'127.0.0.1'/,
  );
  t.equal(await logIn(blind, { user: 'boss', password: 'pw' }), 'ok', 'who is listed');
  t.ok(await blind.waitForLog(/accounts-changed.*GRANT SELECT ON mysql.global_priv/));
  await server.query("GRANT SELECT ON mysql.global_priv TO blind@'127.0.0.1'");
  await waitUntil('it is seen', async () => (await logIn(blind, { user: 'other', password: 'pw' })) === 'ok');
  for (let failures = 0; failures < 4; failures++) await logIn(blind, { user: 'guessed', password: 'x' });
  const delayed = () => blind.metric('sluice_frontend_logins_delayed_total');
  const startedAt = performance.now();
  // Either worker counts for itself.
  await waitUntil('a refusal is held back', async () => {
    await logIn(blind, { user: 'guessed', password: 'x' });
    return (await delayed()) >= 2;
  });
  t.ok(performance.now() - startedAt >= 100);
  const before = await delayed();
  t.equal(await logIn(blind, { user: 'other', password: 'bad' }), denied('other'));
  t.equal(await delayed(), before, 'other users are not held back');
  await server.stop();
  await waitUntil('the primary has gone', () => blind.logContains(/"to":"SHUNNED"/));
  t.equal(await logIn(blind, { user: 'other', password: 'pw' }), 'ok', 'what is known stays');
  t.equal(await logIn(blind, { user: 'other', password: 'bad' }), denied('other'));
  await server.start();
  await blind.stop();
});
