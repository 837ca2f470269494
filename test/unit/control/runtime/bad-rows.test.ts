/** A row that is wrong is named by table, key and column, and nothing comes of the others either. */
import t from 'tap';
import { loadConfig } from '../../../../config/load.ts';
import type { Config } from '../../../../config/schema.ts';
import {
  AdminModule,
  type SqlValue,
  type TableRows,
} from '../../../../src/common/admin-tables/admin-table.ts';
import { configTableNamed } from '../../../../src/common/admin-tables/all-tables.ts';
import { RowError } from '../../../../src/control/runtime/row-error.ts';
import { runtimeModules } from '../../../../src/control/runtime/runtime-modules.ts';
import { VariableCatalog } from '../../../../src/control/runtime/variable-catalog.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const MODULES = new Map(runtimeModules(new VariableCatalog('0.1.0')).map((each) => [each.module, each]));
const CONFIG = loadConfig({
  text: `
servers: [a, { host: b, hostgroup: 1 }]
monitor: { username: m, password: hidden }
users: [{ username: u, password: hidden }]
queryRules: [{ ruleId: 1, matchDigest: x, destinationHostgroup: 1 }]
fastRouting: [{ username: u, destinationHostgroup: 1 }]
firewall: { users: [{ username: u, mode: DETECTING }], rules: [{ username: u, digest: "0x1" }] }
replicationHostgroups: [{ writerHostgroup: 0, readerHostgroup: 1 }]
hostgroupAttributes: [{ hostgroup: 0 }]
cache: { rules: [{ ruleId: 1, class: weak, ttlMs: 5 }] }
`,
  env: {},
  flags: {},
});

type Change = Readonly<Record<string, SqlValue>>;

/** The rows of the module, with some columns of the first row of a table changed. */
function changed(module: AdminModule, table: string, change: Change): TableRows[] {
  const { columns } = configTableNamed(table);
  return MODULES.get(module)!
    .rowsOf(CONFIG)
    .map((each) => {
      if (each.table !== table) return each;
      const [first = [], ...others] = each.rows;
      return {
        table,
        rows: [columns.map((name, index) => (name in change ? change[name]! : first[index]!)), ...others],
      };
    });
}

async function errorOf(module: AdminModule, table: string, change: Change): Promise<string> {
  try {
    await MODULES.get(module)!.withRows(CONFIG, changed(module, table, change), []);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    return error.message;
  }
}

