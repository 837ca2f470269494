import t from 'tap';
import { ALL_TABLES } from '../../../src/common/admin-tables/all-tables.ts';
import { StoreUnderTest } from './store-under-test.ts';

const SERVER = [0, 'db1', 3306, 0, 'ONLINE', 1, 0, 1000, 0, 0, 0, ''];

t.test('SQL over the tables', async (t) => {
  const under = new StoreUnderTest({ seed: [{ table: 'mysql_servers', rows: [SERVER] }] });
  t.teardown(() => under.store.close());
  t.strictSame(
    await under.rows('SELECT hostname, port FROM mysql_servers'),
    [['db1', 3306]],
    'what was seeded',
  );
  const twice = await under.execute('SELECT hostgroup_id, hostname, * FROM mysql_servers');
  t.strictSame(twice.columns.slice(0, 4), ['hostgroup_id', 'hostname', 'hostgroup_id', 'hostname']);
  t.strictSame([...twice.rows][0]?.slice(0, 4), [0, 'db1', 0, 'db1'], 'columns of one name stay apart');
  const inserted = await under.execute(
    `INSERT INTO mysql_servers (hostgroup_id, hostname, port) VALUES ('1', "db2", '3307'), (?, ?, 3308)`,
    'admin',
    [2, 'db3'],
  );
  t.match(inserted, { changes: 2, written: ['main.mysql_servers'], columns: [] });
  t.strictSame(
    await under.rows(
      "SELECT typeof(hostgroup_id), hostgroup_id + 1 FROM mysql_servers WHERE hostname = 'db2'",
    ),
    [['integer', 2]],
    'a number in quotes is a number',
  );
  t.strictSame(await under.rows('UPDATE mysql_servers SET weight = 5 WHERE port > 3306 RETURNING hostname'), [
    ['db2'],
    ['db3'],
  ]);
  t.equal((await under.execute('DELETE FROM mysql_servers')).changes, 3);
  t.equal((await under.execute('CREATE TABLE notes (a)')).changes, 0);
  await under.execute("INSERT INTO notes VALUES ('x')");
  t.strictSame(await under.rows('SELECT * FROM notes'), [['x']]);
  t.equal((await under.execute('DROP TABLE notes')).changes, 0, 'no rows of the statement before');
  const rule = await under.execute('INSERT INTO mysql_query_rules (rule_id, active) VALUES (NULL, 1)');
  t.equal(rule.lastRowid, 1);
  t.equal((await under.execute('SELECT 1')).lastRowid, 0);
  t.strictSame(await under.rows('SELECT VERSION(), database(), user(), connection_id()'), [
    ['2.7.1-test', 'main', 'ops@127.0.0.1', 7],
  ]);
  t.strictSame(await under.rows("SELECT 9007199254740993, 1.0, 1e20, x'00ff', NULL, if(1, 2, 3)"), [
    [9007199254740993n, '1.0', '1.0e+20', Buffer.from([0, 255]), null, 2],
  ]);
  t.strictSame(await under.rows("SELECT mysql_native_password('secret'), from_unixtime(0), length(now())"), [
    ['*14E65567ABDB5135D0CFD9A70B3032C179A49EE7', '1970-01-01 00:00:00', 19],
  ]);
});

t.test('every table can be read', async (t) => {
  const under = new StoreUnderTest();
  t.teardown(() => under.store.close());
  for (const { name, schema, columns } of ALL_TABLES) {
    const result = await under.execute(`SELECT * FROM ${schema}.${name}`);
    t.strictSame(result.columns, columns, `${schema}.${name}`);
  }
  for (const { name, kind } of ALL_TABLES) {
    if (kind === 'config')
      t.strictSame(await under.rows(`SELECT count(*) FROM disk.${name}`), [[0]], `disk.${name}`);
  }
});

