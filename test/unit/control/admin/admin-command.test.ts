import t from 'tap';
import { createWorkerLogger } from '../../../../src/common/logger.ts';
import { FIRST_CONNECTION_ID } from '../../../../src/common/shared-counters.ts';
import { runAdminStatement } from '../../../../src/control/admin/admin-command.ts';
import type { AdminError } from '../../../../src/control/admin/admin-error.ts';
import { ALL_COMMANDS } from '../../../../src/control/admin/commands/all-commands.ts';
import type { CommandAnswer, CommandSession } from '../../../../src/control/admin/commands/command.ts';
import { FakeAdminState, LATE_REPLICA, PRIMARY, REPLICA, server } from './fake-admin-state.ts';
import { RecordedAudit } from './recorded-audit.ts';

const SESSION: CommandSession = {
  connectionId: 5,
  username: 'ops',
  role: 'admin',
  host: '127.0.0.1',
  schema: null,
  conditions: [],
};

class Fixture {
  readonly state = new FakeAdminState();
  readonly audit = new RecordedAudit();
  session: CommandSession = SESSION;
  commandTimeoutMs = 1000;

  run(text: string): Promise<CommandAnswer | null> {
    return runAdminStatement(Buffer.from(text), this.session, {
      state: this.state,
      logger: createWorkerLogger('info', () => undefined),
      audit: this.audit,
      port: 'admin',
      version: '0.1.0',
      commandTimeoutMs: this.commandTimeoutMs,
    });
  }

  /** As objects, so that a test names the columns that it is about. */
  async rows(text: string): Promise<Record<string, unknown>[]> {
    const answer = await this.run(text);
    if (answer?.kind !== 'rows') throw new Error(`${text} gave no rows`);
    return [...answer.rows].map((row) =>
      Object.fromEntries(row.map((value, index) => [answer.columns[index]!.name, value])),
    );
  }

  async error(text: string): Promise<{ errno: number; sqlState: string; message: string }> {
    try {
      await this.run(text);
    } catch (error) {
      return (error as AdminError).toClientError();
    }
    throw new Error(`${text} was accepted`);
  }
}

const FIRST = { configuration: 1, applied_by: 'start' };

t.test('every command says what it is', async (t) => {
  const names = ALL_COMMANDS.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  for (const { name, syntax, help, pattern, columns } of ALL_COMMANDS) {
    t.match(name, /^[A-Z_ ]+$/, name);
    t.ok(syntax.length > 0 && help.length > 0 && !help.includes('\n'), `${name} has one line of help`);
    t.ok(pattern.source.startsWith('^') && pattern.flags.includes('i'), `${name} is anchored, in any case`);
    t.equal(
      new Set(columns.map((column) => column.name)).size,
      columns.length,
      `${name} names its columns apart`,
    );
  }
});

t.test('SHOW TOPOLOGY', async (t) => {
  const fixture = new Fixture();
  const rows = await fixture.rows('show /* now */ topology;');
  t.strictSame(
    rows.map(({ address, role, status }) => [address, role, status]),
    [
      [PRIMARY, 'primary', 'ONLINE'],
      [LATE_REPLICA, 'replica', 'SHUNNED'],
      [REPLICA, 'replica', 'ONLINE'],
    ],
    'the primary first',
  );
  t.strictSame(rows[0], {
    address: PRIMARY,
    role: 'primary',
    status: 'ONLINE',
    reason: '',
    drained: null,
    hostgroup: 0,
    weight: 1,
    version: '10.11.6-MariaDB-log',
    read_only: 'NO',
    source: null,
    replication_running: 'NO',
    lag_ms: null,
    lag_source: null,
    gtid_executed: '0-1-42',
  });
  t.match(rows[1], { reason: 'ping: no answer in 800 ms', read_only: null, replication_running: null });
  fixture.state.servers = [server('10.0.0.9', 3306, { role: 'primary' }), ...fixture.state.servers];
  t.match(
    (await fixture.rows('SHOW TOPOLOGY')).find(({ address }) => address === '10.0.0.9:3306'),
    { role: 'rival' },
  );
});

