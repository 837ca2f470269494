/**
 * For each alert series that make it fire and, one number away, series that do not. Values in promtool's notation: one
 * for each 15 seconds, `a+bxn` for n more that grow by b, `_` for none.
 */

export interface AlertCase {
  readonly alert: string;
  /** By series without `job` and `instance`, which are added. */
  readonly series: Readonly<Record<string, string>>;
  /** When to look, e.g. `2m`; time begins at 0. */
  readonly at: string;
  /** Labels of what fires, besides job, instance and severity; none: nothing does. */
  readonly fires: readonly Readonly<Record<string, string>>[];
}

const STEADY = 'x400';

function constant(value: number): string {
  return `${value}+0${STEADY}`;
}

/** Grows by so much a second. */
function rising(perSecond: number): string {
  return `0+${perSecond * 15}${STEADY}`;
}

/** 0, and from minute 10 on `value`. */
function jump(value: number): string {
  return `0x39 ${value}+0${STEADY}`;
}

function fires(
  alert: string,
  at: string,
  series: AlertCase['series'],
  labels: Readonly<Record<string, string>> = {},
): AlertCase {
  return { alert, at, series, fires: [labels] };
}

function quiet(alert: string, at: string, series: AlertCase['series']): AlertCase {
  return { alert, at, series, fires: [] };
}

/** A gauge without more: fires at one value, and not at the other. */
function gauge(
  alert: string,
  at: string,
  series: string,
  bad: number,
  good: number,
  labels: Readonly<Record<string, string>> = {},
): AlertCase[] {
  return [
    fires(alert, at, { [series]: constant(bad) }, labels),
    quiet(alert, at, { [series]: constant(good) }),
  ];
}

/** Two rates of which one is a share of the other. */
function share(
  alert: string,
  at: string,
  part: string,
  whole: string,
  bad: number,
  good: number,
): AlertCase[] {
  return [
    fires(alert, at, { [part]: rising(bad), [whole]: rising(100) }),
    quiet(alert, at, { [part]: rising(good), [whole]: rising(100) }),
  ];
}

const DAY = 86_400;
const SERVER = 'server="db2:3306"';
const DB2 = { server: 'db2:3306' };
const READERS = 'sluice_hostgroup_members{hostgroup="1",kind="reader",verdict=';
const LAST = 'sluice_operation_last_timestamp_seconds{operation=';
const OBSTACLE = 'sluice_failover_obstacle{obstacle=';
const TLS = 'sluice_certificate_expiry_timestamp_seconds{setting="tls.certificate"}';

const AVAILABILITY: readonly AlertCase[] = [
  ...gauge('SluiceDown', '1m15s', 'up', 0, 1),
  quiet('SluiceDown', '30s', { up: constant(0) }),
  ...gauge('SluiceNotReady', '2m', 'sluice_ready', 0, 1),
  ...gauge(
    'SluicePrimaryLost',
    '1m',
    'sluice_hostgroup_members{hostgroup="0",kind="writer",verdict="fit"}',
    0,
    1,
  ),
  ...gauge('SluiceStatementsHeld', '2m', 'sluice_held_statements{worker="0"}', 3, 0),
  fires('SluiceWorkerCrashed', '12m', { 'sluice_worker_restarts_total{worker="0"}': jump(1) }),
  quiet('SluiceWorkerCrashed', '30m', { 'sluice_worker_restarts_total{worker="0"}': jump(1) }),
  ...[1, 2].map((running) => {
    const series = {
      sluice_workers_running: constant(running),
      'sluice_worker_restarts_total{worker="0"}': constant(5),
      'sluice_worker_restarts_total{worker="1"}': constant(0),
    };
    return running === 1
      ? fires('SluiceWorkerMissing', '2m', series)
      : quiet('SluiceWorkerMissing', '2m', series);
  }),
  fires('SluiceRestarted', '12m', { process_start_time_seconds: '1000x39 1600+0x400' }),
  quiet('SluiceRestarted', '12m', { process_start_time_seconds: constant(1000) }),
  ...gauge('SluicePredecessorLingers', '16m', 'sluice_handover_predecessor', 1, 0),
  ...['1.1', '1.0'].map(
    (version): AlertCase => ({
      alert: 'SluiceVersionsDiffer',
      at: '70m',
      series: {
        'sluice_build_info{version="1.0",node="24"}': constant(1),
        [`sluice_build_info{version="${version}",node="25",instance="b"}`]: constant(1),
      },
      fires: version === '1.1' ? [{ instance: '' }] : [],
    }),
  ),
];

