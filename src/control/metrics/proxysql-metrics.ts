/**
 * The metrics that ProxySQL exposes, with its names, types and labels, so that dashboards made for it show Sluice. Only
 * those that have a meaning, and those that are 0 because the feature is missing and dashboards add them up.
 */

import { type HostgroupMember, MemberVerdict } from '../../topology/hostgroup-membership.ts';
import { ServerStatus } from '../../topology/server-description.ts';
import { globalStatus } from '../statistics/global-status.ts';
import { memoryMetrics } from '../statistics/memory-metrics.ts';
import type { CounterSnapshot, ServerCounters } from './counter-snapshot.ts';
import { type MetricKind, type Sample, type SharedMetric, single } from './shared-metric.ts';

const NANOSECOND = 1e-9;
const VERSION = { version: '2.7.1-sluice', version_comment: 'Sluice' };

/** Made once for each copy of the counters. */
const statuses = new WeakMap<CounterSnapshot, ReadonlyMap<string, number>>();

function statusOf(all: CounterSnapshot): ReadonlyMap<string, number> {
  let status = statuses.get(all);
  if (status === undefined) {
    status = new Map([...globalStatus(all), ...memoryMetrics(all)]);
    statuses.set(all, status);
  }
  return status;
}

/** @param variable of `stats_mysql_global` or `stats_memory_metrics`. */
function plain(name: string, kind: MetricKind, help: string, variable: string, factor = 1): SharedMetric {
  return single(`proxysql_${name}`, kind, help, (all) => (statusOf(all).get(variable) ?? 0) * factor);
}

/** @param variables for each value of the label. */
function labelled(
  name: string,
  kind: MetricKind,
  help: string,
  label: string,
  variables: Readonly<Record<string, string>>,
): SharedMetric {
  return {
    name: `proxysql_${name}`,
    help,
    kind,
    labelNames: [label],
    samples: (all) =>
      Object.entries(variables).map(([value, variable]) => ({
        labels: { [label]: value },
        value: statusOf(all).get(variable) ?? 0,
      })),
  };
}

/** One series, or several, for each place of a server in a hostgroup. */
function pool(
  name: string,
  kind: MetricKind,
  help: string,
  label: string | null,
  read: (server: ServerCounters, member: HostgroupMember) => Readonly<Record<string, number>>,
): SharedMetric {
  return {
    name: `proxysql_connpool_${name}`,
    help,
    kind,
    labelNames: ['hostgroup', 'endpoint', ...(label === null ? [] : [label])],
    samples: ({ hostgroups, servers }) =>
      hostgroups.flatMap(({ id, members }) =>
        members.flatMap((member) => {
          const server = servers.find(({ address }) => address === member.address);
          if (server === undefined) return [];
          const where = { hostgroup: String(id), endpoint: server.address };
          return Object.entries(read(server, member)).map(
            ([key, value]): Sample => ({
              labels: label === null ? where : { ...where, [label]: key },
              value,
            }),
          );
        }),
      ),
  };
}

const STATUS_NUMBERS: Readonly<Record<ServerStatus, number>> = {
  [ServerStatus.ONLINE]: 1,
  [ServerStatus.SHUNNED]: 2,
  [ServerStatus.OFFLINE_SOFT]: 3,
  [ServerStatus.OFFLINE_HARD]: 4,
};
const LAGGING = 5;

const POOL_METRICS: readonly SharedMetric[] = [
  pool('conns', 'gauge', 'Connections to the server that are free, and used', 'status', (server) => ({
    free: Math.max(0, server.connections - server.inUse),
    used: server.inUse,
  })),
  pool(
    'conns_total',
    'counter',
    'Connections that were opened, and that could not be',
    'status',
    (server) => ({
      ok: server.connects,
      err: server.connectErrors,
    }),
  ),
  pool(
    'conns_status',
    'gauge',
    '1 ONLINE, 2 SHUNNED, 3 OFFLINE_SOFT, 4 OFFLINE_HARD, 5 SHUNNED_REPLICATION_LAG',
    null,
    (_, { status, verdict }) => ({
      status: verdict === MemberVerdict.lagging ? LAGGING : STATUS_NUMBERS[status],
    }),
  ),
  pool('conns_latency_us', 'gauge', "Of the monitor's last ping", null, (server) => ({
    latency: server.latencyMicros ?? 0,
  })),
  pool('conns_queries_total', 'counter', 'Statements sent to the server', null, (server) => ({
    queries: server.queries,
  })),
  pool(
    'data_bytes_total',
    'counter',
    'Bytes sent to the server and received from it',
    'traffic_flow',
    (server) => ({
      sent: server.bytesSent,
      recv: server.bytesReceived,
    }),
  ),
];

