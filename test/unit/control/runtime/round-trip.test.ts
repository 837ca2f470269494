/** A configuration as rows is the same configuration again, whatever the tables cannot show. */
import t from 'tap';
import { loadConfig } from '../../../../config/load.ts';
import type { Config } from '../../../../config/schema.ts';
import {
  collectElementSettings,
  collectSettings,
  configJsonSchema,
  nodeAt,
  SettingKind,
} from '../../../../config/settings.ts';
import type { SqlValue, TableRows } from '../../../../src/common/admin-tables/admin-table.ts';
import { ALL_TABLES, configTableNamed } from '../../../../src/common/admin-tables/all-tables.ts';
import { cacheRuleMapping } from '../../../../src/control/runtime/cache-rows.ts';
import { configText } from '../../../../src/control/runtime/config-text.ts';
import {
  fastRouteMapping,
  fingerprintMapping,
  firewallRuleMapping,
  firewallUserMapping,
  queryRuleMapping,
} from '../../../../src/control/runtime/rule-rows.ts';
import { runtimeModules } from '../../../../src/control/runtime/runtime-modules.ts';
import {
  hostgroupAttributesMapping,
  replicationHostgroupMapping,
  serverMapping,
} from '../../../../src/control/runtime/server-rows.ts';
import { userMapping } from '../../../../src/control/runtime/user-rows.ts';
import { VariableCatalog } from '../../../../src/control/runtime/variable-catalog.ts';
import { WrittenSettings } from '../../../../src/control/runtime/written-settings.ts';

const CATALOG = new VariableCatalog('0.1.0');
const MODULES = runtimeModules(CATALOG);
const FINGERPRINTS = 'mysql_firewall_whitelist_sqli_fingerprints has no effect: Sluice has nothing like it';
const HAVE_SSL = 'mysql-have_ssl has no effect: TLS is offered where tls.certificate is set';
const MINIMAL = 'servers: [a]\nmonitor: { username: m }\n';

function load(text: string): Config {
  return loadConfig({ file: 'f.yaml', text, env: {}, flags: {} });
}

/** Everything that can be said is said, with values that the tables do not show exactly. */
const FULL = load(
  `
monitor: { username: m, password: "se:cr;et", intervalMs: 777 }
hostgroups: { writer: 10, reader: 20 }
replicationHostgroups:
  - { writerHostgroup: 10, readerHostgroup: 20, checkType: super_read_only, comment: main }
  - { writerHostgroup: 11, readerHostgroup: 21 }
hostgroupAttributes:
  - { hostgroup: 10, maxNumOnlineServers: 5, initConnect: "SET @x = 'y'", multiplex: false,
      ignoreSessionVariables: [a, b], policy: consistent-hash, hashKey: user, hostgroupSettings: { x: 1 }, serversDefaults: { weight: 5 }, comment: c }
backendTls: { mode: VERIFY_CA, ca: /ca.pem }
servers:
  - h1
  - { host: "::1", port: 3307, weight: 7, maxConnections: 50, maxReplicationLagMs: 1500, tls: VERIFY_IDENTITY,
      tlsCa: /x.pem, tlsCertificate: /c.pem, tlsKey: /k.pem, tlsServerName: db, zone: eu-1a, comment: "it's" }
  - { host: h3, tls: true, status: OFFLINE_SOFT, hostgroup: 30, maxLatencyMs: 12, gtidPort: 5 }
  - { host: h3, tls: true, hostgroup: 20 }
  - { host: h4, tls: false, compression: true }
users:
  - { username: a }
  - { username: a, host: "10.%", password: "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", requireTls: true }
  - { username: "'odd'", password: "", maxConnections: 3, requireTls: X509, defaultSchema: s, active: false }
  - { username: b, attributes: { x: [1] }, rateLimit: { perSecond: 5, burst: 9 }, causalReads: session, defaultHostgroup: 30,
      schemaLocked: true, transactionPersistent: false, fastForward: true, comment: z }
  - { username: c, attributes: '{ "y": "as written" }', defaultHostgroup: 10 }
  - { username: d, attributes: { y: 1 }, causalReads: none }
tls: { certificate: /c.pem, key: /k.pem, ca: /ca.pem }
queryRules:
  - { ruleId: 1 }
  - { ruleId: 7, active: false, username: a, schemaname: s, flagIn: 3, clientAddr: "10.%", proxyAddr: 1.2.3.4,
      proxyPort: 6033, digest: "0x12aF", matchDigest: "^SELECT", matchPattern: "x", negateMatchPattern: true,
      reModifiers: "CASELESS,GLOBAL", flagOut: 4, replacePattern: "", destinationHostgroup: 20, cacheTtlMs: 1,
      cacheEmptyResult: false, cacheTimeoutMs: 0, reconnect: true, timeoutMs: 9, retries: 0, delayMs: 4,
      nextQueryFlagIn: 0, mirrorFlagOut: 1, mirrorHostgroup: 30, errorMsg: e, okMsg: o, stickyConn: false,
      multiplex: 2, gtidFromHostgroup: 0, log: true, apply: true, attributes: { a: 1 }, comment: c }
fastRouting:
  - { username: a, schemaname: s, flagIn: 1, destinationHostgroup: 10, comment: c }
  - { username: a, destinationHostgroup: 20 }
firewall:
  enabled: true
  errorMessage: no
  users: [{ username: a, mode: PROTECTING, clientAddress: 10.0.0.1, comment: c, active: false }]
  rules: [{ username: a, digest: "0x1", schemaname: s, flagIn: 2, comment: c }]
  sqliFingerprints: [{ fingerprint: s&1 }]
cache:
  maxBytes: 5000001
  storesWarnings: true
  softTtlPercent: 60
  rules:
    - { ruleId: 3, class: strong }
    - { ruleId: 1, active: false, digest: "0x1f", matchDigest: "^SELECT", schema: s, user: u, tables: [a.b, c.*],
        class: weak, ttlMs: 7, staleWhileRevalidateMs: 8, comment: c }
proxyProtocol: { networks: [10.0.0.0/8, 192.168.0.1] }
`.replace('errorMessage: no', 'errorMessage: "no"'),
);

