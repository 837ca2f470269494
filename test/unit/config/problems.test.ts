/** Every kind of mistake: which key, which line, which sentence, which nearest name. */
import t from 'tap';
import { ConfigError } from '../../../config/config-error.ts';
import { loadConfig } from '../../../config/load.ts';

const BASE = 'servers: [a]\nmonitor: { username: m }\n';

function messages(text: string, env: NodeJS.ProcessEnv = {}, flags: Record<string, string> = {}): string[] {
  try {
    loadConfig({ file: 'f.yaml', text, env, flags });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
}

interface Case {
  readonly name: string;
  /** Appended to a good configuration of two lines. */
  readonly text: string;
  readonly expected: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: 'unknown section',
    text: 'lsten: { port: 1 }',
    expected: ['f.yaml:3: lsten: unknown key, did you mean "listen"?'],
  },
  {
    name: 'unknown key in a section',
    text: 'pool:\n  maxConnections: 5\n  max_idle: 3',
    expected: ['f.yaml:5: pool.max_idle: unknown key, did you mean "minIdle"?'],
  },
  {
    name: 'another spelling of a key',
    text: 'limits: { idle-timeout-ms: 3 }',
    expected: ['f.yaml:3: limits.idle-timeout-ms: unknown key, did you mean "idleTimeoutMs"?'],
  },
  {
    name: 'right key, wrong section',
    text: 'trustViews: 3',
    expected: ['f.yaml:3: trustViews: unknown key, did you mean "routing.trustViews"?'],
  },
  {
    name: 'a key of an earlier version',
    text: 'routing: { stickyAfterWriteMs: 2000 }',
    expected: [
      'f.yaml:3: routing.stickyAfterWriteMs: is no setting any more: "causalReads.level" says which writes a read must see',
    ],
  },
  {
    name: 'a second level by URL, whose password is not repeated',
    text: 'cache: { level2: { kind: redis, endpoints: ["redis://u:secret@h:1", "unix:relative", "h"] } }',
    expected: [
      'f.yaml:3: cache.level2.endpoints[0]: expected host:port and no URL: what else it says are settings of their own',
      'f.yaml:3: cache.level2.endpoints[1]: expected unix: and an absolute path of at most 107 bytes',
      'f.yaml:3: cache.level2.endpoints[2]: expected host:port',
    ],
  },
  {
    name: 'a second level of which the parts do not go together',
    text: 'cache: { level2: { kind: redis, topology: cluster, endpoints: ["unix:/s", "h:1", "h:1"], database: 2, sentinelName: m, certificate: /c } }',
    expected: [
      'f.yaml:3: cache.level2.endpoints[0]: cache.level2.topology is cluster, whose endpoints are host:port',
      'f.yaml:3: cache.level2.endpoints: an endpoint is listed twice',
      'f.yaml:3: cache.level2.certificate: cache.level2.certificate is of no use without cache.level2.tls',
      'f.yaml:3: cache.level2.key: cache.level2.certificate and cache.level2.key come together',
      'f.yaml:3: cache.level2.database: cache.level2.database is 2, and a Redis Cluster has 0 only',
      'f.yaml:3: cache.level2.sentinelName: cache.level2.sentinelName is for cache.level2.topology sentinel only',
    ],
  },
  {
    name: 'Sentinels without a name',
    text: 'cache: { level2: { kind: redis, topology: sentinel, endpoints: ["h:1"] } }',
    expected: [
      'f.yaml:3: cache.level2.sentinelName: cache.level2.topology is sentinel, which needs cache.level2.sentinelName',
    ],
  },
  {
    name: 'memcached with what Redis has',
    text: 'cache: { level2: { kind: memcached, topology: cluster, endpoints: ["h:1"], database: 1, username: u } }',
    expected: [
      'f.yaml:3: cache.level2.username: cache.level2.username is not for memcached',
      'f.yaml:3: cache.level2.database: cache.level2.database is not for memcached',
      'f.yaml:3: cache.level2.topology: cache.level2.topology cluster is not for memcached',
    ],
  },
  { name: 'nothing near', text: 'xyzzy: 3', expected: ['f.yaml:3: xyzzy: unknown key'] },
  {
    name: 'port too large',
    text: 'listen: { port: 65536 }',
    expected: ['f.yaml:3: listen.port: expected a whole number from 0 to 65535, found 65536'],
  },
  {
    name: 'port negative',
    text: 'http: { port: -1 }',
    expected: ['f.yaml:3: http.port: expected a whole number from 0 to 65535, found -1'],
  },
  {
    name: 'port with a fraction',
    text: 'http: { port: 60.5 }',
    expected: ['f.yaml:3: http.port: expected a whole number from 0 to 65535, found 60.5'],
  },
  {
    name: 'number written as text',
    text: 'listen: { port: "6033" }',
    expected: ['f.yaml:3: listen.port: expected a whole number from 0 to 65535, found "6033"'],
  },
  {
    name: 'nothing where a number must be',
    text: 'listen:\n  port:\n',
    expected: ['f.yaml:4: listen.port: expected a whole number from 0 to 65535, found nothing'],
  },
  {
    name: 'not a number at all',
    text: 'pool: { minIdle: .nan }',
    expected: ['f.yaml:3: pool.minIdle: expected a whole number from 0 to 1000000, found null'],
  },
  {
    name: 'text where a switch must be',
    text: 'routing: { trustViews: yes }',
    expected: ['f.yaml:3: routing.trustViews: expected true or false, found "yes"'],
  },
  {
    name: 'unknown choice',
    text: 'routing: { readsOnPrimary: fallbck }',
    expected: [
      'f.yaml:3: routing.readsOnPrimary: expected one of fallback, share, found "fallbck", did you mean "fallback"?',
    ],
  },
  {
    name: 'list where a section must be',
    text: 'listen: [1]',
    expected: ['f.yaml:3: listen: expected a mapping, found a list'],
  },
  {
    name: 'empty text',
    text: 'listen: { host: "" }',
    expected: ['f.yaml:3: listen.host: must not be empty'],
  },
  {
    name: 'password that is a comment',
    text: 'users:\n  - username: app\n    password: #hunter2',
    expected: ['f.yaml:5: users[0].password: expected text (put it in quotes), found nothing'],
  },
  {
    name: 'host with a port',
    text: 'listen: { host: "0.0.0.0:6033" }',
    expected: ['f.yaml:3: listen.host: expected a host name or an IP address, without a port'],
  },
  {
    name: 'socket path that does not fit',
    text: `listen: { socket: /${'x'.repeat(120)} }`,
    expected: ['f.yaml:3: listen.socket: the path has 121 bytes, the system allows 107'],
  },
  {
    name: 'the same port twice',
    text: 'listen: { host: 127.0.0.1 }\nadmin: { port: 6080 }',
    expected: ['f.yaml: http.port: 6080 is the port of admin.port too'],
  },
  {
    name: 'hostgroups alike',
    text: 'hostgroups:\n  writer: 1',
    expected: [
      'f.yaml:3: hostgroups.reader: hostgroups.reader and hostgroups.writer are both 1, they must differ',
    ],
  },
  {
    name: 'more idle connections than connections',
    text: 'pool:\n  maxConnections: 5\n  minIdle: 6',
    expected: ['f.yaml:5: pool.minIdle: pool.minIdle (6) is more than pool.maxConnections (5)'],
  },
  {
    name: 'two users alike',
    text: 'users:\n  - username: app\n    password: a\n  - { username: other }\n  - username: app',
    expected: ['f.yaml:7: users[2]: user "app" is in the list already, as users[0]'],
  },
  {
    name: 'user without a name',
    text: 'users:\n  - { password: hunter2 }',
    expected: ['f.yaml:4: users[0].username: is missing, expected text'],
  },
  {
    name: 'number as a password',
    text: 'users:\n  - username: app\n    password: 123456',
    expected: ['f.yaml:5: users[0].password: expected text (put it in quotes), found a number'],
  },
  {
    name: 'users that is no list',
    text: 'users: app',
    expected: ['f.yaml:3: users: expected a list or a mapping, found text'],
  },
  {
    name: 'a key of the accounts of the backend',
    text: 'users: { source: backend, refreshMs: 5 }',
    expected: ['f.yaml:3: users.refreshMs: unknown key'],
  },
  {
    name: 'twins beside the accounts of the backend',
    text: 'users:\n  source: backend\n  listed: [{ username: a }, { username: a, host: 10.% }, { username: a }]',
    expected: ['f.yaml:5: users.listed[2]: user "a" is in the list already, as users.listed[0]'],
  },
  {
    name: 'another source of accounts',
    text: 'users: { source: ldap }',
    expected: ['f.yaml:3: users.source: expected backend'],
  },
  {
    name: 'two administrators alike',
    text: 'admin:\n  users:\n    - { username: a, password: x }\n    - { username: a, password: y }',
    expected: ['f.yaml:6: admin.users[1]: user "a" is in the list already, as admin.users[0]'],
  },
  {
    name: 'a key of an administrator',
    text: 'admin:\n  users:\n    - { username: a, pasword: x }',
    expected: [
      'f.yaml:5: admin.users[0].password: is missing, expected text',
      'f.yaml:5: admin.users[0].pasword: unknown key, did you mean "password"?',
    ],
  },
  {
    name: 'default password beyond loopback',
    text: 'admin: { host: 0.0.0.0 }',
    expected: [
      'f.yaml:3: admin.host: "0.0.0.0" is not loopback, and user "admin" of admin.users has a default password: set another one, or listen on 127.0.0.1',
      'f.yaml:3: admin.host: "0.0.0.0" is not loopback, and user "stats" of admin.users has a default password: set another one, or listen on 127.0.0.1',
    ],
  },
  {
    name: 'default password on another address of the admin port',
    text: "admin: { addresses: ['0.0.0.0:7032', /run/admin.sock], users: [{ username: ops, password: ops }] }",
    expected: [
      'f.yaml:3: admin.addresses[0]: "0.0.0.0" is not loopback, and user "ops" of admin.users has a default password: set another one, or listen on 127.0.0.1',
    ],
  },
  {
    name: 'a certificate of the admin port without its key, and TLS that nobody could use',
    text: 'admin: { tlsCertificate: /a.pem }',
    expected: ['f.yaml:3: admin.tlsKey: a certificate without its key'],
  },
  {
    name: 'TLS of the admin port that nobody could use',
    text: 'admin: { tlsRequired: true }',
    expected: [
      'f.yaml:3: admin.tlsRequired: nobody could log in: neither admin.tlsCertificate nor tls.certificate is set',
    ],
  },
  {
    name: 'one socket for clients and operators',
    text: 'listen: { socket: /run/sluice.sock }\nadmin: { socket: /run/sluice.sock }',
    expected: ['f.yaml:4: admin.socket: /run/sluice.sock is a socket for clients already'],
  },
  {
    name: 'unknown role',
    text: 'admin: { users: [{ username: ops, password: long, role: stat }] }',
    expected: [
      'f.yaml:3: admin.users[0].role: expected one of admin, stats, found "stat", did you mean "stats"?',
    ],
  },
  {
    name: 'default password beyond loopback, as a hash',
    text: 'admin:\n  host: "::"\n  users: [{ username: ops, password: "*4ACFE3202A5FF5CF467898FC58AAB1D615029441" }]',
    expected: [
      'f.yaml:4: admin.host: "::" is not loopback, and user "ops" of admin.users has a default password: set another one, or listen on 127.0.0.1',
    ],
  },
  {
    name: 'default password on an http port beyond loopback, metrics on the same port, HTTPS without a certificate',
    text: 'http: { host: 0.0.0.0, tls: true, metricsAddress: "10.0.0.1:6080" }',
    expected: [
      'f.yaml:3: http.host: "0.0.0.0" is not loopback, and user "admin" of admin.users, who may log in there, has a default password: set another one, listen on 127.0.0.1, or set http.dashboard to false',
      'f.yaml:3: http.host: "0.0.0.0" is not loopback, and user "stats" of admin.users, who may log in there, has a default password: set another one, listen on 127.0.0.1, or set http.dashboard to false',
      'f.yaml:3: http.tls: HTTPS needs tls.certificate and tls.key',
      'f.yaml:3: http.metricsAddress: 6080 is the port of http.port too',
    ],
  },
  {
    name: 'an address of metrics without a port',
    text: 'http: { host: 0.0.0.0, dashboard: false, metricsAddress: 10.0.0.1 }',
    expected: ['f.yaml:3: http.metricsAddress: expected host:port'],
  },
  {
    name: 'key twice',
    text: 'listen: { port: 1 }\nlisten: { port: 2 }',
    expected: ['f.yaml:4: this key stands twice in the same mapping'],
  },
  {
    name: 'tabs',
    text: 'listen:\n\tport: 1',
    expected: ['f.yaml:4: indent with spaces, not tabs'],
  },
  {
    name: 'hash without quotes',
    text: 'users:\n  - username: app\n    password: *2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19',
    expected: ['f.yaml:5: a value that begins with * must be in quotes'],
  },
  {
    name: 'names that every object has',
    text: '__proto__: { a: 1 }\nconstructor: 1\ntoString: 1',
    expected: [
      'f.yaml:3: __proto__: unknown key',
      'f.yaml:4: constructor: unknown key',
      'f.yaml:5: toString: unknown key',
    ],
  },
];