const { servers, users, queryRules, firewall } = AdminModule;
const LONG = 'x'.repeat(70_000);
const CASES: readonly (readonly [AdminModule, string, Change, string])[] = [
  [
    servers,
    'mysql_servers',
    { port: 0 },
    'mysql_servers (hostgroup_id 0, hostname a, port 0), column port: expected at least 1, found "0"',
  ],
  [
    servers,
    'mysql_servers',
    { weight: 'much' },
    'mysql_servers (hostgroup_id 0, hostname a, port 3306), column weight: expected a whole number, found "much"',
  ],
  [
    servers,
    'mysql_servers',
    { weight: 1.5 },
    'mysql_servers (hostgroup_id 0, hostname a, port 3306), column weight: expected a whole number, found "1.5"',
  ],
  [
    servers,
    'mysql_servers',
    { status: 'SLEEPING' },
    'mysql_servers (hostgroup_id 0, hostname a, port 3306), column status: expected one of ONLINE, SHUNNED, OFFLINE_SOFT, OFFLINE_HARD, found "SLEEPING"',
  ],
  [
    servers,
    'mysql_servers',
    { use_ssl: 2 },
    'mysql_servers (hostgroup_id 0, hostname a, port 3306), column use_ssl: expected 0 or 1, found "2"',
  ],
  [
    servers,
    'mysql_servers',
    { max_connections: 0 },
    'mysql_servers (hostgroup_id 0, hostname a, port 3306), column max_connections: expected at least 1, found "0"',
  ],
  [
    servers,
    'mysql_servers',
    { comment: LONG },
    'mysql_servers (hostgroup_id 0, hostname a, port 3306), column comment: must not be longer than 4096 characters',
  ],
  [
    servers,
    'mysql_replication_hostgroups',
    { check_type: 'guess' },
    'mysql_replication_hostgroups (writer_hostgroup 0), column check_type: expected one of read_only, innodb_read_only, super_read_only, read_only|innodb_read_only, read_only&innodb_read_only, found "guess"',
  ],
  [
    servers,
    'mysql_hostgroup_attributes',
    { servers_defaults: '{' },
    'mysql_hostgroup_attributes (hostgroup_id 0), column servers_defaults: expected JSON',
  ],
  [users, 'mysql_users', { username: '' }, 'mysql_users (username ), column username: must not be empty'],
  [
    users,
    'mysql_users',
    { backend: 0 },
    'mysql_users (username u): column backend must be 1: Sluice logs in at the servers as its client has, so that one row is both',
  ],
  [
    users,
    'mysql_users',
    { attributes: '[1]' },
    'mysql_users (username u): expected a JSON object; mysql_users (username u), column attributes: expected a JSON object',
  ],
  [
    users,
    'mysql_users',
    { attributes: '{"rate_limit":{"per_second":0}}' },
    'mysql_users (username u): attributes.rate_limit: expected {"per_second": number, "burst": number}, each up to 10000000',
  ],
  [
    queryRules,
    'mysql_query_rules',
    { digest: 'abc' },
    'mysql_query_rules (rule_id 1), column digest: expected 0x and up to 16 hexadecimal digits',
  ],
  [
    queryRules,
    'sluice_cache_rules',
    { class: 'storng' },
    'sluice_cache_rules (rule_id 1), column class: expected one of strong, weak, immutable, off, found "storng"',
  ],
  [
    queryRules,
    'sluice_cache_rules',
    { ttl_ms: 0 },
    'sluice_cache_rules (rule_id 1), column ttl_ms: expected at least 1, found "0"',
  ],
  [
    queryRules,
    'sluice_cache_rules',
    { stale_while_revalidate_ms: -1 },
    'sluice_cache_rules (rule_id 1), column stale_while_revalidate_ms: expected at least 0, found "-1"',
  ],
  [
    queryRules,
    'sluice_cache_rules',
    { digest: '0xyz' },
    'sluice_cache_rules (rule_id 1), column digest: expected 0x and up to 16 hexadecimal digits',
  ],
  [
    queryRules,
    'mysql_query_rules',
    { multiplex: 3 },
    'mysql_query_rules (rule_id 1), column multiplex: expected one of 0, 1, 2, found "3"',
  ],
  [
    queryRules,
    'mysql_query_rules',
    { retries: 1001, flagOUT: -1 },
    'mysql_query_rules (rule_id 1), column flagOUT: expected at least 0, found "-1"; mysql_query_rules (rule_id 1), column retries: expected at most 1000, found "1001"',
  ],
  [
    queryRules,
    'mysql_query_rules',
    { active: null },
    'mysql_query_rules (rule_id 1), column active: expected a whole number, found NULL',
  ],
  [
    queryRules,
    'mysql_query_rules_fast_routing',
    { destination_hostgroup: null },
    'mysql_query_rules_fast_routing (username u, schemaname , flagIN 0), column destination_hostgroup: expected a whole number, found NULL',
  ],
  [
    firewall,
    'mysql_firewall_whitelist_users',
    { mode: 'ASK' },
    'mysql_firewall_whitelist_users (username u, client_address ), column mode: expected one of OFF, DETECTING, PROTECTING, found "ASK"',
  ],
  [
    firewall,
    'mysql_firewall_whitelist_rules',
    { digest: '' },
    'mysql_firewall_whitelist_rules (username u, client_address , schemaname , flagIN 0, digest ), column digest: expected 0x and up to 16 hexadecimal digits',
  ],
];

for (const [module, table, change, expected] of CASES)
  t.test(`${table} ${Object.keys(change).join(', ')}`, async (t) => {
    t.equal(await errorOf(module, table, change), expected);
  });

async function setVariable(name: string, value: string): Promise<string> {
  const module = [...MODULES.values()].find(({ module }) =>
    module.toLowerCase().startsWith(`${name.split('-')[0]} var`),
  );
  try {
    const warnings: string[] = [];
    const before = JSON.stringify(CONFIG);
    const config = await module!.withRows(
      CONFIG,
      [{ table: 'global_variables', rows: [[name, value]] }],
      warnings,
    );
    if (warnings.length > 0) return `warning: ${warnings.join('; ')}`;
    return JSON.stringify(config) === before ? 'unchanged' : 'accepted';
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    return error.message;
  }
}

