import { availableParallelism } from 'node:os';
import t from 'tap';
import { ConfigError } from '../../../config/config-error.ts';
import { loadConfig, loadConfigWithSources } from '../../../config/load.ts';
import { planReload } from '../../../config/reload.ts';
import type { Config } from '../../../config/schema.ts';
import type { SnapshotSettings } from '../../../src/common/snapshot.ts';

const MINIMAL = 'servers: ["10.0.0.5:3306"]\nmonitor: { username: monitor, password: secret }\n';

function load(text: string, env: NodeJS.ProcessEnv = {}, flags: Record<string, string> = {}): Config {
  return loadConfig({ file: 'sluice.yaml', text, env, flags });
}

t.test('the least that works has every default', async (t) => {
  const config = load(MINIMAL);
  t.strictSame(config.listen, {
    host: '0.0.0.0',
    port: 6033,
    socket: null,
    addresses: [],
    socketMode: '0777',
    compression: true,
  });
  t.strictSame(config.admin, {
    host: '127.0.0.1',
    port: 6032,
    socket: null,
    addresses: [],
    socketMode: '0770',
    tlsCertificate: null,
    tlsKey: null,
    tlsCa: null,
    tlsRequired: false,
    users: [
      { username: 'admin', password: 'admin', role: 'admin' },
      { username: 'stats', password: 'stats', role: 'stats' },
    ],
  });
  t.strictSame(config.http, {
    host: '127.0.0.1',
    port: 6080,
    dashboard: true,
    openMetrics: null,
    metricsAddress: null,
    tls: false,
    hostNames: [],
    sessionIdleMs: 3_600_000,
    sessionMaxMs: 43_200_000,
    maxConnections: 128,
  });
  t.equal(config.workers, Math.min(availableParallelism(), 64));
  t.strictSame(config.servers, [
    {
      host: '10.0.0.5',
      port: 3306,
      weight: 1,
      maxConnections: null,
      maxReplicationLagMs: 0,
      hostgroup: null,
      status: 'ONLINE',
      compression: false,
      maxLatencyMs: 0,
      gtidPort: 0,
      zone: '',
      comment: '',
      tls: null,
      tlsCa: null,
      tlsCertificate: null,
      tlsKey: null,
      tlsServerName: null,
    },
  ]);
  t.strictSame(config.hostgroups, { writer: 0, reader: 1 });
  t.strictSame(config.users, []);
  t.equal(config.pool.maxConnections, 100);
  t.equal(config.limits.maxPacketBytes, 1_073_741_824, 'what a server may allow, Sluice allows');
  t.equal(config.limits.shutdownGraceMs, 30_000);
  t.strictSame(config.routing, {
    readsOnPrimary: 'fallback',
    whenAllLag: 'primary',
    lagFallbackMaxReads: 64,
    policy: 'least-connections',
    hashKey: 'statement',
    slowStartMs: 10_000,
    zone: '',
    mirrorConcurrency: 16,
    trustViews: false,
  });
  t.strictSame(config.causalReads, { level: 'table', waitMs: 50 });
  t.equal(config.dataDir, null);
});

t.test('the settings of the snapshot are sections of the configuration', async (t) => {
  const config = load(MINIMAL);
  const { pool, limits, routing, causalReads, cache, statistics, hostgroups, proxyProtocol, listen } = config;
  const { log, slowQueryLog, auditLog, tracing, transactionReplay } = config;
  // Compiles only while the names agree.
  const settings: SnapshotSettings = {
    pool,
    limits,
    routing,
    causalReads,
    cache,
    statistics,
    transactionReplay,
    hostgroups,
    proxyNetworks: proxyProtocol.networks,
    compression: listen.compression,
    resolveCommits: false,
    logLevel: log.level,
    slowQueryLog,
    auditLog,
    tracing,
  };
  t.equal(settings.hostgroups.reader, 1);
});

t.test('servers are strings or mappings, and always come out as mappings', async (t) => {
  const { servers } = load(`
servers:
  - db1.example.com
  - "[::1]:3307"
  - "2001:DB8::5"
  - { host: DB2, port: 3308, weight: 3, maxConnections: 7, maxReplicationLagMs: 500, hostgroup: 1 }
  - { host: "[fe80::1]" }
monitor: { username: m }
`);
  t.strictSame(
    servers.map(({ host, port }) => [host, port]),
    [
      ['db1.example.com', 3306],
      ['::1', 3307],
      ['2001:db8::5', 3306],
      ['db2', 3308],
      ['fe80::1', 3306],
    ],
  );
  t.match(servers[3], { weight: 3, maxConnections: 7, maxReplicationLagMs: 500, hostgroup: 1, tls: null });
});

t.test('an address to listen on may be written in brackets', async (t) => {
  const { listen, admin } = load(`${MINIMAL}listen: { host: "[::]" }\nadmin: { host: "[::1]" }`);
  t.equal(listen.host, '::');
  t.equal(admin.host, '::1');
});

