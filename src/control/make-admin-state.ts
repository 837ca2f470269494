/** What the admin port knows and orders, put together from the parts of the main thread. */

import type { Config } from '../../config/schema.ts';
import type { Inspection } from '../common/inspection.ts';
import type { LogThreshold } from '../common/logger.ts';
import { type SharedCounters, userGauge } from '../common/shared-counters.ts';
import type { AdminState } from './admin/admin-state.ts';
import type { CacheOrders } from './cache/cache-orders.ts';
import type { WriteGate } from './failover/write-gate.ts';
import type { FailoverRoom } from './failover-room.ts';
import type { GivenOver } from './handover/handover-giver.ts';
import type { CounterSnapshot } from './metrics/counter-snapshot.ts';
import type { MetricsRegistry } from './metrics/registry.ts';
import type { Monitor } from './monitor/monitor.ts';
import type { RuleKeeper } from './query-rules/rule-keeper.ts';
import type { DeferredRuntime } from './runtime/deferred-runtime.ts';
import type { AppliedConfig } from './runtime/runtime-host.ts';
import type { Statistics } from './statistics/statistics.ts';
import type { StoreClient } from './store/store-client.ts';
import type { AccountKeeper } from './users/account-keeper.ts';
import type { InspectResult } from './worker-inquiries.ts';
import type { WorkerSet } from './worker-set.ts';

export interface AdminStateParts {
  readonly store: StoreClient;
  readonly runtime: DeferredRuntime;
  readonly monitor: Monitor;
  readonly accounts: AccountKeeper;
  readonly counters: SharedCounters;
  readonly rules: RuleKeeper;
  readonly statistics: Statistics;
  readonly metrics: MetricsRegistry;
  readonly cache: CacheOrders;
  readonly writes: WriteGate;
  readonly failover: FailoverRoom;
  config(): Config;
  /** Null before they have started. */
  workers(): WorkerSet | null;
  takeCounters(): CounterSnapshot;
  inspect(inspection: Inspection): Promise<InspectResult>;
  setLogLevel(level: LogThreshold): void;
  reopenLogs(): void;
  reloadTls(): string | null;
  setAccepting(accepting: boolean): void;
  reloadFile(): Promise<AppliedConfig>;
  handOver(by: string): Promise<GivenOver>;
}

export function makeAdminState(parts: AdminStateParts): AdminState {
  const {
    store,
    runtime,
    monitor,
    accounts,
    counters,
    rules,
    statistics,
    metrics,
    cache,
    writes,
    failover,
    workers,
  } = parts;
  return {
    store,
    // Who may ask is let in when it is loaded.
    get runtime() {
      return runtime.loaded;
    },
    statistics,
    cache,
    cacheSettings: () => parts.config().cache,
    writes,
    operations: failover.control,
    failover: (dryRun) => failover.director.order(dryRun),
    topology: () => monitor.topology,
    counters: () => parts.takeCounters(),
    events: () => monitor.events(),
    versions: () =>
      (workers()?.status() ?? []).map(({ index, appliedVersion, running, restarts }) => ({
        worker: index,
        version: appliedVersion,
        running,
        restarts,
      })),
    explainRoute: (question) => workers()?.questions.explainRoute(question) ?? Promise.resolve([]),
    ruleHits: () => rules.hits(),
    accounts: () =>
      accounts.accounts.map((account) => ({
        ...account,
        connections: counters.gauge(userGauge(account.slot)),
      })),
    loadAccounts: () => accounts.load(),
    inspect: (inspection) => parts.inspect(inspection),
    metricsPage: () => metrics.render(),
    killSession: (connectionId, queryOnly) =>
      workers()?.questions.killSession(connectionId, queryOnly) ?? Promise.resolve(null),
    setLogLevel: (level) => parts.setLogLevel(level),
    reopenLogs: () => parts.reopenLogs(),
    reloadTls: () => parts.reloadTls(),
    signalProcess: (signal) => void process.kill(process.pid, signal),
    keepsRoutes: () => parts.config().limits.routeRingEntries > 0,
    setAccepting: (accepting) => parts.setAccepting(accepting),
    reloadFile: () => parts.reloadFile(),
    handOver: (by) => parts.handOver(by),
    setServerStatus: (address, status) => {
      if (monitor.topology.find(address) === null) return false;
      monitor.setAdministrativeStatus(address, status);
      return true;
    },
  };
}
