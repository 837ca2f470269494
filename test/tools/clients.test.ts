// sluice-test: timeout=300
/** Programs of others on the admin port, and what they send: monitoring, the stock tools, graphical tools, hooks. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { CertificateAuthority, LOCAL_NAMES } from '../support/certificates.ts';
import { findProgram } from '../support/find-program.ts';
import { disownChild, ownChild } from '../support/owned-resources.ts';
import { freePort } from '../support/ports.ts';
import { waitUntil } from '../support/wait-until.ts';
import { BAD_INPUT, BAD_ROWS } from './bad-input.ts';
import { GLOBAL_STATUS_NAMES, MONITORING_QUERIES } from './exporters.ts';
import { TOOL_SESSIONS } from './gui-tools.ts';
import { ToolStage } from './tool-stage.ts';

const authority = await CertificateAuthority.create();
const certificates = await authority.issue('sluice', LOCAL_NAMES);
const another = await CertificateAuthority.create('Another authority');
const adminFiles = authority.copy(certificates, 'admin');
const socket = join(authority.directory, 'admin.sock');
const secondPort = await freePort();
const stage = await ToolStage.start({
  tls: { ...certificates, reloadIntervalMs: 100 },
  admin: {
    socket,
    addresses: [`[::1]:${secondPort}`],
    tlsCertificate: adminFiles.certificate,
    tlsKey: adminFiles.key,
  },
});
t.teardown(async () => {
  await stage.dispose();
  authority.dispose();
  another.dispose();
});
const { sluice, set } = stage;

interface Failure {
  readonly errno: number;
  readonly message: string;
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    return error as Failure;
  }
  return { errno: 0, message: 'it did not fail' };
}

async function connect(t: Pick<typeof import('tap').t, 'teardown'>, user = 'admin'): Promise<Connection> {
  const connection = await sluice.adminConnection({ user, password: user });
  t.teardown(() => connection.destroy());
  return connection;
}

/** Traffic, so that the statistics have something to tell. */
const client = await sluice.connect();
t.teardown(() => client.destroy());
for (let count = 0; count < 5; count++) {
  await client.query('SELECT name FROM seen WHERE id = 1');
  await client.query(`INSERT INTO seen VALUES (${10 + count}, 'x')`);
}

t.test('the queries of exporters, as they read them', async (t) => {
  for (const user of ['stats', 'admin']) {
    const connection = await connect(t, user);
    for (const { tool, sql, columns, rows: least = 0 } of MONITORING_QUERIES) {
      const label = `${user}, ${tool}: ${sql}`;
      const [rows, fields] = await connection.query<RowDataPacket[][]>({ sql, rowsAsArray: true });
      t.strictSame(
        fields.map(({ name }) => name),
        columns,
        label,
      );
      t.ok(rows.length >= least, `${rows.length} rows, ${label}`);
      const nulls = rows.flat().filter((value) => value === null).length;
      t.equal(nulls, 0, `Go cannot scan a NULL into a string: ${label}`);
    }
  }
  const connection = await connect(t, 'stats');
  const [global] = await connection.query<RowDataPacket[]>('SELECT * FROM stats.stats_mysql_global');
  const values = new Map(global.map((row) => [String(row.Variable_Name), Number(row.Variable_Value)]));
  for (const name of GLOBAL_STATUS_NAMES) t.ok(Number.isFinite(values.get(name)), name);
  t.ok((values.get('Questions') ?? 0) >= 10, 'and they count');
  const [pool] = await connection.query<RowDataPacket[]>(
    'SELECT DISTINCT status FROM stats_mysql_connection_pool',
  );
  t.strictSame(pool, [{ status: 'ONLINE' }]);
  const refused = await failureOf(
    connection.query('SELECT hostgroup_id, hostname, port, gtid_port, * FROM runtime_mysql_servers'),
  );
  t.equal(refused.errno, 1045, 'the number that the exporter takes for "not for me"');
  const [servers, fields] = await (await connect(t)).query<RowDataPacket[][]>({
    sql: 'SELECT hostgroup_id, hostname, port, gtid_port, * FROM runtime_mysql_servers',
    rowsAsArray: true,
  });
  t.equal(servers.length, 2);
  t.strictSame(
    fields.slice(0, 6).map(({ name }) => name),
    ['hostgroup_id', 'hostname', 'port', 'gtid_port', 'hostgroup_id', 'hostname'],
  );
});