t.test('users have every key', async (t) => {
  const { users } = load(
    `${MINIMAL}users: [{ username: app }, { username: r, password: "*AB", defaultSchema: s }]`,
  );
  const defaults = {
    username: 'app',
    password: null,
    host: '%',
    defaultSchema: null,
    maxConnections: 0,
    active: true,
    defaultHostgroup: null,
    schemaLocked: false,
    transactionPersistent: true,
    causalReads: null,
    fastForward: false,
    attributes: '',
    rateLimit: null,
    comment: '',
    requireTls: 'NONE',
  };
  t.strictSame(users, [defaults, { ...defaults, username: 'r', password: '*AB', defaultSchema: 's' }]);
});

t.test('accounts of the primary', async (t) => {
  const load = (text: string) =>
    loadConfig({ file: 'f.yaml', text: `${MINIMAL}${text}`, env: {}, flags: {} });
  t.equal(load('users: []').backendUsers, null);
  const { users, backendUsers } = load('users: { source: backend }');
  t.strictSame(users, []);
  t.strictSame(backendUsers, { refreshIntervalMs: 10_000, timeoutMs: 10_000, serverConnectionLimits: true });
  const mixed = load(
    'users: { source: backend, refreshIntervalMs: 500, listed: [{ username: a, host: 10.% }] }',
  );
  t.match(mixed.users, [{ username: 'a', host: '10.%' }]);
  t.equal(mixed.backendUsers?.refreshIntervalMs, 500);
  t.strictSame(planReload(mixed, load('users: { source: backend }')).changed, ['users']);
  t.strictSame(
    planReload(mixed, load('users: [{ username: a, host: 10.% }]')).changed,
    ['users'],
    'the list is the same, and is all now',
  );
});

t.test('flags go before the environment, and that before the file', async (t) => {
  const text = `${MINIMAL}listen: { port: 1001 }\nhttp: { port: 1002 }\nadmin: { port: 1003 }\n`;
  const config = load(
    text,
    { SLUICE_LISTEN_PORT: '2001', SLUICE_HTTP_PORT: '2002' },
    { 'listen.port': '3001' },
  );
  t.equal(config.listen.port, 3001);
  t.equal(config.http.port, 2002);
  t.equal(config.admin.port, 1003);
  t.equal(config.listen.host, '0.0.0.0', 'the other keys of the section are left alone');
});

t.test('no file is needed', async (t) => {
  const config = loadConfig({
    env: { SLUICE_SERVERS: 'a:1, [::1]:2', SLUICE_MONITOR_USERNAME: 'm', SLUICE_USERS: 'app:se:cret,other' },
    flags: { 'monitor.password': 'p' },
  });
  t.strictSame(
    config.servers.map(({ host, port }) => `${host} ${port}`),
    ['a 1', '::1 2'],
  );
  t.strictSame(
    config.users.map(({ username, password }) => [username, password]),
    [
      ['app', 'se:cret'],
      ['other', null],
    ],
  );
  t.equal(config.monitor.password, 'p');
});

t.test('an empty file and empty sections are the same as none', async (t) => {
  const env = { SLUICE_SERVERS: 'a', SLUICE_MONITOR_USERNAME: 'm' };
  for (const text of ['', '# nothing\n', '---\n', 'listen:\npool:\nmonitor:\n']) {
    t.equal(load(text, env).listen.port, 6033, JSON.stringify(text));
  }
});

t.test('the result is frozen all the way down', async (t) => {
  const config = load(`${MINIMAL}users: [{ username: app }]`);
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    t.ok(Object.isFrozen(value), path);
    for (const [key, child] of Object.entries(value)) walk(child, `${path}.${key}`);
  };
  walk(config, 'config');
});

t.test('a file that cannot be read is named', async (t) => {
  try {
    loadConfig({ file: '/nonexistent/sluice.yaml', env: {}, flags: {} });
    t.fail('loaded a file that does not exist');
  } catch (error) {
    t.ok(error instanceof ConfigError);
    t.equal((error as Error).message, '/nonexistent/sluice.yaml: the file cannot be read (ENOENT)');
  }
});

t.test(
  'sections in sections: flags over variables over the file, and faults with their whole name',
  async (t) => {
    const text =
      'servers: [db]\nmonitor: { username: m }\nfailover:\n  replication: { username: file, password: p }\n  hooks:\n';
    const env = { SLUICE_FAILOVER_REPLICATION_USERNAME: 'variable', SLUICE_FAILOVER_HOOKS_TIMEOUT_MS: '7' };
    const { config, sourceOf } = loadConfigWithSources({
      text,
      env,
      flags: { 'failover.hooks.before': '/hook' },
    });
    t.strictSame(config.failover.replication, { username: 'variable', password: 'p' });
    t.strictSame(config.failover.hooks, { before: '/hook', after: null, timeoutMs: 7 });
    t.match(sourceOf(['failover', 'replication', 'username']), { kind: 'environment' });
    t.match(sourceOf(['failover', 'replication', 'password']), { kind: 'file', line: 4 });
    const faulty = `${text}    timeoutMs: soon\n  candidates: ["a:b"]\n`;
    try {
      loadConfig({ text: faulty, env: {}, flags: { 'failover.replication.username': '' } });
      t.fail('it was accepted');
    } catch (error) {
      const keys = (error as ConfigError).problems.map(({ key }) => key);
      t.strictSame(keys.toSorted(), [
        'failover.candidates[0]',
        'failover.hooks.timeoutMs',
        'failover.replication.username',
      ]);
    }
  },
);
