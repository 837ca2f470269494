/**
 * The variables of ProxySQL's `stats_mysql_global` that tools read, and Sluice's own behind them. Those that have no
 * meaning here are 0, so that nobody who asks for all of them misses one.
 */

import { CheckName } from '../../topology/server-probe.ts';
import type { CounterSnapshot, WorkerCounterName } from '../metrics/counter-snapshot.ts';

export type StatusVariable = readonly [name: string, value: number];

/** Bytes of the read buffer that every connection to a server has. */
const CONNECTION_BUFFER_BYTES = 65_536;
/** Bytes of commands of the protocol. */
const COM_INIT_DB = 2;
const COM_STMT_PREPARE = 22;
const COM_STMT_EXECUTE = 23;
const COM_STMT_CLOSE = 25;

/** In the order of the table. */
export function globalStatus(all: CounterSnapshot, uptimeSeconds = process.uptime()): StatusVariable[] {
  const read = new Readings(all);
  return [
    ['ProxySQL_Uptime', Math.floor(uptimeSeconds)],
    ...clientVariables(read),
    ...serverVariables(read),
    ...statementVariables(read),
    ...preparedVariables(read),
    ...cacheVariables(read),
    ...monitorVariables(all),
    ...WITHOUT_MEANING.map((name) => [name, 0] as const),
    ...ownVariables(read),
  ];
}

/** Sums over workers and servers. */
class Readings {
  readonly all: CounterSnapshot;

  constructor(all: CounterSnapshot) {
    this.all = all;
  }

  worker(counter: WorkerCounterName): number {
    return this.all.workers.reduce((sum, { counters }) => sum + counters[counter], 0);
  }

  servers(field: 'connections' | 'inUse' | 'connects' | 'connectErrors' | 'bytesSent' | 'bytesReceived') {
    return this.all.servers.reduce((sum, server) => sum + server[field], 0);
  }

  command(name: string): number {
    return this.all.statistics.commands.find(({ command }) => command === name)?.count ?? 0;
  }

  protocol(command: number): number {
    return this.all.statistics.protocolCommands[command] ?? 0;
  }
}

function clientVariables(read: Readings): StatusVariable[] {
  const { frontendConnections, statistics } = read.all;
  return [
    ['Active_Transactions', Math.max(0, statistics.counters.openTransactions)],
    ['Client_Connections_aborted', read.worker('authFailures') + read.worker('protocolErrors')],
    ['Client_Connections_connected', frontendConnections],
    ['Client_Connections_created', read.worker('frontendAccepted')],
    ['Client_Connections_hostgroup_locked', read.worker('pinnedSessions')],
    // All clients are the workers' own: none is parked elsewhere while it is idle.
    ['Client_Connections_non_idle', frontendConnections],
    ['Access_Denied_Wrong_Password', read.worker('authFailures')],
    ['Access_Denied_Max_Connections', read.worker('frontendRefused')],
    ['Access_Denied_Max_User_Connections', read.worker('userLimitReached')],
  ];
}

function serverVariables(read: Readings): StatusVariable[] {
  const connects = read.servers('connects');
  const connections = read.servers('connections');
  const checkouts = read.worker('checkouts');
  return [
    ['Server_Connections_aborted', read.servers('connectErrors') + read.worker('backendLost')],
    ['Server_Connections_connected', connections],
    ['Server_Connections_created', connects],
    ['Servers_table_version', read.all.snapshotVersion],
    ['ConnPool_get_conn_immediate', read.worker('checkoutsFitting')],
    ['ConnPool_get_conn_success', checkouts],
    ['ConnPool_get_conn_failure', read.worker('poolWaits')],
    ['ConnPool_memory_bytes', connections * CONNECTION_BUFFER_BYTES],
    ['MyHGM_myconnpoll_get', checkouts],
    ['MyHGM_myconnpoll_get_ok', checkouts],
    ['MyHGM_myconnpoll_push', Math.max(0, checkouts - read.servers('inUse'))],
    ['MyHGM_myconnpoll_destroy', Math.max(0, connects - connections)],
    ['max_connect_timeouts', read.worker('poolTimeouts')],
    ['backend_offline_during_query', read.worker('backendLost')],
    ['MySQL_Thread_Workers', read.all.workers.length],
  ];
}

function statementVariables(read: Readings): StatusVariable[] {
  const { counters } = read.all.statistics;
  return [
    ['Questions', read.worker('questions')],
    ['Slow_queries', counters.slow],
    ['Backend_query_time_nsec', counters.backendMicros * 1000],
    ['Queries_backends_bytes_recv', read.servers('bytesReceived')],
    ['Queries_backends_bytes_sent', read.servers('bytesSent')],
    ['Queries_frontends_bytes_recv', read.worker('clientBytesIn')],
    ['Queries_frontends_bytes_sent', read.worker('clientBytesOut')],
    ['Com_autocommit', counters.setAutocommit],
    ['Com_commit', read.command('COMMIT')],
    ['Com_rollback', read.command('ROLLBACK')],
    ['Com_frontend_init_db', read.protocol(COM_INIT_DB)],
    ['Com_frontend_set_names', counters.setNames],
    ['Com_frontend_use_db', read.command('USE')],
    ['generated_error_packets', read.worker('errorsSent')],
    ['mysql_unexpected_frontend_packets', read.worker('protocolErrors')],
    ['hostgroup_locked_queries', heldStatements(read.all)],
  ];
}

function heldStatements({ workers }: CounterSnapshot): number {
  const routes = workers.flatMap((worker) => worker.routes);
  return routes.reduce((sum, { target, statements }) => sum + (target === 'held' ? statements : 0), 0);
}

