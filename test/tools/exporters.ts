/** What monitoring programs send to the admin port, word for word, and who may ask it. */

export interface MonitoringQuery {
  readonly tool: string;
  readonly sql: string;
  /** Names of the result's columns, in order. */
  readonly columns: readonly string[];
  /** The least number of rows; 0 unless told. */
  readonly rows?: number;
}

const COMMAND_COUNTERS =
  'Command Total_Time_us Total_cnt cnt_100us cnt_500us cnt_1ms cnt_5ms cnt_10ms cnt_50ms cnt_100ms cnt_500ms cnt_1s cnt_5s cnt_10s cnt_INFs'.split(
    ' ',
  );
const POOL =
  'hostgroup srv_host srv_port status ConnUsed ConnFree ConnOK ConnERR MaxConnUsed Queries Queries_GTID_sync Bytes_data_sent Bytes_data_recv Latency_us'.split(
    ' ',
  );

export const MONITORING_QUERIES: readonly MonitoringQuery[] = [
  {
    tool: 'proxysql_exporter',
    sql: 'SELECT Variable_Name, Variable_Value FROM stats_mysql_global',
    columns: ['Variable_Name', 'Variable_Value'],
    rows: 36,
  },
  {
    tool: 'proxysql_exporter',
    sql: 'SELECT hostgroup, srv_host, srv_port, * FROM stats_mysql_connection_pool',
    columns: ['hostgroup', 'srv_host', 'srv_port', ...POOL],
    rows: 2,
  },
  {
    tool: 'proxysql_exporter',
    sql: 'SELECT COUNT(cli_host) as connection_count, cli_host FROM stats_mysql_processlist GROUP BY cli_host',
    columns: ['connection_count', 'cli_host'],
    rows: 1,
  },
  {
    tool: 'proxysql_exporter',
    sql: 'SELECT user, db, cli_host, hostgroup, COUNT(*) as count from stats_mysql_processlist group by user, db, cli_host, hostgroup',
    columns: ['user', 'db', 'cli_host', 'hostgroup', 'count'],
    rows: 1,
  },
  {
    tool: 'proxysql_exporter',
    sql: "SELECT * FROM stats_mysql_commands_counters WHERE Command IN ('CREATE_TEMPORARY','DELETE','INSERT','LOCK_TABLES','SELECT','SELECT_FOR_UPDATE','UPDATE')",
    columns: COMMAND_COUNTERS,
    // ProxySQL has no LOCK_TABLES either: it is called LOCK_TABLE.
    rows: 6,
  },
  {
    tool: 'proxysql_exporter',
    sql: 'select Variable_Name, Variable_Value  from stats_memory_metrics',
    columns: ['Variable_Name', 'Variable_Value'],
    rows: 1,
  },
  {
    tool: 'proxysql_exporter',
    sql: "select variable_value from global_variables where variable_name = 'admin-version'",
    columns: ['variable_value'],
    rows: 1,
  },
  {
    tool: 'Datadog',
    sql: 'SELECT * FROM stats.stats_mysql_global',
    columns: ['Variable_Name', 'Variable_Value'],
    rows: 36,
  },
  {
    tool: 'Datadog',
    sql: `SELECT ${COMMAND_COUNTERS.join(', ')} FROM stats.stats_mysql_commands_counters`,
    columns: COMMAND_COUNTERS,
    rows: 7,
  },
  {
    tool: 'Datadog',
    sql: `SELECT ${POOL.join(', ')} FROM stats.stats_mysql_connection_pool`,
    columns: POOL,
    rows: 2,
  },
  {
    tool: 'Datadog',
    sql: 'SELECT username, frontend_connections, frontend_max_connections FROM stats.stats_mysql_users',
    columns: ['username', 'frontend_connections', 'frontend_max_connections'],
    rows: 1,
  },
  {
    tool: 'Datadog',
    sql: 'SELECT Variable_Name, Variable_Value FROM stats.stats_memory_metrics',
    columns: ['Variable_Name', 'Variable_Value'],
    rows: 1,
  },
  {
    tool: 'Datadog',
    sql: 'SELECT rule_id, hits FROM stats.stats_mysql_query_rules',
    columns: ['rule_id', 'hits'],
  },
];

/** Datadog's check asks `stats_mysql_global` for these. */
export const GLOBAL_STATUS_NAMES = [
  'Active_Transactions',
  'Backend_query_time_nsec',
  'Client_Connections_aborted',
  'Client_Connections_connected',
  'Client_Connections_created',
  'Client_Connections_non_idle',
  'ConnPool_get_conn_failure',
  'ConnPool_get_conn_immediate',
  'ConnPool_get_conn_success',
  'ProxySQL_Uptime',
  'Query_Cache_Memory_bytes',
  'Query_Cache_Entries',
  'Query_Cache_Purged',
  'Query_Cache_bytes_IN',
  'Query_Cache_bytes_OUT',
  'Query_Cache_count_GET',
  'Query_Cache_count_GET_OK',
  'Query_Cache_count_SET',
  'Query_Processor_time_nsec',
  'Questions',
  'SQLite3_memory_bytes',
  'Server_Connections_aborted',
  'Server_Connections_connected',
  'Server_Connections_created',
  'Slow_queries',
  'Stmt_Client_Active_Total',
  'Stmt_Client_Active_Unique',
  'Stmt_Server_Active_Total',
  'Stmt_Server_Active_Unique',
] as const;
