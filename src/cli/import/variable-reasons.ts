/** Why variables of ProxySQL 2.x and 3.x are not taken, and what there is in Sluice instead. */

interface Reason {
  readonly pattern: RegExp;
  readonly reason: string;
}

const because = (pattern: RegExp, reason: string): Reason => ({ pattern, reason });

/** The first that fits counts. */
const MYSQL: readonly Reason[] = [
  because(
    /^(?:add_)?ldap_/,
    'there is no LDAP; `users: {source: backend}` takes the accounts that the primary has',
  ),
  because(
    /^(?:auditlog|eventslog)_/,
    'logs are JSON lines, appended to one file or to the log; what rotates it sends SIGUSR1',
  ),
  because(
    /^aurora_|^monitor_aws_|^monitor_(?:galera|groupreplication)_/,
    'who is primary is measured in the same way for every kind of cluster (monitor.intervalMs, monitor.timeoutMs)',
  ),
  because(
    /^auto_increment_delay_|^connection_delay_multiplex_ms$/,
    'connections go back after each statement; LAST_INSERT_ID() is answered right wherever the next one runs',
  ),
  because(
    /autocommit/,
    'a session without autocommit is in its transaction exactly when the server says so, and stays where it is',
  ),
  because(
    /^automatic_detect_sqli$/,
    'there is no detection by heuristics; `firewall` has a list of allowed digests',
  ),
  because(/^binlog_reader_/, 'GTIDs are asked of the servers themselves, there is no other daemon'),
  because(/^client_host_/, 'refused logins are held back, longer each time (limits.loginDelayMs)'),
  because(
    /session_track_gtid|^ignore_min_gtid/,
    'what sessions have written is always followed (causalReads.level)',
  ),
  because(
    /^(?:commands_stats|servers_stats|stats_time_|query_digests)/,
    'statistics are always counted, in bounded memory (statistics.…)',
  ),
  because(
    /^connect_retries_|^default_reconnect$/,
    'a server that cannot be reached is tried again, and others instead, for pool.waitTimeoutMs',
  ),
  because(
    /^connection_warming$|^free_connections_pct$/,
    'pool.minIdle is how many idle connections are kept for each worker, server and user',
  ),
  because(
    /^connpoll_reset_|^reset_connection_/,
    'a session is brought to the next connection by the difference; what cannot be is reset with COM_RESET_CONNECTION',
  ),
  because(/^default_authentication_plugin$/, 'clients are asked for the proof that their account needs'),
  because(/^default_max_latency_ms$/, 'maxLatencyMs of each server'),
  because(/^default_query_delay$/, 'delayMs of a query rule'),
  because(
    /^default_schema$/,
    'a client that names no schema has none, as on a server; users[].defaultSchema',
  ),
  because(
    /^default_|^handle_unknown_charset$/,
    'sessions begin with what the servers themselves have, as without a proxy',
  ),
  because(
    /^enable_.*deprecate_eof$|^server_capabilities$|^client_(?:found_rows|multi_statements)$|^protocol_compression|^select_version/,
    'clients and servers agree on what both can',
  ),
  because(
    /^enable_load_data_local_infile$/,
    'LOAD DATA LOCAL reads the file of the client, as without a proxy',
  ),
  because(
    /^handle_warnings$/,
    'SHOW WARNINGS is answered by the connection that has them, without a change of how sessions are pinned',
  ),
  because(
    /verbose|^log_|^parse_failure_|^data_packets_|_debug$|^session_debug/,
    'log.level is how much is said; SHOW ROUTES and EXPLAIN ROUTE tell what became of a statement',
  ),
  because(/^init_connect$/, "the servers' own init_connect has effect"),
  because(
    /^(?:keep_multiplexing_variables|multiplexing|set_parser_algorithm|set_query_lock_on_hostgroup)$/,
    'servers report what a session changes, so that nothing has to be parsed, locked or left out; what cannot be moved pins the session (SHOW SESSIONS)',
  ),
  because(
    /^kill_backend_connection_/,
    'a connection whose client has gone in the middle of something is never reused',
  ),
  because(/^fast_forward_grace/, 'a session on one connection ends with its client'),
  because(/^max_stmts_cache$/, 'limits.maxPreparedStatements is the limit of each worker'),
  because(
    /^max_transaction_/,
    'transactions have no limit of time but limits.idleTimeoutMs of a silent client',
  ),
  because(/^min_num_servers_lant?ency/, 'maxLatencyMs counts whatever the number of servers'),
  because(/^mirror_max_queue_length$/, 'what routing.mirrorConcurrency has no place for is not mirrored'),
  because(/^monitor_enabled$/, 'who is primary is measured, so the monitor always runs'),
  because(/^monitor_history$/, 'the last checks of each server are kept (schema monitor of the admin port)'),
  because(
    /^monitor_local_dns_|^monitor_threads_/,
    "addresses are the system's matter, and checks need no threads",
  ),
  because(
    /^monitor_(?:replication_lag|slave_lag)/,
    'lag is measured in milliseconds by heartbeats (monitor.heartbeat, monitor.lag)',
  ),
  because(
    /^monitor_writer_is_also_reader$/,
    'routing.readsOnPrimary: share gives the primary its part of the reads',
  ),
  because(/^monitor_/, 'all checks of a server have one interval, time-out and threshold (monitor.…)'),
  because(
    /^ping_/,
    'idle connections are closed after pool.idleTimeoutMs; what fails on one is tried on another',
  ),
  because(
    /^poll_timeout|^session(?:s_sort|_idle_ms)|^stacksize$/,
    "about the inside of ProxySQL's threads; there is nothing to set",
  ),
  because(/^query_processor_iterations$/, 'chains of rules go forward, each rule is looked at once'),
  because(/^query_processor_/, 'patterns are always RE2'),
  because(
    /^query_retries_on_failure$/,
    'a proven read that loses its server is tried again elsewhere; retries of a query rule',
  ),
  because(/^query_rules_fast_routing_algorithm$/, 'there is one'),
  because(/show_processlist|^processlist_/, 'SHOW PROCESSLIST lists all sessions'),
  because(
    /^(?:un)?shun_/,
    'monitor.failureThreshold and recoveryThreshold decide when a server is left out and back',
  ),
  because(/^evaluate_replication_lag/, 'lag is looked at with every sample'),
  because(
    /^ssl_p2s_ca?path$|^ssl_p2s_c(?:rl|ipher)|^ssl_p2s_crlpath$/,
    'backendTls has ca, certificate, key and minVersion',
  ),
  because(/keepalive/, 'connections use the keep-alive of the system'),
  because(/^threshold_/, 'results are passed on as they come, with backpressure (limits.writeBufferBytes)'),
  because(/^throttle_connections_/, 'pool.maxConnecting is how many connections are opened at the same time'),
  because(/^throttle_/, 'there is no limit of bytes per second'),
  because(/^server_version$/, "clients are told the primary's version"),
];

