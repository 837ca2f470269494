/** The tables that operators write to, with ProxySQL's names, columns, defaults and ranges. */

import { AdminModule } from './admin-table.ts';
import {
  autoIncrement,
  type ColumnDefinition,
  comment,
  flag,
  integer,
  json,
  type TableDefinition,
  text,
} from './table-definition.ts';

const SERVER_STATUS = ['ONLINE', 'SHUNNED', 'OFFLINE_SOFT', 'OFFLINE_HARD'];
const MAX_REPLICATION_LAG_S = 126_144_000;
const MAX_PORT = 65_535;

const mysqlServers: TableDefinition = {
  name: 'mysql_servers',
  module: AdminModule.servers,
  columns: [
    integer('hostgroup_id', { from: 0, initial: 0 }),
    text('hostname'),
    integer('port', { from: 0, to: MAX_PORT, initial: 3306 }),
    integer('gtid_port', { from: 0, to: MAX_PORT, initial: 0 }),
    text('status', { oneOf: SERVER_STATUS, initial: 'ONLINE' }),
    integer('weight', { from: 0, to: 10_000_000, initial: 1 }),
    flag('compression', 0),
    integer('max_connections', { from: 0, initial: 1000 }),
    integer('max_replication_lag', { from: 0, to: MAX_REPLICATION_LAG_S, initial: 0 }),
    flag('use_ssl', 0),
    integer('max_latency_ms', { from: 0, initial: 0 }),
    comment,
  ],
  constraints: ['PRIMARY KEY (hostgroup_id, hostname, port)', 'CHECK (gtid_port = 0 OR gtid_port <> port)'],
};

const mysqlServersSslParams: TableDefinition = {
  name: 'mysql_servers_ssl_params',
  module: AdminModule.servers,
  columns: [
    text('hostname'),
    integer('port', { from: 0, to: MAX_PORT, initial: 3306 }),
    ...[
      'username',
      'ssl_ca',
      'ssl_cert',
      'ssl_key',
      'ssl_capath',
      'ssl_crl',
      'ssl_crlpath',
      'ssl_cipher',
      'tls_version',
    ].map((name) => text(name, { initial: '' })),
    comment,
  ],
  constraints: ['PRIMARY KEY (hostname, port, username)'],
};

const CHECK_TYPES = [
  'read_only',
  'innodb_read_only',
  'super_read_only',
  'read_only|innodb_read_only',
  'read_only&innodb_read_only',
];

const mysqlReplicationHostgroups: TableDefinition = {
  name: 'mysql_replication_hostgroups',
  module: AdminModule.servers,
  columns: [
    integer('writer_hostgroup', { from: 0 }),
    integer('reader_hostgroup', { from: 0 }),
    text('check_type', { oneOf: CHECK_TYPES, initial: 'read_only' }),
    comment,
  ],
  constraints: [
    'PRIMARY KEY (writer_hostgroup)',
    'UNIQUE (reader_hostgroup)',
    'CHECK (reader_hostgroup <> writer_hostgroup)',
  ],
};

function clusterHostgroups(name: string): TableDefinition {
  return {
    name,
    module: AdminModule.servers,
    supported: false,
    columns: [
      integer('writer_hostgroup', { from: 0 }),
      integer('backup_writer_hostgroup', { from: 0 }),
      integer('reader_hostgroup', { from: 0 }),
      integer('offline_hostgroup', { from: 0 }),
      flag('active', 1),
      integer('max_writers', { from: 0, initial: 1 }),
      integer('writer_is_also_reader', { oneOf: [0, 1, 2], initial: 0 }),
      integer('max_transactions_behind', { from: 0, initial: 0 }),
      text('comment', { nullable: true }),
    ],
    constraints: [
      'PRIMARY KEY (writer_hostgroup)',
      'UNIQUE (backup_writer_hostgroup)',
      'UNIQUE (reader_hostgroup)',
      'UNIQUE (offline_hostgroup)',
      'CHECK (writer_hostgroup NOT IN (backup_writer_hostgroup, reader_hostgroup, offline_hostgroup))',
      'CHECK (backup_writer_hostgroup NOT IN (reader_hostgroup, offline_hostgroup))',
      'CHECK (reader_hostgroup <> offline_hostgroup)',
    ],
  };
}