t.test('SHOW SERVERS has the columns of mysql_servers', async (t) => {
  const fixture = new Fixture();
  const rows = await fixture.rows('SHOW MYSQL SERVERS');
  t.strictSame(rows, await fixture.rows('show servers'));
  t.strictSame(rows[2], {
    hostgroup_id: 1,
    hostname: '2001:db8::3',
    port: 3307,
    gtid_port: 0,
    status: 'SHUNNED',
    weight: 1,
    compression: 0,
    max_connections: 0,
    max_replication_lag: 2,
    use_ssl: 0,
    max_latency_ms: 0,
    comment: 'discovered',
  });
  t.notOk(
    rows.some((row) => Object.values(row).includes(null)),
    'tools do not expect NULL',
  );
});

t.test('SHOW HOSTGROUPS', async (t) => {
  const fixture = new Fixture();
  const pair = { writer: 0, reader: 1 };
  const [server] = fixture.state.servers;
  fixture.state.hostgroups = [
    {
      id: 1,
      kind: 'reader',
      pair,
      multiplex: true,
      policy: 'least-connections',
      hashKey: 'statement',
      members: [
        {
          address: server!.address,
          weight: 3,
          status: 'ONLINE',
          verdict: 'lagging',
          zone: 'a',
          warming: null,
        },
      ],
    },
    {
      id: 50,
      kind: 'static',
      pair: null,
      multiplex: true,
      policy: 'consistent-hash',
      hashKey: 'user',
      members: [],
    },
  ];
  const rows = await fixture.rows('SHOW HOSTGROUPS');
  t.match(rows, [
    {
      hostgroup: '1',
      kind: 'reader',
      server: server!.address,
      status: 'ONLINE',
      verdict: 'lagging',
      weight: '3',
    },
    { hostgroup: '50', kind: 'static', server: null, verdict: null },
  ]);
});

t.test('SHOW POOLS, SHOW WORKERS and SHOW VERSIONS', async (t) => {
  const fixture = new Fixture();
  t.strictSame(await fixture.rows('SHOW POOLS'), [
    {
      hostgroup: 0,
      server: PRIMARY,
      role: 'primary',
      status: 'ONLINE',
      connections: 9,
      in_use: 4,
      idle: 5,
      max_connections: 200,
      queries: 9_007_199_254_740_991,
      bytes_sent: 1000,
      bytes_received: 2000,
      connects: 10,
      connect_errors: 1,
    },
  ]);
  t.match(await fixture.rows('SHOW WORKERS'), [
    { worker: 0, running: 'YES', restarts: 0, questions: 100, writes: 4 },
    { worker: 1, running: 'NO', restarts: 3, questions: 11 },
  ]);
  t.strictSame(await fixture.rows('SHOW VERSIONS'), [
    { worker: 0, applied_version: 7, published_version: 7, current: 'YES', ...FIRST },
    { worker: 1, applied_version: 6, published_version: 7, current: 'NO', ...FIRST },
  ]);
});

t.test('SHOW EVENTS', async (t) => {
  const fixture = new Fixture();
  t.strictSame(await fixture.rows('SHOW EVENTS'), [
    {
      sequence: 1,
      time: '2023-11-14T22:13:20.000Z',
      event: 'server-added',
      address: PRIMARY,
      detail: 'origin=seed via=-',
    },
    {
      sequence: 2,
      time: '2023-11-14T22:13:20.250Z',
      event: 'status-changed',
      address: REPLICA,
      detail: 'from=ONLINE to=SHUNNED reason="ping: no answer in 800 ms"',
    },
    {
      sequence: 3,
      time: '2023-11-14T22:13:21.000Z',
      event: 'two-primaries',
      address: '',
      detail: `kept=${PRIMARY} others=${REPLICA},${LATE_REPLICA}`,
    },
  ]);
  const sequences = async (text: string) => (await fixture.rows(text)).map(({ sequence }) => sequence);
  t.strictSame(await sequences('SHOW EVENTS LIMIT 2'), [2, 3], 'the last ones');
  t.strictSame(await sequences('SHOW EVENTS LIMIT 0'), []);
  t.strictSame(await sequences('SHOW EVENTS LIMIT 999999999'), [1, 2, 3]);
  t.match(await fixture.error('SHOW EVENTS LIMIT x'), { errno: 1064, message: 'SHOW EVENTS [LIMIT n]' });
  t.match(await fixture.error('SHOW EVENTS LIMIT -1'), { errno: 1064 });
});

