/** The counters of all threads, copied at one moment: what the metrics page and the admin tables show. */
import {
  Gauge,
  ServerCounter,
  ServerGauge,
  type SharedCounters,
  serverGauge,
  WorkerCounter,
  type WorkerCounters,
} from '../../common/shared-counters.ts';
import type { SharedStatistics } from '../../common/shared-statistics.ts';
import type { Snapshot, SnapshotServer } from '../../common/snapshot.ts';
import { PIN_REASONS, pinSlot, ROUTE_SLOTS } from '../../sql/route-reason.ts';
import type { RuledHostgroup } from '../../topology/hostgroup-membership.ts';
import type { LagSource } from '../../topology/lag.ts';
import type { ServerDescription } from '../../topology/server-description.ts';
import { CheckName } from '../../topology/server-probe.ts';
import type { FollowerReport } from '../binlog/binlog-follower.ts';
import { type OperationCount, type OperationMoment, OperationTally } from '../failover/operation-tally.ts';
import { type HandoverReport, NO_HANDOVER } from '../handover/handover-report.ts';
import type { CheckCounts, CheckLog } from '../statistics/check-log.ts';
import { type StatisticsSnapshot, takeStatistics } from '../statistics/statistics-snapshot.ts';
import { type HealthNumbers, NO_HEALTH } from './health-metrics.ts';

export type WorkerCounterName = keyof typeof WorkerCounter;

export interface ServerCounters {
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly hostgroup: number;
  readonly status: string;
  readonly role: string;
  readonly lagMs: number | null;
  readonly lagSource: LagSource | null;
  /** null where it replicates from nobody, or is not known. */
  readonly replicationRunning: boolean | null;
  readonly connections: number;
  readonly inUse: number;
  /** Its own limit; 0 for none. */
  readonly maxConnections: number;
  /** That holds: its own, or the one for all servers. */
  readonly connectionsLimit: number;
  readonly queries: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly connects: number;
  readonly connectErrors: number;
  /** Of the monitor's last ping; null before the first one. */
  readonly latencyMicros: number | null;
  /** Most connections that have been in use at a time. */
  readonly mostInUse: number;
}

export interface WorkerState {
  readonly index: number;
  readonly running: boolean;
  readonly restarts: number;
}

export interface WorkerSnapshot extends WorkerState {
  readonly counters: Readonly<Record<WorkerCounterName, number>>;
  /** Every reason there is, in the same order always. */
  readonly pins: readonly PinCount[];
  readonly routes: readonly RouteCount[];
}

/** Sessions of a worker that are pinned for one reason now, and how often that has happened. */
export interface PinCount {
  readonly reason: string;
  readonly now: number;
  readonly started: number;
}

/** Statements of a worker that went to a target for a reason. */
export interface RouteCount {
  readonly target: string;
  readonly reason: string;
  readonly statements: number;
}

/** Spans of traces, since the start. */
export interface SpanCounts {
  readonly sent: number;
  /** Too many were waiting, or the receiver did not take them. */
  readonly lost: number;
}

/** Changes of the primary, since the start. */
export interface OperationNumbers {
  readonly counts: readonly OperationCount[];
  /** For which the last one has held writes; milliseconds. */
  readonly lastPauseMs: number;
  readonly lastDone: readonly OperationMoment[];
}

export interface CounterSnapshot {
  readonly snapshotVersion: number;
  readonly frontendConnections: number;
  readonly maxFrontendConnections: number;
  readonly workers: readonly WorkerSnapshot[];
  readonly servers: readonly ServerCounters[];
  /** Who is where, and fit for it. */
  readonly hostgroups: readonly RuledHostgroup[];
  /** The monitor's, since the start. */
  readonly checks: readonly (CheckCounts & { readonly check: CheckName })[];
  readonly spans: SpanCounts;
  readonly operations: OperationNumbers;
  readonly health: HealthNumbers;
  /** null before it was made. */
  readonly follower: FollowerReport | null;
  readonly handover: HandoverReport;
  /** What all workers have counted of statements. */
  readonly statistics: StatisticsSnapshot;
}

const WORKER_COUNTER_NAMES = Object.keys(WorkerCounter) as WorkerCounterName[];