const mysqlAwsAuroraHostgroups: TableDefinition = {
  name: 'mysql_aws_aurora_hostgroups',
  module: AdminModule.servers,
  supported: false,
  columns: [
    integer('writer_hostgroup', { from: 0 }),
    integer('reader_hostgroup', { from: 0 }),
    flag('active', 1),
    integer('aurora_port', { initial: 3306 }),
    text('domain_name', { check: "domain_name LIKE '.%'" }),
    integer('max_lag_ms', { from: 10, to: 600_000, initial: 600_000 }),
    integer('check_interval_ms', { from: 100, to: 600_000, initial: 1000 }),
    integer('check_timeout_ms', { from: 80, to: 3000, initial: 800 }),
    flag('writer_is_also_reader', 0),
    integer('new_reader_weight', { from: 0, to: 10_000_000, initial: 1 }),
    integer('add_lag_ms', { from: 0, to: 600_000, initial: 30 }),
    integer('min_lag_ms', { from: 0, to: 600_000, initial: 30 }),
    integer('lag_num_checks', { from: 1, to: 16, initial: 1 }),
    text('comment', { nullable: true }),
  ],
  constraints: [
    'PRIMARY KEY (writer_hostgroup)',
    'UNIQUE (reader_hostgroup)',
    'CHECK (reader_hostgroup <> writer_hostgroup)',
  ],
};

const mysqlHostgroupAttributes: TableDefinition = {
  name: 'mysql_hostgroup_attributes',
  module: AdminModule.servers,
  columns: [
    integer('hostgroup_id', { from: 0 }),
    integer('max_num_online_servers', { from: 0, to: 1_000_000, initial: 1_000_000 }),
    integer('autocommit', { oneOf: [-1, 0, 1], initial: -1 }),
    integer('free_connections_pct', { from: 0, to: 100, initial: 10 }),
    text('init_connect', { initial: '' }),
    flag('multiplex', 1),
    flag('connection_warming', 0),
    integer('throttle_connections_per_sec', { from: 1, to: 1_000_000, initial: 1_000_000 }),
    json('ignore_session_variables'),
    json('hostgroup_settings'),
    json('servers_defaults'),
    comment,
  ],
  constraints: ['PRIMARY KEY (hostgroup_id)'],
};

const mysqlUsers: TableDefinition = {
  name: 'mysql_users',
  module: AdminModule.users,
  columns: [
    text('username'),
    text('password', { nullable: true }),
    flag('active', 1),
    flag('use_ssl', 0),
    integer('default_hostgroup', { from: 0, initial: 0 }),
    text('default_schema', { nullable: true }),
    flag('schema_locked', 0),
    flag('transaction_persistent', 1),
    flag('fast_forward', 0),
    flag('backend', 1),
    flag('frontend', 1),
    integer('max_connections', { from: 0, initial: 10_000 }),
    json('attributes'),
    comment,
  ],
  constraints: ['PRIMARY KEY (username, backend)', 'UNIQUE (username, frontend)'],
};

const optionalText = (name: string): ColumnDefinition => text(name, { nullable: true });
const optionalInteger = (name: string, from?: number, to?: number): ColumnDefinition =>
  integer(name, {
    nullable: true,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  });

const mysqlQueryRules: TableDefinition = {
  name: 'mysql_query_rules',
  module: AdminModule.queryRules,
  columns: [
    autoIncrement('rule_id'),
    flag('active', 0),
    optionalText('username'),
    optionalText('schemaname'),
    integer('flagIN', { from: 0, initial: 0 }),
    optionalText('client_addr'),
    optionalText('proxy_addr'),
    optionalInteger('proxy_port', 0, MAX_PORT),
    optionalText('digest'),
    optionalText('match_digest'),
    optionalText('match_pattern'),
    flag('negate_match_pattern', 0),
    text('re_modifiers', { nullable: true, initial: 'CASELESS' }),
    optionalInteger('flagOUT', 0),
    optionalText('replace_pattern'),
    optionalInteger('destination_hostgroup'),
    optionalInteger('cache_ttl', 1),
    flag('cache_empty_result'),
    optionalInteger('cache_timeout', 0),
    flag('reconnect'),
    optionalInteger('timeout', 0),
    optionalInteger('retries', 0, 1000),
    optionalInteger('delay', 0),
    optionalInteger('next_query_flagIN'),
    optionalInteger('mirror_flagOUT'),
    optionalInteger('mirror_hostgroup'),
    optionalText('error_msg'),
    optionalText('OK_msg'),
    flag('sticky_conn'),
    integer('multiplex', { nullable: true, oneOf: [0, 1, 2] }),
    optionalInteger('gtid_from_hostgroup'),
    flag('log'),
    flag('apply', 0),
    json('attributes'),
    optionalText('comment'),
  ],
  constraints: ['CHECK (replace_pattern IS NULL OR match_pattern IS NOT NULL)'],
};

const mysqlQueryRulesFastRouting: TableDefinition = {
  name: 'mysql_query_rules_fast_routing',
  module: AdminModule.queryRules,
  columns: [
    text('username'),
    text('schemaname'),
    integer('flagIN', { from: 0, initial: 0 }),
    integer('destination_hostgroup', { from: 0 }),
    comment,
  ],
  constraints: ['PRIMARY KEY (username, schemaname, flagIN)'],
};