const ADMIN: readonly Reason[] = [
  because(
    /^checksum_|^cluster_/,
    'Sluices do not copy their configuration from each other: give each the same file',
  ),
  because(/^coredump_|^debug|^ssl_keylog/, 'for debugging ProxySQL itself'),
  because(
    /^hash_passwords$/,
    'passwords are kept as they are written; `*…` hashes, files and variables can stand instead',
  ),
  because(/^prometheus_memory_/, '/metrics is made when it is asked for'),
  because(/^read_only$/, 'operators with the role stats may only look'),
  because(/^refresh_interval$/, 'statistics are as of the moment that they are read'),
  because(/^restapi_/, 'scripts are not run; /metrics, /healthz and /readyz are on the http port'),
  because(/^stats_|^vacuum_stats$/, 'the history is kept as statistics.history… says, with dataDir'),
  because(/^telnet_|^pgsql_ifaces$/, 'operators talk the MySQL protocol, or use the dashboard'),
  because(/^version$/, 'it is the version of ProxySQL'),
  because(/^web_/, 'the dashboard is on the http port, with its own settings (http.…)'),
];

const PREFIXES: Readonly<Record<string, readonly Reason[]>> = { mysql: MYSQL, admin: ADMIN };

const OF_OTHER_PREFIXES: Readonly<Record<string, string>> = {
  pgsql: 'Sluice speaks the MySQL protocol only, PostgreSQL is not served',
  ldap: 'there is no LDAP; `users: {source: backend}` takes the accounts that the primary has',
  sqliteserver: "ProxySQL's SQLite server is not there",
  clickhouse: 'ClickHouse is not served',
  genai: "ProxySQL's functions for language models are not there",
  mcp: "ProxySQL's functions for language models are not there",
};

/** Null for a name that ProxySQL is not known to have. */
export function variableReason(name: string): string | null {
  const dash = name.indexOf('-');
  const prefix = name.slice(0, dash);
  const own = name.slice(dash + 1);
  const found = Object.hasOwn(PREFIXES, prefix)
    ? PREFIXES[prefix]?.find(({ pattern }) => pattern.test(own))?.reason
    : undefined;
  return found ?? (Object.hasOwn(OF_OTHER_PREFIXES, prefix) ? (OF_OTHER_PREFIXES[prefix] ?? null) : null);
}
