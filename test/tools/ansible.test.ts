// sluice-test: long timeout=400
/** ansible's community.proxysql as Debian has it, unchanged: Sluice takes the place of ProxySQL. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { isNightly } from '../support/nightly.ts';
import { waitUntil } from '../support/wait-until.ts';
import { ansibleUnavailable, type PlaybookRun, runPlaybook } from './run-ansible.ts';
import { ToolStage } from './tool-stage.ts';

const missing = ansibleUnavailable();
/** Each task is a Python process of its own. */

/** Everything that the playbook writes to, in both layers and in force. */
const TABLES = [
  'mysql_servers',
  'mysql_users',
  'mysql_query_rules',
  'mysql_query_rules_fast_routing',
  'mysql_replication_hostgroups',
  'scheduler',
  'global_variables',
];

async function contents(
  stage: ToolStage,
  prefix: '' | 'disk.' | 'runtime_',
): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const table of TABLES) all[table] = await stage.admin(`SELECT * FROM ${prefix}${table} ORDER BY 1, 2`);
  return all;
}

t.test('community.proxysql', { skip: missing ?? false }, async (t) => {
  const stage = await ToolStage.start({ users: [] });
  t.teardown(() => stage.dispose());
  const { sluice, set, directory } = stage;
  const variables = {
    admin_port: sluice.adminPort,
    admin_password: 'admin',
    primary_port: set.primary.port,
    replica_port: set.replicas[0]!.port,
  };
  const site = (more: Readonly<Record<string, string | boolean>>, ...args: string[]): Promise<PlaybookRun> =>
    runPlaybook('site.yml', { ...variables, ...more }, args, directory);
  const outcomes = (run: PlaybookRun): string[] => [...new Set(run.tasks.values())];

  await t.test('check mode says what would change, and changes nothing', { skip: !isNightly }, async (t) => {
    const before = [
      await contents(stage, ''),
      await contents(stage, 'disk.'),
      await contents(stage, 'runtime_'),
    ];
    const run = await site({}, '--check');
    t.equal(run.code, 0, run.output);
    t.strictSame(outcomes(run), ['changed'], run.output);
    const after = [
      await contents(stage, ''),
      await contents(stage, 'disk.'),
      await contents(stage, 'runtime_'),
    ];
    t.strictSame(after, before);
  });

  await t.test('present: loaded, saved, in force', async (t) => {
    const run = await site({});
    t.equal(run.code, 0, run.output);
    t.strictSame(outcomes(run), ['changed'], run.output);
    t.equal(run.tasks.size, 12);
    const again = await site({});
    t.equal(again.code, 0, again.output);
    t.strictSame(outcomes(again), ['ok'], `the second run changes nothing\n${again.output}`);
  });

  await t.test('what the clients get of it', async (t) => {
    await waitUntil('the replica serves', async () => {
      const rows = await stage.admin(
        `SELECT status FROM runtime_mysql_servers WHERE hostgroup_id = 20 AND port = ${set.replicas[0]!.port}`,
      );
      return rows.some(({ status }) => status === 'ONLINE');
    });
    const client = await sluice.connect();
    t.teardown(() => client.destroy());
    const [rows] = await client.query<RowDataPacket[]>('SELECT name FROM seen WHERE id = 2');
    t.strictSame(rows, [{ name: 'two' }], 'the user and the servers are there');
    const failure = await client.query('SELECT * FROM forbidden').catch((error: Error) => error);
    t.match(failure, { message: "No: 'forbidden' is \\ not for you", errno: 1148 });
    const servers = await stage.admin('SELECT hostgroup_id, hostname, status FROM runtime_mysql_servers');
    t.match(
      servers.find(({ hostname }) => hostname === 'db2.example.invalid'),
      { hostgroup_id: '20', status: 'OFFLINE_SOFT' },
    );
    const hashed = await stage.admin("SELECT password FROM mysql_users WHERE username = 'hashed'");
    t.match(hashed, [{ password: /^\*[0-9A-F]{40}$/ }]);
    const rule = await stage.admin('SELECT error_msg, apply FROM mysql_query_rules WHERE rule_id = 5');
    t.strictSame(rule, [{ error_msg: "No: 'forbidden' is \\ not for you", apply: '1' }]);
  });

  await t.test('info, values of variables, manage_config', async (t) => {
    const report = join(directory, 'info.json');
    const run = await runPlaybook('inspect.yml', { ...variables, report }, [], directory);
    t.equal(run.code, 0, run.output);
    t.equal(run.tasks.get('info'), 'ok');
    const info = JSON.parse(readFileSync(report, 'utf8')) as Record<string, unknown>;
    t.match(info.version, { major: 2, minor: 7, release: 1, suffix: /sluice/ });
    const tables = info.tables as string[];
    for (const table of TABLES) {
      t.ok(tables.includes(table), table);
      t.ok(tables.includes(`runtime_${table}`) || table === 'global_variables', `runtime_${table}`);
      t.ok(table in info, `rows of ${table}`);
    }
    t.match(info.global_variables, { 'mysql-max_connections': '4000', 'admin-version': /^2\.7\.1/ });
    t.match(info.mysql_users, [{ username: 'app' }, { username: 'hashed' }]);
  });

  await t.test('after a restart it is as it was saved', async (t) => {
    const before = await contents(stage, 'runtime_');
    await sluice.restart();
    const after = await contents(stage, 'runtime_');
    t.strictSame(after.mysql_query_rules, before.mysql_query_rules);
    t.strictSame(after.mysql_users, before.mysql_users);
    t.strictSame(after.global_variables, before.global_variables);
  });

  await t.test('absent, in MEMORY only', async (t) => {
    const before = [await contents(stage, 'disk.'), await contents(stage, 'runtime_')];
    const run = await site({ state: 'absent', apply: false });
    t.equal(run.code, 0, run.output);
    t.strictSame(outcomes(run), ['changed'], run.output);
    t.strictSame([await contents(stage, 'disk.'), await contents(stage, 'runtime_')], before);
    t.strictSame(await stage.admin('SELECT username FROM mysql_users'), []);
    await (await sluice.connect()).end();
  });

  await t.test('and then loaded', async (t) => {
    for (const module of [
      'MYSQL QUERY RULES',
      'MYSQL USERS',
      'MYSQL SERVERS',
      'SCHEDULER',
      'MYSQL VARIABLES',
    ]) {
      await stage.admin(`LOAD  ${module} TO RUNTIME`);
      await stage.admin(`SAVE ${module} TO DISK`);
    }
    t.strictSame(await stage.admin('SELECT username FROM runtime_mysql_users'), []);
    await t.rejects(sluice.connect(), { code: 'ER_ACCESS_DENIED_ERROR' });
    if (!isNightly) return;
    const again = await site({ state: 'absent' });
    t.equal(again.code, 0, again.output);
    t.strictSame(outcomes(again), ['ok'], again.output);
  });

  t.notOk(sluice.logContains(/"level":(?:50|"error")/), 'no error in the log');
});
