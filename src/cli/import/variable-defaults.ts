/**
 * What variables that Sluice has a setting for are in a ProxySQL 2.7 that nobody has configured: read from tables, they
 * say nothing. Those without a setting are in `proxysql-other-variables.ts`.
 */
import { OTHER_VARIABLES } from '../../control/runtime/proxysql-other-variables.ts';

const OF_SETTINGS: ReadonlyMap<string, string> = new Map([
  ['admin-admin_credentials', 'admin:admin'],
  ['admin-mysql_ifaces', '0.0.0.0:6032'],
  ['admin-stats_credentials', 'stats:stats'],
  ['admin-web_enabled', 'false'],
  ['admin-web_port', '6080'],
  ['mysql-auditlog_filename', ''],
  ['mysql-connect_timeout_client', '10000'],
  ['mysql-connect_timeout_server', '1000'],
  ['mysql-connect_timeout_server_max', '10000'],
  ['mysql-connection_max_age_ms', '0'],
  ['mysql-default_query_timeout', '86400000'],
  ['mysql-eventslog_default_log', '0'],
  ['mysql-eventslog_filename', ''],
  ['mysql-firewall_whitelist_enabled', 'false'],
  ['mysql-firewall_whitelist_errormsg', 'Firewall blocked this query'],
  ['mysql-have_compress', 'true'],
  ['mysql-have_ssl', 'true'],
  ['mysql-interfaces', '0.0.0.0:6033'],
  ['mysql-long_query_time', '1000'],
  ['mysql-max_allowed_packet', '67108864'],
  ['mysql-max_connections', '10000'],
  ['mysql-max_stmts_per_connection', '20'],
  ['mysql-mirror_max_concurrency', '16'],
  ['mysql-monitor_connect_interval', '120000'],
  ['mysql-monitor_password', 'monitor'],
  ['mysql-monitor_read_only_interval', '1000'],
  ['mysql-monitor_read_only_max_timeout_count', '3'],
  ['mysql-monitor_read_only_timeout', '800'],
  ['mysql-monitor_username', 'monitor'],
  ['mysql-proxy_protocol_networks', ''],
  ['mysql-query_cache_handle_warnings', '0'],
  ['mysql-query_cache_size_MB', '256'],
  ['mysql-query_cache_soft_ttl_pct', '0'],
  ['mysql-query_cache_stores_empty_result', 'true'],
  ['mysql-server_version', '8.0.11'],
  ['mysql-ssl_p2s_ca', ''],
  ['mysql-ssl_p2s_cert', ''],
  ['mysql-ssl_p2s_key', ''],
  ['mysql-threads', '4'],
  ['mysql-wait_timeout', '28800000'],
]);

export function isProxySqlDefault(name: string, value: string): boolean {
  return (OF_SETTINGS.get(name) ?? OTHER_VARIABLES.get(name)) === value;
}