function allRows(config: Config): TableRows[] {
  return MODULES.flatMap((module) => module.rowsOf(config));
}

for (const [name, config] of Object.entries({ minimal: load(MINIMAL), full: FULL })) {
  for (const module of MODULES) {
    t.test(`${name}: ${module.module}`, async (t) => {
      const warnings: string[] = [];
      const again = await module.withRows(config, module.rowsOf(config), warnings);
      t.strictSame(again, config);
      t.strictSame(warnings, name === 'full' && module.module === 'MYSQL FIREWALL' ? [FINGERPRINTS] : []);
      for (const key of Object.keys(config) as (keyof Config)[])
        if (Array.isArray(config[key])) t.equal(again[key], config[key], `${key} is the same list`);
    });
  }

  t.test(`${name}: rows onto another configuration say the same`, async (t) => {
    let other = load('servers: [zzz]\nmonitor: { username: other }\nusers: [{ username: q }]\n');
    const warnings: string[] = [];
    for (const module of MODULES) other = await module.withRows(other, module.rowsOf(config), warnings);
    t.strictSame(allRows(other), allRows(config));
    t.strictSame(warnings, name === 'full' ? [FINGERPRINTS, HAVE_SSL] : []);
  });
}

t.test('rows as SQLite gives them back: numbers as bigints or texts', async (t) => {
  const asTexts = (value: SqlValue) => (typeof value === 'number' ? String(value) : value);
  const asBigints = (value: SqlValue) => (typeof value === 'number' ? BigInt(value) : value);
  for (const change of [asTexts, asBigints])
    for (const module of MODULES) {
      const changed = module
        .rowsOf(FULL)
        .map(({ table, rows }) => ({ table, rows: rows.map((row) => row.map(change)) }));
      t.strictSame(await module.withRows(FULL, changed, []), FULL, module.module);
    }
});