function readServer(
  { counters, checks, workers, snapshot, lagOf }: CounterSources,
  server: SnapshotServer,
): ServerCounters {
  const sum = (counter: ServerCounter) =>
    workers.reduce((total, { index }) => total + counters.worker(index).getServer(server.slot, counter), 0);
  const lag = lagOf(server.address);
  const { maxConnections: ofAll } = snapshot.settings.pool;
  return {
    address: server.address,
    host: server.host,
    port: server.port,
    hostgroup: server.hostgroup,
    status: server.status,
    role: server.role,
    lagMs: lag?.lagMs ?? null,
    lagSource: lag?.lagSource ?? null,
    replicationRunning: lag === null || lag.source === null ? null : lag.replicationRunning,
    connections: counters.gauge(serverGauge(server.slot, ServerGauge.connections)),
    inUse: counters.gauge(serverGauge(server.slot, ServerGauge.inUse)),
    maxConnections: server.maxConnections,
    connectionsLimit: server.maxConnections > 0 ? Math.min(server.maxConnections, ofAll) : ofAll,
    queries: sum(ServerCounter.queries),
    bytesSent: sum(ServerCounter.bytesSent),
    bytesReceived: sum(ServerCounter.bytesReceived),
    connects: sum(ServerCounter.connects),
    connectErrors: sum(ServerCounter.connectErrors),
    latencyMicros: checks.latencyMicros(server.address),
    mostInUse: Math.max(
      0,
      ...workers.map(({ index }) => counters.worker(index).getServer(server.slot, ServerCounter.mostInUse)),
    ),
  };
}

/** What no statement can come to is left out. */
function readRoutes(worker: WorkerCounters): RouteCount[] {
  return ROUTE_SLOTS.flatMap(({ target, reason, slot, isPossible }) => {
    const statements = worker.getRouted(slot);
    return isPossible || statements > 0 ? [{ target, reason, statements }] : [];
  });
}

function readWorker(counters: SharedCounters, state: WorkerState): WorkerSnapshot {
  const worker = counters.worker(state.index);
  const values = WORKER_COUNTER_NAMES.map((name) => [name, worker.get(WorkerCounter[name])] as const);
  return {
    ...state,
    counters: Object.fromEntries(values) as Record<WorkerCounterName, number>,
    pins: PIN_REASONS.map((reason) => ({ reason, ...worker.getPins(pinSlot(reason)) })),
    routes: readRoutes(worker),
  };
}

type MeasuredReplication = Pick<ServerDescription, 'lagMs' | 'lagSource' | 'replicationRunning' | 'source'>;

export interface CounterSources {
  readonly counters: SharedCounters;
  readonly statistics: SharedStatistics;
  readonly checks: CheckLog;
  readonly workers: readonly WorkerState[];
  readonly snapshot: Snapshot;
  /** Of a server, by its address. */
  readonly lagOf: (address: string) => MeasuredReplication | null;
  /** None unless told. */
  readonly spans?: SpanCounts;
  readonly operations?: OperationNumbers;
  readonly follower?: FollowerReport | null;
  readonly health?: HealthNumbers;
  readonly handover?: HandoverReport;
}

export function takeCounterSnapshot(sources: CounterSources): CounterSnapshot {
  const { counters, statistics, checks, workers, snapshot } = sources;
  return {
    snapshotVersion: snapshot.version,
    frontendConnections: counters.gauge(Gauge.frontendConnections),
    maxFrontendConnections: snapshot.settings.limits.maxConnections,
    workers: workers.map((state) => readWorker(counters, state)),
    servers: snapshot.servers.map((server) => readServer(sources, server)),
    hostgroups: snapshot.hostgroups,
    checks: Object.values(CheckName).map((check) => ({ check, ...checks.counts(check) })),
    spans: sources.spans ?? { sent: 0, lost: 0 },
    operations: sources.operations ?? new OperationTally(),
    follower: sources.follower ?? null,
    health: sources.health ?? NO_HEALTH,
    handover: sources.handover ?? NO_HANDOVER,
    statistics: takeStatistics(
      statistics,
      workers.map(({ index }) => index),
    ),
  };
}