t.test('EXPLAIN ROUTE hands on the statement as it stands', async (t) => {
  const fixture = new Fixture();
  const { state } = fixture;
  t.strictSame(await fixture.rows('explain  route  SELECT  "a; b" /* x */ FROM t;'), [
    { step: 'target', value: 'replica' },
    { step: 'reason', value: 'proven read' },
  ]);
  await fixture.run('EXPLAIN ROUTE /* sluice:primary */ SELECT 1');
  fixture.session = { ...SESSION, schema: 'stats' };
  await fixture.run('EXPLAIN ROUTE SELECT 2');
  fixture.session = { ...SESSION, schema: 'shop' };
  await fixture.run("EXPLAIN ROUTE SELECT 'open");
  await fixture.run(`EXPLAIN ROUTE SELECT ${'1,'.repeat(2000)}1`);
  t.strictSame(state.explained, [
    ['SELECT  "a; b" /* x */ FROM t;', null],
    ['/* sluice:primary */ SELECT 1', null],
    ['SELECT 2', null],
    ["SELECT 'open", 'shop'],
    [`SELECT ${'1,'.repeat(2000)}1`, 'shop'],
  ]);
  t.match(await fixture.error('EXPLAIN ROUTE'), {
    errno: 1064,
    message: "EXPLAIN ROUTE [FOR USER 'name'[@'address']] <statement>",
  });
});

t.test('EXPLAIN ROUTE of a user', async (t) => {
  const fixture = new Fixture();
  const { state } = fixture;
  await fixture.run("EXPLAIN ROUTE for user 'app' SELECT 1");
  await fixture.run("EXPLAIN ROUTE FOR USER `o'neil`@'10.0.0.1' /* sluice:primary */ SELECT 2");
  await fixture.run('EXPLAIN ROUTE FOR USER app@localhost SELECT 3');
  t.strictSame(state.explainedFor, [
    ['app', null],
    ["o'neil", '10.0.0.1'],
    ['app', 'localhost'],
  ]);
  t.strictSame(state.explained, [
    ['SELECT 1', null],
    ['/* sluice:primary */ SELECT 2', null],
    ['SELECT 3', null],
  ]);
  t.match(await fixture.error('EXPLAIN ROUTE FOR USER'), { errno: 1064, message: 'name is missing' });
  t.match(await fixture.error("EXPLAIN ROUTE FOR USER 'app'"), {
    errno: 1064,
    message: 'statement is missing',
  });
});

t.test('EXPLAIN ROUTE when no worker answers', async (t) => {
  const fixture = new Fixture();
  fixture.state.explain = async () => [];
  t.match(await fixture.error('EXPLAIN ROUTE SELECT 1'), { errno: 3024, message: 'No worker' });
  fixture.state.explain = () => new Promise(() => undefined);
  fixture.commandTimeoutMs = 20;
  t.match(await fixture.error('EXPLAIN ROUTE SELECT 1'), { errno: 3024, message: 'longer than 20 ms' });
});

