/** A proxy as the admin port sees it: values, and a record of the orders that it was given. */

import { type ErrorRecord, type Inspection, NO_RECORDS } from '../../../../src/common/inspection.ts';
import { WorkerCounter } from '../../../../src/common/shared-counters.ts';
import { SharedStatistics } from '../../../../src/common/shared-statistics.ts';
import type { ExplainQuestion, KillOutcome } from '../../../../src/common/thread-messages.ts';
import type { AdminAccount, AdminEvent, AdminState } from '../../../../src/control/admin/admin-state.ts';
import type { FollowerReport } from '../../../../src/control/binlog/binlog-follower.ts';
import type { RejoinOrder, SwitchoverOrder } from '../../../../src/control/failover/failover-control.ts';
import type { OperationAnswer } from '../../../../src/control/failover/operation-answer.ts';
import type { HoldOptions, HoldResult } from '../../../../src/control/failover/write-gate.ts';
import { HandoverError } from '../../../../src/control/handover/handover-error.ts';
import type {
  CounterSnapshot,
  PinCount,
  WorkerCounterName,
  WorkerSnapshot,
} from '../../../../src/control/metrics/counter-snapshot.ts';
import { NO_HEALTH } from '../../../../src/control/metrics/health-metrics.ts';
import type { AppliedConfig } from '../../../../src/control/runtime/runtime-host.ts';
import { CheckLog } from '../../../../src/control/statistics/check-log.ts';
import type { DigestRow } from '../../../../src/control/statistics/merge-digests.ts';
import { PoolStatistics } from '../../../../src/control/statistics/pool-statistics.ts';
import { takeStatistics } from '../../../../src/control/statistics/statistics-snapshot.ts';
import type { StoreClient } from '../../../../src/control/store/store-client.ts';
import type { InspectResult } from '../../../../src/control/worker-inquiries.ts';
import type { RuledHostgroup } from '../../../../src/topology/hostgroup-membership.ts';
import { formatServerAddress } from '../../../../src/topology/server-address.ts';
import type { ServerDescription } from '../../../../src/topology/server-description.ts';
import { WITHOUT_TLS } from '../../../../src/topology/server-description.ts';
import { FakeRuntime } from './fake-runtime.ts';
import { routeRecord, sessionRecord } from './made-records.ts';

export const PRIMARY = '10.0.0.1:3306';
export const REPLICA = '10.0.0.2:3306';
export const LATE_REPLICA = '[2001:db8::3]:3307';

export function server(
  host: string,
  port: number,
  overrides: Partial<ServerDescription> = {},
): ServerDescription {
  return {
    address: formatServerAddress(host, port),
    host,
    port,
    status: 'ONLINE',
    statusReason: '',
    role: 'replica',
    hostgroup: 1,
    weight: 1,
    maxConnections: 0,
    maxReplicationLagMs: 0,
    tls: WITHOUT_TLS,
    origin: 'seed',
    version: '10.11.6-MariaDB-log',
    flavor: 'mariadb',
    versionId: 101_106,
    sessionTracking: true,
    readOnly: true,
    serverUuid: null,
    serverId: 2,
    source: PRIMARY,
    replicationRunning: true,
    lagMs: 120,
    lagSource: 'heartbeat',
    laggingOver: [],
    latencyMs: null,
    gtidExecuted: '0-1-42',
    ...overrides,
  };
}

const EVENTS: readonly (AdminEvent & Readonly<Record<string, unknown>>)[] = [
  { kind: 'server-added', sequence: 1, atMs: 1_700_000_000_000, address: PRIMARY, origin: 'seed', via: null },
  {
    kind: 'status-changed',
    sequence: 2,
    atMs: 1_700_000_000_250,
    address: REPLICA,
    from: 'ONLINE',
    to: 'SHUNNED',
    reason: 'ping: no answer in 800 ms',
  },
  {
    kind: 'two-primaries',
    sequence: 3,
    atMs: 1_700_000_001_000,
    kept: PRIMARY,
    others: [REPLICA, LATE_REPLICA],
  },
];

function workerCounters(
  values: Partial<Record<WorkerCounterName, number>>,
): Record<WorkerCounterName, number> {
  const zero = Object.fromEntries(Object.keys(WorkerCounter).map((name) => [name, 0]));
  return { ...zero, ...values } as Record<WorkerCounterName, number>;
}

function workerReasons(pins: readonly PinCount[]): Pick<WorkerSnapshot, 'pins' | 'routes'> {
  return {
    pins,
    routes: [
      { target: 'primary', reason: 'not-a-read', statements: 4 },
      { target: 'replica', reason: 'proven-read', statements: 0 },
    ],
  };
}

