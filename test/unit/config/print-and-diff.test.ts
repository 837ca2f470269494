/** What `sluice config print` and `sluice config diff` show, and that it is never a secret. */
import t from 'tap';
import { comparable, comparableDefaults, diffConfigs, formatDifference } from '../../../config/diff.ts';
import { type LoadedConfig, loadConfigWithSources } from '../../../config/load.ts';
import { printConfig } from '../../../config/print.ts';
import { collectSettings, configJsonSchema } from '../../../config/settings.ts';

const SECRET = 'hunter2';
const ENV = { APP: SECRET, MON: SECRET };

function load(text: string, env: NodeJS.ProcessEnv = {}, flags: Record<string, string> = {}): LoadedConfig {
  return loadConfigWithSources({ file: 'f.yaml', text, env: { ...ENV, ...env }, flags });
}

function diff(before: string, after: string): string[] {
  return diffConfigs(comparable(load(before)), comparable(load(after))).map(formatDifference);
}

const INLINE = `servers: [db]
monitor: { username: m, password: ${SECRET} }
users: [{ username: app, password: ${SECRET} }, { username: none }]
admin: { users: [{ username: ops, password: ${SECRET} }] }
tls: { certificate: c, key: "-----BEGIN PRIVATE KEY-----\\n${SECRET}\\n-----END PRIVATE KEY-----" }
tracing: { endpoint: "https://user:${SECRET}@traces.example.org/v1/traces" }
`;

t.test('every setting is printed with its source, and no secret', async (t) => {
  const printed = printConfig(load(INLINE, { SLUICE_POOL_MIN_IDLE: '3' }, { 'listen.port': '7000' }));
  t.notOk(printed.includes(SECRET));
  for (const { path } of collectSettings(configJsonSchema())) {
    const key = path.split('.').at(-1);
    // There is none, and no value would say so.
    if (path === 'cache.level2.sentinelPassword') continue;
    t.match(printed, new RegExp(`^ *${key}: `, 'm'), path);
  }
  t.match(printed, /^ {2}password: "\*\*\*" +# f\.yaml:2$/m);
  t.match(printed, /^ {2}port: 7000 +# --listen\.port$/m);
  t.match(printed, /^ {2}minIdle: 3 +# SLUICE_POOL_MIN_IDLE$/m);
  t.match(printed, /^ {2}maxConnections: 100 +# default$/m);
  t.match(printed, /^users: # f\.yaml:3\n {2}- username: app\n {4}password: "\*\*\*"\n/m);
  t.match(printed, /endpoint: "https:\/\/\*\*\*@traces\.example\.org\/v1\/traces"/);
});

t.test('what is printed is a configuration itself where secrets are elsewhere', async (t) => {
  const text = `servers: [db, { host: "::1", port: 3307, weight: 0 }]
monitor: { username: m, password: { env: MON } }
users: { source: backend, listed: [{ username: app, password: { env: APP } }] }
admin: { users: [{ username: ops, password: { env: APP }, role: stats }] }
queryRules: [{ ruleId: 1, matchDigest: "^SELECT", destinationHostgroup: 1, apply: true }]
log: { level: warn }
`;
  const first = load(text);
  const printed = printConfig(first);
  t.notOk(printed.includes(SECRET));
  // Whatever is printed is written, what fits this machine as well.
  t.strictSame(load(printed).config, { ...first.config, fitted: {} });
  t.strictSame(diff(text, printed), []);
});

const BASE = `servers: [db]\nmonitor: { username: m, password: ${SECRET} }\n`;

t.test('differences', async (t) => {
  t.strictSame(diff(BASE, BASE), []);
  t.strictSame(diff(BASE, `${BASE}listen: { port: 7000 }\npool: { minIdle: 2 }\n`), [
    '~ listen.port: 6033 -> 7000  (at the next start)',
    '~ pool.minIdle: 0 -> 2',
  ]);
  t.strictSame(
    diff(
      `${BASE}users: [{ username: a, password: x }, { username: b }, { username: c }]`,
      `${BASE}users: [{ username: c, maxConnections: 5 }, { username: a, password: y }, { username: d, password: z }]`,
    ),
    [
      '~ users[a].password: *** (another one)',
      '- users[b]: {"username":"b"}',
      '~ users[c].maxConnections: 0 -> 5',
      '+ users[d]: {"username":"d","password":"***"}',
    ],
    'elements of lists are told apart by name, in any order',
  );
  t.strictSame(diff(BASE, BASE.replace(SECRET, '{ env: MON }')), [], 'the same secret from elsewhere');
  t.strictSame(diff(BASE.replace(SECRET, 'x'), BASE.replace(SECRET, '{ env: MON }')), [
    '~ monitor.password: "***" -> {"env":"MON"}',
  ]);
  t.strictSame(diff(BASE, BASE.replace('[db]', '["db:3306", "db:3307"]')), [
    '+ servers[db:3307]: {"host":"db","port":3307}',
  ]);
  t.strictSame(diff(`${BASE}users: [{ username: a }]`, `${BASE}users: { source: backend }`), [
    '- users[a]: {"username":"a"}',
    '+ users.source: "backend"',
    '+ users.refreshIntervalMs: 10000',
    '+ users.timeoutMs: 10000',
    '+ users.serverConnectionLimits: true',
  ]);
});

t.test('differences from the defaults', async (t) => {
  const lines = diffConfigs(comparableDefaults(), comparable(load(`${BASE}log: { level: debug }\n`)));
  t.strictSame(lines.map(formatDifference), [
    '~ monitor.username: null -> "m"',
    '~ monitor.password: null -> "***"',
    '~ log.level: "info" -> "debug"',
    '+ servers[db:3306]: {"host":"db"}',
  ]);
});