t.test('DRAIN and UNDRAIN', async (t) => {
  const fixture = new Fixture();
  const { state, audit } = fixture;
  t.strictSame(await fixture.run(`DRAIN '${REPLICA}'`), { kind: 'ok', affectedRows: 1, info: '' });
  t.match(await fixture.run(`drain "${PRIMARY}";`), { kind: 'ok', info: /primary/ });
  await fixture.run(`UNDRAIN ${REPLICA}`);
  await fixture.run("DRAIN '[2001:DB8::3]:3307'");
  t.strictSame(state.orders, [
    [REPLICA, 'OFFLINE_SOFT'],
    [PRIMARY, 'OFFLINE_SOFT'],
    [REPLICA, 'ONLINE'],
    [LATE_REPLICA, 'OFFLINE_SOFT'],
  ]);
  t.match(
    audit.commands.map(({ changes, failure, statement }) => [changes, failure, statement.split(' ', 1)[0]]),
    ['DRAIN', 'drain', 'UNDRAIN', 'DRAIN'].map((word) => [true, null, word]),
    'each goes into the audit log',
  );
  t.match(await fixture.error("DRAIN '10.0.0.3:3306'"), {
    errno: 1210,
    message: /did you mean '10\.0\.0\.[12]:3306'/,
  });
  t.match(await fixture.error("DRAIN 'elsewhere.example.org:9'"), { errno: 1210, message: 'SHOW TOPOLOGY' });
  for (const wrong of ["'10.0.0.1'", "''", "'10.0.0.1:0'", "'10.0.0.1:70000'", 'x'])
    t.match(await fixture.error(`DRAIN ${wrong}`), { errno: 1210, message: "Expected 'host:port'" }, wrong);
  for (const seconds of [0, 3601])
    t.match(await fixture.error(`DRAIN '${REPLICA}' TIMEOUT ${seconds}`), {
      errno: 1210,
      message: /1 to 3600/,
    });
  t.match(await fixture.error('DRAIN'), { errno: 1064, message: "DRAIN 'host:port'" });
  t.equal(state.orders.length, 4, 'and nothing was ordered');
});

t.test('HOLD WRITES and RELEASE WRITES', async (t) => {
  const fixture = new Fixture();
  const { state } = fixture;
  t.match(await fixture.run('HOLD WRITES'), {
    kind: 'ok',
    info: /Nothing is left on the primary after 12 ms/,
  });
  t.match(await fixture.error('HOLD WRITES TIMEOUT 5'), { errno: 1210, message: 'held already' });
  t.strictSame(await fixture.run('release writes'), { kind: 'ok', info: '' });
  t.match(await fixture.run('RELEASE WRITES'), { kind: 'ok', info: 'Writes were not held' });
  const session = { worker: 1, connectionId: 7, user: 'app', client: '10.0.0.9:4', serverThreadId: 3 };
  state.holdResult = {
    drained: false,
    tookMs: 5000,
    left: 3,
    sessions: [
      { ...session, reasons: ['transaction', 'cursor'], sinceMs: 0 },
      { ...session, client: '', reasons: ['statement'], sinceMs: null },
    ],
    silent: [2],
  };
  t.strictSame(await fixture.run('HOLD WRITES TIMEOUT 5'), {
    kind: 'ok',
    info: 'Not all has ended within 5000 ms',
    warnings: [
      "Session 7 of 'app' at 10.0.0.9:4 is in the way: transaction, cursor since 1970-01-01T00:00:00.000Z",
      "Session 7 of 'app' at a Unix socket is in the way: statement",
      '1 more sessions are in the way; SHOW SESSIONS lists all',
      'Worker 2 has not answered',
    ],
  });
  t.strictSame(state.orders, [
    ['hold', '10000'],
    ['hold', '5000'],
  ]);
  state.writes.isHeld = false;
  for (const wrong of ['0', '301'])
    t.match(await fixture.error(`HOLD WRITES TIMEOUT ${wrong}`), { errno: 1210 });
  t.match(await fixture.error('HOLD WRITES TIMEOUT x'), { errno: 1064 });
});

