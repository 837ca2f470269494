/** What each counter of a worker is called outside. Total: a counter without a name here does not compile. */
import type { WorkerCounterName } from './counter-snapshot.ts';
import type { MetricKind } from './shared-metric.ts';

export interface WorkerMetric {
  /** Counters that differ in one label share a name. */
  readonly name: string;
  readonly help: string;
  readonly kind: MetricKind;
  readonly labels?: Readonly<Record<string, string>>;
}

const STATEMENTS = {
  name: 'sluice_routed_statements_total',
  help: 'Statements by where they were sent',
  kind: 'counter',
} as const;

const CLIENT_BYTES = {
  name: 'sluice_client_bytes_total',
  help: 'Bytes received from (in) and sent to (out) clients',
  kind: 'counter',
} as const;

const CAUSAL_READS = {
  name: 'sluice_causal_reads_total',
  help: 'Reads that had to see certain writes: a replica had them at once, came to have them in time, or none did',
  kind: 'counter',
} as const;

const ANSWERED_BY_RULE = {
  name: 'sluice_rule_answered_statements_total',
  help: 'Statements that query rules have answered, with an error (error_msg) or an OK (OK_msg)',
  kind: 'counter',
} as const;

const FIREWALL = {
  name: 'sluice_firewall_statements_total',
  help: 'Statements of watched users that are not on the white list of the firewall',
  kind: 'counter',
} as const;

const DROPPED = {
  name: 'sluice_reports_dropped_total',
  help: 'Lines of logs, and spans, dropped because too many were waiting',
  kind: 'counter',
} as const;