t.test('tables are filled by who reads them, and only those', async (t) => {
  const under = new StoreUnderTest();
  t.teardown(() => under.store.close());
  under.filled.set('stats.stats_mysql_global', [
    ['Questions', '5'],
    ['Uptime', 7n],
  ]);
  async function* rules() {
    for (let id = 1; id <= 1234; id += 1) yield [id, id * 2];
  }
  under.filled.set('stats.stats_mysql_query_rules', rules());
  t.strictSame(await under.rows('SELECT * FROM stats_mysql_global ORDER BY 1'), [
    ['Questions', '5'],
    ['Uptime', '7'],
  ]);
  t.strictSame(
    await under.rows('SELECT count(*) FROM stats.stats_mysql_global'),
    [[2]],
    'also where no column is read',
  );
  t.strictSame(await under.rows('SELECT count(*), sum(hits) FROM stats_mysql_query_rules'), [
    [1234, 1234 * 1235],
  ]);
  t.strictSame(under.asked, [
    'stats.stats_mysql_global',
    'stats.stats_mysql_global',
    'stats.stats_mysql_query_rules',
  ]);
  await under.execute('EXPLAIN QUERY PLAN SELECT * FROM stats_mysql_users');
  await under.execute('SELECT * FROM mysql_servers');
  await under.execute("SELECT name FROM stats.sqlite_master WHERE type = 'table'");
  t.equal(under.asked.length, 3, 'nobody was asked for what is not read');
  under.filled.set('main.runtime_mysql_servers', [SERVER]);
  t.equal((await under.execute('INSERT INTO mysql_servers SELECT * FROM runtime_mysql_servers')).changes, 1);
  t.strictSame(await under.rows('SELECT hostname FROM mysql_servers'), [['db1']]);
  under.filled.set('main.runtime_mysql_servers', []);
  t.strictSame(
    await under.rows('SELECT * FROM runtime_mysql_servers'),
    [],
    'nothing is left of what it was filled with',
  );
  under.filled.set('stats.stats_mysql_users', [['one', 1]]);
  t.match(
    await under.error('SELECT * FROM stats_mysql_users, mysql_servers WHERE nonsense = 1'),
    /no such column/,
  );
  t.strictSame(
    await under.rows('SELECT * FROM stats_mysql_users'),
    [['one', 1, null]],
    'a short row is filled up',
  );
});

t.test('a provider that fails', async (t) => {
  const under = new StoreUnderTest();
  t.teardown(() => under.store.close());
  // biome-ignore lint/correctness/useYield: it never comes so far
  async function* broken(): AsyncGenerator<[string, string]> {
    throw new Error('the counters are gone');
  }
  under.filled.set('stats.stats_mysql_global', broken());
  t.match(
    await under.error('SELECT * FROM stats_mysql_global'),
    /^sql: The rows of stats.stats_mysql_global cannot be had/,
  );
  t.match(
    under.log.find(({ level }) => level === 'error'),
    { message: 'a table cannot be filled' },
  );
  t.strictSame(await under.rows('SELECT 1'), [[1]], 'the next statement is answered');
});