t.test('KILL', async (t) => {
  const fixture = new Fixture();
  const { state, audit } = fixture;
  const id = FIRST_CONNECTION_ID + 5;
  t.strictSame(await fixture.run(`KILL ${id}`), { kind: 'ok', affectedRows: 1 });
  await fixture.run(`kill connection ${id};`);
  await fixture.run(`KILL QUERY ${id}`);
  t.strictSame(state.kills, [
    [id, false],
    [id, false],
    [id, true],
  ]);
  t.equal(audit.commands.filter(({ changes }) => changes).length, 3, 'each goes into the audit log');
  t.match(await fixture.error('KILL 77'), { errno: 1210, message: 'No session 77' }, "a server's thread");
  t.equal(state.kills.length, 3);
  state.killOutcome = 'unknown';
  t.match(await fixture.error(`KILL ${id}`), { errno: 1210, message: `No session ${id}` });
  state.killOutcome = null;
  t.match(await fixture.error(`KILL ${id}`), { errno: 3024, message: 'Not all workers' });
  t.match(await fixture.error('KILL app'), { errno: 1064, message: 'KILL [CONNECTION | QUERY]' });
});

t.test('SET LOG LEVEL', async (t) => {
  const fixture = new Fixture();
  for (const text of ['SET LOG LEVEL debug', "set log level = 'WARN'", 'SET LOG LEVEL TO silent;'])
    t.strictSame(await fixture.run(text), { kind: 'ok' }, text);
  t.strictSame(fixture.state.logLevels, ['debug', 'warn', 'silent']);
  t.match(await fixture.error('SET LOG LEVEL debgu'), { errno: 1210, message: 'did you mean debug?' });
  t.match(await fixture.error('SET LOG LEVEL 5'), { errno: 1210, message: 'trace, debug, info, warn' });
  t.match(await fixture.error('SET LOG LEVEL'), { errno: 1064 });
  fixture.session = { ...SESSION, role: 'stats' };
  t.match(await fixture.error('SET LOG LEVEL debug'), { errno: 1045 });
  t.equal(fixture.state.logLevels.length, 3);
});

t.test('PROXYSQL FLUSH LOGS', async (t) => {
  const fixture = new Fixture();
  await fixture.run('PROXYSQL FLUSH LOGS');
  await fixture.run('flush logs');
  t.equal(fixture.state.reopened, 2);
});

t.test('what is told to the audit log', async (t) => {
  const fixture = new Fixture();
  const { audit } = fixture;
  await fixture.run('SHOW SERVERS');
  await fixture.error('SHOW SERVRES');
  fixture.session = { ...SESSION, role: 'stats' };
  await fixture.error(`DRAIN '${REPLICA}'`);
  t.match(audit.commands, [
    { statement: 'SHOW SERVERS', changes: false, failure: null },
    { statement: 'SHOW SERVRES', changes: false, failure: { errno: 1064, message: /did you mean/ } },
    { statement: `DRAIN '${REPLICA}'`, changes: true, failure: { errno: 1045 } },
  ]);
  t.ok(audit.commands.every(({ durationMs }) => durationMs >= 0));
  fixture.session = SESSION;
  for (const text of [
    'WITH x AS (SELECT 1) INSERT INTO scheduler SELECT * FROM x',
    'WITH x AS (SELECT 1) SELECT *',
  ])
    await fixture.run(text).catch(() => undefined);
  t.strictSame(
    audit.commands.slice(-2).map(({ changes }) => changes),
    [true, false],
  );
});

t.test('HELP', async (t) => {
  const fixture = new Fixture();
  const listed = await fixture.rows('HELP');
  t.strictSame(listed, await fixture.rows('show help'));
  t.equal(listed.length, ALL_COMMANDS.length);
  t.match(listed[0], { command: 'SHOW TOPOLOGY' });
  const [one, ...others] = await fixture.rows("help 'show topology'");
  t.equal(others.length, 0);
  t.match(one, { name: 'SHOW TOPOLOGY', description: /lag_ms/ });
  t.match(
    (await fixture.rows("help 'show'")).map(({ name }) => name),
    ALL_COMMANDS.filter(({ name }) => name.startsWith('SHOW')).map(({ name }) => name),
  );
  t.equal((await fixture.rows('HELP contents')).length, ALL_COMMANDS.length);
  t.equal((await fixture.rows("help 'nonsense'")).length, ALL_COMMANDS.length);
});