function preparedVariables(read: Readings): StatusVariable[] {
  const prepares = read.protocol(COM_STMT_PREPARE);
  const executes = read.protocol(COM_STMT_EXECUTE);
  const again = read.worker('statementsReprepared');
  const { definitions } = read.all.statistics.counters;
  const atServers = read.worker('backendStatements');
  return [
    ['Com_frontend_stmt_prepare', prepares],
    ['Com_frontend_stmt_execute', executes],
    ['Com_frontend_stmt_close', read.protocol(COM_STMT_CLOSE)],
    ['Com_backend_stmt_prepare', prepares + again],
    ['Com_backend_stmt_execute', executes],
    // What is open now has not been closed.
    ['Com_backend_stmt_close', Math.max(0, prepares + again - atServers)],
    ['Stmt_Client_Active_Total', read.worker('clientStatements')],
    ['Stmt_Client_Active_Unique', definitions],
    ['Stmt_Server_Active_Total', atServers],
    ['Stmt_Server_Active_Unique', Math.min(definitions, atServers)],
    ['Stmt_Max_Stmt_id', prepares],
    ['Stmt_Cached', definitions],
  ];
}

function monitorVariables({ checks }: CounterSnapshot): StatusVariable[] {
  return checks.flatMap(({ check, succeeded, failed }) => {
    const name = check === CheckName.replication ? 'replication_lag' : check;
    return [
      [`MySQL_Monitor_${name}_check_OK`, succeeded],
      [`MySQL_Monitor_${name}_check_ERR`, failed],
    ] as const;
  });
}

function ownVariables(read: Readings): StatusVariable[] {
  const { counters } = read.all.statistics;
  return [
    ['Sluice_reads_on_replica', read.worker('readsOnReplica')],
    ['Sluice_reads_on_primary', read.worker('readsOnPrimary')],
    ['Sluice_writes', read.worker('writes')],
    ['Sluice_causal_reads_at_once', read.worker('causalReadsAtOnce')],
    ['Sluice_causal_reads_waited', read.worker('causalReadsWaited')],
    ['Sluice_causal_reads_on_primary', read.worker('causalReadsBehind')],
    ['Sluice_gtids_unknown', read.worker('gtidsUnknown')],
    ['Sluice_retries', read.worker('retries')],
    ['Sluice_statements', counters.statements],
    ['Sluice_statement_errors', counters.errors],
    ['Sluice_rows_sent', counters.rowsSent],
    ['Sluice_rows_affected', counters.rowsAffected],
    ['Sluice_wait_time_nsec', counters.waitMicros * 1000],
    ['Sluice_digests', counters.digests],
    ['Sluice_digests_forgotten_statements', counters.digestsForgotten],
    ['Sluice_pipelined_checkouts', read.worker('checkoutsPipelined')],
  ];
}

/** Of features that ProxySQL has and Sluice has not, or that it does otherwise. */
const WITHOUT_MEANING = [
  'Com_autocommit_filtered',
  'Com_commit_filtered',
  'Com_rollback_filtered',
  'Com_backend_change_user',
  'Com_backend_init_db',
  'Com_backend_set_names',
  'ConnPool_get_conn_latency_awareness',
  'GTID_consistent_queries',
  'GTID_session_collected',
  'Mirror_concurrency',
  'Mirror_queue_length',
  'MyHGM_myconnpoll_reset',
  'MySQL_Monitor_Workers',
  'MySQL_Monitor_Workers_Aux',
  'MySQL_Monitor_Workers_Started',
  'MySQL_Monitor_dns_cache_queried',
  'MySQL_Monitor_dns_cache_lookup_success',
  'MySQL_Monitor_dns_cache_record_updated',
  'Query_Processor_time_nsec',
  'SQLite3_memory_bytes',
  'Selects_for_update__autocommit0',
  'Server_Connections_delayed',
  'automatic_detected_sql_injection',
  'aws_aurora_replicas_skipped_during_query',
  'backend_lagging_during_query',
  'client_host_error_killed_connections',
  'hostgroup_locked_set_cmds',
  'mysql_backend_buffers_bytes',
  'mysql_frontend_buffers_bytes',
  'mysql_killed_backend_connections',
  'mysql_killed_backend_queries',
  'mysql_listener_paused',
  'mysql_session_internal_bytes',
  'mysql_unexpected_frontend_com_quit',
  'new_req_conns_count',
  'queries_with_max_lag_ms',
  'queries_with_max_lag_ms__delayed',
  'queries_with_max_lag_ms__total_wait_time_us',
  'whitelisted_sqli_fingerprint',
] as const;

/** ProxySQL counts what its cache was asked for, whether it had it, and what was put in. */
function cacheVariables(read: Readings): StatusVariable[] {
  const hits = read.worker('cacheHits');
  const gone = (['cacheEvicted', 'cacheInvalidated', 'cacheExpired', 'cacheFlushed'] as const).map((name) =>
    read.worker(name),
  );
  return [
    ['Query_Cache_Memory_bytes', read.worker('cacheBytes')],
    ['Query_Cache_count_GET', hits + read.worker('cacheMisses') + read.worker('cacheUnproven')],
    ['Query_Cache_count_GET_OK', hits],
    ['Query_Cache_count_SET', read.worker('cacheStored')],
    ['Query_Cache_bytes_IN', read.worker('cacheBytesStored')],
    ['Query_Cache_bytes_OUT', read.worker('cacheBytesServed')],
    ['Query_Cache_Purged', gone.reduce((sum, count) => sum + count, 0)],
    ['Query_Cache_Entries', read.worker('cacheEntries')],
  ];
}