const CONNECTION_METRICS: readonly SharedMetric[] = [
  plain('uptime_seconds_total', 'counter', 'Since the start of the process', 'ProxySQL_Uptime'),
  labelled('client_connections_total', 'counter', 'Client connections', 'status', {
    created: 'Client_Connections_created',
    aborted: 'Client_Connections_aborted',
  }),
  plain('client_connections_connected', 'gauge', 'Clients now', 'Client_Connections_connected'),
  plain('client_connections_non_idle', 'gauge', 'Clients that workers serve', 'Client_Connections_non_idle'),
  plain(
    'client_connections_hostgroup_locked',
    'gauge',
    'Clients that are pinned to a connection',
    'Client_Connections_hostgroup_locked',
  ),
  labelled('server_connections_total', 'counter', 'Connections to servers', 'status', {
    created: 'Server_Connections_created',
    delayed: 'Server_Connections_delayed',
    aborted: 'Server_Connections_aborted',
  }),
  plain(
    'server_connections_connected',
    'gauge',
    'Connections to servers now',
    'Server_Connections_connected',
  ),
  plain('connpool_get_conn_success_total', 'counter', 'Connections checked out', 'ConnPool_get_conn_success'),
  plain(
    'connpool_get_conn_success_immediate_total',
    'counter',
    'Of these, those whose state was the right one already',
    'ConnPool_get_conn_immediate',
  ),
  plain(
    'connpool_get_conn_success_latency_awareness_total',
    'counter',
    'Always 0',
    'ConnPool_get_conn_latency_awareness',
  ),
  plain(
    'connpool_get_conn_failure_total',
    'counter',
    'Statements that had to wait for a connection',
    'ConnPool_get_conn_failure',
  ),
  plain(
    'access_denied_wrong_password_total',
    'counter',
    'Logins that failed',
    'Access_Denied_Wrong_Password',
  ),
  plain(
    'access_denied_max_connections_total',
    'counter',
    'Refused: too many clients',
    'Access_Denied_Max_Connections',
  ),
  plain(
    'access_denied_max_user_connections_total',
    'counter',
    'Refused: too many clients of the account',
    'Access_Denied_Max_User_Connections',
  ),
  plain('servers_table_version_total', 'counter', 'Version of the snapshot', 'Servers_table_version'),
  plain('mysql_thread_workers', 'gauge', 'Worker threads', 'MySQL_Thread_Workers'),
  plain('connpool_memory_bytes', 'gauge', 'Read buffers of connections to servers', 'ConnPool_memory_bytes'),
];

const STATEMENT_NAMES: readonly SharedMetric[] = [
  plain('questions_total', 'counter', 'Commands received from clients', 'Questions'),
  plain('slow_queries_total', 'counter', 'Statements above `statistics.longQueryMs`', 'Slow_queries'),
  plain('active_transactions', 'gauge', 'Transactions that are open now', 'Active_Transactions'),
  labelled('queries_frontends_bytes_total', 'counter', 'Bytes of clients', 'traffic_flow', {
    sent: 'Queries_frontends_bytes_sent',
    received: 'Queries_frontends_bytes_recv',
  }),
  labelled('queries_backends_bytes_total', 'counter', 'Bytes of servers', 'traffic_flow', {
    sent: 'Queries_backends_bytes_sent',
    received: 'Queries_backends_bytes_recv',
  }),
  plain(
    'backend_query_time_seconds_total',
    'counter',
    'Time that servers took',
    'Backend_query_time_nsec',
    NANOSECOND,
  ),
  plain('query_processor_time_seconds_total', 'counter', 'Always 0', 'Query_Processor_time_nsec', NANOSECOND),
  plain('com_autocommit_total', 'counter', 'SET autocommit', 'Com_autocommit'),
  plain('com_autocommit_filtered_total', 'counter', 'Always 0', 'Com_autocommit_filtered'),
  plain('com_commit_cnt_total', 'counter', 'COMMIT', 'Com_commit'),
  plain('com_commit_cnt_filtered_total', 'counter', 'Always 0', 'Com_commit_filtered'),
  plain('com_rollback_total', 'counter', 'ROLLBACK', 'Com_rollback'),
  plain('com_rollback_filtered_total', 'counter', 'Always 0', 'Com_rollback_filtered'),
  plain('com_frontend_init_db_total', 'counter', 'COM_INIT_DB', 'Com_frontend_init_db'),
  plain('com_frontend_set_names_total', 'counter', 'SET NAMES', 'Com_frontend_set_names'),
  plain('com_frontend_use_db_total', 'counter', 'USE', 'Com_frontend_use_db'),
  labelled('com_frontend_stmt_total', 'counter', 'Commands on prepared statements by clients', 'op', {
    prepare: 'Com_frontend_stmt_prepare',
    execute: 'Com_frontend_stmt_execute',
    close: 'Com_frontend_stmt_close',
  }),
  labelled('com_backend_stmt_total', 'counter', 'Commands on prepared statements to servers', 'op', {
    prepare: 'Com_backend_stmt_prepare',
    execute: 'Com_backend_stmt_execute',
    close: 'Com_backend_stmt_close',
  }),
  plain('stmt_client_active', 'gauge', 'Prepared statements of clients', 'Stmt_Client_Active_Total'),
  plain('stmt_client_active_unique', 'gauge', 'Different ones', 'Stmt_Client_Active_Unique'),
  plain('stmt_server_active', 'gauge', 'Prepared statements at servers', 'Stmt_Server_Active_Total'),
  plain('stmt_server_active_unique', 'gauge', 'Different ones', 'Stmt_Server_Active_Unique'),
  plain('stmt_max_stmt_id', 'gauge', 'COM_STMT_PREPARE up to now', 'Stmt_Max_Stmt_id'),
  plain('stmt_cached', 'gauge', 'Texts of prepared statements that are kept', 'Stmt_Cached'),
  plain('mysql_error_total', 'counter', 'Statements that ended in an error', 'Sluice_statement_errors'),
  plain(
    'generated_error_packets_total',
    'counter',
    "Errors of Sluice's own sent to clients",
    'generated_error_packets',
  ),
  plain(
    'hostgroup_locked_queries_total',
    'counter',
    'Statements on the connection that the session holds',
    'hostgroup_locked_queries',
  ),
  plain('hostgroup_locked_set_cmds_total', 'counter', 'Always 0', 'hostgroup_locked_set_cmds'),
  plain('backend_lagging_during_query_total', 'counter', 'Always 0', 'backend_lagging_during_query'),
  plain(
    'backend_offline_during_query_total',
    'counter',
    'Connections to servers that broke in use',
    'backend_offline_during_query',
  ),
  plain('max_connect_timeouts_total', 'counter', 'Waited in vain for a connection', 'max_connect_timeouts'),
  plain(
    'mysql_unexpected_frontend_packets_total',
    'counter',
    'Packets of clients that break the protocol',
    'mysql_unexpected_frontend_packets',
  ),
  plain('gtid_consistent_queries_total', 'counter', 'Always 0', 'GTID_consistent_queries'),
];

