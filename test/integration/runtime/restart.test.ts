/** [D1] What was saved to disk and what stands in the file, at a start and on SIGHUP: never one of them in silence. */
// sluice-test: long

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import {
  type ConfigObject,
  freeSluicePorts,
  type SluicePorts,
  SluiceProcess,
} from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { Operator } from './operator.ts';

const set = new ReplicationSet({ replicas: 0 });
t.before(() => set.start());
t.teardown(() => set.dispose());

const rule = (ruleId: number, comment: string) => ({ ruleId, matchDigest: `^SELECT ${ruleId}00`, comment });

class Restarted {
  readonly #t: Test;
  readonly dataDir = makeTemporaryDirectory('data');
  sluice: SluiceProcess | null = null;
  #operator: Operator | null = null;
  #ports: SluicePorts | null = null;

  constructor(t: Test) {
    this.#t = t;
    t.teardown(() => removeTemporaryDirectory(this.dataDir));
  }

  get operator(): Operator {
    return this.#operator!;
  }

  async start(config: ConfigObject): Promise<Operator> {
    await this.stop();
    // Where it listens stays the same, or the file would be another one.
    const ports = this.#ports ?? (await freeSluicePorts());
    this.#ports = ports;
    const sluice = await SluiceProcess.startFor(set, {
      config: { dataDir: this.dataDir, workers: 1, ...config },
      ports,
    });
    this.#t.teardown(() => sluice.dispose());
    this.sluice = sluice;
    return this.again();
  }

  async again(): Promise<Operator> {
    const connection = await this.sluice!.adminConnection();
    this.#t.teardown(() => connection.destroy());
    this.#operator = new Operator(connection);
    return this.#operator;
  }

  async stop(): Promise<void> {
    this.#operator?.connection.destroy();
    await this.sluice?.stop();
  }

  /** What a process writes may come a moment behind its answers. */
  async hasLogged(text: RegExp): Promise<boolean> {
    return (await this.sluice!.waitForLog(text)) !== null;
  }
}

const comments = async (operator: Operator, table: string): Promise<string[]> =>
  (await operator.rows(`SELECT comment FROM ${table} ORDER BY rule_id`)).map(({ comment }) =>
    String(comment),
  );

const IN_FORCE = 'runtime_mysql_query_rules';
const MEMORY = 'mysql_query_rules';
const DISK = 'disk.mysql_query_rules';

t.test('saved to disk, the same file: what was saved is in force, and is said', async (t) => {
  const restarted = new Restarted(t);
  const file = { queryRules: [rule(1, 'file')] };
  let operator = await restarted.start(file);
  t.strictSame(await comments(operator, IN_FORCE), ['file']);
  t.strictSame(await comments(operator, DISK), [], 'nothing is on disk before SAVE');
  await operator.run("UPDATE mysql_query_rules SET comment = 'saved'");
  await operator.run('LOAD MYSQL QUERY RULES TO RUNTIME');
  await operator.run('SAVE MYSQL QUERY RULES TO DISK');
  operator = await restarted.start(file);
  for (const table of [IN_FORCE, MEMORY, DISK])
    t.strictSame(await comments(operator, table), ['saved'], table);
  t.ok(await restarted.hasLogged(/MYSQL QUERY RULES: as saved to disk at .*, instead of the file/));
  t.equal((await operator.rows('SHOW RUNTIME VERSIONS')).length, 1);
  t.strictSame(await operator.rows('DIFF RUNTIME MEMORY'), []);

  // Only what was saved: users are the file's.
  operator = await restarted.start({
    ...file,
    users: [{ ...APP_ACCOUNT, comment: 'file' }],
  });
  t.strictSame(await comments(operator, IN_FORCE), ['saved']);
  t.equal(await operator.value('SELECT comment FROM mysql_users'), 'file');
});