/** Sluice's own. */
const cacheRules: TableDefinition = {
  name: 'sluice_cache_rules',
  module: AdminModule.queryRules,
  columns: [
    autoIncrement('rule_id'),
    flag('active', 1),
    optionalText('username'),
    optionalText('schemaname'),
    optionalText('digest'),
    optionalText('match_digest'),
    text('tables', { initial: '' }),
    text('class', { oneOf: ['strong', 'weak', 'immutable', 'off'] }),
    optionalInteger('ttl_ms', 1),
    integer('stale_while_revalidate_ms', { from: 0, initial: 0 }),
    comment,
  ],
  constraints: ["CHECK (lower(class) <> 'weak' OR ttl_ms IS NOT NULL)"],
};

const globalVariables: TableDefinition = {
  name: 'global_variables',
  module: AdminModule.variables,
  columns: [text('variable_name'), text('variable_value')],
  constraints: ['PRIMARY KEY (variable_name)'],
};

const firewallUsers: TableDefinition = {
  name: 'mysql_firewall_whitelist_users',
  module: AdminModule.firewall,
  columns: [
    flag('active', 1),
    text('username'),
    text('client_address'),
    text('mode', { oneOf: ['OFF', 'DETECTING', 'PROTECTING'], initial: 'OFF' }),
    comment,
  ],
  constraints: ['PRIMARY KEY (username, client_address)'],
};

const firewallRules: TableDefinition = {
  name: 'mysql_firewall_whitelist_rules',
  module: AdminModule.firewall,
  columns: [
    flag('active', 1),
    text('username'),
    text('client_address'),
    text('schemaname'),
    integer('flagIN', { from: 0, initial: 0 }),
    text('digest'),
    comment,
  ],
  constraints: ['PRIMARY KEY (username, client_address, schemaname, flagIN, digest)'],
};

const firewallFingerprints: TableDefinition = {
  name: 'mysql_firewall_whitelist_sqli_fingerprints',
  module: AdminModule.firewall,
  supported: false,
  columns: [flag('active', 1), text('fingerprint')],
  constraints: ['PRIMARY KEY (fingerprint)'],
};

const scheduler: TableDefinition = {
  name: 'scheduler',
  module: AdminModule.scheduler,
  supported: false,
  columns: [
    autoIncrement('id'),
    flag('active', 1),
    integer('interval_ms', { from: 100, to: 100_000_000 }),
    text('filename'),
    ...['arg1', 'arg2', 'arg3', 'arg4', 'arg5'].map(optionalText),
    comment,
  ],
};

const restapiRoutes: TableDefinition = {
  name: 'restapi_routes',
  module: AdminModule.restapi,
  supported: false,
  columns: [
    autoIncrement('id'),
    flag('active', 1),
    integer('timeout_ms', { from: 100, to: 100_000_000 }),
    text('method', { oneOf: ['GET', 'POST'] }),
    text('uri'),
    text('script'),
    comment,
  ],
};

const proxysqlServers: TableDefinition = {
  name: 'proxysql_servers',
  module: AdminModule.proxysqlServers,
  supported: false,
  columns: [
    text('hostname'),
    integer('port', { from: 0, to: MAX_PORT, initial: 6032 }),
    integer('weight', { from: 0, initial: 0 }),
    comment,
  ],
  constraints: ['PRIMARY KEY (hostname, port)'],
};

const mysqlLdapMapping: TableDefinition = {
  name: 'mysql_ldap_mapping',
  supported: false,
  columns: [
    integer('priority', { from: 1, to: 1_000_000 }),
    text('frontend_entity'),
    text('backend_entity'),
    comment,
  ],
  constraints: ['PRIMARY KEY (priority)', 'UNIQUE (frontend_entity)'],
};

/** Of these there is a `runtime_` table as well. */
export const LOADABLE_TABLES: readonly TableDefinition[] = [
  mysqlServers,
  mysqlUsers,
  mysqlQueryRules,
  mysqlQueryRulesFastRouting,
  cacheRules,
  mysqlReplicationHostgroups,
  mysqlHostgroupAttributes,
  mysqlServersSslParams,
  firewallUsers,
  firewallRules,
  firewallFingerprints,
  clusterHostgroups('mysql_group_replication_hostgroups'),
  clusterHostgroups('mysql_galera_hostgroups'),
  mysqlAwsAuroraHostgroups,
  globalVariables,
  mysqlLdapMapping,
  proxysqlServers,
  restapiRoutes,
  scheduler,
];

/** The character sets that the protocol knows; filled once, and of no effect. */
export const COLLATION_TABLE: TableDefinition = {
  name: 'mysql_collations',
  columns: [integer('Id'), text('Collation'), text('Charset'), text('Default')],
  constraints: ['PRIMARY KEY (Id)'],
};