const CHECKS = ['connect', 'ping', 'read_only', 'replication_lag'] as const;
const OTHER_METRICS: readonly SharedMetric[] = [
  ...CHECKS.map((check) =>
    labelled(`mysql_monitor_${check}_check_total`, 'counter', 'Checks of the monitor', 'status', {
      ok: `MySQL_Monitor_${check}_check_OK`,
      err: `MySQL_Monitor_${check}_check_ERR`,
    }),
  ),
  labelled(
    'query_cache_count_get_total',
    'counter',
    'Statements that were looked for in the result cache, and found there',
    'status',
    {
      ok: 'Query_Cache_count_GET_OK',
      err: 'Query_Cache_count_GET',
    },
  ),
  plain('query_cache_count_set_total', 'counter', 'Answers that were stored', 'Query_Cache_count_SET'),
  labelled(
    'query_cache_bytes_total',
    'counter',
    'Bytes of answers that were stored, and that were served',
    'op',
    {
      written: 'Query_Cache_bytes_IN',
      read: 'Query_Cache_bytes_OUT',
    },
  ),
  plain('query_cache_purged_total', 'counter', 'Entries that have ended', 'Query_Cache_Purged'),
  plain('query_cache_entries_total', 'counter', 'Results that are stored now', 'Query_Cache_Entries'),
  plain('query_cache_memory_bytes', 'gauge', 'What they take', 'Query_Cache_Memory_bytes'),
  plain(
    'query_digest_memory_bytes',
    'gauge',
    'Memory of the digests that are counted',
    'query_digest_memory',
  ),
  plain(
    'sqlite3_memory_bytes',
    'gauge',
    'Always 0: SQLite runs in a process of its own',
    'SQLite3_memory_bytes',
  ),
  plain('auth_memory_bytes', 'gauge', 'Counts of connections by account', 'Auth_memory'),
  plain('mysql_query_rules_memory_bytes', 'gauge', 'Always 0', 'mysql_query_rules_memory'),
  labelled(
    'jemalloc_bytes',
    'gauge',
    "Node's memory: of the process, and of the main thread's heap",
    'type',
    {
      resident: 'jemalloc_resident',
      active: 'jemalloc_active',
      mapped: 'jemalloc_mapped',
      metadata: 'jemalloc_metadata',
      retained: 'jemalloc_retained',
    },
  ),
  plain('jemalloc_allocated_bytes_total', 'counter', "Of the main thread's heap", 'jemalloc_allocated'),
  {
    name: 'proxysql_version_info',
    help: 'The version of ProxySQL whose metrics these are; always 1',
    kind: 'gauge',
    labelNames: ['version', 'version_comment'],
    samples: () => [{ labels: VERSION, value: 1 }],
  },
];

export const PROXYSQL_METRICS: readonly SharedMetric[] = [
  ...CONNECTION_METRICS,
  ...POOL_METRICS,
  ...STATEMENT_NAMES,
  ...OTHER_METRICS,
];
