/** Passwords that are not in the configuration, with a real server: read at the start, and again on SIGHUP. */

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { APP_ACCOUNT, MONITOR_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { runSluice } from '../../support/run-program.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const set = new ReplicationSet({ replicas: 0 });
t.before(() => set.start());
t.teardown(() => set.dispose());

t.test('a password in a file is changed while Sluice runs', async (t) => {
  const directory = t.testdir({ app: `${APP_ACCOUNT.password}\n`, open: 'ops-secret' });
  const file = (name: string): string => join(directory, name);
  chmodSync(file('app'), 0o600);
  chmodSync(file('open'), 0o644);
  const sluice = await SluiceProcess.startFor(set, {
    env: { TEST_MONITOR_PASSWORD: MONITOR_ACCOUNT.password },
    config: {
      workers: 1,
      monitor: { password: { env: 'TEST_MONITOR_PASSWORD' } },
      users: [{ username: APP_ACCOUNT.username, password: { file: file('app') } }],
      admin: {
        users: [
          { username: 'ops', password: { file: file('open') } },
          { username: 'watcher', password: 'watcher-secret', role: 'stats' },
        ],
      },
    },
  });
  t.teardown(() => sluice.dispose());
  await sluice.waitForLog(/admin\.users\[0\]\.password: the file .*open can be read by every user/);

  const before = await sluice.connect();
  const changed = 'changed-secret';
  await before.query(`SET PASSWORD = PASSWORD('${changed}')`);
  await before.end();
  await t.rejects(
    sluice.connect({ password: changed }),
    { code: 'ER_ACCESS_DENIED_ERROR' },
    'the file still has the old one',
  );
  writeFileSync(file('app'), changed);
  sluice.signal('SIGHUP');
  await waitUntil('the new password is known', () =>
    sluice.connect({ password: changed }).then(
      (connection) => connection.end().then(() => true),
      () => false,
    ),
  );
  await t.rejects(sluice.connect(), { code: 'ER_ACCESS_DENIED_ERROR' });

  writeFileSync(file('app'), '');
  sluice.signal('SIGHUP');
  const refused = await sluice.waitForLog('configuration not changed');
  t.match(JSON.stringify(refused), /users\[0\]\.password: .*app is empty/);
  t.equal(await sluice.metric('sluice_configuration_refused'), 1);
  await (await sluice.connect({ password: changed })).end();

  const compare = (...args: string[]) =>
    runSluice(['config', 'diff', 'running', '-c', sluice.configFile, ...args], {
      TEST_MONITOR_PASSWORD: MONITOR_ACCOUNT.password,
    });
  writeFileSync(file('app'), changed);
  t.strictSame(await compare(), { code: 0, stdout: '', stderr: '' }, 'nothing differs from what runs');
  t.strictSame(await compare('--pool.minIdle', '7', '--listen.socketMode', '0700'), {
    code: 1,
    stdout: '~ listen.socketMode: "0777" -> "0700"  (at the next start)\n~ pool.minIdle: 0 -> 7\n',
    stderr: '',
  });
  t.match(await compare('--admin.port', '1'), {
    code: 2,
    stderr: /127\.0\.0\.1:1 cannot be asked \(.*ECONNREFUSED/,
  });

  sluice.signal('SIGHUP');
  await waitUntil(
    'a good file is taken',
    async () => (await sluice.metric('sluice_configuration_refused')) === 0,
  );

  const ops = await sluice.adminConnection({ user: 'ops', password: 'ops-secret' });
  await ops.query('SHOW SERVERS');
  await ops.end();
  const watcher = await sluice.adminConnection({ user: 'watcher', password: 'watcher-secret' });
  await watcher.query('SHOW POOLS');
  await t.rejects(watcher.query(`DRAIN '${set.primary.address}'`), { code: 'ER_ACCESS_DENIED_ERROR' });
  await watcher.end();
  t.notMatch(JSON.stringify(sluice.log), /changed-secret|ops-secret|watcher-secret/);
});

t.test('the accounts that operators find where none are configured', async (t) => {
  const sluice = await SluiceProcess.startFor(set, {
    config: { workers: 1, users: [{ username: 'app', password: 'changed-secret' }] },
  });
  t.teardown(() => sluice.dispose());
  for (const name of ['admin', 'stats'])
    await sluice.waitForLog(`admin.users has the default account ${name} with its default password`);
  const stats = await sluice.adminConnection({ user: 'stats', password: 'stats' });
  await stats.query('SHOW POOLS');
  await t.rejects(stats.query('SET LOG LEVEL debug'), { code: 'ER_ACCESS_DENIED_ERROR' });
  await stats.end();
  await (await sluice.adminConnection()).end();
});