export const WORKER_METRICS: Readonly<Record<WorkerCounterName, WorkerMetric>> = {
  frontendAccepted: {
    name: 'sluice_frontend_accepted_total',
    help: 'Client connections accepted',
    kind: 'counter',
  },
  frontendRefused: {
    name: 'sluice_frontend_refused_total',
    help: 'Client connections refused because a limit was reached',
    kind: 'counter',
  },
  beats: {
    name: 'sluice_worker_beats_total',
    help: 'About one a second from each worker that runs: one whose number stands still hangs',
    kind: 'counter',
  },
  grammarsMissing: {
    name: 'sluice_grammars_missing_total',
    help: 'Grammars of SQL that a worker could not load: statements that only the parser could prove to be reads go to the primary',
    kind: 'counter',
  },
  authFailures: {
    name: 'sluice_frontend_auth_failures_total',
    help: 'Logins of clients that failed',
    kind: 'counter',
  },
  loginsDelayed: {
    name: 'sluice_frontend_logins_delayed_total',
    help: 'Of these, refusals that were held back because of those before them',
    kind: 'counter',
  },
  ruleErrors: { ...ANSWERED_BY_RULE, labels: { answer: 'error' } },
  ruleOks: { ...ANSWERED_BY_RULE, labels: { answer: 'ok' } },
  ruleRewrites: {
    name: 'sluice_rule_rewritten_statements_total',
    help: 'Statements whose text query rules have changed',
    kind: 'counter',
  },
  firewallDetected: { ...FIREWALL, labels: { action: 'detected' } },
  firewallBlocked: { ...FIREWALL, labels: { action: 'blocked' } },
  rateLimited: {
    name: 'sluice_rate_limited_statements_total',
    help: 'Statements refused because a rate limit was reached',
    kind: 'counter',
  },
  userLimitReached: {
    name: 'sluice_frontend_user_limit_total',
    help: 'Logins that were refused because the account has all the connections that it may have',
    kind: 'counter',
  },
  mirrored: {
    name: 'sluice_mirrored_statements_total',
    help: 'Statements of which a copy was sent to the mirror hostgroup of a query rule',
    kind: 'counter',
  },
  mirrorsDropped: {
    name: 'sluice_mirrored_statements_dropped_total',
    help: 'Copies that were not sent: too many were running, or there was no server',
    kind: 'counter',
  },
  questions: { name: 'sluice_questions_total', help: 'Commands received from clients', kind: 'counter' },
  readsOnReplica: { ...STATEMENTS, labels: { route: 'read_on_replica' } },
  readsOnPrimary: { ...STATEMENTS, labels: { route: 'read_on_primary' } },
  writes: { ...STATEMENTS, labels: { route: 'write' } },
  causalReadsAtOnce: { ...CAUSAL_READS, labels: { outcome: 'replica_at_once' } },
  causalReadsWaited: { ...CAUSAL_READS, labels: { outcome: 'replica_waited' } },
  causalReadsBehind: { ...CAUSAL_READS, labels: { outcome: 'primary' } },
  gtidsUnknown: {
    name: 'sluice_gtids_unknown_total',
    help: 'Writes of which no server has told the GTID: reads of their tables go to the primary until it has been asked',
    kind: 'counter',
  },
  classified: {
    name: 'sluice_statements_classified_total',
    help: 'Statements whose digest was not known and had to be classified',
    kind: 'counter',
  },
  checkouts: {
    name: 'sluice_pool_checkouts_total',
    help: 'Backend connections checked out',
    kind: 'counter',
  },
  checkoutsFitting: {
    name: 'sluice_pool_checkouts_fitting_total',
    help: 'Of these, connections whose session state was the right one already',
    kind: 'counter',
  },
  checkoutsPipelined: {
    name: 'sluice_pool_checkouts_pipelined_total',
    help: "Of these, connections that still had another client's answer to come",
    kind: 'counter',
  },
  stateDifferences: {
    name: 'sluice_session_state_differences_total',
    help: 'Checkouts in front of which session state had to be sent to the server',
    kind: 'counter',
  },
  poolWaits: {
    name: 'sluice_pool_waits_total',
    help: 'Statements that had to wait for a backend connection',
    kind: 'counter',
  },
  poolTimeouts: {
    name: 'sluice_pool_timeouts_total',
    help: 'Statements that waited in vain for a backend connection',
    kind: 'counter',
  },
  clientBytesIn: { ...CLIENT_BYTES, labels: { direction: 'in' } },
  clientBytesOut: { ...CLIENT_BYTES, labels: { direction: 'out' } },
  errorsSent: {
    name: 'sluice_errors_sent_total',
    help: "Errors of Sluice's own sent to clients",
    kind: 'counter',
  },
  retries: {
    name: 'sluice_retries_total',
    help: 'Statements sent again because they certainly had not run',
    kind: 'counter',
  },
  pinnedSessions: {
    name: 'sluice_pinned_sessions',
    help: 'Client sessions that are bound to one backend connection now',
    kind: 'gauge',
  },
  sessions: { name: 'sluice_sessions', help: 'Client sessions of the worker now', kind: 'gauge' },
  slowReaderPauses: {
    name: 'sluice_slow_reader_pauses_total',
    help: 'Times that a server was paused because its client does not take the answer',
    kind: 'counter',
  },
  protocolErrors: {
    name: 'sluice_protocol_errors_total',
    help: 'Packets of clients that break the protocol',
    kind: 'counter',
  },
  digests: {
    name: 'sluice_digests',
    help: 'Statement digests that the worker remembers now',
    kind: 'gauge',
  },
  heldStatements: {
    name: 'sluice_held_statements_total',
    help: 'Statements that waited for a primary, or because writes were held while it changed',
    kind: 'counter',
  },
  heldStatementsNow: {
    name: 'sluice_held_statements',
    help: 'Statements that wait so now',
    kind: 'gauge',
  },
  heldMs: {
    name: 'sluice_held_milliseconds_total',
    help: 'Time that statements have waited so, all together',
    kind: 'counter',
  },
  replayedTransactions: {
    name: 'sluice_replayed_transactions_total',
    help: 'Transactions that went on, on another connection, after theirs was lost',
    kind: 'counter',
  },
  replaysNow: {
    name: 'sluice_replays',
    help: 'Transactions that are being replayed now',
    kind: 'gauge',
  },
  cacheHits: {
    name: 'sluice_cache_hits_total',
    help: 'Statements answered from the result cache',
    kind: 'counter',
  },
  cacheMisses: {
    name: 'sluice_cache_misses_total',
    help: 'Statements that may be cached and of which nothing was stored that could be served',
    kind: 'counter',
  },
  cacheUnproven: {
    name: 'sluice_cache_unproven_total',
    help: 'Statements neither served nor stored, since their tables were being written or the follower was late',
    kind: 'counter',
  },
  cacheFills: {
    name: 'sluice_cache_fills_total',
    help: 'Statements whose answer was to be stored',
    kind: 'counter',
  },
  cacheStored: { name: 'sluice_cache_stored_total', help: 'Answers that were stored', kind: 'counter' },
  cacheNotStored: {
    name: 'sluice_cache_not_stored_total',
    help: 'Answers that were not stored: errors, warnings, too large, outdated when they came',
    kind: 'counter',
  },
  cacheWaits: {
    name: 'sluice_cache_waits_total',
    help: 'Statements that waited for the same one of another session',
    kind: 'counter',
  },
  cacheWaitsExpired: {
    name: 'sluice_cache_waits_expired_total',
    help: 'Statements that waited for another one as long as they may, and then asked a server',
    kind: 'counter',
  },
  cacheEvicted: {
    name: 'sluice_cache_evicted_total',
    help: 'Results that made room for others',
    kind: 'counter',
  },
  cacheInvalidated: {
    name: 'sluice_cache_invalidated_total',
    help: 'Results found outdated by a write, a change of a table, or of privileges',
    kind: 'counter',
  },
  cacheExpired: {
    name: 'sluice_cache_expired_total',
    help: 'Results whose time to live was over',
    kind: 'counter',
  },
  cacheEntries: { name: 'sluice_cache_entries', help: 'Results that are stored now', kind: 'gauge' },
  cacheBytes: {
    name: 'sluice_cache_bytes',
    help: 'Bytes that the stored results take, with keys and overhead (limit: cache.maxBytes over all workers)',
    kind: 'gauge',
  },
  cacheBytesStored: {
    name: 'sluice_cache_bytes_stored_total',
    help: 'Bytes of answers that were stored',
    kind: 'counter',
  },
  cacheBytesServed: {
    name: 'sluice_cache_bytes_served_total',
    help: 'Bytes of answers from the result cache',
    kind: 'counter',
  },
  cacheSavedMs: {
    name: 'sluice_cache_saved_milliseconds_total',
    help: 'Time that servers took for the answers that hits have repeated',
    kind: 'counter',
  },
  cacheNotAdmitted: {
    name: 'sluice_cache_not_admitted_total',
    help: 'Statements whose answers were not kept because they came for the first time and the cache was full',
    kind: 'counter',
  },
  cacheFlushed: { name: 'sluice_cache_flushed_total', help: 'Results that were flushed', kind: 'counter' },
  level2Hits: {
    name: 'sluice_shared_cache_hits_total',
    help: 'Results taken from the second level of the result cache',
    kind: 'counter',
  },
  level2Misses: {
    name: 'sluice_shared_cache_misses_total',
    help: 'Results that the second level had not, or that could not be taken: damaged, outdated, or not provably fresh',
    kind: 'counter',
  },
  level2Timeouts: {
    name: 'sluice_shared_cache_timeouts_total',
    help: 'Questions that the second level did not answer in time',
    kind: 'counter',
  },
  level2Errors: {
    name: 'sluice_shared_cache_errors_total',
    help: 'Connections to the second level that failed or were lost, and commands that it refused',
    kind: 'counter',
  },
  level2BytesRead: {
    name: 'sluice_shared_cache_read_bytes_total',
    help: 'Values that the second level has answered with',
    kind: 'counter',
  },
  level2BytesWritten: {
    name: 'sluice_shared_cache_written_bytes_total',
    help: 'Values that were written to the second level',
    kind: 'counter',
  },
  level2Dropped: {
    name: 'sluice_shared_cache_dropped_total',
    help: 'Results not written to the second level, since too much was on its way to it',
    kind: 'counter',
  },
  level2Unflushed: {
    name: 'sluice_shared_cache_unflushed',
    help: 'Servers of the second level that have not been told of a flush: others may take there what was flushed here',
    kind: 'gauge',
  },
  replaysFailed: {
    name: 'sluice_replay_failures_total',
    help: 'Transactions that could not, though it was tried',
    kind: 'counter',
  },
  replayedStatements: {
    name: 'sluice_replayed_statements_total',
    help: 'Statements that were run again for this',
    kind: 'counter',
  },
  clientStatements: {
    name: 'sluice_client_statements',
    help: 'Prepared statements that clients have now',
    kind: 'gauge',
  },
  backendStatements: {
    name: 'sluice_backend_statements',
    help: 'Prepared statements on connections to servers now',
    kind: 'gauge',
  },
  statementsReprepared: {
    name: 'sluice_statements_reprepared_total',
    help: 'Prepared statements that were prepared again because another connection executed them',
    kind: 'counter',
  },
  slowQueriesDropped: { ...DROPPED, labels: { kind: 'slow_query' } },
  clientEventsDropped: { ...DROPPED, labels: { kind: 'client_event' } },
  logLinesDropped: { ...DROPPED, labels: { kind: 'log_line' } },
  spansDropped: { ...DROPPED, labels: { kind: 'span' } },
  backendLost: {
    name: 'sluice_backend_connections_lost_total',
    help: 'Backend connections that broke while they were in use',
    kind: 'counter',
  },
};
