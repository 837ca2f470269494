// sluice-test: timeout=180
/**
 * `sluice import proxysql` as operators use it: what it makes of a file, and of the tables of a Sluice as if it were a
 * ProxySQL, is what a Sluice with real servers then does.
 */

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { importCommand } from '../../../src/cli/import-command.ts';
import { CertificateAuthority } from '../../support/certificates.ts';
import { GeneralLog } from '../../support/general-log.ts';
import { freePort } from '../../support/ports.ts';
import { APP_ACCOUNT, accountSql, MONITOR_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { runSluice } from '../../support/run-program.ts';
import { type ConfigObject, SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

interface Imported {
  readonly code: number;
  readonly stderr: string;
}

/** The command in this process, which needs a tenth of the time. */
async function importing(t: Test, ...args: string[]): Promise<Imported> {
  const written = t.capture(process.stderr, 'write', () => true);
  try {
    const code = await importCommand.run(args);
    const texts = written().map(({ args: [text] }) => text);
    return { code, stderr: texts.join('') };
  } finally {
    written.restore();
  }
}

const REPORT = { username: 'report', password: 'report-secret' };
const OTHER = { username: 'shard', password: 'shard-secret' };
const set = new ReplicationSet({
  sql: [
    'CREATE TABLE app.t (id INT PRIMARY KEY, n INT)',
    'INSERT INTO app.t VALUES (1, 1)',
    ...[REPORT, OTHER].flatMap(accountSql),
  ],
});
let log: GeneralLog;
/** What a ProxySQL would be, with an authority for its admin port. */
let imported: SluiceProcess;
let authority: CertificateAuthority;
let folder: string;
t.before(async () => {
  folder = t.testdir({});
  authority = await CertificateAuthority.create();
  await set.start();
  log = await GeneralLog.start(set.servers);
});
t.teardown(async () => {
  await authority?.dispose();
  await set.dispose();
});

/** The usual split by rules, a chain for one account, a static hostgroup for reports, a shard that is another cluster. */
function proxySqlFile(): string {
  const [first, second] = set.replicas;
  const { primary } = set;
  return `
datadir="/var/lib/proxysql"
mysql_variables= {
  monitor_username="${MONITOR_ACCOUNT.username}"; monitor_password="${MONITOR_ACCOUNT.password}"
  threads=2
  eventslog_format=2
}
mysql_servers= (
  { address="${primary.host}", port=${primary.port}, hostgroup=10 },
  { address="${first?.host}", port=${first?.port}, hostgroup=11 },
  { address="${second?.host}", port=${second?.port}, hostgroup=30 },
  { address="192.0.2.1", port=3306, hostgroup=50 }
)
mysql_replication_hostgroups= ( { writer_hostgroup=10, reader_hostgroup=11 } )
mysql_users= (
  { username="${APP_ACCOUNT.username}", password="${APP_ACCOUNT.password}", default_hostgroup=10 },
  { username="${REPORT.username}", password="${REPORT.password}", default_hostgroup=10 },
  { username="${OTHER.username}", password="${OTHER.password}", default_hostgroup=50 }
)
mysql_query_rules= (
  { rule_id=1, username="${REPORT.username}", flagOUT=7 },
  { rule_id=2, match_digest="^SELECT .* FOR UPDATE", destination_hostgroup=10, apply=1 },
  { rule_id=3, match_digest="FORBIDDEN", error_msg="not here", apply=1 },
  { rule_id=4, match_digest="SHARDED", destination_hostgroup=50, apply=1 },
  { rule_id=5, match_digest="^SELECT", destination_hostgroup=11, apply=1 },
  { rule_id=10, flagIN=7, match_digest="^SELECT", destination_hostgroup=30, apply=1 }
)
`;
}

/** A Sluice with what was imported, on ports of its own. */
async function started(yaml: string, more: ConfigObject = {}): Promise<SluiceProcess> {
  const { listen, admin, http, log: logging, ...imported } = parse(yaml) as ConfigObject;
  const started = await SluiceProcess.start({
    config: { ...imported, causalReads: { level: 'none' }, ...more },
  });
  t.teardown(() => started.dispose());
  return started;
}

let markers = 0;

/** The servers that execute the statement, in which `?` is where a marker goes. */
async function executors(connection: Connection, sql: string): Promise<string[]> {
  const marker = `im${++markers}x`;
  await log.mark();
  await connection.query(sql.replace('?', `/* ${marker} */`));
  const entries = await log.entries();
  return entries
    .filter(({ command, argument }) => command === 'Query' && argument.includes(marker))
    .map(({ server }) => server);
}

const READ = 'SELECT ? n FROM t WHERE id = 1';

async function routesAsRuled(t: Test, proxy: SluiceProcess): Promise<void> {
  const connected = async (account: { username: string; password: string }) => {
    const connection = await proxy.connect({ user: account.username, password: account.password });
    t.teardown(() => connection.end());
    return connection;
  };
  const app = await connected(APP_ACCOUNT);
  const report = await connected(REPORT);
  for (const [connection, server] of [
    [app, 'replica1'],
    [report, 'replica2'],
  ] as const)
    await waitUntil(`reads go to ${server}`, async () => (await executors(connection, READ))[0] === server);
  t.strictSame(await executors(app, READ), ['replica1'], 'rule 5');
  t.strictSame(await executors(report, READ), ['replica2'], 'rule 1, then rule 10 of its chain');
  t.strictSame(await executors(app, 'SELECT ? n FROM t WHERE id = 1 FOR UPDATE'), ['primary'], 'rule 2');
  t.strictSame(await executors(app, 'UPDATE ? t SET n = n + 1 WHERE id = 1'), ['primary'], 'no rule');
  await t.rejects(app.query('SELECT 1 AS forbidden'), { errno: 1148, message: 'not here' }, 'rule 3');
  await t.rejects(
    app.query('SELECT 1 AS sharded'),
    { errno: 1148, message: 'hostgroup 50 is not served here' },
    'rule 4: never answered by another cluster',
  );
  await t.rejects(connected(OTHER), { code: 'ER_ACCESS_DENIED_ERROR' }, 'its account is not let in');
}

t.test('from a file to a Sluice that routes as the rules say', async (t) => {
  const file = join(folder, 'proxysql.cnf');
  writeFileSync(file, proxySqlFile());
  const output = join(folder, 'sluice.yaml');
  const secrets = join(folder, 'secrets');
  const { code, stdout, stderr } = await runSluice([
    ...['import', 'proxysql', file, '--output', output],
    ...['--secrets', secrets, '--report', join(folder, 'report.txt')],
  ]);
  t.strictSame({ code, stdout }, { code: 0, stdout: '' });
  t.equal(readFileSync(join(folder, 'report.txt'), 'utf8'), stderr);
  t.match(stderr, /^Taken: variables: 3, servers: 3, pairs of hostgroups: 1, accounts: 3, query rules: 6$/m);
  t.match(stderr, /^- hostgroup 50 \(192\.0\.2\.1:3306\): left out: a Sluice has one primary/m);
  t.match(stderr, /^- mysql-eventslog_format \(line 6\): /m);
  const yaml = readFileSync(output, 'utf8');
  for (const text of [yaml, stderr]) t.notMatch(text, /-secret/, 'passwords are in files of their own');
  t.equal(readFileSync(join(secrets, `users.${REPORT.username}`), 'utf8'), REPORT.password);
  for (const file of [output, join(secrets, 'monitor.password')]) t.equal(statSync(file).mode & 0o777, 0o600);
  const check = await runSluice(['--check-config', '-c', output]);
  t.match(check, { code: 0, stderr: '' });
  t.notMatch(check.stdout, /can be read by/);

  const again = await importing(t, 'proxysql', file, '-o', output);
  t.strictSame(again, { code: 1, stderr: `sluice: ${output}: it is there already, --force replaces it\n` });
  t.equal(readFileSync(output, 'utf8'), yaml);
  t.match(await importing(t, 'proxysql', file, '-o', output, '--force'), { code: 0 });

  const pair = await authority.issue('proxysql', ['IP:127.0.0.1']);
  imported = await started(readFileSync(output, 'utf8'), { tls: pair });
  await routesAsRuled(t, imported);
});

t.test('from the tables of an admin port', async (t) => {
  const admin = ['proxysql', '--admin', `127.0.0.1:${imported.adminPort}`];
  const fromFile = parse(readFileSync(join(folder, 'sluice.yaml'), 'utf8')) as ConfigObject;
  for (const layer of ['memory', 'runtime']) {
    const output = join(folder, `${layer}.yaml`);
    const { code, stderr } = await importing(t, ...admin, '--layer', layer, '-o', output);
    t.equal(code, 0, stderr);
    t.match(stderr, new RegExp(`^Read ${layer} of 127\\.0\\.0\\.1:${imported.adminPort}$`, 'm'));
    const found = parse(readFileSync(output, 'utf8')) as ConfigObject;
    for (const list of ['users', 'queryRules', 'replicationHostgroups'])
      t.same(found[list], fromFile[list], `${list} of ${layer}`);
    const hosts = (servers: unknown) =>
      (servers as readonly ConfigObject[]).map(({ port, hostgroup }) => [port, hostgroup]);
    if (layer === 'memory') t.same(hosts(found.servers), hosts(fromFile.servers));
    t.match(found, { listen: { port: imported.port }, admin: { port: imported.adminPort } });
  }
  await routesAsRuled(t, await started(readFileSync(join(folder, 'memory.yaml'), 'utf8')));
});

t.test('over TLS', async (t) => {
  const admin = ['proxysql', '--admin', `127.0.0.1:${imported.adminPort}`];
  const output = join(folder, 'tls.yaml');
  const { code, stderr } = await importing(t, ...admin, '--ca', authority.file, '-o', output);
  t.equal(code, 0, stderr);
  t.equal(readFileSync(output, 'utf8'), readFileSync(join(folder, 'memory.yaml'), 'utf8'));
  const other = await CertificateAuthority.create('Another authority');
  t.teardown(() => other.dispose());
  t.match(await importing(t, ...admin, '--ca', other.file), {
    code: 1,
    stderr: /^sluice: 127\.0\.0\.1:[0-9]+ cannot be asked \(.*(?:certificate|issuer)/,
  });
  t.strictSame(await importing(t, ...admin, '--ca', join(folder, 'none.pem')), {
    code: 1,
    stderr: `sluice: ${join(folder, 'none.pem')}: the file cannot be read (ENOENT)\n`,
  });
});

t.test('an admin port that is none', async (t) => {
  writeFileSync(join(folder, 'wrong'), 'hunter2\n');
  const port = ['proxysql', '--admin'];
  const gone = await importing(t, ...port, `127.0.0.1:${await freePort()}`);
  t.match(gone, { code: 1, stderr: /^sluice: 127\.0\.0\.1:[0-9]+ cannot be asked \(.*ECONNREFUSED/ });
  const server = [...port, `127.0.0.1:${set.primary.port}`, '--user', APP_ACCOUNT.username];
  const refused = await importing(t, ...server, '--password-file', join(folder, 'wrong'));
  t.match(refused, { code: 1, stderr: /cannot be asked \(Access denied/ });
  t.notMatch(refused.stderr, /hunter2/);
  process.env.SLUICE_IMPORT_PASSWORD = APP_ACCOUNT.password;
  t.teardown(() => delete process.env.SLUICE_IMPORT_PASSWORD);
  t.match(
    await importing(t, ...server),
    { code: 1, stderr: /this is no admin port of ProxySQL/ },
    'a server is no ProxySQL',
  );
});

t.test('what is wrong is said in one line, with exit code 2', async (t) => {
  const bad = join(folder, 'bad.cnf');
  writeFileSync(bad, 'mysql_servers=(\n  { address="a" }\n  { address="b" }\n)');
  const cases: readonly [readonly string[], string][] = [
    [['proxysql', bad], `${bad}:3:3: expected "," or ")" for the "(" of line 1 (mysql_servers), found "{"`],
    [['proxysql', '/nowhere.cnf'], '/nowhere.cnf: there is no such file'],
    [['proxysql', '/bin/true'], `/bin/true:1:8: this is no text but a binary file (a zero byte)`],
    [['proxysql'], 'import proxysql needs a file, or --admin HOST:PORT\nsee sluice import --help'],
    [['maxscale', bad], 'import needs to know from what: import proxysql\nsee sluice import --help'],
    [['proxysql', bad, '--admin', 'a:1'], 'a file or --admin, not both\nsee sluice import --help'],
    [['proxysql', bad, '--layer', 'disk'], '--layer is for --admin HOST:PORT\nsee sluice import --help'],
    [
      ['proxysql', '--admin', 'a:1', '--layer', 'x'],
      '--layer needs one of memory, runtime, disk\nsee sluice import --help',
    ],
    [
      ['proxysql', bad, '--hostgroup', 'x'],
      '--hostgroup needs the number of a hostgroup\nsee sluice import --help',
    ],
    [
      ['proxysql', bad, '--outptu', 'x'],
      'unknown flag --outptu, did you mean --output?\nsee sluice import --help',
    ],
  ];
  for (const [args, message] of cases) {
    const lines = message.split('\n').map((line) => `sluice: ${line}\n`);
    t.strictSame(await importing(t, ...args), { code: 2, stderr: lines.join('') }, args.join(' '));
  }
  const far = await importing(t, 'proxysql', '--admin', '192.0.2.1:6032');
  t.match(far, { code: 1, stderr: /the answers hold passwords; beyond this machine give --ca FILE/ });
  writeFileSync(join(folder, 'good.cnf'), 'mysql_servers=( { address="a", hostgroup=0 } )');
  const nowhere = join(folder, 'no/such/folder.yaml');
  t.match(await importing(t, 'proxysql', join(folder, 'good.cnf'), '-o', nowhere), {
    code: 1,
    stderr: /it cannot be written \(ENOENT\)\n$/,
  });
  const asOperatorsSee = await runSluice(['import', 'proxysql', join(folder, 'good.cnf')]);
  t.match(asOperatorsSee, { code: 0, stdout: /^servers:$/m }, 'without --output it is on standard output');
  t.strictSame(await runSluice(['import', 'proxysql', bad]), {
    code: 2,
    stdout: '',
    stderr: `sluice: ${cases[0]?.[1]}\n`,
  });
});