const PINS: readonly PinCount[] = [
  { reason: 'temporary-table', now: 2, started: 7 },
  { reason: 'cursor', now: 0, started: 1 },
];

export type ExplainFunction = AdminState['explainRoute'];

const noStore = (): never => {
  throw new Error('this proxy has no store');
};
const NO_STORE: StoreClient = {
  dataDir: null,
  notices: [],
  isRunning: false,
  execute: noStore,
  readTables: noStore,
  replaceTables: noStore,
  copyTables: noStore,
  internal: noStore,
  close: noStore,
};

export class FakeAdminState implements AdminState {
  /** Commands that need one are tested with a real one. */
  store: StoreClient = NO_STORE;
  readonly runtime = new FakeRuntime();
  tlsFailure: string | null = null;
  readonly signals: string[] = [];
  digestRows: readonly DigestRow[] = [];
  errorRecords: readonly ErrorRecord[] = [];
  readonly resets: string[] = [];
  hostgroups: readonly RuledHostgroup[] = [];
  readonly metricsPage = async () => '# TYPE a_total counter\na_total 1\n';
  /** Of two workers. */
  readonly shared = new SharedStatistics(2);
  readonly statistics = {
    pools: new PoolStatistics(),
    checks: new CheckLog(),
    digests: async (reset: boolean) => {
      if (reset) this.resets.push('digests');
      return { rows: this.digestRows, missing: [] };
    },
    errors: async (reset: boolean) => {
      if (reset) this.resets.push('errors');
      return { rows: this.errorRecords, missing: [] };
    },
  };
  readonly orders: [string, string][] = [];
  /** What the next operation ends with. */
  operationAnswer: OperationAnswer = { outcome: 'done', reason: '', rows: [] };
  readonly operations = {
    switchover: async (order: SwitchoverOrder): Promise<OperationAnswer> => {
      this.orders.push(['switchover', JSON.stringify(order)]);
      return this.operationAnswer;
    },
    rejoin: async (order: RejoinOrder): Promise<OperationAnswer> => {
      this.orders.push(['rejoin', JSON.stringify(order)]);
      return this.operationAnswer;
    },
  };
  failover = async (dryRun: boolean): Promise<OperationAnswer> => {
    this.orders.push(['failover', String(dryRun)]);
    return this.operationAnswer;
  };
  isWatchingCache = false;
  readonly cache = {
    flush: (): void => void this.orders.push(['flush', 'all']),
    flushTable: (schema: string, table: string): void =>
      void this.orders.push(['flush table', `${schema}|${table}`]),
    flushDigest: (digest: string): void => void this.orders.push(['flush digest', digest]),
    beginWatch: (): boolean => {
      if (this.isWatchingCache) return false;
      this.isWatchingCache = true;
      return true;
    },
    endWatch: (): void => {
      this.isWatchingCache = false;
    },
  };
  follower: FollowerReport | null = null;
  readonly cacheSettings = () => ({
    enabled: true,
    maxBytes: 64 * 1024 * 1024,
    auto: 'off' as const,
    follower: { mode: 'auto' as const, serverId: 0, maxLagMs: 500 },
  });
  /** What the next hold finds. */
  holdResult: HoldResult = { drained: true, tookMs: 12.4 };
  readonly writes = {
    isHeld: false,
    hold: async ({ drainMs }: HoldOptions): Promise<HoldResult> => {
      this.orders.push(['hold', String(drainMs)]);
      this.writes.isHeld = true;
      return this.holdResult;
    },
    release: (): void => {
      this.writes.isHeld = false;
    },
  };
  readonly explained: [string, string | null][] = [];
  readonly explainedFor: [string | null, string | null][] = [];
  servers: readonly ServerDescription[] = [
    server('2001:db8::3', 3307, {
      status: 'SHUNNED',
      statusReason: 'ping: no answer in 800 ms',
      readOnly: null,
      replicationRunning: null,
      lagMs: null,
      maxReplicationLagMs: 1500,
      origin: 'discovered',
    }),
    server('10.0.0.2', 3306, { weight: 5 }),
    server('10.0.0.1', 3306, {
      role: 'primary',
      hostgroup: 0,
      readOnly: false,
      source: null,
      replicationRunning: false,
      lagMs: null,
      lagSource: null,
      maxConnections: 200,
    }),
  ];
  primary: string | null = PRIMARY;
  eventList: readonly AdminEvent[] = EVENTS;
  explain: ExplainFunction = async () => [
    { step: 'target', value: 'replica' },
    { step: 'reason', value: 'proven read' },
  ];

  readonly logLevels: string[] = [];
  reopened = 0;

  setLogLevel(level: string): void {
    this.logLevels.push(level);
  }

