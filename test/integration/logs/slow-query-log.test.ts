/** The slow-query log in front of a real server: what is in a line, what is not, and where it goes. */

import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { type ConfigObject, type LogLine, SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const SECRET = 'hunter2';
const set = new ReplicationSet({ replicas: 1, sql: ['CREATE TABLE app.t (n INT, s VARCHAR(50))'] });
t.before(() => set.start());
t.teardown(() => set.dispose());

async function start(t: Test, config: ConfigObject): Promise<SluiceProcess> {
  const sluice = await SluiceProcess.startFor(set, { config: { workers: 1, ...config } });
  t.teardown(() => sluice.dispose());
  return sluice;
}

function linesOf(file: string): LogLine[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
}

function slowOnes(sluice: SluiceProcess): LogLine[] {
  return sluice.log.filter(({ msg }) => msg === 'slow query');
}

async function failing(connection: Connection, statement: string): Promise<void> {
  await connection.query(statement).then(
    () => Promise.reject(new Error('no error')),
    () => undefined,
  );
}

t.test('in the log, whatever its level, with everything but literals', async (t) => {
  const sluice = await start(t, {
    log: { level: 'error', pretty: false },
    slowQueryLog: { enabled: true, thresholdMs: 0 },
  });
  const connection = await sluice.connect();
  await connection.query(`INSERT INTO t VALUES (1, '${SECRET}'), (2, '${SECRET}')`);
  await connection.execute('UPDATE t SET n = n + ? WHERE s = ?', [1, SECRET]);
  await failing(connection, `SELECT nowhere FROM t WHERE s = '${SECRET}'`);
  await connection.query('SELECT GET_LOCK(?, 1)', [SECRET]);
  await connection.query("SELECT n FROM t WHERE s <> 'x'");
  await connection.end();
  const lines = await waitUntil('all are logged', () => {
    const found = slowOnes(sluice).filter(({ command }) => command !== 'COM_STMT_CLOSE');
    return found.length >= 6 ? found : undefined;
  });
  t.notOk(JSON.stringify(sluice.log).includes(SECRET), 'no literal');
  const [insert, prepare, update, failed, lock, read] = lines;
  t.match(insert, {
    level: 'info',
    user: 'app',
    schema: 'app',
    command: 'COM_QUERY',
    digest: /^0x[0-9A-F]{16}$/,
    digestText: /^INSERT INTO t VALUES/i,
    target: 'primary',
    classReason: String,
    reason: String,
    server: set.primary.address,
    hostgroup: 0,
    attempts: 1,
    rowsSent: null,
    rowsAffected: 2,
    errno: 0,
    abandoned: false,
    pins: [],
    worker: 0,
  });
  t.match(insert?.client, /^127\.0\.0\.1:\d+$/);
  t.ok(Number(insert?.durationMs) > 0 && Number(insert?.durationMs) < 30_000);
  t.ok(Number(insert?.waitMs) >= 0 && Number(insert?.bytes) > 0);
  t.ok(Math.abs(Date.parse(String(insert?.startedAt)) - Date.now()) < 60_000);
  t.match(prepare, { command: 'COM_STMT_PREPARE', digestText: /^UPDATE/i });
  t.match(update, { command: 'COM_STMT_EXECUTE', rowsAffected: 2, digest: prepare?.digest as string });
  t.match(failed, { errno: 1054, rowsAffected: 0 });
  t.match(lock, { pins: ['user-lock'] });
  t.match(read, { target: 'held', reason: 'pinned', detail: 'user-lock', connection: 'held', rowsSent: 2 });
});

t.test('a file of its own: threshold, sampling, literals, and rotation', async (t) => {
  const directory = t.testdir({});
  const file = join(directory, 'slow.log');
  const settings = { enabled: true, thresholdMs: 1000, literals: true, file };
  const sluice = await start(t, { slowQueryLog: settings });
  const connection = await sluice.connect();
  await connection.query("SELECT 'quick'");
  await connection.query(`SELECT SLEEP(1.1) /* ${SECRET} */`);
  const lines = await waitUntil('it is in the file', () => {
    const found = linesOf(file);
    return found.length > 0 ? found : undefined;
  });
  t.equal(lines.length, 1, 'the quick one is not');
  t.match(lines[0], { msg: 'slow query', text: `SELECT SLEEP(1.1) /* ${SECRET} */`, digestText: /SLEEP/ });
  t.ok(Number(lines[0]?.durationMs) >= 1000);
  t.equal(slowOnes(sluice).length, 0, 'and not in the log');
  t.equal(statSync(file).mode & 0o007, 0, 'others cannot read it');

  renameSync(file, `${file}.1`);
  sluice.signal('SIGUSR1');
  await sluice.waitForLog('log files opened again');
  await waitUntil('the new file is there', () => existsSync(file));
  await connection.query('SELECT SLEEP(1.1)');
  await waitUntil('it is in the new file', () => linesOf(file).length === 1);
  t.equal(linesOf(`${file}.1`).length, 1);

  renameSync(file, `${file}.2`);
  const admin = await sluice.adminConnection();
  await admin.query('PROXYSQL FLUSH LOGS');
  await admin.end();
  await waitUntil('there is a new one again', () => existsSync(file));

  sluice.writeConfig({
    ...baseConfig(),
    slowQueryLog: { ...settings, thresholdMs: 0, sampleEvery: 3, literals: false },
  });
  sluice.signal('SIGHUP');
  await sluice.waitForLog('configuration read again');
  await waitUntil('the worker has the new settings', async () => {
    await connection.query('SELECT 0');
    return linesOf(file).length > 0;
  });
  for (let count = 0; count < 9; count++) await connection.query('SELECT 1 + 1');
  const sums = () => linesOf(file).filter(({ digestText }) => String(digestText).includes('+')).length;
  await waitUntil('one of three is logged', () => sums() >= 3);
  t.equal(sums(), 3);
  t.ok(
    linesOf(file).every((line) => line.text === undefined),
    'without literals again',
  );
  await connection.end();
});

function baseConfig(): ConfigObject {
  return { workers: 1, servers: [set.primary.address], users: [APP_ACCOUNT] };
}

t.test('a query rule has a statement logged, however quick it is', async (t) => {
  const sluice = await start(t, {
    slowQueryLog: { enabled: true, thresholdMs: 60_000 },
    queryRules: [
      { ruleId: 1, matchDigest: '^SELECT \\? \\+', log: true, apply: true },
      { ruleId: 2, matchDigest: 'forbidden', log: true, errorMsg: 'not this one', apply: true },
    ],
  });
  const connection = await sluice.connect();
  await connection.query("SELECT 'other'");
  await connection.query('SELECT 1 + 1');
  await connection.execute('SELECT 1 + ?', [5]);
  await failing(connection, 'SELECT forbidden FROM t');
  await connection.query("SELECT 'another'");
  await connection.end();
  const lines = await waitUntil('all are logged', () => {
    const found = slowOnes(sluice).filter(({ command }) => command !== 'COM_STMT_PREPARE');
    return found.length >= 3 ? found : undefined;
  });
  t.match(
    lines.map(({ command, digestText, target }) => [command, digestText, target]),
    [
      ['COM_QUERY', /^SELECT \? ?\+ ?\?$/i, /primary|replica/],
      ['COM_STMT_EXECUTE', /^SELECT \? ?\+ ?\?$/i, /primary|replica/],
      ['COM_QUERY', /forbidden/, 'sluice'],
    ],
  );
});

t.test('a file that cannot be written is an error of the configuration', async (t) => {
  const sluice = await start(t, {});
  const file = join(t.testdir({}), 'no', 'slow.log');
  sluice.writeConfig({ ...baseConfig(), slowQueryLog: { enabled: true, file } });
  sluice.signal('SIGHUP');
  const line = await sluice.waitForLog('configuration not changed');
  t.match(JSON.stringify(line), /slowQueryLog\.file: .*slow\.log cannot be written \(ENOENT\)/);
});