const REFUSED: readonly (readonly [sql: string, reason: RegExp])[] = [
  ["ATTACH 'x.db' AS x", /^denied: ATTACH/],
  ['DETACH disk', /^denied: DETACH/],
  ['PRAGMA table_info(mysql_servers)', /^denied: PRAGMA/],
  ["SELECT * FROM pragma_table_info('mysql_servers')", /^denied: PRAGMA/],
  ["SELECT load_extension('x')", /^denied: load_extension/],
  ['VACUUM', /^denied: ATTACH/],
  ["VACUUM INTO '/tmp/stolen.db'", /^denied: ATTACH/],
  ['BEGIN', /^denied: There are no transactions/],
  ['SAVEPOINT a', /^denied: There are no transactions/],
  ['CREATE TRIGGER x AFTER INSERT ON mysql_servers BEGIN SELECT 1; END', /^denied: CREATE TRIGGER/],
  ['CREATE VIRTUAL TABLE x USING fts5(a)', /^denied: CREATE VIRTUAL TABLE/],
  ['CREATE TEMP TABLE x (a)', /^denied: Temporary/],
  ['CREATE TABLE stats.x (a)', /^denied: Schema 'stats' can only be read/],
  ['DROP TABLE mysql_servers', /^denied: 'mysql_servers' is one of Sluice's tables/],
  ['DROP TABLE disk.mysql_servers', /^denied: 'mysql_servers' is one of Sluice's tables/],
  ['CREATE INDEX i ON mysql_servers (comment)', /^denied: 'mysql_servers' is one of Sluice's tables/],
  ['ALTER TABLE mysql_servers ADD COLUMN x', /^denied: ALTER TABLE/],
  ['INSERT INTO runtime_mysql_servers SELECT * FROM mysql_servers', /^denied: 'runtime_mysql_servers' shows/],
  ['DELETE FROM stats_mysql_global', /^denied: Schema 'stats' can only be read/],
  ['UPDATE stats_history.mysql_connections SET Questions = 0', /^denied: Schema 'stats_history'/],
  [
    "INSERT INTO disk.sluice_saved_sections VALUES ('a', 'b', 1)",
    /^denied: 'sluice_saved_sections' is Sluice's own/,
  ],
  [
    "INSERT INTO sqlite_master VALUES ('table', 'x', 'x', 0, '')",
    /^sql: table sqlite_master may not be modified/,
  ],
  ["INSERT INTO disk.mysql_servers (hostname) VALUES ('a')", /^noDisk: .*set dataDir/],
];

t.test('what nobody may do', async (t) => {
  const under = new StoreUnderTest();
  t.teardown(() => under.store.close());
  for (const [sql, reason] of REFUSED) t.match(await under.error(sql), reason, sql);
});

t.test('a stats user sees statistics and nothing else', async (t) => {
  const under = new StoreUnderTest();
  t.teardown(() => under.store.close());
  under.filled.set('stats.global_variables', [['admin-version', '2.7.1']]);
  t.strictSame(
    await under.rows(
      "SELECT variable_value FROM global_variables WHERE variable_name = 'admin-version'",
      'stats',
    ),
    [['2.7.1']],
  );
  t.strictSame(await under.rows('SELECT count(*) FROM monitor.mysql_server_ping_log', 'stats'), [[0]]);
  t.strictSame(await under.rows('SELECT count(*) FROM stats_history.mysql_connections', 'stats'), [[0]]);
  t.strictSame(under.asked, ['stats.global_variables', 'monitor.mysql_server_ping_log']);
  for (const name of [
    'mysql_users',
    'main.mysql_users',
    'disk.mysql_users',
    'runtime_mysql_servers',
    'RUNTIME_mysql_users',
    'disk.anything',
  ])
    t.match(await under.error(`SELECT * FROM ${name}`, 'stats'), `denied: '${name}' needs an admin user`);
  for (const sql of [
    'CREATE TABLE x (a)',
    'DELETE FROM stats_mysql_global',
    'PRAGMA user_version',
    "ATTACH 'x' AS x",
  ])
    t.match(await under.error(sql, 'stats'), /^denied: A stats user may only read/, sql);
  t.match(await under.error('SELECT * FROM nowhere', 'stats'), /^sql: no such table: nowhere/);
});

t.test('reading and replacing layers', async (t) => {
  const under = new StoreUnderTest();
  t.teardown(() => under.store.close());
  const users = Array.from({ length: 3000 }, (_, index) => [
    `u${String(index).padStart(4, '0')}`,
    null,
    1,
    0,
    0,
    'shop',
    0,
    1,
    0,
    1,
    1,
    10,
    '',
    'ü',
  ]);
  await under.store.replaceTables('memory', [
    { table: 'mysql_users', rows: users },
    { table: 'mysql_servers', rows: [SERVER] },
  ]);
  const [read, servers] = await under.store.readTables('memory', ['mysql_users', 'mysql_servers']);
  t.strictSame(read, { table: 'mysql_users', rows: users });
  t.strictSame(servers, { table: 'mysql_servers', rows: [SERVER] });
  const twice = [users[0]!, users[0]!];
  await t.rejects(
    under.store.replaceTables('memory', [
      { table: 'mysql_servers', rows: [] },
      { table: 'mysql_users', rows: twice },
    ]),
    { kind: 'sql', message: /UNIQUE constraint failed/ },
  );
  t.strictSame(
    await under.rows('SELECT (SELECT count(*) FROM mysql_users), (SELECT count(*) FROM mysql_servers)'),
    [[3000, 1]],
    'all or nothing',
  );
  await t.rejects(under.store.readTables('disk', ['mysql_users']), {
    kind: 'noDisk',
    message: /set dataDir/,
  });
  await t.rejects(under.store.copyTables('memory', 'disk', ['mysql_users']), {
    kind: 'noDisk',
    message: /set dataDir/,
  });
  await t.rejects(under.store.readTables('memory', ['mysql_user']), {
    kind: 'sql',
    message: /no such table/,
  });
  t.strictSame(
    await under.store.internal([
      {
        sql: 'INSERT INTO stats_history.history_mysql_status_variables VALUES (?, 1, ?)',
        parameters: [60, 'a'],
      },
      { sql: 'SELECT *, 0.5 FROM stats_history.history_mysql_status_variables' },
    ]),
    [[60, 1, 'a', 0.5]],
  );
});
