import t from 'tap';
import { imported, sourceOf } from './made-source.ts';

/** A primary with two replicas, the usual split by rules. */
const USUAL = `
mysql_servers=(
  { address="10.0.0.5", port=3306, hostgroup=10, max_connections=200 },
  { hostname="10.0.0.6", hostgroup_id=11, weight=5, max_replication_lag=10, use_ssl=1 },
  { hostname="10.0.0.7", hostgroup_id=11, status="OFFLINE_SOFT", comment="backup", gtid_port=3307, compression=1 }
)
mysql_replication_hostgroups=( { writer_hostgroup=10, reader_hostgroup=11, comment="shop" } )
mysql_users=(
  { username="app", password="secret", default_hostgroup=10, max_connections=500, default_schema="shop" },
  { username="report", password="*0D3CED9BEC10A777AEC23CCC353A8C08A633045E", default_hostgroup=11 }
)
mysql_query_rules=(
  { rule_id=1, match_digest="^SELECT .* FOR UPDATE", destination_hostgroup=10, apply=1 },
  { rule_id=2, match_digest="^SELECT", destination_hostgroup=11, apply=1, cache_ttl=-1 }
)
`;

t.test('the usual', async (t) => {
  const { yaml, findings, about } = await imported(USUAL);
  t.strictSame(yaml.servers, [
    { host: '10.0.0.5', hostgroup: 10, maxConnections: 200 },
    { host: '10.0.0.6', hostgroup: 11, maxReplicationLagMs: 10_000, tls: true, weight: 5 },
    { comment: 'backup', host: '10.0.0.7', hostgroup: 11, status: 'OFFLINE_SOFT' },
  ]);
  t.strictSame(yaml.replicationHostgroups, [{ comment: 'shop', readerHostgroup: 11, writerHostgroup: 10 }]);
  t.strictSame(yaml.users, [
    { defaultHostgroup: 10, defaultSchema: 'shop', maxConnections: 500, password: 'secret', username: 'app' },
    { defaultHostgroup: 11, password: '*0D3CED9BEC10A777AEC23CCC353A8C08A633045E', username: 'report' },
  ]);
  t.strictSame(yaml.queryRules, [
    { apply: true, destinationHostgroup: 10, matchDigest: '^SELECT .* FOR UPDATE', ruleId: 1 },
    { apply: true, destinationHostgroup: 11, matchDigest: '^SELECT', ruleId: 2 },
  ]);
  const key = 'mysql_servers hostgroup_id 11, hostname 10.0.0.7, port 3306';
  t.match(about('missing', `${key}, column gtid_port`), [/GTIDs are asked of the server itself/]);
  t.match(about('missing', `${key}, column compression`), [/uncompressed/]);
  t.strictSame(
    findings.filter(({ kind }) => kind === 'attention'),
    [],
  );
  t.equal(findings.find(({ what }) => what.endsWith('gtid_port'))?.place, 'line 5');
});

