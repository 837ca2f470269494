/** Variables of ProxySQL whose meaning a setting of Sluice has. Values are in the units of ProxySQL. */

/** How the text of a variable and the value of a setting belong together. */
export const VariableForm = {
  /** Numbers, switches and texts as they are. */
  plain: 'plain',
  /** Separated by commas. */
  list: 'list',
  /** Whole mebibytes for bytes. */
  mebibytes: 'mebibytes',
  /** 0 and 1. */
  digit: 'digit',
} as const;
export type VariableForm = (typeof VariableForm)[keyof typeof VariableForm];

export interface MappedVariable {
  readonly name: string;
  /** Path of the setting. */
  readonly setting: string;
  readonly form: VariableForm;
}

const plain = (name: string, setting: string): MappedVariable => ({
  name,
  setting,
  form: VariableForm.plain,
});
const formed = (name: string, setting: string, form: VariableForm): MappedVariable => ({
  name,
  setting,
  form,
});
const list = (name: string, setting: string): MappedVariable => ({ name, setting, form: VariableForm.list });

export const MAPPED_VARIABLES: readonly MappedVariable[] = [
  plain('mysql-max_connections', 'limits.maxConnections'),
  plain('mysql-max_allowed_packet', 'limits.maxPacketBytes'),
  plain('mysql-connect_timeout_client', 'limits.handshakeTimeoutMs'),
  plain('mysql-wait_timeout', 'limits.idleTimeoutMs'),
  plain('mysql-connect_timeout_server', 'pool.connectTimeoutMs'),
  plain('mysql-connect_timeout_server_max', 'pool.waitTimeoutMs'),
  plain('mysql-connection_max_age_ms', 'pool.maxLifetimeMs'),
  plain('mysql-max_stmts_per_connection', 'pool.maxStatementsPerConnection'),
  plain('mysql-default_query_timeout', 'limits.queryTimeoutMs'),
  formed('mysql-query_cache_size_MB', 'cache.maxBytes', VariableForm.mebibytes),
  plain('mysql-query_cache_soft_ttl_pct', 'cache.softTtlPercent'),
  plain('mysql-query_cache_stores_empty_result', 'cache.storesEmptyResults'),
  formed('mysql-query_cache_handle_warnings', 'cache.storesWarnings', VariableForm.digit),
  plain('mysql-mirror_max_concurrency', 'routing.mirrorConcurrency'),
  plain('mysql-threads', 'workers'),
  plain('mysql-have_compress', 'listen.compression'),
  plain('mysql-monitor_username', 'monitor.username'),
  plain('mysql-monitor_password', 'monitor.password'),
  plain('mysql-monitor_connect_interval', 'monitor.connectIntervalMs'),
  plain('mysql-monitor_read_only_interval', 'monitor.intervalMs'),
  plain('mysql-monitor_read_only_timeout', 'monitor.timeoutMs'),
  plain('mysql-monitor_read_only_max_timeout_count', 'monitor.failureThreshold'),
  plain('mysql-firewall_whitelist_enabled', 'firewall.enabled'),
  plain('mysql-firewall_whitelist_errormsg', 'firewall.errorMessage'),
  plain('mysql-long_query_time', 'statistics.longQueryMs'),
  plain('mysql-eventslog_filename', 'slowQueryLog.file'),
  plain('mysql-eventslog_default_log', 'slowQueryLog.enabled'),
  plain('mysql-auditlog_filename', 'auditLog.file'),
  plain('mysql-ssl_p2s_ca', 'backendTls.ca'),
  plain('mysql-ssl_p2s_cert', 'backendTls.certificate'),
  plain('mysql-ssl_p2s_key', 'backendTls.key'),
  list('mysql-proxy_protocol_networks', 'proxyProtocol.networks'),
  plain('admin-web_enabled', 'http.dashboard'),
  plain('admin-web_port', 'http.port'),
  // Not ProxySQL's: a list of names that has no table.
  list('sluice-cache_level2_endpoints', 'cache.level2.endpoints'),
  list('sluice-failover_candidates', 'failover.candidates'),
  list('sluice-failover_etcd_endpoints', 'failover.etcd.endpoints'),
];

/** Settings that no variable shows: they say where everything else is, or are lists with tables of their own. */
export const HIDDEN_SETTINGS: ReadonlySet<string> = new Set(['dataDir']);