t.test('every column is in its place', async (t) => {
  for (const { table, rows } of allRows(FULL)) {
    const { columns } = configTableNamed(table);
    for (const row of rows) t.equal(row.length, columns.length, table);
  }
  const mappings = [
    queryRuleMapping,
    fastRouteMapping,
    firewallUserMapping,
    firewallRuleMapping,
    fingerprintMapping,
    replicationHostgroupMapping,
    hostgroupAttributesMapping,
    serverMapping(FULL, new Map()),
    userMapping(FULL),
  ];
  for (const { table, columns, constants = {} } of mappings) {
    const known = new Set(configTableNamed(table).columns);
    t.strictSame(new Set([...Object.keys(columns), ...Object.keys(constants)]), known, table);
  }
});

t.test('every field of the configuration is in a column', async (t) => {
  const schema = configJsonSchema();
  const fields = (path: string) =>
    collectElementSettings(nodeAt(schema, path.split('.')) ?? {}).map(
      (setting) => setting.path.split('.')[0] ?? '',
    );
  const mapped = (columns: Readonly<Record<string, { readonly field: string }>>) =>
    new Set(Object.values(columns).map(({ field }) => field));
  const check = (
    path: string,
    columns: Readonly<Record<string, { readonly field: string }>>,
    others: string[],
  ) => {
    t.strictSame(new Set([...mapped(columns), ...others]), new Set(fields(path)), path);
  };
  check('queryRules', queryRuleMapping.columns, []);
  check('fastRouting', fastRouteMapping.columns, []);
  check('cache.rules', cacheRuleMapping.columns, []);
  check('firewall.users', firewallUserMapping.columns, []);
  check('firewall.rules', firewallRuleMapping.columns, []);
  check('replicationHostgroups', replicationHostgroupMapping.columns, []);
  check('hostgroupAttributes', hostgroupAttributesMapping.columns, ['policy', 'hashKey']);
  const files = ['tlsCa', 'tlsCertificate', 'tlsKey', 'tlsServerName', 'zone'];
  check('servers', serverMapping(FULL, new Map()).columns, files);
  check('users', userMapping(FULL).columns, ['host', 'rateLimit', 'causalReads']);
});

t.test('every setting is a variable, a table or said to be neither', async (t) => {
  const shown = new Set([...CATALOG.all].flatMap(({ setting }) => setting ?? []));
  const tables = new Set([
    'servers',
    'users',
    'admin.users',
    'queryRules',
    'fastRouting',
    'firewall.users',
    'firewall.rules',
    'firewall.sqliFingerprints',
    'replicationHostgroups',
    'hostgroupAttributes',
    'cache.rules',
  ]);
  for (const { path, kind } of collectSettings(configJsonSchema())) {
    const isPlace = path === 'dataDir' || path.endsWith('.addresses') || path === 'http.hostNames';
    t.ok(shown.has(path) || tables.has(path) || isPlace, `${path} (${kind})`);
    const isListOfTexts = [
      'proxyProtocol.networks',
      'cache.level2.endpoints',
      'failover.candidates',
      'failover.etcd.endpoints',
    ].includes(path);
    if (shown.has(path)) t.not(kind === SettingKind.list && !isListOfTexts, true, path);
  }
});

t.test('names of variables are those of one module, without twins', async (t) => {
  const names = [...CATALOG.names];
  t.equal(new Set(names).size, names.length);
  t.strictSame(names, names.toSorted());
  for (const name of names) t.match(name, /^(mysql|admin|sluice)-[A-Za-z0-9_]+$/);
  for (const name of [
    'mysql-max_connections',
    'admin-version',
    'mysql-query_digests',
    'sluice-pool_min_idle',
  ])
    t.ok(CATALOG.find(name), name);
  t.match(CATALOG.find('admin-version')?.read(FULL), /^\d+\.\d+\.\d+-/);
});

t.test('the tables of the modules are those of the layers', async (t) => {
  const tables = new Set(MODULES.flatMap(({ tables }) => tables));
  const loadable = ALL_TABLES.filter(({ kind, module }) => kind === 'config' && module !== null);
  t.strictSame(tables, new Set(loadable.map(({ name }) => name)));
});

t.test('as a file it is the same configuration again', async (t) => {
  const written = new WrittenSettings(CATALOG);
  const backend = load(
    `${MINIMAL}users: { source: backend, refreshIntervalMs: 500, listed: [{ username: a }] }`,
  );
  for (const config of [load(MINIMAL), FULL, backend]) {
    const text = configText(config, written);
    t.strictSame(load(text), config, text);
  }
});
