import { readFileSync } from 'node:fs';
import t from 'tap';
import { collectSettings, configJsonSchema } from '../../../../config/settings.ts';
import { OTHER_VARIABLES } from '../../../../src/control/runtime/proxysql-other-variables.ts';
import { MAPPED_VARIABLES } from '../../../../src/control/runtime/proxysql-variables.ts';
import { imported, sourceOf } from './made-source.ts';

/** Names of variables: those of ProxySQL 2.7, and some that older and newer versions have. */
const PROXYSQL_VARIABLES = readFileSync(new URL('proxysql-variables.txt', import.meta.url), 'utf8')
  .trim()
  .split(/\s+/);
const SERVER = 'mysql_servers=({address="10.0.0.5", hostgroup=0})\n';

function variables(prefix: string, values: Readonly<Record<string, string | number | boolean>>): string {
  const lines = Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${prefix}_variables={ ${lines.join('; ')} }\n`;
}

t.test('every variable of ProxySQL is taken, or has a reason of its own', async (t) => {
  const names = new Set([
    ...PROXYSQL_VARIABLES,
    ...OTHER_VARIABLES.keys(),
    ...MAPPED_VARIABLES.map(({ name }) => name).filter((name) => !name.startsWith('sluice-')),
  ]);
  t.ok(names.size > 240, `${names.size} variables`);
  const source = sourceOf(SERVER);
  const { findings } = await imported({
    ...source,
    variables: new Map([...names].map((name) => [name, { value: '1', place: '' }])),
  });
  const unknown = findings.filter(({ message }) => message.includes('is not known to have'));
  t.strictSame(unknown, []);
  const settings = collectSettings(configJsonSchema()).map(({ path }) => path);
  const sections = new Set(settings.map((path) => path.split('.')[0]));
  for (const { message } of findings)
    for (const [path] of message.matchAll(/\b[a-zA-Z]+(?:\.[a-zA-Z0-9]+)+/g))
      if (sections.has(path.split('.')[0]))
        t.ok(
          settings.some((known) => known.startsWith(path)),
          path,
        );
  const named = new Set(findings.map(({ what }) => what));
  const taken = [...names].filter((name) => !named.has(name));
  // Of these the value alone is taken, with the same meaning.
  t.strictSame(
    taken.sort(),
    [
      'admin-web_enabled',
      'admin-web_port',
      'mysql-connect_timeout_client',
      'mysql-connect_timeout_server',
      'mysql-connect_timeout_server_max',
      'mysql-firewall_whitelist_errormsg',
      'mysql-have_compress',
      'mysql-long_query_time',
      'mysql-max_connections',
      'mysql-max_stmts_per_connection',
      'mysql-mirror_max_concurrency',
      'mysql-monitor_password',
      'mysql-monitor_username',
      'mysql-query_cache_soft_ttl_pct',
      'mysql-query_cache_handle_warnings',
      'mysql-query_cache_stores_empty_result',
      'mysql-proxy_protocol_networks',
      'mysql-ssl_p2s_cert',
      'mysql-ssl_p2s_key',
      'mysql-wait_timeout',
    ].sort(),
  );
});

t.test('values', async (t) => {
  const text = `${SERVER}datadir="/var/lib/px"\n${variables('mysql', {
    threads: 8,
    max_connections: 2048,
    have_compress: false,
    default_query_timeout: 36_000,
    query_cache_size_MB: 128,
    monitor_username: 'mon',
    monitor_password: 'hunter2',
    monitor_read_only_interval: 1500,
    query_digests_max_digest_length: 1024,
    monitor_replication_lag_use_percona_heartbeat: 'percona.heartbeat',
    proxy_protocol_networks: '10.0.0.0/8,192.168.0.1',
    interfaces: '0.0.0.0:6034;[::1]:6035;/tmp/px.sock',
  })}${variables('admin', { admin_credentials: 'boss:secret;other:x', stats_credentials: 'look:me', mysql_ifaces: '0.0.0.0:7032;/tmp/adm.sock' })}`;
  const { yaml } = await imported(text);
  t.match(yaml, {
    listen: { port: 6034, socket: '/tmp/px.sock', addresses: ['[::1]:6035'], compression: false },
    admin: { host: '0.0.0.0', port: 7032, socket: '/tmp/adm.sock' },
    workers: 8,
    limits: { maxConnections: 2048, queryTimeoutMs: 36_000 },
    cache: { maxBytes: 128 * 1024 * 1024 },
    monitor: {
      username: 'mon',
      password: 'hunter2',
      intervalMs: 1500,
      heartbeat: { table: 'percona.heartbeat', write: false },
      discovery: false,
    },
    statistics: { digestTextBytes: 1024 },
    proxyProtocol: { networks: ['10.0.0.0/8', '192.168.0.1'] },
  });
  t.strictSame(
    (yaml.admin as { users: unknown }).users,
    [
      { username: 'boss', password: 'secret' },
      { username: 'other', password: 'x' },
      { username: 'look', password: 'me', role: 'stats' },
    ].map((user) => Object.fromEntries(Object.entries(user).sort())),
  );
});

t.test('a default password is not shown to other machines', async (t) => {
  const { yaml, about } = await imported(
    `${SERVER}${variables('admin', { admin_credentials: 'admin:admin', mysql_ifaces: '0.0.0.0:7032' })}`,
  );
  t.match(yaml, { admin: { port: 7032 } });
  t.notOk((yaml.admin as { host?: string }).host);
  t.match(about('attention', 'admin-mysql_ifaces'), [/only 127\.0\.0\.1:7032 is listened on: admin, stats/]);
});

t.test('values that cannot be: the default stays, and the report says so without secrets', async (t) => {
  const { yaml, findings, about } = await imported(
    `${SERVER}${variables('mysql', {
      threads: 255,
      max_connections: 'many',
      interfaces: 'nowhere',
      monitor_replication_lag_use_percona_heartbeat: 'x',
      thread: 4,
    })}${variables('admin', { admin_credentials: 'hunter2' })}`,
  );
  t.notOk(yaml.workers);
  t.match(about('attention', 'mysql-threads'), [/expected a whole number from 1 to 64, found "255"/]);
  t.match(about('attention', 'mysql-max_connections'), [
    /left at Sluice's default \(limits\.maxConnections\)/,
  ]);
  t.match(about('attention', 'mysql-interfaces'), [/0\.0\.0\.0:6033 is left/]);
  t.match(about('attention', 'mysql-thread'), [/not known to have this variable; mysql-threads is one/]);
  t.match(about('attention', 'admin-admin_credentials'), [/expected name:password/]);
  t.notMatch(JSON.stringify(findings), /hunter2/);
});

t.test("ProxySQL's account for checks, where none is named", async (t) => {
  t.match((await imported(SERVER)).yaml, { monitor: { username: 'monitor', password: 'monitor' } });
  const named = await imported(`${SERVER}${variables('mysql', { monitor_username: 'm' })}`);
  t.match(named.yaml, { monitor: { username: 'm', password: 'monitor' } });
  const empty = await imported(
    `${SERVER}${variables('mysql', { monitor_username: 'm', monitor_password: '' })}`,
  );
  t.equal(empty.config.monitor.password, '');
});

t.test('files that are not here', async (t) => {
  const text = `${SERVER}${variables('mysql', { ssl_p2s_ca: '/nowhere/ca.pem', auditlog_filename: 'audit.log' })}`;
  const { config, about } = await imported(text);
  t.equal(config.backendTls.ca, null);
  t.equal(config.auditLog.file, null);
  t.match(about('attention', 'backendTls'), [
    /^left out; set it when the file is there: .*\/nowhere\/ca\.pem/,
  ]);
  t.match(about('attention', 'auditLog.file'), [/\/var\/lib\/proxysql\/audit\.log/]);
  const kept = await imported(text, { keepsFiles: true });
  t.equal(kept.config.backendTls.ca, '/nowhere/ca.pem');
  t.equal(kept.config.auditLog.file, '/var/lib/proxysql/audit.log');
  t.ok(kept.config.auditLog.clients);
});

t.test('of tables, what is as a new ProxySQL has it says nothing', async (t) => {
  const source = sourceOf(SERVER);
  const values: [string, string][] = [
    ['mysql-threads', '4'],
    ['mysql-max_connections', '10000'],
    ['mysql-poll_timeout', '2000'],
    ['mysql-wait_timeout', '60000'],
  ];
  const { yaml, findings } = await imported({
    ...source,
    holdsDefaults: true,
    variables: new Map(values.map(([name, value]) => [name, { value, place: '' }])),
  });
  t.notOk(yaml.workers);
  t.match(yaml, { limits: { idleTimeoutMs: 60_000 } });
  t.strictSame(
    findings.filter(({ what }) => what.startsWith('mysql-')),
    [],
  );
});