t.test('every column of a rule', async (t) => {
  const { yaml, about } = await imported(`${USUAL.replace(/mysql_query_rules[\s\S]*/, '')}
mysql_query_rules=(
  { rule_id=5, active=0, username="app", schemaname="shop", flagIN=3, client_addr="10.%", proxy_addr="10.0.0.1",
    proxy_port=6033, match_digest="x", match_pattern="y", negate_match_pattern=1, re_modifiers="CASELESS,GLOBAL",
    flagOUT=7, replace_pattern="z", cache_ttl=1000, cache_empty_result=0, cache_timeout=5, reconnect=1, timeout=100,
    retries=2, delay=3, next_query_flagIN=8, mirror_flagOUT=9, mirror_hostgroup=11, error_msg="no", OK_msg="ok",
    sticky_conn=1, multiplex=2, gtid_from_hostgroup=10, log=1, apply=0, attributes="", comment="c" },
  { rule_id=4, digest="0xABC", destination_hostgroup=11, apply=1 }
)`);
  t.strictSame((yaml.queryRules as readonly object[])[1], {
    active: false,
    ...{
      ruleId: 5,
      username: 'app',
      schemaname: 'shop',
      flagIn: 3,
      clientAddr: '10.%',
      proxyAddr: '10.0.0.1',
    },
    ...{ proxyPort: 6033, matchDigest: 'x', matchPattern: 'y', negateMatchPattern: true },
    ...{
      reModifiers: 'CASELESS,GLOBAL',
      flagOut: 7,
      replacePattern: 'z',
      cacheTtlMs: 1000,
      cacheEmptyResult: false,
    },
    ...{ cacheTimeoutMs: 5, timeoutMs: 100, retries: 2, delayMs: 3, nextQueryFlagIn: 8, mirrorFlagOut: 9 },
    ...{
      mirrorHostgroup: 11,
      errorMsg: 'no',
      okMsg: 'ok',
      stickyConn: true,
      multiplex: 2,
      gtidFromHostgroup: 10,
    },
    ...{ log: true, comment: 'c' },
  });
  t.match(about('missing', 'mysql_query_rules rule_id 5, column reconnect'), [/what may be tried again/]);
  t.match(about('changed', 'mysql_query_rules rule_id 5, column cache_ttl'), [/stale for this long/]);
  t.match(about('attention', 'mysql_query_rules rule_id 4, column digest'), [/digests are Sluice's own/]);
});

t.test('rules that cannot be used are kept, switched off', async (t) => {
  const { config, about } = await imported(`${USUAL.replace(/mysql_query_rules[\s\S]*/, '')}
mysql_query_rules=(
  { rule_id=1, match_pattern="^SELECT (?!.*FOR UPDATE)", destination_hostgroup=11, apply=1 },
  { rule_id=2, match_pattern="(", destination_hostgroup=11 },
  { rule_id=3, flagIN=3, flagOUT=3, match_digest="loop" },
  { rule_id=4, match_digest="^SELECT", re_modifiers="CASE", destination_hostgroup=11 },
  { match_digest="no number" },
  { rule_id=5, match_digest="first" },
  { rule_id=5, match_digest="second" }
)`);
  t.strictSame(
    config.queryRules.map(({ ruleId, active }) => [ruleId, active]),
    [
      [1, false],
      [2, false],
      [3, false],
      [4, false],
      [5, true],
    ],
  );
  t.equal(config.queryRules[4]?.matchDigest, 'second', 'the last one counts');
  t.match(about('attention', 'mysql_query_rules rule_id 1, column match_pattern'), [
    /^the rule is switched off: /,
  ]);
  t.match(about('attention', 'mysql_query_rules rule_id 4, column re_modifiers'), [/not 'CASE'/]);
  t.match(about('attention', 'mysql_query_rules'), [/a rule needs a rule_id/]);
});

t.test('what is for another cluster gets no answer from this one', async (t) => {
  const text = `
mysql_servers=( { address="a", hostgroup=1 }, { address="b", hostgroup=2 }, { address="c", hostgroup=3 } )
mysql_users=( { username="one", default_hostgroup=1 }, { username="two", default_hostgroup=1 },
              { username="other", default_hostgroup=2 } )
mysql_query_rules=(
  { rule_id=1, match_digest="^SELECT", destination_hostgroup=3, apply=1 },
  { rule_id=2, schemaname="shard2", destination_hostgroup=2, apply=1 },
  { rule_id=3, match_digest="x", destination_hostgroup=99, mirror_hostgroup=98 }
)
mysql_query_rules_fast_routing=(
  { username="one", schemaname="s2", destination_hostgroup=2 }, { username="one", schemaname="s1", destination_hostgroup=1 }
)`;
  const { config, about } = await imported(text);
  t.strictSame(
    config.servers.map(({ host, hostgroup }) => [host, hostgroup]),
    [
      ['a', 1],
      ['c', 3],
    ],
  );
  t.strictSame(config.hostgroups, { writer: 1, reader: 4 }, 'a reader that nobody uses');
  t.strictSame(
    config.users.map(({ username, active }) => [username, active]),
    [
      ['one', true],
      ['two', true],
      ['other', false],
    ],
  );
  t.match(
    config.queryRules.map(({ ruleId, active, destinationHostgroup, errorMsg }) => [
      ruleId,
      active,
      destinationHostgroup,
      errorMsg,
    ]),
    [
      [1, true, 3, null],
      [2, true, null, 'hostgroup 2 is not served here'],
      [3, true, null, 'hostgroup 99 is not served here'],
      [4, true, null, 'hostgroup 2 is not served here'],
    ],
  );
  t.match(config.queryRules[3], { username: 'one', schemaname: 's2', apply: true });
  t.strictSame(
    config.fastRouting.map(({ schemaname }) => schemaname),
    ['s1'],
  );
  t.match(about('attention', 'hostgroup 2 (b:3306)'), [
    /^left out: a Sluice has one primary, here that of hostgroup 1\./,
  ]);

  const other = await imported(text, { hostgroup: 2 });
  t.strictSame(
    other.config.users.map(({ username, active }) => [username, active]),
    [
      ['one', false],
      ['two', false],
      ['other', true],
    ],
  );
  const together = await imported(text, { sameCluster: [1, 2] });
  t.equal(together.config.servers.length, 3);
  t.ok(together.config.users.every(({ active }) => active));
});

t.test('--only-ruled-reads puts rules in front', async (t) => {
  const { config, about } = await imported(USUAL, { onlyRuledReads: true });
  t.match(
    config.queryRules.map(({ ruleId, username, destinationHostgroup, apply }) => [
      ruleId,
      username,
      destinationHostgroup,
      apply,
    ]),
    [
      [1, 'app', 10, false],
      [2, null, 10, true],
      [3, null, 11, true],
    ],
    'none for the account that is for readers',
  );
  t.match(about('changed', '--only-ruled-reads'), [/the numbers of all others are 1 higher/]);
});

t.test('accounts', async (t) => {
  const source = sourceOf('mysql_servers=( { address="a", hostgroup=0 } )');
  const user = (values: Readonly<Record<string, string | number>>) => ({
    values: new Map(Object.entries(values)),
    place: '',
  });
  const { config, findings, about } = await imported({
    ...source,
    tables: new Map([
      ...source.tables,
      [
        'mysql_users',
        [
          user({ username: 'split', password: 'p', frontend: 1, backend: 0, max_connections: 7 }),
          user({ username: 'split', password: 'p', frontend: 0, backend: 1 }),
          user({ username: 'differs', password: 'hunter2', frontend: 1, backend: 0 }),
          user({ username: 'differs', password: 'hunter3', frontend: 0, backend: 1 }),
          user({ username: 'server', password: 'hunter2', frontend: 0 }),
          user({ username: 'sha2', password: '$A$005$hunter2' }),
          user({ username: 'bare' }),
          user({ username: 'tls', password: 'p', use_ssl: 1 }),
          user({
            username: 'kept',
            password: 'p',
            transaction_persistent: 0,
            schema_locked: 1,
            fast_forward: 1,
          }),
          user({ username: 'json', password: 'p', attributes: '{"spiffe_id":"x","causal_reads":"session"}' }),
          user({ username: 'bad', password: 'p', attributes: '{' }),
          user({ password: 'p' }),
        ],
      ],
    ]),
  });
  t.strictSame(
    config.users.map(({ username, active }) => [username, active]),
    [
      ['split', true],
      ['bare', true],
      ['tls', false],
      ['kept', true],
      ['json', true],
      ['bad', true],
    ],
  );
  t.equal(config.users[0]?.maxConnections, 7);
  t.ok(config.users[3]?.fastForward && config.users[3].transactionPersistent);
  t.equal(config.users[4]?.causalReads, 'session');
  t.match(about('attention', "mysql_users 'differs'"), [/passwords for clients and for servers differ/]);
  t.match(about('missing', "mysql_users 'server'"), [/for servers only/]);
  t.match(about('attention', "mysql_users 'sha2'"), [/hash of caching_sha2_password/]);
  t.match(about('attention', "mysql_users 'tls', column use_ssl"), [/until tls\.certificate is set/]);
  t.match(about('missing', "mysql_users 'json', column attributes"), [/nothing is done with spiffe_id/]);
  t.notMatch(JSON.stringify(findings), /hunter/);
});

t.test('clusters of other kinds, tables and settings without equivalent', async (t) => {
  const { config, about, findings } = await imported(`
datadir="/var/lib/proxysql"; errorlog="x"; uuid="y"; nonsense=1
mysql_servers=( { address="a", hostgroup=1 }, { address="b", hostgroup=2 }, { address="c", hostgroup=3 },
                { address="d", hostgroup=4 }, { address="/var/lib/mysql.sock", port=0, hostgroup=1 }, { port=1 },
                { address="bad host", hostgroup=1 }, { address="e", hostgroup=1, weight="heavy" }, { address="f", hostgroup=1, wieght=2 } )
mysql_galera_hostgroups=( { writer_hostgroup=1, backup_writer_hostgroup=2, reader_hostgroup=3, offline_hostgroup=4,
                            max_writers=2, writer_is_also_reader=1 } )
mysql_aws_aurora_hostgroups=( { writer_hostgroup=7, reader_hostgroup=8, active=0, domain_name=".x" } )
mysql_hostgroup_attributes=( { hostgroup_id=1, multiplex=0, init_connect="SET x", hostgroup_settings="{\\"a\\":1}" } )
mysql_servers_ssl_params=( { hostname="a", username="u", ssl_ca="x" }, { hostname="a", ssl_crl="/x.crl" } )
scheduler=( { id=1, active=0, interval_ms=1000, filename="/opt/galera_check.sh", arg1="hunter2" } )
restapi=( { id=1, method=GET, uri="u", script="s", interval_ms=1000 } )
proxysql_servers=( { hostname="p" } )
mysql_ldap_mapping=( { priority=1, frontend_entity="a", backend_entity="b" } )
pgsql_servers=( { hostname="pg", hostgroup=1 } )
pgsql_variables={ threads=2 }
clickhouse_users=( { username="c" } )
mysql_firewall_whitelist_users=( { username="a", client_address="", mode="PROTECTING", comment="" } )
mysql_firewall_whitelist_rules=( { username="a", client_address="", schemaname="", digest="0x1", comment="" } )
mysql_firewall_whitelist_sqli_fingerprints=( { fingerprint="1&1" } )
mysql_variables={ firewall_whitelist_enabled=true }
`);
  t.strictSame(
    config.servers.map(({ host, hostgroup }) => [host, hostgroup]),
    [
      ['a', 1],
      ['b', 3],
      ['c', 3],
      ['d', 3],
      ['f', 1],
    ],
    'backup writers and what is offline are readers',
  );
  t.match(config.replicationHostgroups, [{ writerHostgroup: 1, readerHostgroup: 3 }]);
  t.match(config.hostgroupAttributes, [{ hostgroup: 1, multiplex: false, initConnect: '' }]);
  t.match(config.firewall, { enabled: false, users: [{ mode: 'PROTECTING' }], rules: [{ digest: '0x1' }] });
  t.match(about('attention', /^mysql_galera_hostgroups/), [/the others get no reads/]);
  const missing = findings.filter(({ kind }) => kind === 'missing').map(({ what }) => what);
  const pair = 'mysql_galera_hostgroups writer_hostgroup 1, reader_hostgroup 3';
  for (const what of [
    'errorlog',
    'uuid',
    `${pair}, column max_writers`,
    `${pair}, column writer_is_also_reader`,
    'mysql_aws_aurora_hostgroups writer_hostgroup 7, reader_hostgroup 8',
    'mysql_hostgroup_attributes hostgroup_id 1, column init_connect',
    'mysql_hostgroup_attributes hostgroup_id 1, column hostgroup_settings',
    'mysql_servers_ssl_params hostname a, port 3306, username u',
    'mysql_servers_ssl_params hostname a, port 3306, username , column ssl_crl',
    'scheduler id 1: /opt/galera_check.sh (not active)',
    'restapi_routes u',
    'proxysql_servers p:6032',
    'mysql_ldap_mapping priority 1',
    'pgsql_servers (rows: 1)',
    'pgsql-threads',
    'clickhouse_users (rows: 1)',
    'mysql_firewall_whitelist_sqli_fingerprints fingerprint 1&1',
  ])
    t.ok(missing.includes(what), what);
  const attention = findings.filter(({ kind }) => kind === 'attention').map(({ what }) => what);
  for (const what of [
    'nonsense',
    'mysql_servers.wieght',
    'mysql_servers hostgroup_id 1, hostname /var/lib/mysql.sock, port 0',
    'mysql_servers hostgroup_id 0, hostname NULL, port 1',
    'mysql_servers hostgroup_id 1, hostname e, port 3306, column weight',
    'mysql-firewall_whitelist_enabled',
  ])
    t.ok(attention.includes(what), what);
  t.notMatch(JSON.stringify(findings), /hunter2/);
});

t.test('shapes that are no tables are refused with their place', async (t) => {
  const cases: readonly [string, RegExp][] = [
    ['mysql_servers={ a=1 }', /proxysql\.cnf:1:15: mysql_servers must be a list of groups/],
    ['mysql_servers=( 1 )', /:1:17: an element of mysql_servers must be a group/],
    ['mysql_servers=( { address=(1) } )', /:1:27: address must be a text or a number/],
    ['mysql_variables=1', /:1:17: mysql_variables must be a group/],
    ['mysql_variables={ threads=(1) }', /:1:27: threads must be a text, a number, true or false/],
    ['a=1', /there is nothing of ProxySQL in it/],
    ['', /there is nothing of ProxySQL in it/],
  ];
  for (const [text, message] of cases) t.throws(() => sourceOf(text), { message }, text);
});
