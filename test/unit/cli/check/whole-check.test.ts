/** What a page of metrics comes to. The page of a real Sluice is asked in test/integration/monitoring. */
import t from 'tap';
import { MetricsPage } from '../../../../src/cli/check/metrics-page.ts';
import { formatJson, formatLine, makeReport } from '../../../../src/cli/check/report.ts';
import { formatThreshold, isBeyond, parseThreshold } from '../../../../src/cli/check/threshold.ts';
import { readWishes, type WishTexts } from '../../../../src/cli/check/wishes.ts';

const NOW = 1_800_000_000;

const WELL: Readonly<Record<string, number>> = {
  'sluice_build_info{version="1.2.3",node="24"}': 1,
  sluice_ready: 1,
  sluice_workers_running: 2,
  'sluice_worker_restarts_total{worker="0"}': 0,
  'sluice_worker_restarts_total{worker="1"}': 7,
  'sluice_hostgroup_members{hostgroup="0",kind="writer",verdict="fit"}': 1,
  'sluice_hostgroup_members{hostgroup="1",kind="reader",verdict="fit"}': 2,
  'sluice_hostgroup_members{hostgroup="1",kind="reader",verdict="lagging"}': 0,
  'sluice_hostgroup_members{hostgroup="1",kind="reader",verdict="offline-soft"}': 0,
  'sluice_server_lag_seconds{server="db2:3306",source="heartbeat"}': 0.25,
  'sluice_server_lag_seconds{server="db3:3306",source="heartbeat"}': 30,
  'sluice_server_replication_running{server="db2:3306"}': 1,
  'sluice_server_replication_running{server="db3:3306"}': 1,
  'sluice_server_connections_in_use{server="db1:3306"}': 10,
  'sluice_server_connections_limit{server="db1:3306"}': 100,
  'sluice_server_connections_in_use{server="db2:3306"}': 80,
  'sluice_server_connections_limit{server="db2:3306"}': 100,
  'sluice_server_connections_in_use{server="db3:3306"}': 500,
  'sluice_server_connections_limit{server="db3:3306"}': 0,
  sluice_frontend_connections: 40,
  sluice_frontend_connections_limit: 1000,
  'sluice_pinned_sessions{worker="0"}': 3,
  'sluice_pinned_sessions{worker="1"}': 4,
  'sluice_sessions{worker="0"}': 20,
  'sluice_sessions{worker="1"}': 20,
  'sluice_binlog_follower_state{state="suspended"}': 0,
  'sluice_binlog_follower_state{state="following"}': 1,
  'sluice_failover_obstacle{obstacle="not-automatic"}': 0,
  'sluice_failover_obstacle{obstacle="no-candidate"}': 0,
  'sluice_operation_last_timestamp_seconds{operation="failover"}': 0,
  'sluice_operation_last_timestamp_seconds{operation="switchover"}': NOW - 5,
  sluice_writes_in_doubt: 0,
  'sluice_held_statements{worker="0"}': 0,
  process_open_fds: 50,
  process_max_fds: 1000,
};

function report(changed: Readonly<Record<string, number>> = {}, texts: Partial<WishTexts> = {}) {
  const samples = Object.entries({ ...WELL, ...changed }).map(([series, value]) => `${series} ${value}\n`);
  const wishes = readWishes({ warn: null, crit: null, ignore: null, ...texts });
  return makeReport(new MetricsPage(`# HELP sluice_ready x\n${samples.join('')}`), wishes, NOW);
}

t.test('all is well, at the very limit', async (t) => {
  t.equal(
    formatLine(report()),
    'SLUICE OK: version 1.2.3 | lag=30s;30;300;0 pool=80%;80;95;0;100 clients=4%;80;95;0;100 pins=7;;;0 ' +
      'pinned=17.5%;;;0;100 replicas-down=0;0;;0 doubts=0;0;;0 held=0;;;0 files=5%;80;95;0;100',
  );
  t.equal(report().exit, 0);
});

