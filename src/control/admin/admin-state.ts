/** What the admin port knows of the running proxy, and the few things it can order: values, never live objects. */

import type { Account } from '../../common/account.ts';
import type { CacheSettings } from '../../common/cache-settings.ts';
import type { Inspection } from '../../common/inspection.ts';
import type { LogThreshold } from '../../common/logger.ts';
import type { ExplainQuestion, ExplainStep, KillOutcome } from '../../common/thread-messages.ts';
import type { ServerAddress, ServerDescription } from '../../topology/server-description.ts';
import type { AdministrativeStatus } from '../../topology/server-health.ts';
import type { CacheOrders } from '../cache/cache-orders.ts';
import type { FailoverControl } from '../failover/failover-control.ts';
import type { OperationAnswer } from '../failover/operation-answer.ts';
import type { WriteGate } from '../failover/write-gate.ts';
import type { GivenOver } from '../handover/handover-giver.ts';
import type { CounterSnapshot } from '../metrics/counter-snapshot.ts';
import type { RuleHitCount } from '../query-rules/rule-keeper.ts';
import type { AppliedConfig } from '../runtime/runtime-host.ts';
import type { Statistics } from '../statistics/statistics.ts';
import type { StoreClient } from '../store/store-client.ts';
import type { InspectResult } from '../worker-inquiries.ts';
import type { AdminRuntime } from './admin-runtime.ts';

export interface AdminTopology {
  readonly servers: readonly ServerDescription[];
  /** The one that takes the writes, or null. */
  readonly primary: ServerAddress | null;
}

/** One of the monitor's events; what else it holds depends on its kind and is shown as it stands. */
export interface AdminEvent {
  readonly kind: string;
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

export interface AdminWorkerVersion {
  readonly worker: number;
  /** Of the snapshot that the worker has applied; 0 before the first. */
  readonly version: number;
  readonly running: boolean;
  readonly restarts: number;
}

export interface AdminAccount extends Account {
  /** Clients logged in with it, over all workers. */
  readonly connections: number;
}

/** What has been counted of statements, beside the counters. */
export type AdminStatistics = Pick<Statistics, 'digests' | 'errors' | 'pools' | 'checks'>;

export interface AdminState {
  /** The tables that operators read and write by SQL. */
  readonly store: StoreClient;
  /** What is in force, and the ways between the layers. */
  readonly runtime: AdminRuntime;
  readonly statistics: AdminStatistics;
  /** What `/metrics` answers. */
  metricsPage(): Promise<string>;
  topology(): AdminTopology;
  counters(): CounterSnapshot;
  /** Oldest first. */
  events(): readonly AdminEvent[];
  versions(): readonly AdminWorkerVersion[];
  /** Asks a worker, since it is a worker that decides; empty when none answers. */
  explainRoute(question: ExplainQuestion): Promise<readonly ExplainStep[]>;
  /** How often each active query rule has matched since the rules are what they are. */
  ruleHits(): readonly RuleHitCount[];
  accounts(): readonly AdminAccount[];
  /** Reads the accounts of the primary; null where they are not used. `failure` is '' when it went well. */
  loadAccounts(): Promise<{ readonly accounts: number; readonly failure: string } | null>;
  /** Asks all workers that run; who is late is named in the answer, and not waited for. */
  inspect(inspection: Inspection): Promise<InspectResult>;
  /** Ends a client's session, or only what it runs; null when workers were late and none had it. */
  killSession(connectionId: number, queryOnly: boolean): Promise<KillOutcome | null>;
  /** For all threads, until the configuration is read again. */
  setLogLevel(level: LogThreshold): void;
  /** Certificates are read again now; why they could not be, or null. */
  reloadTls(): string | null;
  /** To the process itself. */
  signalProcess(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** Log files are opened again: something has moved them away. */
  reopenLogs(): void;
  /** Whether workers remember their last statements. */
  keepsRoutes(): boolean;
  /** Changes of the primary. */
  readonly operations: Pick<FailoverControl, 'switchover' | 'rejoin'>;
  failover(dryRun: boolean): Promise<OperationAnswer>;
  /** Whether new writes may begin. */
  readonly cache: Pick<CacheOrders, 'flush' | 'flushTable' | 'flushDigest' | 'beginWatch' | 'endWatch'>;
  /** In force. */
  cacheSettings(): Pick<CacheSettings, 'enabled' | 'maxBytes' | 'auto' | 'follower'>;
  readonly writes: Pick<WriteGate, 'hold' | 'release' | 'isHeld'>;
  /** Whether workers let new clients in; those that are there go on in any case. */
  setAccepting(accepting: boolean): void;
  /** What has changed in the configuration file comes into force. @throws ConfigError, RowError with all as before */
  reloadFile(): Promise<AppliedConfig>;
  /** Starts this program again, which takes over. @param by who wants it @throws HandoverError with everything as before */
  handOver(by: string): Promise<GivenOver>;
  /** False where no server has this address. */
  setServerStatus(address: ServerAddress, status: AdministrativeStatus): boolean;
}