t.test('what clients ask when they connect', async (t) => {
  const fixture = new Fixture();
  const cases: readonly [string, Record<string, unknown>][] = [
    ['select @@version_comment limit 1', { '@@version_comment': 'Sluice admin port' }],
    ['select version();', { 'version()': '2.7.1-sluice-0.1.0' }],
    ['SELECT VERSION()', { 'version()': '2.7.1-sluice-0.1.0' }],
    ['SELECT @@version', { '@@version': '2.7.1-sluice-0.1.0' }],
    ['SELECT @@session.version AS v', { v: '2.7.1-sluice-0.1.0' }],
    ['SELECT DATABASE()', { 'DATABASE()': 'main' }],
    ['SELECT DATABASE() AS name', { name: 'main' }],
    ['select DATABASE(), USER() limit 1', { 'DATABASE()': 'main', 'USER()': 'ops@127.0.0.1' }],
    ['SELECT current_user()', { 'current_user()': 'ops@127.0.0.1' }],
    ['SELECT CONNECTION_ID()', { 'CONNECTION_ID()': 5 }],
    ['SELECT @@global.read_only', { '@@global.read_only': 0 }],
    ['SELECT @@sql_mode', { '@@sql_mode': '' }],
    ['SELECT TIMEDIFF(NOW(), UTC_TIMESTAMP())', { 'TIMEDIFF(NOW(), UTC_TIMESTAMP())': '00:00:00' }],
    ['SELECT 1', { 1: 1 }],
    ["/* ping */ SELECT 'a' x, null, 2 `y`", { x: 'a', null: null, y: 2 }],
    [
      'SELECT @@max_allowed_packet, @@time_zone',
      { '@@max_allowed_packet': 1_048_576, '@@time_zone': '+00:00' },
    ],
  ];
  for (const [text, expected] of cases) t.strictSame(await fixture.rows(text), [expected], text);
  t.match(/^\d+\.\d+\.\d+-/.test('2.7.1-sluice-0.1.0'), true, 'a version that ansible can parse');
  fixture.session = { ...SESSION, schema: 'stats' };
  t.match(await fixture.rows('SELECT DATABASE()'), [{ 'DATABASE()': 'stats' }]);
});

t.test('what clients set when they connect', async (t) => {
  const fixture = new Fixture();
  const accepted = [
    'SET NAMES utf8mb4',
    "SET NAMES 'utf8' COLLATE 'utf8_general_ci'",
    'set names latin1',
    'SET AUTOCOMMIT = 0',
    'SET autocommit=1',
    'SET SESSION autocommit=ON',
    'SET @@session.autocommit = OFF',
    'SET SQL_AUTO_IS_NULL=0',
    'SET character_set_results = NULL',
    'SET character_set_results=utf8',
    "SET sql_mode='STRICT_TRANS_TABLES', time_zone='+00:00', @@local.wait_timeout=28800",
    'SET SQL_SAFE_UPDATES=1,SQL_SELECT_LIMIT=1000',
    'SET CHARACTER SET utf8',
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
    'SET TRANSACTION READ ONLY',
    'BEGIN',
    'START TRANSACTION',
    'COMMIT',
    'rollback',
  ];
  for (const text of accepted) t.strictSame(await fixture.run(text), { kind: 'ok' }, text);
  t.match(await fixture.error('SET NAMES utf8m4'), { errno: 1210, message: 'did you mean utf8mb4?' });
  t.match(await fixture.error('SET NAMES utf8 COLLATE nonsense'), { errno: 1210 });
  t.match(await fixture.error('SET autocommit=7'), { errno: 1210 });
  t.match(await fixture.error('SET autocomit=1'), { errno: 1064, message: 'did you mean autocommit?' });
  for (const wrong of [
    'SET',
    'SET x',
    'SET autocommit',
    'SET NAMES',
    'SET NAMES a b',
    'SET TRANSACTION x',
    'SET GLOBAL autocommit=1',
    'SET =1',
    'SET autocommit=1,',
  ])
    t.match(await fixture.error(wrong), { errno: 1064 }, wrong);
});