t.test('each thing that may be wrong, by itself', async (t) => {
  const cases: readonly [number, string, Readonly<Record<string, number>>, Partial<WishTexts>?][] = [
    [2, 'not ready for clients', { sluice_ready: 0 }],
    [
      2,
      'no primary takes writes',
      { 'sluice_hostgroup_members{hostgroup="0",kind="writer",verdict="fit"}': 0 },
    ],
    [2, '1 of 2 workers run', { sluice_workers_running: 1 }],
    [
      1,
      'replication of db3:3306 does not run',
      { 'sluice_server_replication_running{server="db3:3306"}': 0 },
    ],
    [
      1,
      'the cache is suspended: the binlog cannot be followed',
      { 'sluice_binlog_follower_state{state="suspended"}': 1 },
    ],
    [1, 'it could not fail over: no-candidate', { 'sluice_failover_obstacle{obstacle="no-candidate"}': 1 }],
    [
      1,
      'the number of replicas that cannot serve is 1 (limit at most 0)',
      { 'sluice_hostgroup_members{hostgroup="1",kind="reader",verdict="lagging"}': 1 },
    ],
    [
      1,
      'the lag of db3:3306 is 30.5 s (limit at most 30 s)',
      { 'sluice_server_lag_seconds{server="db3:3306",source="heartbeat"}': 30.5 },
    ],
    [
      2,
      'the lag of db3:3306 is 10 min (limit at most 5 min)',
      { 'sluice_server_lag_seconds{server="db3:3306",source="heartbeat"}': 600 },
    ],
    [
      1,
      'the use of connections to db2:3306 is 81 % (limit at most 80 %)',
      { 'sluice_server_connections_in_use{server="db2:3306"}': 81 },
    ],
    [2, 'the use of client connections is 96 % (limit at most 95 %)', { sluice_frontend_connections: 960 }],
    [
      1,
      'the time since the last failover is 10 min (limit at least 15 min)',
      { 'sluice_operation_last_timestamp_seconds{operation="failover"}': NOW - 600 },
    ],
    [
      1,
      'the time left of tls.certificate is 20 d (limit at least 21 d)',
      { 'sluice_certificate_expiry_timestamp_seconds{setting="tls.certificate"}': NOW + 20 * 86_400 },
    ],
    [
      2,
      'the time left of tls.certificate is -3 d (limit at least 2 d)',
      {
        'sluice_certificate_expiry_timestamp_seconds{setting="tls.certificate"}': NOW - 3 * 86_400,
        'sluice_certificate_expiry_timestamp_seconds{setting="admin.tlsCertificate"}': NOW + 90 * 86_400,
      },
    ],
    [1, 'the number of writes in doubt is 2 (limit at most 0)', { sluice_writes_in_doubt: 2 }],
    [1, 'the use of file descriptors is 90 % (limit at most 80 %)', { process_open_fds: 900 }],
    [1, 'the number of pinned sessions is 7 (limit at most 6)', {}, { warn: 'pins=6' }],
    [2, 'the share of pinned sessions is 17.5 % (limit at most 17 %)', {}, { crit: 'pinned=17%' }],
    [
      1,
      'the number of held statements is 4 (limit at most 0)',
      { 'sluice_held_statements{worker="0"}': 4 },
      { warn: 'held=0' },
    ],
  ];
  for (const [exit, text, changed, texts] of cases) {
    const found = report(changed, texts);
    t.equal(formatLine(found).split(' | ')[0], `SLUICE ${exit === 2 ? 'CRITICAL' : 'WARNING'}: ${text}`);
    t.equal(found.exit, exit);
  }
  const taken = { 'sluice_hostgroup_members{hostgroup="1",kind="reader",verdict="offline-soft"}': 1 };
  t.equal(report(taken).exit, 0, 'what an operator has taken out is not down');
  const manual = {
    'sluice_failover_obstacle{obstacle="no-candidate"}': 1,
    'sluice_failover_obstacle{obstacle="not-automatic"}': 1,
  };
  t.equal(report(manual).exit, 0, 'who does not fail over by himself needs no heir');
});