const SERVERS: readonly AlertCase[] = [
  ...gauge(
    'SluiceServerDown',
    '2m',
    `sluice_server_status{${SERVER},hostgroup="1",status="SHUNNED"}`,
    1,
    0,
    DB2,
  ),
  fires(
    'SluiceNoReplica',
    '2m',
    { [`${READERS}"fit"}`]: constant(0), [`${READERS}"lagging"}`]: constant(1) },
    { hostgroup: '1' },
  ),
  quiet('SluiceNoReplica', '2m', {
    [`${READERS}"fit"}`]: constant(1),
    [`${READERS}"lagging"}`]: constant(1),
  }),
  quiet('SluiceNoReplica', '2m', {
    [`${READERS}"fit"}`]: constant(0),
    [`${READERS}"lagging"}`]: constant(0),
  }),
  ...gauge(
    'SluiceReplicaLagging',
    '2m',
    `sluice_server_lag_seconds{${SERVER},source="heartbeat"}`,
    31,
    30,
    DB2,
  ),
  ...gauge(
    'SluiceReplicaLaggingBadly',
    '6m',
    `sluice_server_lag_seconds{${SERVER},source="heartbeat"}`,
    301,
    300,
    DB2,
  ),
  ...gauge('SluiceReplicaLagUnknown', '6m', `${READERS}"lag-unknown"}`, 1, 0, { hostgroup: '1' }),
  ...gauge('SluiceReplicationBroken', '2m', `sluice_server_replication_running{${SERVER}}`, 0, 1, DB2),
  fires(
    'SluiceServerConnectErrors',
    '15m',
    { [`sluice_server_connect_errors_total{${SERVER}}`]: rising(0.3) },
    DB2,
  ),
  quiet('SluiceServerConnectErrors', '15m', {
    [`sluice_server_connect_errors_total{${SERVER}}`]: rising(0.1),
  }),
];

const FAILOVER: readonly AlertCase[] = [
  // Time begins at 0 in these tests: the failover was at minute 20.
  fires(
    'SluiceFailoverHappened',
    '30m',
    { [`${LAST}"failover"}`]: '_x80 1200+0x400' },
    { operation: 'failover' },
  ),
  quiet('SluiceFailoverHappened', '40m', { [`${LAST}"failover"}`]: '_x80 1200+0x400' }),
  quiet('SluiceFailoverHappened', '30m', { [`${LAST}"failover"}`]: constant(0) }),
  fires(
    'SluicePrimaryMoved',
    '30m',
    { [`${LAST}"switchover"}`]: '_x80 1200+0x400' },
    { operation: 'switchover' },
  ),
  quiet('SluicePrimaryMoved', '30m', { [`${LAST}"rejoin"}`]: '_x80 1200+0x400' }),
  ...['failed', 'undone'].map(
    (outcome): AlertCase => ({
      alert: 'SluiceOperationFailed',
      at: '12m',
      series: { [`sluice_operations_total{operation="failover",outcome="${outcome}"}`]: jump(1) },
      fires: outcome === 'failed' ? [{ operation: 'failover' }] : [],
    }),
  ),
  ...[0, 1].map(
    (off): AlertCase => ({
      alert: 'SluiceFailoverImpossible',
      at: '6m',
      series: { [`${OBSTACLE}"no-candidate"}`]: constant(1), [`${OBSTACLE}"not-automatic"}`]: constant(off) },
      fires: off === 0 ? [{ obstacle: 'no-candidate' }] : [],
    }),
  ),
  quiet('SluiceFailoverImpossible', '6m', {
    [`${OBSTACLE}"no-candidate"}`]: constant(0),
    [`${OBSTACLE}"not-automatic"}`]: constant(0),
  }),
];

const IN_USE = `sluice_server_connections_in_use{${SERVER}}`;
const LIMIT = `sluice_server_connections_limit{${SERVER}}`;
const PINNED = 'sluice_pinned_sessions{worker="0"}';

const POOLS: readonly AlertCase[] = [
  fires('SluicePoolExhausted', '12m', { 'sluice_pool_timeouts_total{worker="0"}': jump(1) }),
  quiet('SluicePoolExhausted', '20m', { 'sluice_pool_timeouts_total{worker="0"}': jump(1) }),
  fires('SluicePoolNearlyFull', '6m', { [IN_USE]: constant(91), [LIMIT]: constant(100) }, DB2),
  quiet('SluicePoolNearlyFull', '6m', { [IN_USE]: constant(90), [LIMIT]: constant(100) }),
  quiet('SluicePoolNearlyFull', '6m', { [IN_USE]: constant(91), [LIMIT]: constant(0) }),
  ...share(
    'SluicePoolWaiting',
    '15m',
    'sluice_pool_waits_total{worker="0"}',
    'sluice_pool_checkouts_total{worker="0"}',
    6,
    4,
  ),
  ...[21, 20].map((pinned) => {
    const series = { [PINNED]: constant(pinned), 'sluice_sessions{worker="0"}': constant(30) };
    return pinned === 21 ? fires('SluicePinsMany', '11m', series) : quiet('SluicePinsMany', '11m', series);
  }),
  quiet('SluicePinsMany', '11m', { [PINNED]: constant(30), 'sluice_sessions{worker="0"}': constant(60) }),
  fires('SluicePinsGrowing', '80m', { [PINNED]: '40+0x239 81+0x400' }),
  quiet('SluicePinsGrowing', '80m', { [PINNED]: '40+0x239 80+0x400' }),
];