t.test('saved to disk, another file: the file is in force, with how to get the saved one back', async (t) => {
  const restarted = new Restarted(t);
  let operator = await restarted.start({ queryRules: [rule(1, 'file')] });
  await operator.run("UPDATE mysql_query_rules SET comment = 'saved'");
  await operator.run('LOAD MYSQL QUERY RULES TO RUNTIME');
  await operator.run('SAVE MYSQL QUERY RULES FROM MEMORY');
  const changed = { queryRules: [rule(1, 'changed')] };
  operator = await restarted.start(changed);
  t.strictSame(await comments(operator, IN_FORCE), ['changed']);
  t.strictSame(await comments(operator, MEMORY), ['changed']);
  t.strictSame(await comments(operator, DISK), ['saved'], 'nothing is thrown away');
  const hint =
    /MYSQL QUERY RULES: the file has been changed since .*; LOAD MYSQL QUERY RULES TO MEMORY; LOAD MYSQL QUERY RULES TO RUNTIME brings back the saved one/;
  t.ok(await restarted.hasLogged(hint));
  const [warning] = await operator.rows('SHOW WARNINGS');
  t.match(warning?.Message, hint);
  // As the warning says.
  await operator.run('LOAD MYSQL QUERY RULES TO MEMORY');
  await operator.run('LOAD MYSQL QUERY RULES TO RUNTIME');
  t.strictSame(await comments(operator, IN_FORCE), ['saved']);
  await operator.run('SAVE MYSQL QUERY RULES TO DISK');
  t.strictSame(await operator.rows('SHOW WARNINGS'), [], 'it is settled');
  operator = await restarted.start(changed);
  t.strictSame(await comments(operator, IN_FORCE), ['saved'], 'now it is the newer one');
});

t.test(
  'MEMORY and RUNTIME that nobody saved are gone after a restart, and so the file is in force',
  async (t) => {
    const restarted = new Restarted(t);
    const file = { queryRules: [rule(1, 'file')] };
    let operator = await restarted.start(file);
    await operator.run("UPDATE mysql_query_rules SET comment = 'applied'");
    await operator.run('LOAD MYSQL QUERY RULES TO RUNTIME');
    operator = await restarted.start(file);
    for (const table of [IN_FORCE, MEMORY]) t.strictSame(await comments(operator, table), ['file'], table);
    t.strictSame(await comments(operator, DISK), []);
  },
);

t.test('every module outlives a restart', async (t) => {
  const restarted = new Restarted(t);
  let operator = await restarted.start({});
  const { host, port } = set.primary;
  await operator.run(
    `INSERT INTO mysql_servers (hostgroup_id, hostname, port) VALUES (40, '${host}', ${port})`,
  );
  await operator.run("INSERT INTO mysql_users (username, default_hostgroup) VALUES ('new', 40)");
  await operator.run(
    "INSERT INTO mysql_query_rules_fast_routing (username, schemaname, destination_hostgroup) VALUES ('new', 's', 40)",
  );
  await operator.run(
    "INSERT INTO mysql_firewall_whitelist_users (username, client_address, mode) VALUES ('new', '', 'DETECTING')",
  );
  await operator.run("INSERT INTO scheduler (interval_ms, filename) VALUES (1000, '/bin/true')");
  await operator.run('SET mysql-max_connections = 77');
  await operator.run('SET mysql-poll_timeout = 5');
  await operator.run("SET admin-stats_credentials = 'stats:changed'");
  await operator.run('SET sluice-pool_min_idle = 3');
  await operator.run('SET mysql-threads = 2');
  const modules = [
    'MYSQL SERVERS',
    'MYSQL USERS',
    'MYSQL QUERY RULES',
    'MYSQL FIREWALL',
    'SCHEDULER',
    'MYSQL VARIABLES',
    'ADMIN VARIABLES',
    'SLUICE VARIABLES',
  ];
  for (const module of modules) {
    await operator.run(`LOAD ${module} TO RUNTIME`);
    await operator.run(`SAVE ${module} TO DISK`);
  }
  operator = await restarted.start({});
  const one = async (sql: string) => operator.value(sql);
  t.equal(await one('SELECT count(*) FROM runtime_mysql_servers WHERE hostgroup_id = 40'), '1');
  t.equal(await one("SELECT default_hostgroup FROM runtime_mysql_users WHERE username = 'new'"), '40');
  t.equal(await one('SELECT destination_hostgroup FROM runtime_mysql_query_rules_fast_routing'), '40');
  t.equal(await one('SELECT mode FROM runtime_mysql_firewall_whitelist_users'), 'DETECTING');
  t.equal(await one('SELECT filename FROM scheduler'), '/bin/true');
  const variable = (name: string, table = 'runtime_global_variables') =>
    one(`SELECT variable_value FROM ${table} WHERE variable_name = '${name}'`);
  t.equal(await variable('mysql-max_connections'), '77');
  t.equal(await variable('mysql-poll_timeout', 'global_variables'), '5', 'what has no effect is kept');
  t.equal(await variable('admin-stats_credentials'), 'stats:changed');
  t.equal(await variable('sluice-pool_min_idle'), '3');
  t.equal(await variable('mysql-threads'), '2', 'what takes effect at a start has taken it');
  t.equal((await operator.rows('SHOW VERSIONS')).length, 2, 'that is, two workers');
});

