/** The ways between MEMORY, RUNTIME and the file, as an operator types them, with clients that see what is in force. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../../config/load.ts';
import { APP_ACCOUNT, accountSql, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { Operator } from './operator.ts';

const OTHER = { username: 'other', password: 'other-secret' };
const set = new ReplicationSet({
  replicas: 1,
  sql: [
    'CREATE TABLE app.t (id INT PRIMARY KEY, n INT)',
    'INSERT INTO app.t VALUES (1, 1)',
    ...accountSql(OTHER),
  ],
});
t.before(() => set.start());
t.teardown(() => set.dispose());

async function start(
  t: Test,
  config: Readonly<Record<string, unknown>> = {},
): Promise<[SluiceProcess, Operator]> {
  const sluice = await SluiceProcess.startFor(set, { config });
  t.teardown(() => sluice.dispose());
  return [sluice, await operatorOf(t, sluice)];
}

async function operatorOf(t: Test, sluice: SluiceProcess): Promise<Operator> {
  const connection = await sluice.adminConnection();
  t.teardown(() => connection.destroy());
  return new Operator(connection);
}

async function loginError(
  sluice: SluiceProcess,
  account: { username: string; password: string },
): Promise<number> {
  try {
    const connection = await sluice.connect({ user: account.username, password: account.password });
    await connection.end();
    return 0;
  } catch (error) {
    return (error as { errno: number }).errno;
  }
}

t.test('users: in MEMORY only, then in force, then gone again', async (t) => {
  const [sluice, operator] = await start(t);
  t.strictSame(await operator.rows('SELECT username, frontend, backend FROM runtime_mysql_users'), [
    { username: 'app', frontend: '1', backend: '0' },
    { username: 'app', frontend: '0', backend: '1' },
  ]);
  t.strictSame(await operator.rows('SELECT username, active FROM mysql_users'), [
    { username: 'app', active: '1' },
  ]);
  const insert = (name: string) =>
    operator.run(`INSERT INTO mysql_users (username, password) VALUES ('${name}', '${OTHER.password}')`);
  await insert(OTHER.username);
  t.equal(await loginError(sluice, OTHER), 1045, 'MEMORY is not in force');
  t.strictSame(await operator.rows('DIFF RUNTIME MEMORY'), [
    { table: 'mysql_users', key: 'username other', column: '', runtime: null, memory: 'the row is here' },
  ]);
  t.equal(await operator.run('LOAD MYSQL USERS TO RUNTIME'), 0);
  t.equal(await loginError(sluice, OTHER), 0, 'every worker knows it when LOAD answers');
  t.strictSame(await operator.rows('DIFF RUNTIME MEMORY'), []);
  t.equal(await operator.value('SELECT count(*) FROM runtime_mysql_users'), '4');

  await operator.run("UPDATE mysql_users SET active = 0 WHERE username = 'other'");
  await operator.run('LOAD MYSQL USERS FROM MEMORY');
  t.equal(await loginError(sluice, OTHER), 1045, 'not active');
  await operator.run('ROLLBACK RUNTIME');
  t.equal(await loginError(sluice, OTHER), 0, 'as before');
  t.equal(
    await operator.value("SELECT active FROM mysql_users WHERE username = 'other'"),
    '0',
    'MEMORY stays',
  );
  await operator.run('SAVE MYSQL USERS TO MEMORY');
  t.equal(await operator.value("SELECT active FROM mysql_users WHERE username = 'other'"), '1');

  await operator.run("DELETE FROM mysql_users WHERE username = 'other'");
  await insert('third');
  await operator.run('LOAD MYSQL USER other TO RUNTIME');
  t.equal(await loginError(sluice, OTHER), 1045);
  t.strictSame(
    (await operator.rows('DIFF RUNTIME MEMORY')).map(({ key }) => key),
    ['username third'],
    'only the one user was loaded',
  );
  t.match(await operator.errorOf('LOAD MYSQL USER nobody TO RUNTIME'), /^1210 .*no user 'nobody'/);
  await operator.run('LOAD MYSQL USERS FROM CONFIG');
  t.strictSame(await operator.rows('SELECT username FROM mysql_users'), [{ username: 'app' }]);
  await operator.run('LOAD MYSQL USERS TO RUNTIME');

  const versions = await operator.rows('SHOW RUNTIME VERSIONS');
  t.strictSame(
    versions.map(({ version, content_of, in_force, applied_by, command }) => [
      version,
      content_of,
      in_force,
      applied_by,
      command,
    ]),
    [
      ['1', '1', 'NO', 'start', ''],
      ['2', '2', 'NO', "'admin'@'127.0.0.1'", 'LOAD MYSQL USERS TO RUNTIME'],
      ['3', '3', 'NO', "'admin'@'127.0.0.1'", 'LOAD MYSQL USERS FROM MEMORY'],
      ['4', '2', 'NO', "'admin'@'127.0.0.1'", 'ROLLBACK RUNTIME'],
      ['5', '5', 'NO', "'admin'@'127.0.0.1'", 'LOAD MYSQL USER other TO RUNTIME'],
      ['6', '6', 'YES', "'admin'@'127.0.0.1'", 'LOAD MYSQL USERS TO RUNTIME'],
    ],
  );
  t.equal(versions.at(-1)?.workers, '0,1');
  for (const row of await operator.rows('SHOW VERSIONS'))
    t.match(row, { current: 'YES', configuration: '6', applied_by: "'admin'@'127.0.0.1'" });
  await operator.run('ROLLBACK RUNTIME TO 2');
  t.equal(await loginError(sluice, OTHER), 0);
  t.match(
    await operator.errorOf('ROLLBACK RUNTIME TO 99'),
    /^1210 there is no version 99; kept are 1, 2, 3, 4, 5, 6, 7$/,
  );
});

t.test('a bad row changes nothing, and is named', async (t) => {
  const [sluice, operator] = await start(t);
  const bad: readonly (readonly [string, string, string, RegExp])[] = [
    [
      'MYSQL QUERY RULES',
      'mysql_query_rules',
      "(rule_id, active, match_digest) VALUES (7, 1, '(')",
      /^1210 mysql_query_rules \(rule_id 7\), column match_digest: /,
    ],
    [
      'MYSQL QUERY RULES',
      'mysql_query_rules',
      "(rule_id, active, match_digest) VALUES (8, 1, '(?=x)')",
      /^1210 mysql_query_rules \(rule_id 8\), column match_digest: /,
    ],
    [
      'MYSQL QUERY RULES',
      'mysql_query_rules',
      '(rule_id, active, destination_hostgroup) VALUES (9, 1, 77)',
      /^1210 mysql_query_rules \(rule_id 9\), column destination_hostgroup: there is no hostgroup 77/,
    ],
    [
      'MYSQL QUERY RULES',
      'mysql_query_rules_fast_routing',
      "(username, schemaname, destination_hostgroup) VALUES ('app', '', 78)",
      /^1210 mysql_query_rules_fast_routing \(.*\), column destination_hostgroup: there is no hostgroup 78/,
    ],
    [
      'MYSQL USERS',
      'mysql_users',
      "(username, default_hostgroup) VALUES ('lost', 79)",
      /^1210 mysql_users \(username lost\), column default_hostgroup: there is no hostgroup 79/,
    ],
    [
      'MYSQL SERVERS',
      'mysql_servers',
      "(hostgroup_id, hostname) VALUES (0, 'not a host')",
      /^1210 mysql_servers \(hostgroup_id 0, hostname not a host, port 3306\), column hostname: /,
    ],
    [
      'MYSQL SERVERS',
      'mysql_replication_hostgroups',
      '(writer_hostgroup, reader_hostgroup) VALUES (0, 1), (1, 2)',
      /^1210 mysql_replication_hostgroups \(writer_hostgroup 1\), column writer_hostgroup: hostgroup 1 is in a pair already/,
    ],
    [
      'ADMIN VARIABLES',
      'global_variables',
      "VALUES ('admin-wep_port', '1')",
      /^1210 global_variables \(variable_name admin-wep_port\), column variable_name: unknown variable, did you mean admin-web_port\?/,
    ],
    [
      'MYSQL FIREWALL',
      'mysql_firewall_whitelist_rules',
      "(username, client_address, schemaname, digest) VALUES ('app', '', '', 'abc')",
      /^1210 mysql_firewall_whitelist_rules \(.*digest abc\), column digest: expected 0x/,
    ],
  ];
  const before = await operator.value('SELECT GLOBAL_CHECKSUM()');
  for (const [module, table, row, expected] of bad) {
    await operator.run(`INSERT INTO ${table} ${row}`);
    // A good row beside the bad one does not come into force either.
    await operator.run(
      "INSERT OR REPLACE INTO mysql_query_rules (rule_id, active, match_digest, error_msg) VALUES (1, 1, '^SELECT', 'no')",
    );
    t.match(await operator.errorOf(`LOAD ${module} TO RUNTIME`), expected, row);
    await operator.run(`SAVE ${module} TO MEMORY`);
  }
  t.equal(await operator.value('SELECT GLOBAL_CHECKSUM()'), before);
  t.equal((await operator.rows('SHOW RUNTIME VERSIONS')).length, 1);
  const client = await sluice.connect();
  t.teardown(() => client.destroy());
  t.strictSame((await client.query('SELECT 1 AS one'))[0], [{ one: 1 }]);

  await operator.run(
    'INSERT INTO mysql_query_rules (rule_id, active, flagIN, flagOUT) VALUES (101, 1, 0, 5), (102, 1, 5, 6), (103, 1, 6, 5)',
  );
  t.match(
    await operator.errorOf('LOAD MYSQL QUERY RULES TO RUNTIME'),
    /^1210 mysql_query_rules \(rule_id 10\d\), column flagOUT: /,
  );
});

t.test('servers, rules, firewall and variables come into force', async (t) => {
  const [sluice, operator] = await start(t);
  const client = await sluice.connect();
  t.teardown(() => client.destroy());
  const [replica] = set.replicas;
  await operator.run(
    `INSERT INTO mysql_servers (hostgroup_id, hostname, port, comment) VALUES (50, '127.0.0.1', ${replica?.port}, 'report')`,
  );
  t.equal(await operator.run('LOAD MYSQL SERVERS TO RUNTIME'), 0);
  t.strictSame(
    await operator.rows(
      'SELECT hostgroup_id, port, status, comment FROM runtime_mysql_servers WHERE hostgroup_id = 50',
    ),
    [{ hostgroup_id: '50', port: String(replica?.port), status: 'ONLINE', comment: 'report' }],
  );
  t.strictSame(
    await operator.rows('SELECT port FROM runtime_mysql_servers WHERE hostgroup_id = 0'),
    [{ port: String(set.primary.port) }],
    'the primary, by its measured role',
  );

  await operator.run(
    "INSERT INTO mysql_query_rules (rule_id, active, match_pattern, error_msg, apply) VALUES (10, 1, '^SELECT 42', 'not this', 1)",
  );
  t.strictSame((await client.query('SELECT 42'))[0], [{ 42: 42 }]);
  await operator.run('LOAD MYSQL QUERY RULES TO SHADOW');
  t.strictSame((await client.query('SELECT 42'))[0], [{ 42: 42 }], 'counted, not applied');
  t.equal(await operator.value('SELECT count(*) FROM runtime_mysql_query_rules'), '0');
  await operator.run('PROMOTE SHADOW');
  await t.rejects(client.query('SELECT 42'), { message: 'not this' });
  t.equal(await operator.value('SELECT rule_id FROM runtime_mysql_query_rules'), '10');
  t.match(await operator.errorOf('PROMOTE SHADOW'), /^1210 there are no shadow rules/);
  await operator.run('LOAD MYSQL QUERY RULES TO SHADOW');
  await operator.run('DROP SHADOW');
  t.match(await operator.errorOf('DROP SHADOW'), /^1210 There are no shadow rules/);
  await operator.run('DELETE FROM mysql_query_rules');
  t.match(
    await operator.warningsOf(
      `INSERT INTO mysql_query_rules (rule_id, active, cache_ttl, attributes) VALUES (1, 1, 1000, '{"cache":{"class":"strong"}}')`,
    ),
    [],
  );
  t.match(await operator.warningsOf('LOAD MYSQL QUERY RULES TO RUNTIME'), [
    /cache_ttl: kept, without effect/,
  ]);
  await operator.run(
    "INSERT INTO sluice_cache_rules (rule_id, tables, class, ttl_ms) VALUES (7, 'app.items,app.x', 'WEAK', 500)",
  );
  await operator.run('LOAD MYSQL QUERY RULES TO RUNTIME');
  t.equal(
    await operator.value(
      "SELECT class || ' ' || ttl_ms || ' ' || tables || ' ' || active FROM runtime_sluice_cache_rules",
    ),
    'weak 500 app.items,app.x 1',
  );
  t.match(
    await operator.errorOf("INSERT INTO sluice_cache_rules (rule_id, class) VALUES (8, 'weak')"),
    /^3819 /,
  );
  await operator.run("UPDATE sluice_cache_rules SET match_digest = '(' WHERE rule_id = 7");
  t.match(
    await operator.errorOf('LOAD MYSQL QUERY RULES TO RUNTIME'),
    /^1210 sluice_cache_rules \(rule_id 7\), column match_digest: missing/,
  );
  await operator.run('DELETE FROM sluice_cache_rules');

  await operator.run(
    "INSERT INTO mysql_firewall_whitelist_users (username, client_address, mode) VALUES ('app', '', 'PROTECTING')",
  );
  await operator.run('LOAD MYSQL FIREWALL TO RUNTIME');
  await operator.run("SET mysql-firewall_whitelist_enabled='true'");
  t.strictSame((await client.query('SELECT 43'))[0], [{ 43: 43 }]);
  await operator.run(
    "UPDATE global_variables SET variable_value = 'nobody may' WHERE variable_name = 'mysql-firewall_whitelist_errormsg'",
  );
  await operator.run('LOAD MYSQL VARIABLES TO RUNTIME');
  await t.rejects(client.query('SELECT 43'), { message: /nobody may/ });
  t.equal(
    await operator.value(
      "SELECT variable_value FROM runtime_global_variables WHERE variable_name = 'mysql-firewall_whitelist_enabled'",
    ),
    'true',
  );
  await operator.run('ROLLBACK RUNTIME');
  t.strictSame((await client.query('SELECT 43'))[0], [{ 43: 43 }]);
});

t.test('variables: set, warned of, refused', async (t) => {
  const [sluice, operator] = await start(t, { limits: { maxConnections: 2 } });
  const clients = [await sluice.connect(), await sluice.connect()];
  t.teardown(() => clients.map((client) => client.destroy()));
  t.equal(await loginError(sluice, APP_ACCOUNT), 1040);
  await operator.run('SET mysql-max_connections = 3');
  t.equal(await loginError(sluice, APP_ACCOUNT), 1040, 'in MEMORY only');
  await operator.run('LOAD MYSQL VARIABLES TO RUNTIME');
  t.equal(await loginError(sluice, APP_ACCOUNT), 0);
  t.match(
    await operator.errorOf('SET mysql-max_conections = 3'),
    /^1210 .*did you mean mysql-max_connections\?/,
  );
  t.match(
    await operator.errorOf("SET mysql-max_connections = 'many'"),
    /^1210 mysql-max_connections: expected a whole number/,
  );
  t.strictSame(await operator.warningsOf('SET mysql-poll_timeout = 512'), [
    'mysql-poll_timeout has no effect: Sluice has nothing that it could change',
  ]);
  t.equal(
    await operator.value(
      "SELECT variable_value FROM global_variables WHERE variable_name='mysql-poll_timeout'",
    ),
    '512',
  );
  await operator.run('SET sluice-limits_digest_cache_entries = 50');
  t.match(await operator.warningsOf('LOAD SLUICE VARIABLES TO RUNTIME'), [
    /^these take effect at the next start.*limits\.digestCacheEntries/,
  ]);
  t.match(
    await operator.value("SELECT variable_value FROM global_variables WHERE variable_name='admin-version'"),
    /^2\.7\.1-sluice-/,
  );
  t.strictSame(await operator.warningsOf('LOAD LDAP VARIABLES TO RUNTIME'), [
    'LDAP VARIABLES has no effect: Sluice has nothing like it',
  ]);
  await operator.run("INSERT INTO scheduler (interval_ms, filename) VALUES (1000, '/bin/true')");
  t.strictSame(await operator.warningsOf('LOAD  SCHEDULER TO RUNTIME'), [
    'scheduler has no effect: Sluice has nothing like it',
  ]);

  await operator.run("SET admin-stats_credentials = 'stats:other;second:pass'");
  await operator.run('LOAD ADMIN VARIABLES TO RUNTIME');
  const second = await sluice.adminConnection({ user: 'second', password: 'pass' });
  t.teardown(() => second.destroy());
  const stats = new Operator(second);
  t.match(
    await stats.value("SELECT variable_value FROM global_variables WHERE variable_name='admin-version'"),
    /^2\.7\.1-/,
  );
  t.equal(
    await stats.value(
      "SELECT count(*) FROM global_variables WHERE variable_name LIKE '%password%' OR variable_name LIKE '%credentials%'",
    ),
    '0',
  );
  for (const sql of [
    'LOAD MYSQL USERS TO RUNTIME',
    'SELECT * FROM runtime_mysql_servers',
    'SELECT CONFIG FILE',
    'DIFF RUNTIME MEMORY',
  ])
    t.match(await stats.errorOf(sql), /^1045 /, sql);
});

t.test('checksums, and what is in force as a file', async (t) => {
  const [sluice, operator] = await start(t, {
    queryRules: [{ ruleId: 3, matchDigest: '^SELECT 9', comment: "it's" }],
  });
  const sum = (text: string) => operator.rows(text).then(([row]) => row?.checksum as string);
  const before = await sum('CHECKSUM MYSQL QUERY RULES');
  t.match(before, /^0x[0-9A-F]{16}$/);
  await operator.run("UPDATE mysql_query_rules SET comment = 'x'");
  t.not(await sum('CHECKSUM MEMORY MYSQL QUERY RULES'), before);
  await operator.run('SAVE MYSQL QUERY RULES FROM RUNTIME');
  t.equal(await sum('CHECKSUM MEM MYSQL QUERY RULES'), before);
  const checksums = await operator.rows('SELECT name, version FROM runtime_checksums_values');
  t.ok(checksums.some(({ name, version }) => name === 'mysql_query_rules' && version === '1'));

  const path = join(sluice.directory, 'copy.yaml');
  await operator.run(`SAVE CONFIG TO FILE '${path}'`);
  t.equal(statSync(path).mode & 0o777, 0o600);
  const text = readFileSync(path, 'utf8');
  t.equal(await operator.value('SELECT CONFIG FILE'), text);
  const load = (file: string) => loadConfig({ file, env: {}, flags: {} });
  t.strictSame(load(path), load(sluice.configFile), 'the same configuration');
  await operator.run(`SELECT CONFIG INTO OUTFILE ${path}`);
  t.match(await operator.errorOf('SAVE CONFIG TO FILE relative.yaml'), /^1210 Expected the whole path/);
  t.match(
    await operator.errorOf(`SAVE CONFIG TO FILE '${sluice.directory}'`),
    /^1210 .*something else of this name/,
  );
  t.notOk(existsSync(`${sluice.directory}.${sluice.pid}.tmp`));
});

t.test('PROXYSQL PAUSE, RESUME, SHUTDOWN', async (t) => {
  const [sluice, operator] = await start(t);
  const client = await sluice.connect();
  t.teardown(() => client.destroy());
  await operator.run('PROXYSQL PAUSE');
  await waitUntil('new clients are refused', async () => (await loginError(sluice, APP_ACCOUNT)) !== 0);
  t.strictSame((await client.query('SELECT 1 AS one'))[0], [{ one: 1 }], 'who is there goes on');
  await operator.run('PROXYSQL RESUME');
  await waitUntil('new clients are let in', async () => (await loginError(sluice, APP_ACCOUNT)) === 0);
  t.equal(await operator.run('PROXYSQL FLUSH CONFIGDB'), 1);
  t.equal(await operator.run('PROXYSQL RELOAD TLS'), 0);
  t.match(
    await operator.errorOf('PROXYSQL PAUS'),
    /^1064 PROXYSQL 'PAUS' is not known; did you mean PAUSE\?/,
  );
  client.destroy();
  await operator.run('PROXYSQL SHUTDOWN');
  const { code } = await sluice.exited;
  t.equal(code, 0);
});