t.test('variables', async (t) => {
  const at = (name: string) => `global_variables (variable_name ${name}), column`;
  const cases: readonly (readonly [string, string, string])[] = [
    ['mysql-max_connections', '500', 'accepted'],
    ['mysql-max_connections', '10000', 'unchanged'],
    [
      'mysql-max_connections',
      '0',
      `${at('mysql-max_connections')} variable_value: expected a whole number from 1 to 1000000, found "0"`,
    ],
    [
      'mysql-max_connections',
      'many',
      `${at('mysql-max_connections')} variable_value: expected a whole number from 1 to 1000000, found "many"`,
    ],
    [
      'mysql-max_conections',
      '5',
      `${at('mysql-max_conections')} variable_name: unknown variable, did you mean mysql-max_connections?`,
    ],
    [
      'sluice-limits_max_connections',
      '5',
      `${at('sluice-limits_max_connections')} variable_name: unknown variable, did you mean mysql-max_connections?`,
    ],
    [
      'sluice-routing_reads_on_primary',
      'never',
      `${at('sluice-routing_reads_on_primary')} variable_value: expected one of fallback, share`,
    ],
    ['sluice-routing_reads_on_primary', 'share', 'accepted'],
    ['sluice-routing_trust_views', '1', 'accepted'],
    [
      'sluice-routing_trust_views',
      'perhaps',
      `${at('sluice-routing_trust_views')} variable_value: expected true or false, found "perhaps"`,
    ],
    ['sluice-http_open_metrics', '', 'unchanged'],
    ['sluice-http_open_metrics', 'false', 'accepted'],
    ['sluice-tracing_endpoint', 'nowhere', `${at('sluice-tracing_endpoint')} variable_value: Invalid URL`],
    [
      'sluice-tracing_service_name',
      '',
      `${at('sluice-tracing_service_name')} variable_value: must not be empty`,
    ],
    [
      'mysql-query_cache_size_MB',
      'much',
      `${at('mysql-query_cache_size_MB')} variable_value: expected a whole number of MB, found "much"`,
    ],
    [
      'mysql-query_cache_size_MB',
      '0',
      `${at('mysql-query_cache_size_MB')} variable_value: expected a whole number from 1048576 to 1099511627776, found "0"`,
    ],
    ['mysql-query_cache_size_MB', '512', 'accepted'],
    ['mysql-query_cache_handle_warnings', '1', 'accepted'],
    [
      'mysql-query_cache_soft_ttl_pct',
      '101',
      `${at('mysql-query_cache_soft_ttl_pct')} variable_value: expected a whole number from 0 to 100, found "101"`,
    ],
    [
      'mysql-server_version',
      '8.0.0',
      "warning: mysql-server_version has no effect: clients are told the primary's version",
    ],
    ['admin-version', '1', 'warning: admin-version has no effect: it is the version of Sluice'],
    ['mysql-monitor_password', 'other', 'accepted'],
    ['mysql-monitor_password', 'hidden', 'unchanged'],
    ['mysql-proxy_protocol_networks', '10.0.0.0/8, ::1', 'accepted'],
    ['admin-admin_credentials', 'admin:admin', 'unchanged'],
    ['admin-admin_credentials', 'admin:secret;root:other', 'accepted'],
    [
      'admin-admin_credentials',
      'secret',
      `${at('admin-admin_credentials')} variable_value: expected name:password, several separated by semicolons`,
    ],
  ];
  for (const [name, value, expected] of cases)
    t.equal(await setVariable(name, value), expected, `${name}=${value}`);
});

/** Anything that SQLite may hold, more often what is nearly right. */
function anyValue(random: SeededRandom): SqlValue {
  const values: readonly SqlValue[] = [
    null,
    '',
    0,
    1,
    -1,
    2,
    1.5,
    2 ** 31,
    -(2n ** 63n),
    2n ** 63n - 1n,
    'x',
    '0x1',
    '{}',
    '[]',
    '{"rate_limit":1}',
    LONG,
    "'a'@'b'",
    '\0',
    '%',
    'ONLINE',
    '(',
    '1e3',
    ' 7 ',
    Number.MAX_SAFE_INTEGER,
  ];
  return values[Math.floor(random.next() * values.length)]!;
}

t.test(
  'whatever a row holds, it is taken or refused in a sentence, and no password is repeated',
  async (t) => {
    const random = SeededRandom.fromEnvironment();
    t.comment(`SLUICE_TEST_SEED=${random.seed}`);
    const before = JSON.stringify(CONFIG);
    let refused = 0;
    const wrong: string[] = [];
    for (let round = 0; round < 1500; round++) {
      const modules = [...MODULES.values()];
      const module = modules[Math.floor(random.next() * modules.length)]!;
      const tables = module.rowsOf(CONFIG).map(({ table, rows }) => ({
        table,
        rows: rows.map((row) => row.map((value) => (random.next() < 0.08 ? anyValue(random) : value))),
      }));
      try {
        const config: Config = await module.withRows(CONFIG, tables, []);
        // What was taken is shown, and taken again.
        const again = await module.withRows(config, module.rowsOf(config), []);
        if (JSON.stringify(again) !== JSON.stringify(config))
          wrong.push(`not the same again: ${module.module}`);
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        refused++;
        const { message } = error;
        const isNamed = /^(mysql_|sluice_cache_rules|global_variables|scheduler|restapi|proxysql)/.test(
          message,
        );
        if (/hidden/.test(message) || !isNamed || message.length > 3000) wrong.push(message.slice(0, 500));
      }
    }
    t.strictSame(wrong, []);
    t.ok(refused > 250, `${refused} were refused`);
    t.equal(JSON.stringify(CONFIG), before, 'the configuration that they were laid over is as it was');
  },
);
