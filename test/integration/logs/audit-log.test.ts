/** The audit log of operators and, where it is wanted, of clients; and the level of the log at run time. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { type LogLine, SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const SECRET = 'hunter2';
const set = new ReplicationSet({ replicas: 0 });
t.before(() => set.start());
t.teardown(() => set.dispose());

function linesOf(file: string): LogLine[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
}

t.test('operators, in a file of its own', async (t) => {
  const file = join(t.testdir({}), 'audit.log');
  const sluice = await SluiceProcess.startFor(set, {
    config: {
      workers: 1,
      auditLog: { commands: 'all', file },
      admin: {
        users: [
          { username: 'ops', password: SECRET },
          { username: 'watcher', password: SECRET, role: 'stats' },
        ],
      },
    },
  });
  t.teardown(() => sluice.dispose());
  const ops = await sluice.adminConnection({ user: 'ops', password: SECRET });
  await ops.query('SHOW SERVERS');
  await ops.query('SET LOG LEVEL warn');
  await ops.query(`SET mysql-monitor_password='${SECRET}'`).catch(() => undefined);
  await ops.query(`UPDATE mysql_users SET password='${SECRET}' WHERE username='app'`).catch(() => undefined);
  await ops.query(`EXPLAIN ROUTE SELECT '${SECRET}'`);
  await ops.end();
  const watcher = await sluice.adminConnection({ user: 'watcher', password: SECRET });
  await watcher.query(`DRAIN '${set.primary.address}'`).catch(() => undefined);
  watcher.destroy();
  await sluice.adminConnection({ user: 'ops', password: `wrong ${SECRET}` }).catch(() => undefined);
  await waitUntil('all is in the file', () => linesOf(file).some(({ msg }) => msg === 'admin login refused'));
  await waitUntil(
    'both have left',
    () => linesOf(file).filter(({ msg }) => msg === 'admin logout').length === 2,
  );
  const lines = linesOf(file);
  t.notOk(JSON.stringify([lines, sluice.log]).includes(SECRET), 'no password anywhere');
  t.match(
    lines
      .filter(({ user }) => user === 'ops')
      .map(({ msg, command, reason, errno }) => [msg, command ?? reason, errno]),
    [
      ['admin login', undefined, undefined],
      ['admin command', 'SHOW SERVERS', undefined],
      ['admin command', 'SET LOG LEVEL warn', undefined],
      [/^admin command/, 'SET mysql-monitor_password=***'],
      [/^admin command/, "UPDATE mysql_users SET password=*** WHERE username='app'"],
      ['admin command', 'EXPLAIN ROUTE SELECT ***', undefined],
      ['admin logout', 'quit', undefined],
      ['admin login refused', /^Access denied for user 'ops'/, undefined],
    ],
  );
  t.match(
    lines.filter(({ user }) => user === 'watcher'),
    [
      {
        msg: 'admin login',
        role: 'stats',
        port: 'admin',
        host: '127.0.0.1',
        connectionId: Number,
        time: String,
      },
      { msg: 'admin command refused', errno: 1045, command: `DRAIN '${set.primary.address}'` },
      { msg: 'admin logout', reason: 'the client has gone' },
    ],
  );
});

t.test('clients, in the log, whatever its level', async (t) => {
  const sluice = await SluiceProcess.startFor(set, {
    config: { workers: 1, log: { level: 'error', pretty: false }, auditLog: { clients: true } },
  });
  t.teardown(() => sluice.dispose());
  const connection = await sluice.connect();
  const id = connection.threadId;
  await connection.changeUser({ user: 'app', password: `wrong ${SECRET}` }).catch(() => undefined);
  await connection.end().catch(() => undefined);
  await sluice.connect({ user: 'nobody', password: SECRET }).catch(() => undefined);
  const second = await sluice.connect();
  await second.changeUser({ user: 'app', password: 'app-secret', database: 'app' });
  await second.end();
  const events = await waitUntil('all are logged', () => {
    const found = sluice.log.filter(({ msg }) => msg?.startsWith('client ') === true);
    return found.filter(({ msg }) => msg === 'client end').length === 2 ? found : undefined;
  });
  t.match(
    events.map(({ msg, user, errno }) => [msg, user, errno]),
    [
      ['client login', 'app', undefined],
      ['client change-user-refused', 'app', 1045],
      ['client end', 'app', undefined],
      ['client login-refused', 'nobody', 1045],
      ['client login', 'app', undefined],
      ['client change-user', 'app', undefined],
      ['client end', 'app', undefined],
    ],
  );
  t.match(events[0], {
    connectionId: id,
    client: /^127\.0\.0\.1:\d+$/,
    schema: 'app',
    tls: false,
    worker: 0,
  });
  t.match(events.at(-1), { reason: String });
  t.notOk(JSON.stringify(sluice.log).includes(SECRET));
});

t.test('the level of all threads, at run time and on reload', async (t) => {
  const config = { workers: 1, log: { level: 'info', pretty: false } };
  const sluice = await SluiceProcess.startFor(set, { config });
  t.teardown(() => sluice.dispose());
  const refusals = (): number =>
    sluice.log.filter(({ worker, msg }) => worker === 0 && msg === 'login refused').length;
  /** A line that the worker writes as a warning. */
  const provoke = async (): Promise<void> => {
    await sluice.connect({ password: SECRET }).catch(() => undefined);
  };
  await provoke();
  await waitUntil('a warning of the worker', () => refusals() === 1);
  const admin = await sluice.adminConnection();
  await admin.query('SET LOG LEVEL error');
  await provoke();
  await waitUntil('the audit log has it all the same', () =>
    sluice.log.some(({ command }) => command === 'SET LOG LEVEL error'),
  );
  await admin.query('SET LOG LEVEL debug');
  await provoke();
  await waitUntil('warnings again', () => refusals() >= 2);
  t.equal(refusals(), 2, 'not the one in between');
  sluice.writeConfig({
    ...config,
    servers: [set.primary.address],
    users: [{ username: 'app', password: 'app-secret' }],
    log: { level: 'warn', pretty: false },
  });
  sluice.signal('SIGHUP');
  await waitUntil('the level of the file is back', async () => {
    await provoke();
    return refusals() >= 3;
  });
  await admin.end();
});