  reloadTls(): string | null {
    return this.tlsFailure;
  }

  signalProcess(signal: string): void {
    this.signals.push(signal);
  }

  reopenLogs(): void {
    this.reopened++;
  }

  topology() {
    return { servers: this.servers, primary: this.primary };
  }

  counters(): CounterSnapshot {
    return {
      snapshotVersion: 7,
      frontendConnections: 12,
      maxFrontendConnections: 1000,
      spans: { sent: 0, lost: 0 },
      operations: { counts: [], lastPauseMs: 0, lastDone: [] },
      health: NO_HEALTH,
      follower: this.follower,
      handover: { done: 2, failed: 1, before: null },
      workers: [
        {
          index: 0,
          running: true,
          restarts: 0,
          counters: workerCounters({ questions: 100, writes: 4 }),
          ...workerReasons(PINS),
        },
        {
          index: 1,
          running: false,
          restarts: 3,
          counters: workerCounters({ questions: 11 }),
          ...workerReasons(PINS),
        },
      ],
      servers: [
        {
          address: PRIMARY,
          host: '10.0.0.1',
          port: 3306,
          hostgroup: 0,
          status: 'ONLINE',
          role: 'primary',
          lagMs: null,
          lagSource: null,
          replicationRunning: null,
          connections: 9,
          inUse: 4,
          maxConnections: 200,
          connectionsLimit: 100,
          queries: 9_007_199_254_740_991,
          bytesSent: 1000,
          bytesReceived: 2000,
          connects: 10,
          connectErrors: 1,
          latencyMicros: 350,
          mostInUse: 6,
        },
      ],
      hostgroups: this.hostgroups,
      checks: [],
      statistics: takeStatistics(this.shared, [0, 1]),
    };
  }

  events() {
    return this.eventList;
  }

  versions() {
    return [
      { worker: 0, version: 7, running: true, restarts: 0 },
      { worker: 1, version: 6, running: false, restarts: 3 },
    ];
  }

  explainRoute({ statement, schema, user, clientAddress }: ExplainQuestion) {
    this.explained.push([statement, schema]);
    this.explainedFor.push([user, clientAddress]);
    return this.explain({ statement, schema, user, clientAddress });
  }

  ruleHits() {
    return [{ ruleId: 7, hits: 3 }];
  }

  accountLoad: { readonly accounts: number; readonly failure: string } | null = null;

  accounts(): readonly AdminAccount[] {
    return [
      {
        username: 'app',
        host: '10.0.0.%',
        source: 'backend',
        credentials: [{ kind: 'native', hash: `*${'A'.repeat(40)}` }],
        plugins: ['mysql_native_password', 'ed25519'],
        defaultSchema: null,
        defaultHostgroup: null,
        causalReads: null,
        fastForward: false,
        maxConnections: 0,
        maxUserConnections: 7,
        locked: true,
        expiresAtMs: null,
        requireTls: 'NONE',
        connections: 3,
      },
    ];
  }

  async loadAccounts(): Promise<{ readonly accounts: number; readonly failure: string } | null> {
    return this.accountLoad;
  }

  readonly inspections: Inspection[] = [];
  inspected: InspectResult = {
    ...NO_RECORDS,
    sessions: [sessionRecord({ pins: [{ reason: 'cursor', sinceMs: 1_700_000_001_000 }] })],
    routes: [routeRecord()],
    missing: [],
    asked: 2,
  };
  routesKept = true;

  async inspect(inspection: Inspection) {
    this.inspections.push(inspection);
    return this.inspected;
  }

  readonly kills: [number, boolean][] = [];
  killOutcome: KillOutcome | null = 'killed';

  async killSession(connectionId: number, queryOnly: boolean) {
    this.kills.push([connectionId, queryOnly]);
    return this.killOutcome;
  }

  keepsRoutes() {
    return this.routesKept;
  }

  reloadFile(): Promise<AppliedConfig> {
    return Promise.resolve({
      snapshotVersion: 8,
      changed: ['pool.maxConnections'],
      needRestart: ['listen.port'],
    });
  }

  /** Instead of a new process. */
  handedOver: string[] = [];
  handoverObstacle: string | null = null;

  handOver(by: string): Promise<{ pid: number; version: string }> {
    if (this.handoverObstacle !== null) return Promise.reject(new HandoverError(this.handoverObstacle));
    this.handedOver.push(by);
    return Promise.resolve({ pid: 4711, version: '9.9.9' });
  }

  accepting = true;

  setAccepting(accepting: boolean): void {
    this.accepting = accepting;
  }

  setServerStatus(address: string, status: string): boolean {
    if (!this.servers.some((known) => known.address === address)) return false;
    this.orders.push([address, status]);
    return true;
  }
}