for (const { name, text, expected } of CASES) {
  t.test(name, async (t) => {
    t.strictSame(messages(`${BASE}${text}\n`), expected);
  });
}

t.test('servers', async (t) => {
  const found = messages(
    [
      'monitor: { username: m }',
      'servers:',
      '  - db1:3306',
      '  - DB1',
      '  - { host: db1, prot: 3306 }',
      '  - db2:99999',
      '  - db2:x',
      '  - 10.0.0.256',
      '  - "mysql://user:hunter2@db3:3306"',
      '  - 3306',
      '  - { port: 3306 }',
      '  - { host: db4, tls: true, tlsKey: /k.pem }',
      '  - { host: db5, weight: -1 }',
      '  - host: db1',
      '    port: 3306',
      '  - 127.0.0.1:6033',
    ].join('\n'),
  );
  t.strictSame(found, [
    'f.yaml:2: servers: 127.0.0.1:6033 is where Sluice itself listens (listen.port: 6033)',
    'f.yaml:4: servers[1]: db1:3306 is in the list already, as servers[0]',
    'f.yaml:5: servers[2].prot: unknown key, did you mean "port"?',
    'f.yaml:6: servers[3]: "db2:99999" has no valid port, expected 1 to 65535',
    'f.yaml:7: servers[4]: "db2:x" has no valid port, expected 1 to 65535',
    'f.yaml:8: servers[5]: expected host:port, "10.0.0.256" has no valid host',
    'f.yaml:9: servers[6]: expected host:port, without user, password, scheme or path',
    'f.yaml:10: servers[7]: expected text or a mapping, found a number',
    'f.yaml:11: servers[8].host: is missing, expected text',
    'f.yaml:12: servers[9].tlsCertificate: a key without its certificate',
    'f.yaml:13: servers[10].weight: expected a whole number from 0 to 10000000, found -1',
    'f.yaml:14: servers[11]: db1:3306 is in the list already, as servers[0]',
  ]);
});

