/**
 * What operators see and order, put together for the main thread: numbers, statistics and their history, the state behind
 * the admin port, and the ports.
 */

import type { Config } from '../../config/schema.ts';
import type { ListeningSocket } from '../common/listening-socket.ts';
import type { RootLogger } from '../common/logger.ts';
import type { SharedCounters } from '../common/shared-counters.ts';
import type { SharedStatistics } from '../common/shared-statistics.ts';
import type { Snapshot } from '../common/snapshot.ts';
import type { TableEpochs } from '../common/table-epochs.ts';
import type { AdminState } from './admin/admin-state.ts';
import { poolRows } from './admin/virtual-tables/stats-connection-pool.ts';
import { CacheOrders } from './cache/cache-orders.ts';
import type { CertificateKeeper } from './certificate-keeper.ts';
import type { WriteGate } from './failover/write-gate.ts';
import type { FailoverRoom } from './failover-room.ts';
import type { HandoverReport } from './handover/handover-report.ts';
import { takeHealth } from './health-numbers.ts';
import type { OperatorLogs } from './logs/operator-logs.ts';
import { type AdminStateParts, makeAdminState } from './make-admin-state.ts';
import { type CounterSnapshot, takeCounterSnapshot } from './metrics/counter-snapshot.ts';
import { deferMetricsRegistry } from './metrics/deferred-registry.ts';
import type { MetricsRegistry } from './metrics/registry.ts';
import type { Monitor } from './monitor/monitor.ts';
import { OperatorPorts } from './operator-ports.ts';
import type { RuleKeeper } from './query-rules/rule-keeper.ts';
import { liveness, readiness } from './readiness.ts';
import type { DeferredRuntime } from './runtime/deferred-runtime.ts';
import { StatisticsHistory } from './statistics/history.ts';
import { Statistics } from './statistics/statistics.ts';
import type { FilledRows, SqliteStore } from './store/sqlite-store.ts';
import type { AccountKeeper } from './users/account-keeper.ts';
import { WorkerInspection } from './worker-inspection.ts';
import type { WorkerSet, WorkerStatus } from './worker-set.ts';
import type { WriteRoom } from './write-room.ts';

/** What only the whole process can do. */
export type ProcessOrders = Pick<
  AdminStateParts,
  'setLogLevel' | 'reopenLogs' | 'setAccepting' | 'reloadFile' | 'handOver'
>;

export interface OperatorRoomParts {
  readonly version: string;
  readonly logger: RootLogger;
  readonly logs: OperatorLogs;
  readonly store: SqliteStore;
  readonly runtime: DeferredRuntime;
  readonly counters: SharedCounters;
  readonly shared: SharedStatistics;
  readonly epochs: TableEpochs;
  readonly monitor: Monitor;
  readonly accounts: AccountKeeper;
  readonly certificates: CertificateKeeper;
  readonly rules: RuleKeeper;
  readonly gate: WriteGate;
  readonly writes: WriteRoom;
  readonly failover: FailoverRoom;
  /** Of the process before this one. */
  readonly inherited: readonly ListeningSocket[];
  readonly orders: ProcessOrders;
  config(): Config;
  snapshot(): Snapshot;
  /** Null before they have started. */
  workers(): WorkerSet | null;
  isStopping(): boolean;
  handover(): HandoverReport;
}

export class OperatorRoom {
  readonly ports: OperatorPorts;
  readonly history: StatisticsHistory;
  readonly #parts: OperatorRoomParts;
  readonly #metrics: MetricsRegistry;
  readonly #state: AdminState;
  readonly #readiness = () => readiness(this.#workers(), this.#parts.snapshot(), this.#parts.isStopping());

  constructor(parts: OperatorRoomParts) {
    this.#parts = parts;
    const { version, logger, logs, certificates, inherited, store } = parts;
    const takeCounters = (): CounterSnapshot => this.#takeCounters();
    this.#metrics = deferMetricsRegistry(version, takeCounters);
    this.#state = this.#makeState();
    this.ports = new OperatorPorts({
      version,
      logger,
      audit: logs.audit,
      state: this.#state,
      certificates,
      inherited,
      config: () => parts.config(),
      metrics: this.#metrics,
      liveness: () => liveness(this.#workers()),
      readiness: this.#readiness,
      prepare: () => parts.runtime.load(),
    });
    this.history = new StatisticsHistory({
      store,
      counters: takeCounters,
      pools: () => poolRows(this.#state),
      settings: () => parts.config().statistics,
      logger,
    });
  }

  /** Of a table of the admin port that is made when it is read. */
  async rowsOf(table: string): Promise<FilledRows> {
    const { virtualRows } = await import('./admin/virtual-tables/all-virtual-tables.ts');
    await this.#parts.runtime.load();
    return virtualRows(table, this.#state);
  }

  #makeState(): AdminState {
    const { monitor, shared, epochs, gate, certificates, orders } = this.#parts;
    const inspection = new WorkerInspection(() => this.#parts.workers());
    return makeAdminState({
      ...this.#parts,
      statistics: new Statistics({
        shared,
        checks: monitor.checkLog,
        workers: () => this.#workers().map(({ index }) => index),
        inspect: (wanted) => inspection.ask(wanted),
      }),
      metrics: this.#metrics,
      cache: new CacheOrders(epochs, (message) => this.#parts.workers()?.tellAll(message)),
      writes: gate,
      takeCounters: () => this.#takeCounters(),
      inspect: (wanted) => inspection.ask(wanted),
      reloadTls: () => certificates.readAgain(),
      ...orders,
    });
  }

  #takeCounters(): CounterSnapshot {
    const { counters, shared, monitor, logs, failover, writes, certificates, runtime, snapshot, handover } =
      this.#parts;
    return takeCounterSnapshot({
      counters,
      statistics: shared,
      checks: monitor.checkLog,
      workers: this.#workers(),
      snapshot: snapshot(),
      spans: logs.spans,
      operations: failover.control.tally,
      follower: writes.binlog.report,
      handover: handover(),
      lagOf: (address) => monitor.topology.find(address),
      health: takeHealth(this.#readiness(), failover, writes, certificates, runtime),
    });
  }

  #workers(): readonly WorkerStatus[] {
    return this.#parts.workers()?.status() ?? [];
  }
}