t.test('what stats users may not do', async (t) => {
  const connection = await connect(t, 'stats');
  for (const sql of [
    'SELECT * FROM mysql_users',
    'SELECT * FROM main.mysql_users',
    'SELECT * FROM disk.mysql_users',
    'SELECT * FROM runtime_mysql_users',
    'DELETE FROM mysql_servers',
    'DELETE FROM stats_mysql_global',
    'LOAD MYSQL SERVERS TO RUNTIME',
    'SAVE MYSQL USERS TO DISK',
    "SET mysql-max_connections = '1'",
    'PROXYSQL SHUTDOWN',
    'KILL CONNECTION 1',
    `DRAIN '${set.primary.address}'`,
  ])
    t.equal((await failureOf(connection.query(sql))).errno, 1045, sql);
  await connection.query('SELECT 1');
});

t.test(
  'graphical tools and drivers: each statement has an answer, or an error that they live with',
  async (t) => {
    for (const { tool, statements } of TOOL_SESSIONS) {
      await t.test(tool, async (t) => {
        const connection = await connect(t);
        for (const [sql, expected] of statements) {
          const outcome = await connection.query(sql).then(
            ([answer]) => (Array.isArray(answer) ? 'rows' : 'ok'),
            (error: Failure) => `${error.errno} ${error.message}`,
          );
          if (typeof expected === 'number') t.match(outcome, new RegExp(`^${expected} `), sql);
          else t.equal(outcome, expected, sql);
        }
        await connection.query('SELECT 1');
      });
    }
    const stats = await connect(t, 'stats');
    for (const sql of ['SHOW DATABASES', 'SHOW TABLES', 'SHOW VARIABLES', 'SHOW GRANTS', 'SELECT @@version'])
      t.equal((await failureOf(stats.query(sql))).errno, 0, `a stats user: ${sql}`);
  },
);

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[]): Promise<Outcome> {
  const login = ['--no-defaults', '-h127.0.0.1', `-P${sluice.adminPort}`, '-uadmin', '-padmin'];
  return new Promise((resolve) => {
    execFile(program, [...login, ...args], { timeout: 30_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

t.test('TLS, a Unix socket and another address, from the configuration', async (t) => {
  const secured = async (by: CertificateAuthority): Promise<void> => {
    const connection = await sluice.adminConnection({ ssl: { ca: readFileSync(by.file, 'utf8') } });
    const [rows] = await connection.query<RowDataPacket[]>("SHOW STATUS LIKE 'Ssl_version'");
    await connection.end();
    t.match(rows, [{ Value: /^TLSv1/ }]);
  };
  await secured(authority);
  await t.rejects(secured(another));
  // As a renewal replaces them.
  another.replace(await another.issue('renewed', LOCAL_NAMES), adminFiles);
  await waitUntil('the new certificate is shown', () => secured(another).then(() => true));
  for (const options of [{ socketPath: socket }, { host: '::1', port: secondPort }]) {
    const connection = await sluice.adminConnection(options);
    await connection.ping();
    await connection.end();
  }
});

t.test('mariadb-admin', async (t) => {
  const program = await findProgram(['mariadb-admin', 'mysqladmin']);
  t.match(await run(program, ['ping']), { code: 0, stdout: 'mysqld is alive' });
  t.match(await run(program, ['status']), {
    code: 0,
    stdout: /^Uptime: \d+ {2}Threads: \d+ {2}Questions: \d+/,
  });
  const processes = await run(program, ['processlist']);
  t.match(processes, { code: 0, stdout: /\| SessionID +\| user +\|/ });
  t.match(processes.stdout, /\| app /, 'the session of the application is in it');
  t.match(await run(program, ['version']), { code: 0, stdout: /Server version\s+5\.7\.44-sluice/ });
  t.match(await run(program, ['extended-status']), { code: 0, stdout: /\| Questions +\| \d+/ });
  t.match(await run(program, ['variables']), { code: 0, stdout: /\| admin-version +\| 2\.7\.1/ });
  for (const command of [['shutdown'], ['flush-hosts'], ['debug'], ['create', 'x'], ['start-slave']]) {
    const refused = await run(program, command);
    t.not(refused.code, 0, command.join(' '));
    t.match(refused.stderr, /failed|error/i, command.join(' '));
  }
  const { stdout } = await run(program, ['kill', '1']);
  t.notMatch(stdout, /killed/i);
  await client.query('SELECT 1');
});

t.test('mariadb-dump: an error that says what is missing', async (t) => {
  const program = await findProgram(['mariadb-dump', 'mysqldump']);
  const dumped = await run(program, ['main', 'mysql_servers']);
  t.not(dumped.code, 0);
  t.match(dumped.stderr, /error/i);
});

/** The stock client in a terminal, which is when it completes names. */
class Terminal {
  readonly #child: ChildProcess;
  #output = '';

  constructor(program: string, args: readonly string[]) {
    const command = [program, ...args].map((word) => `'${word}'`).join(' ');
    this.#child = spawn('script', ['-qec', command, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, TERM: 'dumb', COLUMNS: '500', HOME: stage.directory },
    });
    if (this.#child.pid !== undefined) ownChild(this.#child.pid);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
  }

  async until(pattern: RegExp): Promise<string> {
    await waitUntil(`the terminal shows ${pattern}`, () => pattern.test(this.#output), {
      timeoutMs: 30_000,
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.#output}`);
    });
    const shown = this.#output;
    this.#output = '';
    return shown;
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.type('\u0004');
    this.#child.stdin?.end();
    await closed;
    if (this.#child.pid !== undefined) disownChild(this.#child.pid);
  }
}

t.test('tab completion of the stock client', async (t) => {
  const program = await findProgram(['mariadb', 'mysql']);
  const login = [
    '--no-defaults',
    '-h127.0.0.1',
    `-P${sluice.adminPort}`,
    '-uadmin',
    '-padmin',
    '--auto-rehash',
  ];
  const terminal = new Terminal(program, [...login, 'main']);
  await terminal.until(/\[main\]> $/);
  terminal.type('SELECT max_lat\t FROM runtime_mysql_replication_h\tLIMIT 0; SELECT 40+2 AS answer;\n');
  const shown = await terminal.until(/answer[\s\S]*42[\s\S]*> $/);
  t.match(shown, /runtime_mysql_replication_hostgroups/, 'a table');
  t.match(shown, /max_latency_ms/, 'a column');
  terminal.type('use stats\n');
  await terminal.until(/\[stats\]> $/);
  terminal.type('SELECT last_er\t FROM stats_mysql_errors_r\t LIMIT 0;\n');
  t.match(await terminal.until(/> $/), /last_error\s+FROM stats_mysql_errors_reset/);
  await terminal.close();
});

t.test('the hooks of a failover tool, and a scheduler that writes rules', async (t) => {
  const connection = await connect(t);
  const { host, port } = set.primary;
  const at = `hostname = '${host}' AND port = ${port}`;
  for (const sql of [
    `UPDATE mysql_servers SET status='OFFLINE_SOFT' WHERE ${at}`,
    'LOAD MYSQL SERVERS TO RUNTIME',
    `UPDATE mysql_servers SET status = 'ONLINE', weight=1 WHERE ${at}`,
    `REPLACE INTO mysql_servers (hostgroup_id, hostname, port, status, weight, max_connections, comment) VALUES (1, '${host}', ${port}, 'ONLINE', 1000, 200, 'old master')`,
    `DELETE FROM mysql_servers WHERE hostgroup_id = 1 AND ${at}`,
    'LOAD MYSQL SERVERS TO RUNTIME; ',
    'SAVE MYSQL SERVERS TO DISK;',
  ])
    t.equal((await failureOf(connection.query(sql))).message, 'it did not fail', sql);
  const [servers] = await connection.query<RowDataPacket[]>(
    "SELECT hostname, port, status, comment FROM mysql_servers WHERE hostgroup_id = 0 AND status IN ('ONLINE', 'OFFLINE_SOFT')",
  );
  t.match(servers, [{ hostname: host, status: 'ONLINE' }]);
  const [digests] = await connection.query<RowDataPacket[]>(
    "SELECT digest_text, digest, schemaname, count_star, sum_time, sum_rows_sent, min_time, max_time FROM stats_mysql_query_digest WHERE digest_text LIKE 'SELECT%FROM%' AND schemaname = 'app'",
  );
  // A row for each hostgroup that it has been to.
  const counts = digests.filter(({ digest_text }) => digest_text === 'SELECT name FROM seen WHERE id = ?');
  t.equal(
    counts.reduce((sum, { count_star }) => sum + Number(count_star), 0),
    5,
  );
  const digest = String(counts[0]?.digest);
  t.match(digest, /^0x[0-9A-F]{16}$/);
  const inserted = await connection.query(
    `INSERT INTO mysql_query_rules (username, destination_hostgroup, active, digest, apply, comment) VALUES ('app', 1, 1, '${digest}', 1, 'by a scheduler')`,
  );
  t.match(inserted[0], { affectedRows: 1, insertId: Number });
  for (const sql of [
    'LOAD MYSQL QUERY RULES TO RUNTIME',
    'SAVE MYSQL QUERY RULES TO DISK',
    "UPDATE mysql_query_rules SET comment = 'x' WHERE rule_id = 1",
    "DELETE FROM mysql_query_rules WHERE digest = '0x0'",
  ])
    t.equal((await failureOf(connection.query(sql))).message, 'it did not fail', sql);
  await client.query('SELECT name FROM seen WHERE id = 1');
  await waitUntil('the rule has been hit', async () => {
    const [hits] = await connection.query<RowDataPacket[]>(
      'SELECT rule_id, hits FROM stats_mysql_query_rules',
    );
    return Number(hits[0]?.hits) > 0;
  });
});

t.test('wrong commands and values', async (t) => {
  const connection = await connect(t);
  for (const [sql, errno, message] of BAD_INPUT) {
    const failure = await failureOf(connection.query(sql));
    t.strictSame([failure.errno, failure.message], [errno, message], sql);
  }
  for (const [insert, load, message, clean] of BAD_ROWS) {
    const versions = await stage.admin('SHOW RUNTIME VERSIONS');
    await connection.query(insert);
    const failure = await failureOf(connection.query(load));
    t.strictSame([failure.errno, failure.message], [1210, message], insert);
    t.strictSame(await stage.admin('SHOW RUNTIME VERSIONS'), versions, 'nothing has changed');
    await connection.query(clean);
    t.equal((await failureOf(connection.query(load))).message, 'it did not fail', `${load}, without it`);
  }
});

t.test('statements with parameters, as drivers that prepare send them', async (t) => {
  const connection = await connect(t);
  const [rows] = await connection.execute<RowDataPacket[]>(
    'SELECT hostname, ? AS n, ? AS s, ? AS n0 FROM mysql_servers WHERE port = ?',
    [7, "it's", null, set.primary.port],
  );
  t.match(rows, [{ hostname: set.primary.host, s: "it's", n0: null }]);
  const [changed] = await connection.execute('UPDATE mysql_servers SET comment = ? WHERE port = ?', [
    "a 'quoted' \\ comment",
    set.primary.port,
  ]);
  t.match(changed, { affectedRows: 1 });
  const [read] = await connection.query<RowDataPacket[]>({
    sql: 'SELECT comment FROM mysql_servers WHERE comment = ?',
    values: ["a 'quoted' \\ comment"],
  });
  t.strictSame(read, [{ comment: "a 'quoted' \\ comment" }], 'and escaped into the text');
});
