/** The tables that a provider fills when a statement reads them, and those that are kept over time. */

import type { AdminTable } from './admin-table.ts';
import { filledTable, keptTable } from './table-definition.ts';

const CONNECTION_POOL = `#hostgroup srv_host #srv_port status #ConnUsed #ConnFree #ConnOK #ConnERR #MaxConnUsed #Queries
  #Queries_GTID_sync #Bytes_data_sent #Bytes_data_recv #Latency_us`;
const QUERY_DIGEST = `#hostgroup schemaname username client_address digest digest_text #count_star #first_seen
  #last_seen #sum_time #min_time #max_time #sum_rows_affected #sum_rows_sent`;
const ERRORS = `#hostgroup hostname #port username client_address schemaname #errno #count_star #first_seen #last_seen
  last_error`;
const CLIENT_HOSTS = 'client_address #error_count #last_updated';
const MESSAGES = 'message_id filename #line func #count_star #first_seen #last_seen';

const stats = (name: string, columns: string, supported = true): AdminTable =>
  filledTable('stats', name, columns, supported);

/** Reading a table `…_reset` empties it, as in ProxySQL. */
export const STATS_TABLES: readonly AdminTable[] = [
  stats('stats_mysql_global', 'Variable_Name Variable_Value'),
  stats('stats_memory_metrics', 'Variable_Name Variable_Value'),
  stats('stats_mysql_connection_pool', CONNECTION_POOL),
  stats('stats_mysql_connection_pool_reset', CONNECTION_POOL),
  stats('stats_mysql_query_digest', QUERY_DIGEST),
  stats('stats_mysql_query_digest_reset', QUERY_DIGEST),
  stats(
    'stats_mysql_commands_counters',
    `Command #Total_Time_us #Total_cnt #cnt_100us #cnt_500us #cnt_1ms #cnt_5ms #cnt_10ms #cnt_50ms #cnt_100ms
    #cnt_500ms #cnt_1s #cnt_5s #cnt_10s #cnt_INFs`,
  ),
  stats(
    'stats_mysql_processlist',
    `#ThreadID #SessionID user db cli_host #cli_port #hostgroup l_srv_host #l_srv_port srv_host #srv_port command
    #time_ms info #status_flags extended_info`,
  ),
  stats('stats_mysql_query_rules', '#rule_id #hits'),
  stats('stats_mysql_users', 'username #frontend_connections #frontend_max_connections'),
  stats(
    'stats_mysql_free_connections',
    `#fd #hostgroup srv_host #srv_port user schema init_connect time_zone sql_mode autocommit #idle_ms statistics
    mysql_info`,
  ),
  stats('stats_mysql_errors', ERRORS),
  stats('stats_mysql_errors_reset', ERRORS),
  stats(
    'stats_mysql_prepared_statements_info',
    `#global_stmt_id schemaname username digest #ref_count_client #ref_count_server #num_columns #num_params query`,
  ),
  stats('stats_mysql_gtid_executed', 'hostname #port gtid_executed #events'),
  stats('stats_mysql_client_host_cache', CLIENT_HOSTS, false),
  stats('stats_mysql_client_host_cache_reset', CLIENT_HOSTS, false),
  stats(
    'stats_proxysql_servers_checksums',
    'hostname #port name #version #epoch checksum #changed_at #updated_at #diff_check',
    false,
  ),
  stats(
    'stats_proxysql_servers_metrics',
    `hostname #port #weight comment #response_time_ms #Uptime_s #last_check_ms #Queries #Client_Connections_connected
    #Client_Connections_created`,
    false,
  ),
  stats(
    'stats_proxysql_servers_status',
    'hostname #port #weight master #global_version #check_age_us #ping_time_us #checks_OK #checks_ERR',
    false,
  ),
  stats(
    'stats_proxysql_servers_clients_status',
    'uuid hostname #port admin_mysql_ifaces #last_seen_at',
    false,
  ),
  stats('stats_proxysql_message_metrics', MESSAGES, false),
  stats('stats_proxysql_message_metrics_reset', MESSAGES, false),
  // Tools that log in as a stats user look for the version here.
  stats('global_variables', 'variable_name variable_value'),
];

export const RUNTIME_ONLY_TABLES: readonly AdminTable[] = [
  filledTable('runtime', 'runtime_checksums_values', 'name #version #epoch checksum'),
];

const CHECKED = 'hostname #port #time_start_us #success_time_us';
const monitor = (name: string, columns: string, supported = true): AdminTable =>
  filledTable('monitor', name, columns, supported);

export const MONITOR_TABLES: readonly AdminTable[] = [
  monitor('mysql_server_connect_log', 'hostname #port #time_start_us #connect_success_time_us connect_error'),
  monitor('mysql_server_ping_log', 'hostname #port #time_start_us #ping_success_time_us ping_error'),
  monitor('mysql_server_read_only_log', `${CHECKED} #read_only error`),
  monitor('mysql_server_replication_lag_log', `${CHECKED} #repl_lag error`),
  monitor(
    'mysql_server_group_replication_log',
    `${CHECKED} viable_candidate read_only #transactions_behind error`,
    false,
  ),
  monitor(
    'mysql_server_galera_log',
    `${CHECKED} primary_partition read_only #wsrep_local_recv_queue #wsrep_local_state wsrep_desync
    wsrep_reject_queries wsrep_sst_donor_rejects_queries pxc_maint_mode error`,
    false,
  ),
  monitor(
    'mysql_server_aws_aurora_log',
    `${CHECKED} error SERVER_ID SESSION_ID LAST_UPDATE_TIMESTAMP #replica_lag_in_milliseconds
    #estimated_lag_ms #CPU`,
    false,
  ),
];

const CONNECTIONS = `#timestamp #Client_Connections_aborted #Client_Connections_connected #Client_Connections_created
  #Server_Connections_aborted #Server_Connections_connected #Server_Connections_created #ConnPool_get_conn_failure
  #ConnPool_get_conn_immediate #ConnPool_get_conn_success #Questions #Slow_queries #GTID_consistent_queries`;
const history = (name: string, columns: string, key: string): AdminTable =>
  keptTable('history', name, columns, key);

export const HISTORY_TABLES: readonly AdminTable[] = [
  history('mysql_connections', CONNECTIONS, 'timestamp'),
  history('mysql_connections_hour', CONNECTIONS, 'timestamp'),
  history('mysql_connections_day', CONNECTIONS, 'timestamp'),
  history(
    'history_mysql_query_digest',
    `#dump_time ${QUERY_DIGEST}`,
    'dump_time, hostgroup, schemaname, username, client_address, digest',
  ),
  history(
    'history_mysql_status_variables',
    '#timestamp #variable_id variable_value',
    'timestamp, variable_id',
  ),
  history('history_mysql_status_variables_lookup', '#variable_id variable_name', 'variable_id'),
  history(
    'history_stats_mysql_connection_pool',
    `#timestamp ${CONNECTION_POOL}`,
    'timestamp, hostgroup, srv_host, srv_port',
  ),
];

export const INTERNAL_TABLES: readonly AdminTable[] = [
  // What SAVE has written, and how the file's section read then: whoever has changed since wins at a start.
  keptTable('internal', 'sluice_saved_sections', 'section file_hash #saved_at_ms', 'section'),
];