const CLIENTS: readonly AlertCase[] = [
  fires('SluiceClientsRefused', '12m', { 'sluice_frontend_refused_total{worker="0"}': jump(1) }),
  quiet('SluiceClientsRefused', '20m', { 'sluice_frontend_refused_total{worker="0"}': jump(1) }),
  ...[86, 85].map((clients) => {
    const series = {
      sluice_frontend_connections: constant(clients),
      sluice_frontend_connections_limit: constant(100),
    };
    return clients === 86
      ? fires('SluiceClientsNearLimit', '6m', series)
      : quiet('SluiceClientsNearLimit', '6m', series);
  }),
  fires('SluiceLoginsFail', '15m', { 'sluice_frontend_auth_failures_total{worker="0"}': rising(1.2) }),
  quiet('SluiceLoginsFail', '15m', { 'sluice_frontend_auth_failures_total{worker="0"}': rising(0.8) }),
  ...share(
    'SluiceErrorsSent',
    '15m',
    'sluice_errors_sent_total{worker="0"}',
    'sluice_questions_total{worker="0"}',
    2,
    0.8,
  ),
  ...share(
    'SluiceStatementErrors',
    '20m',
    'sluice_statement_errors_total',
    'sluice_statements_total{command="SELECT"}',
    6,
    4,
  ),
  ...[0.02, 0.005].map((slow) => {
    const bucket = (le: string, perSecond: number) => ({
      [`sluice_statement_duration_seconds_bucket{hostgroup="1",sort="read",le="${le}"}`]: rising(
        perSecond * 100,
      ),
    });
    const series = { ...bucket('1.048576', 1 - slow), ...bucket('4.194304', 1), ...bucket('+Inf', 1) };
    return slow === 0.02
      ? fires('SluiceStatementsSlow', '20m', series, { hostgroup: '1' })
      : quiet('SluiceStatementsSlow', '20m', series);
  }),
];

const CACHE: readonly AlertCase[] = [
  ...gauge('SluiceCacheSuspended', '2m', 'sluice_binlog_follower_state{state="suspended"}', 1, 0),
  ...gauge('SluiceCacheNotFollowing', '6m', 'sluice_binlog_follower_state{state="connecting"}', 1, 0),
  quiet('SluiceCacheNotFollowing', '6m', { 'sluice_binlog_follower_state{state="following"}': constant(1) }),
  ...gauge('SluiceWritesInDoubt', '2m', 'sluice_writes_in_doubt', 1, 0),
  ...[0.2, 0.05].map((perSecond) => {
    const series = {
      'sluice_shared_cache_errors_total{worker="0"}': rising(0),
      'sluice_shared_cache_timeouts_total{worker="0"}': rising(perSecond),
    };
    return perSecond === 0.2
      ? fires('SluiceSharedCacheFailing', '15m', series)
      : quiet('SluiceSharedCacheFailing', '15m', series);
  }),
];

const PROCESS: readonly AlertCase[] = [
  ...gauge('SluiceCertificateExpiring', '0m', TLS, 21 * DAY - 1, 21 * DAY, { setting: 'tls.certificate' }),
  ...gauge('SluiceCertificateExpiringNow', '0m', TLS, 2 * DAY - 1, 2 * DAY, { setting: 'tls.certificate' }),
  ...[81, 80].map((open) => {
    const series = { process_open_fds: constant(open), process_max_fds: constant(100) };
    return open === 81
      ? fires('SluiceFileDescriptors', '6m', series)
      : quiet('SluiceFileDescriptors', '6m', series);
  }),
  ...[91, 90].map((resident) => {
    const series = {
      process_resident_memory_bytes: constant(resident),
      sluice_memory_limit_bytes: constant(100),
    };
    return resident === 91
      ? fires('SluiceMemoryNearLimit', '6m', series)
      : quiet('SluiceMemoryNearLimit', '6m', series);
  }),
  ...gauge('SluiceConfigurationRefused', '2m', 'sluice_configuration_refused', 1, 0),
  ...gauge('SluiceControlPlaneSlow', '6m', 'nodejs_eventloop_lag_p99_seconds', 0.6, 0.5),
  fires(
    'SluiceReportsDropped',
    '12m',
    { 'sluice_reports_dropped_total{worker="0",kind="spans"}': jump(1) },
    { kind: 'spans' },
  ),
  quiet('SluiceReportsDropped', '30m', { 'sluice_reports_dropped_total{worker="0",kind="spans"}': jump(1) }),
];

export const ALERT_CASES: readonly AlertCase[] = [
  ...AVAILABILITY,
  ...SERVERS,
  ...FAILOVER,
  ...POOLS,
  ...CLIENTS,
  ...CACHE,
  ...PROCESS,
];