t.test('schemas', async (t) => {
  const fixture = new Fixture();
  t.strictSame(
    (await fixture.rows('SHOW DATABASES')).map(({ seq, name }) => [seq, name]),
    [
      [0, 'main'],
      [1, 'disk'],
      [2, 'stats'],
      [3, 'monitor'],
      [4, 'stats_history'],
    ],
  );
  t.strictSame(await fixture.run('USE `my shop`'), { kind: 'ok', schema: 'my shop' });
  t.strictSame(await fixture.run('use stats;'), { kind: 'ok', schema: 'stats' });
  t.strictSame(await fixture.rows('SHOW WARNINGS'), []);
});

t.test('an unknown command names the nearest one', async (t) => {
  const fixture = new Fixture();
  const cases: readonly [string, RegExp][] = [
    ['SHOW TOPLOGY', /did you mean SHOW TOPOLOGY\? SHOW HELP lists all/],
    ['shwo events limit 5', /did you mean SHOW EVENTS\?/],
    ["DRIAN 'a:1'", /did you mean DRAIN\?/],
    ['SHOW TOPOLOGY NOW', /is not how to write it: SHOW TOPOLOGY$/],
    ['SHOW TOPOLOGY; SHOW POOLS', /is not how to write it/],
    ['XYZZY plugh', /Unknown command 'XYZZY plugh'; SHOW HELP lists all/],
    ["DRAIN 'a:1", /quote or comment is not closed/],
    [`${'x'.repeat(100_000)}`, /SHOW HELP/],
    ['%', /SHOW HELP/],
  ];
  for (const [text, message] of cases)
    t.match(await fixture.error(text), { errno: 1064, sqlState: '42000', message }, text.slice(0, 40));
  t.equal(await fixture.run(' /* nothing */ ; '), null, 'nothing is nothing');
});

t.test('what a stats user may do is decided before a command runs', async (t) => {
  const fixture = new Fixture();
  fixture.session = { ...SESSION, role: 'stats' };
  for (const { name, access } of ALL_COMMANDS.filter(({ changes }) => changes))
    t.equal(access, 'admin', `${name} changes something`);
  t.match(await fixture.error(`DRAIN '${REPLICA}'`), {
    errno: 1045,
    sqlState: '28000',
    message: 'needs an admin user',
  });
  t.match(await fixture.error('SHOW MYSQL SERVERS'), { errno: 1045 });
  t.strictSame(fixture.state.orders, []);
  t.equal((await fixture.rows('SHOW TOPOLOGY')).length, 3);
});

t.test('a fault of ours is not taken for one of the client', async (t) => {
  const fixture = new Fixture();
  fixture.state.setServerStatus = () => {
    throw new TypeError('broken');
  };
  await t.rejects(fixture.run(`DRAIN '${REPLICA}'`), { name: 'TypeError' });
});

t.test('accounts', async (t) => {
  const fixture = new Fixture();
  const rows = await fixture.rows('SHOW USERS');
  t.strictSame(rows, [
    {
      username: 'app',
      host: '10.0.0.%',
      source: 'backend',
      plugins: 'mysql_native_password, ed25519',
      usable: 'YES',
      locked: 'YES',
      connections: 3,
      max_connections: 7,
      default_schema: null,
    },
  ]);
  t.notOk(JSON.stringify(rows).includes('AAAA'), 'no hash');
  const load = 'load mysql users from backend';
  t.match(await fixture.error(load), { errno: 1210, message: /users\.source is not backend/ });
  fixture.state.accountLoad = { accounts: 2, failure: 'no primary is known' };
  t.match(await fixture.error(load), {
    errno: 1210,
    message: /those known before stay: no primary is known$/,
  });
  fixture.state.accountLoad = { accounts: 12, failure: '' };
  t.match(await fixture.run(load), { kind: 'ok', affectedRows: 12, info: '12 accounts are known' });
  fixture.session = { ...SESSION, role: 'stats' };
  t.match(await fixture.error(load), { errno: 1045 });
});
