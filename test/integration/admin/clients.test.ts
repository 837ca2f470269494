/** Clients that others wrote use the admin port: the stock command-line client and mysql2. */

import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, createPool, type RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { createNonce, nativeHashOf, sha2HashOf } from '../../../protocol/index.ts';
import { ALL_COMMANDS } from '../../../src/control/admin/commands/all-commands.ts';
import { findProgram } from '../../support/find-program.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';
import { LATE_REPLICA, PRIMARY, REPLICA } from '../../unit/control/admin/fake-admin-state.ts';
import { AdminUnderTest, PASSWORD } from './admin-under-test.ts';

interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

const program = await findProgram(['mariadb', 'mysql']);

/** Runs the stock client over its standard input, as an operator would type. */
async function type(
  admin: AdminUnderTest,
  lines: string,
  { user = 'admin', password = PASSWORD, args = [] as readonly string[] } = {},
): Promise<Printed> {
  const options = ['--no-defaults', '-h127.0.0.1', `-P${admin.server.port}`, `-u${user}`, ...args];
  return new Promise((resolve) => {
    const env = { ...process.env, MYSQL_PWD: password };
    const child = execFile(program, options, { env, timeout: 60_000 }, (_error, stdout, stderr) =>
      resolve({ stdout, stderr: stderr.trim() }),
    );
    child.stdin?.end(lines);
  });
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

/** What can be typed for each command; a new command needs a line here. */
const TYPED: Readonly<Record<string, string>> = {
  'PROXYSQL FLUSH LOGS': 'PROXYSQL FLUSH LOGS',
  'SET LOG LEVEL': 'SET LOG LEVEL info',
  'SHOW TOPOLOGY': 'SHOW TOPOLOGY',
  'SHOW SHADOW': 'SHOW SHADOW',
  'SHOW DIGESTS': 'SHOW DIGESTS',
  'SHOW LATENCIES': 'SHOW LATENCIES',
  'SHOW MYSQL STATUS': 'SHOW MYSQL STATUS',
  'SHOW PROMETHEUS METRICS': 'SHOW PROMETHEUS METRICS',
  'SAVE MYSQL DIGEST TO DISK': 'SAVE MYSQL DIGEST TO DISK',
  'SHOW SERVERS': 'SHOW MYSQL SERVERS',
  'SHOW HOSTGROUPS': 'SHOW HOSTGROUPS',
  'SHOW POOLS': 'SHOW POOLS',
  'SHOW CACHE': 'SHOW CACHE LIMIT 5',
  'SHOW CACHE STATUS': 'SHOW CACHE STATUS',
  'FLUSH CACHE': 'FLUSH CACHE TABLE app.t',
  'ADVISE CACHE': 'ADVISE CACHE FOR 1 SECOND',
  'SHOW USERS': 'SHOW USERS',
  KILL: 'KILL QUERY 1073741829',
  'LOAD MYSQL USERS FROM BACKEND': 'LOAD MYSQL USERS FROM BACKEND',
  'SHOW EVENTS': 'SHOW EVENTS LIMIT 2',
  'SHOW VERSIONS': 'SHOW VERSIONS',
  'SHOW WORKERS': 'SHOW WORKERS',
  'SHOW SESSIONS': 'SHOW SESSIONS LIMIT 5',
  'SHOW SESSION': 'SHOW SESSION 1073741829',
  'SHOW PINS': 'SHOW PINS',
  'SHOW PINS BY REASON': 'SHOW PINS BY REASON',
  'SHOW ROUTES': 'SHOW ROUTES FOR SESSION 1073741829 LIMIT 10',
  'EXPLAIN ROUTE': 'EXPLAIN ROUTE SELECT * FROM t',
  'SHOW RUNTIME VERSIONS': 'SHOW RUNTIME VERSIONS',
  LOAD: 'LOAD MYSQL USERS TO RUNTIME',
  SAVE: 'SAVE  SCHEDULER TO DISK',
  'LOAD MYSQL USER': 'LOAD MYSQL USER app TO RUNTIME',
  'ROLLBACK RUNTIME': 'ROLLBACK RUNTIME TO 1',
  'DIFF RUNTIME MEMORY': 'DIFF RUNTIME MEMORY',
  CHECKSUM: 'CHECKSUM MEM MYSQL USERS',
  'SELECT GLOBAL_CHECKSUM': 'SELECT GLOBAL_CHECKSUM()',
  'SAVE CONFIG TO FILE': `SAVE CONFIG TO FILE '${join(tmpdir(), `sluice-typed-${process.pid}.yaml`)}'`,
  'SELECT CONFIG FILE': 'SELECT CONFIG FILE',
  PROXYSQL: 'PROXYSQL RESUME',
  'SET VARIABLE': "SET mysql-max_connections='500'",
  'PROMOTE SHADOW': 'PROMOTE SHADOW',
  'DROP SHADOW': 'DROP SHADOW',
  DRAIN: `DRAIN '${REPLICA}'`,
  UNDRAIN: `UNDRAIN '${REPLICA}'`,
  'SWITCHOVER TO': `SWITCHOVER TO '${REPLICA}' DRY RUN`,
  FAILOVER: 'FAILOVER DRY RUN',
  REJOIN: `REJOIN '${REPLICA}' DRY RUN`,
  'HOLD WRITES': 'HOLD WRITES',
  'RELEASE WRITES': 'RELEASE WRITES',
  HELP: 'SHOW HELP',
  'SHOW TABLES': 'SHOW TABLES',
  'SHOW FIELDS': 'DESCRIBE mysql_users',
  'SHOW INDEX': 'SHOW INDEX FROM mysql_users',
  'SHOW CREATE TABLE': 'SHOW CREATE TABLE mysql_users',
  'SHOW VARIABLES': 'SHOW VARIABLES',
  'SHOW STATUS': "SHOW STATUS WHERE Variable_name = 'Uptime'",
  'SHOW PROCESSLIST': 'SHOW PROCESSLIST',
  'SHOW CHARSET': 'SHOW CHARSET',
  'SHOW COLLATION': "SHOW COLLATION LIKE 'utf8mb4%'",
  'SHOW ENGINES': 'SHOW ENGINES',
  'SHOW DATABASES': 'SHOW DATABASES',
  USE: 'USE stats',
  'SHOW WARNINGS': 'SHOW WARNINGS',
  SELECT: 'SELECT VERSION()',
  SET: 'SET NAMES utf8mb4',
  BEGIN: 'COMMIT',
  INSERT: "INSERT INTO mysql_servers (hostname) VALUES ('db1')",
  CREATE: 'CREATE TABLE mine (a, b)',
  TRUNCATE: 'TRUNCATE stats_mysql_query_digest_reset',
};

/** Nothing is there to be shown. */
const WITHOUT_ROWS = new Set([
  'SHOW CACHE',
  'ADVISE CACHE',
  'SHOW WARNINGS',
  'SHOW DIGESTS',
  'SHOW LATENCIES',
  'SHOW SHADOW',
  'SHOW HOSTGROUPS',
  'SWITCHOVER TO',
  'FAILOVER',
  'REJOIN',
]);

t.test('the stock client', async (t) => {
  const directory = makeTemporaryDirectory('admin-clients');
  const admin = await AdminUnderTest.start({}, directory);
  admin.state.accountLoad = { accounts: 1, failure: '' };
  t.teardown(async () => {
    await admin.stop();
    removeTemporaryDirectory(directory);
  });

  await t.test('every command', async (t) => {
    t.strictSame(Object.keys(TYPED).toSorted(), ALL_COMMANDS.map(({ name }) => name).toSorted());
    for (const { name, columns } of ALL_COMMANDS) {
      const { stdout, stderr } = await type(admin, `${TYPED[name]};\n`);
      t.equal(stderr, '', name);
      // The client prints nothing for a result without rows.
      const empty = columns.length === 0 || WITHOUT_ROWS.has(name);
      if (!empty) t.equal(stdout.split('\n')[0], columns.map((column) => column.name).join('\t'), name);
    }
  });

  await t.test('values as they are', async (t) => {
    const { stdout } = await type(admin, 'SHOW TOPOLOGY;', { args: ['-N'] });
    t.match(
      stdout.split('\n')[0],
      `${PRIMARY}\tprimary\tONLINE\t\tNULL\t0\t1\t10.11.6-MariaDB-log\tNO\tNULL\tNO\tNULL\tNULL\t0-1-42`,
    );
    t.equal(stdout.trim().split('\n').length, 3);
    t.match((await type(admin, 'SELECT VERSION();')).stdout, 'version()\n2.7.1-sluice-0.1.0\n');
  });

  await t.test('EXPLAIN ROUTE of a statement in a schema, with a hint', async (t) => {
    const statement = '/* sluice:primary */ SELECT "é"\n  FROM t';
    const { stdout, stderr } = await type(admin, `USE shop;\nEXPLAIN ROUTE ${statement};\n`, {
      args: ['--comments'],
    });
    t.equal(stderr, '');
    t.equal(stdout, 'step\tvalue\ntarget\treplica\nreason\tproven read\n');
    t.strictSame(admin.state.explained.at(-1), [statement, 'shop']);
    await type(admin, 'EXPLAIN ROUTE SELECT 1;', { args: ['-D', 'other'] });
    t.strictSame(admin.state.explained.at(-1), ['SELECT 1', 'other'], 'the schema may be named at login');
  });

  await t.test('draining, with a word about the primary', async (t) => {
    const { stdout } = await type(admin, `DRAIN '${PRIMARY}';\nUNDRAIN '${PRIMARY}';`, { args: ['-vvv'] });
    t.match(stdout, /Query OK, 1 row affected/);
    t.match(stdout, /This is the primary/);
    t.strictSame(admin.state.orders.slice(-2), [
      [PRIMARY, 'OFFLINE_SOFT'],
      [PRIMARY, 'ONLINE'],
    ]);
  });

  await t.test('errors', async (t) => {
    t.match(
      (await type(admin, 'SHOW TOPLOGY;')).stderr,
      /ERROR 1064 \(42000\).*did you mean SHOW TOPOLOGY\?/,
    );
    t.match((await type(admin, "DRAIN 'x:1';")).stderr, /ERROR 1210 \(HY000\).*There is no server 'x:1'/);
    t.match((await type(admin, 'status')).stdout, /Uptime:\s+\d+ sec\s+Threads: 2 {2}Questions: 111/);
    t.match((await type(admin, 'help show topology')).stdout, /lag_ms +Milliseconds behind the primary/);
  });

  t.strictSame(admin.errors, []);
});

t.test('logins', async (t) => {
  const admin = await AdminUnderTest.start({
    users: [
      { username: 'plain', password: PASSWORD },
      { username: 'native', password: nativeHashOf(PASSWORD) },
      { username: 'stats', password: PASSWORD, role: 'stats' },
    ],
  });
  t.teardown(() => admin.stop());
  for (const user of ['plain', 'native', 'stats']) {
    t.match(await type(admin, 'SELECT USER();', { user, args: ['-N'] }), {
      stdout: `${user}@127.0.0.1`,
      stderr: '',
    });
    const refused = `ERROR 1045 (28000): Access denied for user '${user}'@'127.0.0.1' (using password: YES)`;
    t.match((await type(admin, 'SELECT 1', { user, password: 'wrong' })).stderr, refused);
  }
  t.match((await type(admin, 'SELECT 1', { user: 'nobody' })).stderr, 'ERROR 1045 (28000)');
  t.match((await type(admin, 'SELECT 1', { user: 'plain', password: '' })).stderr, '(using password: NO)');
  t.match(
    (await type(admin, `DRAIN '${REPLICA}';`, { user: 'stats' })).stderr,
    /ERROR 1045 \(28000\).*DRAIN needs an admin user/,
  );
  t.strictSame(admin.state.orders, []);
  const refusals = admin.audit.logins.filter((line) => line.startsWith('refused'));
  t.equal(refusals.length, 5, 'each refusal is told to the audit log');
  t.match(refusals[0], /^refused plain: Access denied/);
  t.notMatch(JSON.stringify([admin.log, admin.audit.logins]), PASSWORD);
  admin.server.updateUsers([{ username: 'plain', password: 'new' }]);
  t.match(await type(admin, 'SELECT 1;', { user: 'plain', password: 'new' }), { stderr: '' });
  t.match((await type(admin, 'SELECT 1;', { user: 'plain' })).stderr, 'ERROR 1045');
  t.match((await type(admin, 'SELECT 1;', { user: 'native' })).stderr, 'ERROR 1045');
});

t.test('caching_sha2_password with a stored hash needs the RSA key', async (t) => {
  const rsaKey = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const users = [{ username: 'sha2', password: sha2HashOf(PASSWORD, createNonce()) }];
  const admin = await AdminUnderTest.start({ users, rsaKey });
  t.teardown(() => admin.stop());
  // Without the option, this client sends the password in the clear where it had hoped for TLS, and is refused.
  const args = ['-N', '--skip-ssl'];
  for (const round of ['full', 'fast']) {
    t.match(await type(admin, 'SELECT 1;', { user: 'sha2', args }), { stdout: '1\n', stderr: '' }, round);
  }
  t.match((await type(admin, 'SELECT 1;', { user: 'sha2', password: 'wrong', args })).stderr, 'ERROR 1045');
});

t.test('mysql2', async (t) => {
  const admin = await AdminUnderTest.start();
  t.teardown(() => admin.stop());
  const options = { ...admin.address, user: 'admin', password: PASSWORD };
  const connection = await createConnection(options);
  t.teardown(() => connection.destroy());
  await connection.ping();
  const [servers] = await connection.query<RowDataPacket[]>('SHOW MYSQL SERVERS');
  t.match(servers, [
    { hostgroup_id: 0, port: 3306 },
    { max_replication_lag: 0 },
    { hostname: '2001:db8::3' },
  ]);
  const [topology] = await connection.query<RowDataPacket[]>('SHOW TOPOLOGY');
  t.strictSame(
    topology.map(({ address, lag_ms }) => [address, lag_ms]),
    [
      [PRIMARY, null],
      [LATE_REPLICA, null],
      [REPLICA, 120],
    ],
    'numbers are numbers, and what is not known is NULL',
  );
  const [drained] = await connection.query("DRAIN '10.0.0.2:3306'");
  t.match(drained, { affectedRows: 1 });
  t.match(await failureOf(connection.query('SHOW NONSENSE')), { errno: 1064, sqlState: '42000' });
  const [conditions] = await connection.query<RowDataPacket[]>('SHOW WARNINGS');
  t.match(
    conditions,
    [{ Level: 'Error', Code: 1064, Message: /Unknown command/ }],
    'how the last one failed',
  );
  const [counts] = await connection.query<RowDataPacket[]>('SHOW COUNT(*) ERRORS');
  t.strictSame(counts, [{ '@@session.error_count': 1 }], 'and it is not forgotten by being shown');
  await connection.query('SELECT 1');
  t.strictSame((await connection.query<RowDataPacket[]>('SHOW ERRORS'))[0], []);
  t.match(await failureOf(connection.query('')), { errno: 1065 });
  const together = await Promise.all(
    ['SELECT 1', 'SHOW POOLS', 'SELECT 2'].map((sql) => connection.query<RowDataPacket[]>(sql)),
  );
  t.match(together[2]![0], [{ 2: 2 }]);
  const statement = await connection.prepare('SELECT VERSION() AS v, CONNECTION_ID() AS id, NULL AS n');
  for (const round of [1, 2]) {
    const [prepared] = await statement.execute([]);
    t.match(prepared, [{ v: /^2\.7\.1-sluice/, id: Number, n: null }], `execution ${round}`);
  }
  await statement.close();
  const [orders] = await connection.execute("DRAIN '10.0.0.2:3306'");
  t.match(orders, { affectedRows: 1 });
  t.match(await failureOf(connection.execute('SHOW NONSENSE')), { errno: 1064 });
  t.match(
    await failureOf(connection.execute('DRAIN ?', ['10.0.0.2:3306'])),
    { errno: 1210 },
    'no value there',
  );
  t.match(await failureOf(connection.execute('-- nothing')), { errno: 1065 });
  const tooMany = Array.from({ length: 1100 }, (_, n) => connection.prepare(`SELECT ${n}`));
  const failures = (await Promise.allSettled(tooMany)).filter(({ status }) => status === 'rejected');
  t.ok(failures.length > 70, 'prepared statements of a session are bounded');
  t.match(failures[0], { reason: { errno: 1461 } });
  t.match(await failureOf(createConnection({ ...options, password: 'wrong' })), {
    errno: 1045,
    sqlState: '28000',
  });
  const pool = createPool({ ...options, connectionLimit: 4 });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => pool.query<RowDataPacket[]>(`SELECT ${index} AS n`)),
  );
  t.strictSame(
    answers.map(([rows]) => rows[0]?.n),
    Array.from({ length: 20 }, (_, index) => index),
  );
  await pool.end();
  t.strictSame(admin.errors, []);
});