t.test('the worst comes first, and performance data have the limits', async (t) => {
  const changed = {
    sluice_writes_in_doubt: 1,
    'sluice_hostgroup_members{hostgroup="1",kind="reader",verdict="fit"}': 0,
    'sluice_hostgroup_members{hostgroup="1",kind="reader",verdict="lagging"}': 2,
  };
  const wishes = {
    warn: 'lag=100ms:2m',
    crit: 'lag=@5:6,certificate=1',
    ignore: 'files,pool,pinned,clients,held',
  };
  t.equal(
    formatLine(report(changed, wishes)),
    'SLUICE CRITICAL: no server of hostgroup 1 serves reads; warning: the number of replicas that cannot serve is 2 ' +
      '(limit at most 0); warning: the number of writes in doubt is 1 (limit at most 0) | lag=30s;0.1:120;@5:6;0 ' +
      'pins=7;;;0 replicas-down=2;0;;0 doubts=1;0;;0',
  );
  t.match(JSON.parse(formatJson(report(changed))), {
    status: 'critical',
    exitCode: 2,
    version: '1.2.3',
    problems: [{ criterion: 'readers', severity: 'crit' }, { severity: 'warn' }, { severity: 'warn' }],
    numbers: [{ criterion: 'lag', value: 30, unit: 's', warn: '30', crit: '300' }],
  });
});

t.test('states are moved from one severity to the other, or left out', async (t) => {
  const suspended = { 'sluice_binlog_follower_state{state="suspended"}': 1 };
  t.equal(report(suspended, { crit: 'cache' }).exit, 2);
  t.equal(report(suspended, { ignore: 'cache' }).exit, 0);
  t.equal(report({ sluice_ready: 0 }, { warn: 'ready' }).exit, 1);
});

t.test('ranges', async (t) => {
  const seconds = { dimension: 'seconds', plainUnit: 60, isLeast: false } as const;
  const beyond = (text: string, value: number, isLeast = false) =>
    isBeyond(parseThreshold('x', text, { ...seconds, isLeast }), value);
  for (const [text, value, expected] of [
    ['1', 60, false],
    ['1', 60.1, true],
    ['1', -0.1, true],
    ['1500ms', 2, true],
    ['10s:', 9, true],
    ['10s:', 10, false],
    ['~:10s', -5, false],
    ['10s:20s', 21, true],
    ['@10s:20s', 15, true],
    ['@10s:20s', 21, false],
    [':20s', 20, false],
  ] as const)
    t.equal(beyond(text, value), expected, `${text} ${value}`);
  t.equal(beyond('1h', 3599, true), true);
  t.equal(beyond('1h', 3600, true), false);
  t.equal(formatThreshold(parseThreshold('x', '0s:', seconds)), '0:');
});

t.test('what cannot be understood', async (t) => {
  for (const [texts, message] of [
    [{ warn: 'lga=1' }, '--warn: nothing is called "lga", did you mean lag?'],
    [{ crit: 'lag=x' }, 'lag: "x" is no limit'],
    [{ crit: 'lag=5%' }, 'lag has no %'],
    [{ crit: 'pool=5s' }, 'pool has no s'],
    [{ crit: 'lag' }, 'lag needs a limit: lag=…'],
    [{ crit: 'lag=20:10' }, 'lag=20:10: the range begins behind its end'],
    [{ warn: 'cache=3' }, 'cache has no limit: it is well or not'],
    [{ warn: 'lag=1,lag=2' }, '--warn: lag stands there twice'],
    [{ ignore: 'nothing' }, /^--ignore: nothing is called "nothing"/],
  ] as const)
    t.throws(() => readWishes({ warn: null, crit: null, ignore: null, ...texts }), {
      name: 'CheckError',
      message,
    });
});
