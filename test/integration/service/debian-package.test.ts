// sluice-test: nightly timeout=900
/**
 * The Debian package on a machine of its own with a real systemd: installed, started, asked, configured anew, upgraded without
 * an error for its clients, stopped, killed, taken off.
 */
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import t from 'tap';
import { stringify } from 'yaml';
import { buildDeb } from '../../../docker/debian/build-deb.ts';
import { nodeProgram } from '../../support/node-program.ts';
import { makeTemporaryDirectory } from '../../support/owned-resources.ts';
import { freePort } from '../../support/ports.ts';
import { APP_ACCOUNT, APP_SCHEMA, MONITOR_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SystemdMachine, systemdObstacle } from '../../support/systemd-machine.ts';
import { waitUntil } from '../../support/wait-until.ts';

const UNIT = 'sluice.service';
const CONFIG = '/etc/sluice/sluice.yaml';
const NOT_LATE = { timeoutMs: 60_000 };

t.test('a machine with the package', { skip: systemdObstacle() ?? false }, async (t) => {
  const folder = makeTemporaryDirectory('debian-package');
  const deb = await buildDeb({ folder, compression: 'gzip', node: await nodeProgram() });
  const set = new ReplicationSet({ replicas: 0 });
  await set.start();
  t.teardown(() => set.dispose());
  const [port, adminPort, httpPort] = [await freePort(), await freePort(), await freePort()];
  const machine = await SystemdMachine.boot(folder);
  t.teardown(() => machine.stop());
  const journal = async (): Promise<string> =>
    (await machine.run('journalctl', '--unit', UNIT, '--output', 'cat', '--no-pager')).stdout;

  const configure = async (more: Readonly<Record<string, unknown>> = {}) => {
    const config = {
      servers: [set.primary.address],
      monitor: { username: MONITOR_ACCOUNT.username, password: { file: '/etc/sluice/monitor.password' } },
      users: [{ username: APP_ACCOUNT.username, password: APP_ACCOUNT.password }],
      listen: { host: '127.0.0.1', port, socket: '/run/sluice/sluice.sock' },
      admin: { port: adminPort },
      http: { port: httpPort },
      dataDir: '/var/lib/sluice',
      ...more,
    };
    writeFileSync(join(folder, 'sluice.yaml'), stringify(config));
    await machine.shell(`cat /tmp/given/sluice.yaml >${CONFIG}`);
  };
  const connect = () =>
    createConnection({
      host: '127.0.0.1',
      port,
      user: APP_ACCOUNT.username,
      password: APP_ACCOUNT.password,
      database: APP_SCHEMA,
    });
  const ask = async (): Promise<unknown> => {
    const connection = await connect();
    try {
      const [rows] = await connection.query('SELECT 1 + 1 AS two');
      return rows;
    } finally {
      await connection.end();
    }
  };
  const mainPid = () => machine.show(UNIT, 'MainPID');

  await t.test('is installed, and not started', async (t) => {
    const { stdout } = await machine.run('dpkg', '--install', `/tmp/given/${basename(deb)}`);
    t.match(stdout, /Setting up sluice/);
    t.equal(await machine.show(UNIT, 'ActiveState'), 'inactive');
    t.equal(await machine.show(UNIT, 'UnitFileState'), 'disabled');
    const { stdout: modes } = await machine.run('stat', '--format=%a %U %G', '/etc/sluice', CONFIG);
    t.equal(modes, '750 root sluice-config\n640 root sluice-config\n');
    t.match((await machine.run('sluice', '--version')).stdout, /^sluice \d+\.\d+\.\d+\n$/);
  });

  await t.test('with a configuration that says nothing it ends once, and says why', async (t) => {
    await t.rejects(machine.run('systemctl', 'start', UNIT));
    t.equal(await machine.show(UNIT, 'ExecMainStatus'), '2');
    t.equal(await machine.show(UNIT, 'NRestarts'), '0');
    t.match(await journal(), /sluice: .*servers/);
  });

  await t.test('is ready when systemctl start says so', async (t) => {
    await machine.shell(`umask 027; printf %s '${MONITOR_ACCOUNT.password}' >/etc/sluice/monitor.password`);
    await machine.run('chown', 'root:sluice-config', '/etc/sluice/monitor.password');
    await configure();
    await machine.run('systemctl', 'start', UNIT);
    t.same(await ask(), [{ two: 2 }], 'at once');
    t.equal(await machine.show(UNIT, 'StatusText'), `clients on 127.0.0.1:${port}`);
    const { stdout } = await machine.shell(
      `stat --format=%U /proc/$(systemctl show --value -p MainPID ${UNIT})`,
    );
    t.not(stdout.trim(), 'root');
    const { stdout: files } = await machine.shell('ls /var/lib/sluice /run/sluice');
    t.match(files, /sluice\.sock/);
    const { stdout: check } = await machine.run('sluice', 'check', '--ready', '--config', CONFIG);
    t.match(check, /ready/);
  });

  await t.test('lines have their priority in the journal', async (t) => {
    const { stdout } = await machine.run('journalctl', '--unit', UNIT, '--output', 'json', '--no-pager');
    const entries = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    const ready = entries.filter(({ MESSAGE }) => MESSAGE?.includes('"msg":"ready"') === true);
    t.match(ready, [{ PRIORITY: '6', MESSAGE: /^\{"level":"info"/ }]);
  });

  await t.test('systemctl reload reads the configuration again', async (t) => {
    await configure({ limits: { maxConnections: 1234 } });
    await machine.run('systemctl', 'reload', UNIT);
    await waitUntil('the log says so', async () => (await journal()).includes('configuration read again'));
    t.equal((await journal()).split('configuration read again').length, 2);
  });

  await t.test('an upgrade: the new process takes over, and no client sees an error', async (t) => {
    const pid = await mainPid();
    const busy = await connect();
    await busy.query('CREATE TABLE upgrades (id INT PRIMARY KEY)');
    await busy.query('BEGIN');
    await busy.query('INSERT INTO upgrades VALUES (1)');
    let asked = 0;
    let isOver = false;
    const asking = (async () => {
      for (; !isOver; asked++) t.strictSame(await ask(), [{ two: 2 }]);
    })();
    await machine.run('dpkg', '--install', `/tmp/given/${basename(deb)}`);
    await waitUntil('systemd knows the new process', async () => (await mainPid()) !== pid, NOT_LATE);
    const before = asked;
    await waitUntil('new clients are served', () => asked > before + 5);
    await busy.query('COMMIT');
    await busy.end();
    await waitUntil('the old process has gone', () => machine.run('sh', '-c', `! kill -0 ${pid}`), NOT_LATE);
    isOver = true;
    await asking;
    t.equal(await machine.show(UNIT, 'ActiveState'), 'active');
    t.equal(await machine.show(UNIT, 'NRestarts'), '0');
    const rows = await set.primary.query(`SELECT COUNT(*) AS count FROM ${APP_SCHEMA}.upgrades`);
    t.match(rows, [{ count: 1 }]);
  });

  await t.test('the watchdog ends a process that hangs, and another one starts', async (t) => {
    await machine.shell(`mkdir -p /run/systemd/system/${UNIT}.d`);
    await machine.shell(`printf '[Service]\\nWatchdogSec=6\\n' >/run/systemd/system/${UNIT}.d/quick.conf`);
    await machine.run('systemctl', 'daemon-reload');
    await machine.run('systemctl', 'restart', UNIT);
    const pid = await mainPid();
    const first = await machine.show(UNIT, 'WatchdogTimestampMonotonic');
    const told = async () => (await machine.show(UNIT, 'WatchdogTimestampMonotonic')) !== first;
    await waitUntil('a sign of life', told, NOT_LATE);
    t.equal(await mainPid(), pid, 'one that lives is left alone');
    await machine.run('kill', '-STOP', pid);
    const another = async () => ![pid, '0'].includes(await mainPid());
    await waitUntil('another process', another, NOT_LATE);
    await waitUntil('it serves', ask, NOT_LATE);
    t.equal(await machine.show(UNIT, 'NRestarts'), '1');
  });

  await t.test('killed, it is started again', async (t) => {
    const pid = await mainPid();
    await machine.run('kill', '-KILL', pid);
    await waitUntil('another process', async () => ![pid, '0'].includes(await mainPid()), NOT_LATE);
    await waitUntil('it serves', ask, NOT_LATE);
    t.equal(await machine.show(UNIT, 'NRestarts'), '2');
  });

  await t.test('systemctl stop lets transactions end', async (t) => {
    const connection = await connect();
    await connection.query('CREATE TABLE stops (id INT PRIMARY KEY)');
    await connection.query('BEGIN');
    await connection.query('INSERT INTO stops VALUES (1)');
    const stopped = machine.run('systemctl', 'stop', UNIT);
    await waitUntil('it stops', async () => (await machine.show(UNIT, 'ActiveState')) === 'deactivating');
    await connection.query('COMMIT');
    await stopped;
    connection.destroy();
    t.equal(await machine.show(UNIT, 'Result'), 'success');
    const rows = await set.primary.query(`SELECT COUNT(*) AS count FROM ${APP_SCHEMA}.stops`);
    t.match(rows, [{ count: 1 }]);
  });

  await t.test('is taken off, its configuration stays, and goes with purge', async (t) => {
    await machine.run('systemctl', 'start', UNIT);
    await machine.run('dpkg', '--remove', 'sluice');
    t.equal(await machine.show(UNIT, 'ActiveState'), 'inactive');
    t.equal((await machine.run('stat', '--format=%U', CONFIG)).stdout, 'root\n');
    await machine.run('dpkg', '--purge', 'sluice');
    await t.rejects(machine.run('stat', CONFIG));
    await t.rejects(machine.run('getent', 'group', 'sluice-config'));
  });
});