t.test('what must be given is asked for', async (t) => {
  t.strictSame(messages(''), [
    'f.yaml: servers: at least one server is needed, such as "10.0.0.5:3306"',
    'f.yaml: monitor.username: the account that watches the servers is needed',
  ]);
});

t.test('a list longer than the tables of the threads', async (t) => {
  const servers = Array.from({ length: 257 }, (_, index) => `s${index}`).join(', ');
  t.strictSame(messages(`monitor: { username: m }\nservers: [${servers}]`), [
    'f.yaml:2: servers[256]: these are more than 256 different servers',
  ]);
});

t.test('a file that is no mapping', async (t) => {
  t.strictSame(messages('- a\n- b\n'), ['f.yaml:1: expected a mapping of settings, such as "listen:"']);
  t.strictSame(messages('just words\n'), ['f.yaml:1: expected a mapping of settings, such as "listen:"']);
});

t.test('a file that would grow without end is refused', async (t) => {
  const lines = ['a: &a [x,x,x,x,x,x,x,x,x]'];
  for (const [name, before] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg', 'ih'].map((pair) => [...pair])) {
    lines.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`);
  }
  t.strictSame(messages(lines.join('\n')), ['f.yaml: too many aliases']);
});

t.test('environment', async (t) => {
  const env = {
    SLUICE_LISTN_PORT: '1',
    SLUICE_HTTP_PORT: 'many',
    SLUICE_MONITOR_DISCOVERY: 'perhaps',
    SLUICE_SERVERS: 'a,,b',
    SLUICE_ADMIN_HOST: '',
    SLUICE_CONFIG: '/etc/sluice.yaml',
    SLUICE_POOL_MIN_IDLE: '-3',
    PATH: '/bin',
  };
  t.strictSame(messages('monitor: { username: m }', env), [
    'SLUICE_LISTN_PORT: unknown environment variable, did you mean SLUICE_LISTEN_PORT?',
    'SLUICE_HTTP_PORT: http.port: expected a whole number',
    'SLUICE_MONITOR_DISCOVERY: monitor.discovery: expected true or false',
    'SLUICE_SERVERS: servers: expected a comma-separated list, but an element is empty',
    'SLUICE_POOL_MIN_IDLE: pool.minIdle: expected a whole number from 0 to 1000000, found -3',
  ]);
});

t.test('an element of a list is blamed on the layer that set the list', async (t) => {
  t.strictSame(messages(BASE, { SLUICE_SERVERS: 'a:1,b:99999' }), [
    'SLUICE_SERVERS: servers[1]: "b:99999" has no valid port, expected 1 to 65535',
  ]);
  t.strictSame(messages(BASE, {}, { users: '[{"username":"x","maxConnection":3}]' }), [
    '--users: users[0].maxConnection: unknown key, did you mean "maxConnections"?',
  ]);
});

t.test('flags', async (t) => {
  t.strictSame(messages(BASE, {}, { 'listen.prot': '1', 'log.level': 'loud' }), [
    '--listen.prot: unknown flag, did you mean --listen.port?',
    '--log.level: log.level: expected one of trace, debug, info, warn, error, fatal, silent, found "loud"',
  ]);
});

t.test(
  'variables that Kubernetes sets for services called like us, and those of our tests, are no settings',
  async (t) => {
    const env = {
      SLUICE_SERVICE_HOST: '10.96.0.1',
      SLUICE_SERVICE_PORT: '6033',
      SLUICE_SERVICE_PORT_MYSQL: '6033',
      SLUICE_PORT: 'tcp://10.96.0.1:6033',
      SLUICE_PORT_6033_TCP: 'tcp://10.96.0.1:6033',
      SLUICE_PORT_6033_TCP_PROTO: 'tcp',
      SLUICE_PORT_6033_TCP_PORT: '6033',
      SLUICE_PORT_6033_TCP_ADDR: '10.96.0.1',
      SLUICE_ADMIN_PORT: 'tcp://10.96.0.2:6032',
      SLUICE_TEST_SEED: '5',
    };
    t.strictSame(messages(BASE, env), []);
    t.equal(loadConfig({ text: BASE, env, flags: {} }).admin.port, 6032);
  },
);

t.test('hostgroups: pairs, places of servers, and what is sent nowhere', async (t) => {
  const hostgroups = (text: string) => messages(`${BASE}${text}`);
  t.strictSame(
    hostgroups(
      'replicationHostgroups: [{ writerHostgroup: 10, readerHostgroup: 10 }, { writerHostgroup: 20, readerHostgroup: 10 }]\n',
    ),
    [
      'f.yaml:3: replicationHostgroups[0].readerHostgroup: writerHostgroup and readerHostgroup are both 10, they must differ',
      'f.yaml:3: replicationHostgroups[1].readerHostgroup: hostgroup 10 is in a pair already, replicationHostgroups[0]',
    ],
  );
  t.strictSame(
    hostgroups(
      [
        'users: [{ username: a, defaultHostgroup: 7 }, { username: b, defaultHostgroup: 8, active: false }]',
        'queryRules:',
        '  - { ruleId: 1, destinationHostgroup: 1, mirrorHostgroup: 9 }',
        '  - { ruleId: 2, destinationHostgroup: 9, active: false }',
        'fastRouting: [{ username: a, destinationHostgroup: 5 }]',
      ].join('\n'),
    ),
    [
      'f.yaml:3: users[0].defaultHostgroup: there is no hostgroup 7: no server and no pair has it (there are 0, 1)',
      'f.yaml:5: queryRules[0].mirrorHostgroup: there is no hostgroup 9: no server and no pair has it (there are 0, 1)',
      'f.yaml:7: fastRouting[0].destinationHostgroup: there is no hostgroup 5: no server and no pair has it (there are 0, 1)',
    ],
  );
  t.strictSame(
    hostgroups(
      'hostgroups: { writer: 5, reader: 6 }\nreplicationHostgroups: [{ writerHostgroup: 1, readerHostgroup: 2 }]',
    ),
    [
      'f.yaml:3: hostgroups.writer: 5 is the writer of no pair in replicationHostgroups; leave hostgroups out, or name the pair that is the default',
    ],
  );
  t.strictSame(hostgroups('hostgroupAttributes: [{ hostgroup: 1 }, { hostgroup: 1 }]'), [
    'f.yaml:3: hostgroupAttributes[1].hostgroup: hostgroup 1 is in the list already, as hostgroupAttributes[0]',
  ]);
  t.strictSame(
    messages(
      'monitor: { username: m }\nservers: [{host: a}, {host: a, hostgroup: 5}, {host: a, hostgroup: 5}, {host: A, hostgroup: 0}]',
    ),
    [
      'f.yaml:2: servers[2]: a:3306 in hostgroup 5 is in the list already, as servers[1]',
      'f.yaml:2: servers[3]: a:3306 in hostgroup 0 is in the list already, as servers[0]',
    ],
  );
});

t.test('rules, routes and the firewall', async (t) => {
  t.strictSame(
    messages(
      [
        `${BASE}queryRules:`,
        '  - { ruleId: 1, digest: 12 }',
        '  - { ruleId: 2, replacePattern: x }',
        '  - { ruleId: 2, matchDigest: y }',
        '  - { matchDigest: y }',
        'fastRouting: [{ username: a, destinationHostgroup: 0 }, { username: a, destinationHostgroup: 1 }]',
        'firewall:',
        '  users: [{ username: a, mode: OFF }, { username: a, mode: PROTECTING }]',
        '  rules: [{ username: a, digest: "0x1" }, { username: a, digest: "0x1" }]',
      ].join('\n'),
    ),
    [
      'f.yaml:4: queryRules[0].digest: expected text (put it in quotes), found a number',
      'f.yaml:5: queryRules[1].replacePattern: there is no matchPattern whose matches it could replace',
      'f.yaml:6: queryRules[2]: rule 2 is in the list already, as queryRules[1]',
      'f.yaml:7: queryRules[3].ruleId: is missing, expected a whole number from 1 to 2147483647',
      'f.yaml:8: fastRouting[1]: user "a", schema "", flagIn 0 is in the list already, as fastRouting[0]',
      'f.yaml:10: firewall.users[1]: user "a" from "" is in the list already, as firewall.users[0]',
      'f.yaml:11: firewall.rules[1]: 0x1 of user "a" from "" in schema "" with flagIn 0 is in the list already, as firewall.rules[0]',
    ],
  );
});

t.test('the cache', async (t) => {
  t.strictSame(
    messages(
      [
        `${BASE}cache:`,
        '  maxBytes: 1048576',
        '  maxResultBytes: 2000000',
        '  auto: weak',
        '  follower: { maxLagMs: 0, serverId: 0 }',
        '  rules:',
        '    - { ruleId: 1, class: weak }',
        '    - { ruleId: 2, class: strong, ttlMs: 5 }',
        '    - { ruleId: 3, class: immutable, staleWhileRevalidateMs: 5 }',
        '    - { ruleId: 4, class: storng }',
        '    - { ruleId: 5, class: weak, ttlMs: 0 }',
        '    - { ruleId: 6, class: weak, ttlMs: -1 }',
        '    - { ruleId: 7 }',
        '    - { ruleId: 8, class: strong, digest: "0xyz" }',
        '    - { ruleId: 1, class: strong, tables: [orders, shop.orders, shop.*] }',
        '    - { ruleId: 9, class: weak, ttl: 5 }',
      ].join('\n'),
    ),
    [
      'f.yaml:5: cache.maxResultBytes: cache.maxResultBytes (2000000) is more than cache.maxBytes (1048576)',
      'f.yaml:6: cache.auto: expected one of off, strong, found "weak"',
      'f.yaml:7: cache.follower.serverId: expected a whole number from 1 to 4294967295, found 0',
      'f.yaml:7: cache.follower.maxLagMs: expected a whole number from 10 to 3600000, found 0',
      'f.yaml:12: cache.rules[3].class: expected one of strong, weak, immutable, off, found "storng", did you mean "strong"?',
      'f.yaml:13: cache.rules[4].ttlMs: expected a whole number from 1 to 2147483647, found 0',
      'f.yaml:14: cache.rules[5].ttlMs: expected a whole number from 1 to 2147483647, found -1',
      'f.yaml:15: cache.rules[6].class: is missing, expected one of strong, weak, immutable, off',
      'f.yaml:16: cache.rules[7].digest: expected 0x and up to 16 hexadecimal digits',
      'f.yaml:18: cache.rules[9].ttl: unknown key, did you mean "ttlMs"?',
    ],
  );
  t.strictSame(
    messages(
      [
        `${BASE}cache:`,
        '  maxBytes: 1048576',
        '  maxResultBytes: 2000000',
        '  rules:',
        '    - { ruleId: 1, class: weak }',
        '    - { ruleId: 2, class: strong, ttlMs: 5 }',
        '    - { ruleId: 3, class: immutable, staleWhileRevalidateMs: 5 }',
        '    - { ruleId: 1, class: strong, tables: [orders, shop.orders, shop.*] }',
      ].join('\n'),
    ),
    [
      'f.yaml:5: cache.maxResultBytes: cache.maxResultBytes (2000000) is more than cache.maxBytes (1048576)',
      'f.yaml:7: cache.rules[0].ttlMs: the class weak needs it: how old may a result be?',
      'f.yaml:8: cache.rules[1].ttlMs: it is for the class weak, not for strong',
      'f.yaml:9: cache.rules[2].staleWhileRevalidateMs: it is for the class weak, not for immutable',
      'f.yaml:10: cache.rules[3].ruleId: rule 1 is in the list already, as cache.rules[0]',
      'f.yaml:10: cache.rules[3].tables[0]: expected schema.table or schema.*, not "orders"',
    ],
  );
});