t.test(
  'saved sections that do not go with the file any more are left out, and the others are used',
  async (t) => {
    const restarted = new Restarted(t);
    const { host, port } = set.primary;
    const extra = { host, port, hostgroup: 40 };
    let operator = await restarted.start({ servers: [set.primary.address, extra] });
    await operator.run(
      "INSERT INTO mysql_query_rules (rule_id, active, destination_hostgroup, comment) VALUES (1, 1, 40, 'saved')",
    );
    await operator.run('LOAD MYSQL QUERY RULES TO RUNTIME');
    await operator.run('SAVE MYSQL QUERY RULES TO DISK');
    await operator.run("UPDATE mysql_users SET comment = 'saved'");
    await operator.run('SAVE MYSQL USERS TO DISK');
    operator = await restarted.start({});
    t.strictSame(await comments(operator, IN_FORCE), []);
    t.equal(await operator.value("SELECT comment FROM runtime_mysql_users WHERE username = 'app'"), 'saved');
    t.ok(
      await restarted.hasLogged(
        /MYSQL QUERY RULES: what was saved to disk cannot be used.*rule_id 1.*hostgroup 40/,
      ),
    );
  },
);

t.test('a damaged sluice.db is put aside', async (t) => {
  const restarted = new Restarted(t);
  writeFileSync(
    join(restarted.dataDir, 'sluice.db'),
    'this is no database, whatever it is called'.repeat(100),
  );
  const operator = await restarted.start({ queryRules: [rule(1, 'file')] });
  t.strictSame(await comments(operator, IN_FORCE), ['file']);
  t.ok(readdirSync(restarted.dataDir).some((name) => name.startsWith('sluice.db.corrupt-')));
  t.ok(await restarted.hasLogged(/damaged/));
  await operator.run('SAVE MYSQL QUERY RULES TO DISK');
  t.strictSame(await comments(operator, DISK), ['file']);
});

t.test('without dataDir there is no DISK', async (t) => {
  const restarted = new Restarted(t);
  const operator = await restarted.start({ dataDir: null });
  for (const text of ['SAVE MYSQL USERS TO DISK', 'LOAD MYSQL USERS TO MEMORY'])
    t.match(await operator.errorOf(text), /^1210 .*dataDir/, text);
  t.notOk(existsSync(join(restarted.dataDir, 'sluice.db')));
});

t.test('SIGHUP takes what has changed in the file, and leaves what operators have changed', async (t) => {
  const restarted = new Restarted(t);
  const operator = await restarted.start({ queryRules: [rule(1, 'file')] });
  const sluice = restarted.sluice!;
  await operator.run("UPDATE mysql_users SET comment = 'operator'");
  await operator.run('LOAD MYSQL USERS TO RUNTIME');
  await operator.run('SET mysql-max_connections = 77');
  await operator.run('LOAD MYSQL VARIABLES TO RUNTIME');
  const reload = async (config: ConfigObject) => {
    const before = (await operator.rows('SHOW RUNTIME VERSIONS')).length;
    sluice.writeConfig({
      dataDir: restarted.dataDir,
      workers: 1,
      servers: [set.primary.address],
      users: [APP_ACCOUNT],
      ...config,
    });
    sluice.signal('SIGHUP');
    await waitUntil('it was read', async () => {
      return (await operator.rows('SHOW RUNTIME VERSIONS')).length > before;
    });
  };
  await reload({ queryRules: [rule(1, 'edited')], limits: { maxPreparedStatements: 5000 } });
  for (const table of [IN_FORCE, MEMORY]) t.strictSame(await comments(operator, table), ['edited'], table);
  t.equal(await operator.value('SELECT comment FROM runtime_mysql_users'), 'operator');
  const variable = (name: string, table: string) =>
    operator.value(`SELECT variable_value FROM ${table} WHERE variable_name = '${name}'`);
  for (const table of ['global_variables', 'runtime_global_variables']) {
    t.equal(await variable('mysql-max_connections', table), '77', table);
    t.equal(await variable('sluice-limits_max_prepared_statements', table), '5000', table);
  }
  const last = (await operator.rows('SHOW RUNTIME VERSIONS')).at(-1);
  t.match(last, { applied_by: 'SIGHUP', command: 'queryRules, limits.maxPreparedStatements' });

  sluice.writeConfig({ queryRules: [{ ruleId: 1, matchDigest: '(' }] });
  sluice.signal('SIGHUP');
  await sluice.waitForLog('configuration not changed');
  t.strictSame(await comments(operator, IN_FORCE), ['edited'], 'a bad file changes nothing');
});
