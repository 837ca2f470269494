/** What all sessions of one worker share. Made by the worker, passed down; nobody reaches up. */

import type { Account, PasswordCheck, RsaKeyPair, SecretCache } from '../../protocol/index.ts';
import type { PlacedAccount } from '../common/account.ts';
import type { ClientHost } from '../common/host-pattern.ts';
import type { ReportQueue } from '../common/report-queue.ts';
import type { SharedCounters, WorkerCounters } from '../common/shared-counters.ts';
import type { Snapshot, SnapshotAccounts } from '../common/snapshot.ts';
import type { TableEpochs } from '../common/table-epochs.ts';
import type { FromWorker } from '../common/thread-messages.ts';
import type { TimerWheel } from '../common/timer-wheel.ts';
import type { ReportStream, TraceParent } from '../common/worker-report.ts';
import type { AccountCredentials } from './backend/account-credentials.ts';
import type { Backends } from './backend/backends.ts';
import type { ConnectionKey } from './backend/connection-key.ts';
import type { Listed, SessionRegistry } from './backend/session-registry.ts';
import type { SessionVariables } from './backend/session-variables.ts';
import type { StateDifferences } from './backend/state-difference.ts';
import type { StatementDefinitions } from './backend/statement-definition.ts';
import type { UserVariables } from './backend/user-variables.ts';
import type { CacheAdvisor } from './cache/cache-advisor.ts';
import type { Fill } from './cache/fill.ts';
import type { Freshness } from './cache/freshness.ts';
import type { ResultCache } from './cache/result-cache.ts';
import type { WorkerMarks } from './cache/worker-marks.ts';
import type { ReplicaWaits } from './causal/replica-waits.ts';
import type { WorkerCausality } from './causal/worker-causality.ts';
import type { FlushScheduler } from './io/flush-scheduler.ts';
import type { ProxyNetworks } from './io/proxy-networks.ts';
import type { ClientTlsContext } from './io/tls-contexts.ts';
import type { CommitDoubts } from './replay/commit-doubts.ts';
import type { WorkerReplays } from './replay/worker-replays.ts';
import type { CachePolicy } from './router/caching/cache-policy.ts';
import type { Destination } from './router/destination.ts';
import type { Plan } from './router/plan.ts';
import type { PlanCache } from './router/plan-cache.ts';
import type { RingEntry, RouteRing } from './router/route-ring.ts';
import type { Router, RoutingFacts } from './router/router.ts';
import type { FirewallLog } from './router/rules/firewall-log.ts';
import type { WorkerRules } from './router/rules/worker-rules.ts';
import type { TableCatalog } from './router/table-catalog.ts';
import type { StatementStatistics } from './statistics/statement-statistics.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a session has at its start, and after COM_RESET_CONNECTION. */
export interface InitialVariables {
  readonly atLogin: SessionVariables;
  readonly afterReset: SessionVariables;
}

/** Who may log in; see frontend/account-directory.ts. */
export interface AccountLookup {
  readonly state: SnapshotAccounts;
  hostOf(remoteAddress: string): ClientHost;
  allowsHost(host: ClientHost): boolean;
  find(username: string, host: ClientHost): PlacedAccount | null | Promise<PlacedAccount | null>;
  refused(account: PlacedAccount | null): void;
  decoyFor(username: string): Account;
}

/** Copies of statements; see frontend/mirror.ts. */
export interface Mirroring {
  take(
    session: MirroredSession,
    hostgroup: number,
    buffer: Buffer,
    start: number,
    end: number,
    plan: Plan,
  ): void;
}

/** A session, as far as a copy of its statement needs it. */
export interface MirroredSession {
  readonly routing: Pick<
    RoutingFacts,
    'holdsConnection' | 'pinned' | 'inTransaction' | 'autocommit' | 'verdict'
  >;
  readonly connectionKey: ConnectionKey;
  readonly username: string;
  readonly clientCapabilities: number;
  readonly collationId: number;
  readonly state: {
    readonly variables: SessionVariables | null;
    readonly schema: string | null;
    readonly userVariables: UserVariables;
  };
}

/** How long refusals are held back; see frontend/login-backoff.ts. */
export interface LoginDelays {
  failed(
    host: string,
    username: string,
    settings: { readonly loginDelayMs: number; readonly loginDelayMaxMs: number },
  ): number;
  answered(): void;
  succeeded(host: string, username: string): void;
}

/** What only the text of a statement tells; kept from its arrival to its end. */
export interface ReadStatement {
  /** It is part of a trace; with no `parent` the beginning of one. */
  readonly isTraced: boolean;
  readonly parent: TraceParent | null;
  /** null unless texts are wanted. */
  readonly text: string | null;
}

/** Slow-query log and traces; see frontend/statement-reports.ts. */
export interface StatementReporting {
  /** Whether `read` is to be called for each statement. */
  readonly readsStatements: boolean;
  read(buffer: Buffer, start: number, end: number, isText: boolean): ReadStatement;
  ended(entry: RingEntry, ruled: boolean | null, read: ReadStatement | null): void;
}

/** A session whose statement is read again for the cache. */
export interface RefreshedSession extends MirroredSession {
  /** `statement`: the `ClientStatement` that it executes, if any. */
  readonly run: { readonly statement: object | null };
}

/** Reads for the cache that nobody waits for; see frontend/cache-refreshes.ts. */
export interface CacheRefreshing {
  /** @returns false if as many are under way as may be. */
  take(
    session: RefreshedSession,
    destination: Destination,
    buffer: Buffer,
    start: number,
    end: number,
    plan: Plan,
    fill: Fill,
  ): boolean;
}

export interface WorkerContext {
  readonly workerIndex: number;
  readonly counters: WorkerCounters;
  readonly shared: SharedCounters;
  readonly wheel: TimerWheel;
  readonly backends: Backends;
  readonly plans: PlanCache;
  /** What the prepared statements of its clients mean. */
  readonly definitions: StatementDefinitions;
  /** What has been written, and who has it. */
  readonly causality: WorkerCausality;
  readonly epochs: TableEpochs;
  readonly freshness: Freshness;
  readonly cache: ResultCache;
  readonly cacheAdvisor: CacheAdvisor;
  readonly refreshes: CacheRefreshing;
  readonly marks: WorkerMarks;
  /** Reads that wait for replicas. */
  readonly replicaWaits: ReplicaWaits;
  readonly router: Router;
  readonly mirrors: Mirroring;
  /** Of open transactions. */
  readonly replays: WorkerReplays;
  /** Its last statements, and why they went where they went. */
  readonly routes: RouteRing;
  /** Query rules. */
  readonly rules: WorkerRules;
  readonly firewallLog: FirewallLog;
  /** Whether results are kept, and how. */
  readonly cachePolicy: CachePolicy;
  /** What is counted of them. */
  readonly statistics: StatementStatistics;
  readonly reports: StatementReporting;
  readonly clientEvents: ReportQueue<typeof ReportStream.clientEvents>;
  readonly differences: StateDifferences;
  readonly sessions: SessionRegistry<Listed>;
  /** All client connections, those that still log in included. */
  readonly clients: Set<object>;
  readonly secretCache: SecretCache;
  readonly checkPassword: PasswordCheck;
  readonly accounts: AccountLookup;
  readonly commits: CommitDoubts;
  /** Of those who are logged in. */
  readonly credentials: AccountCredentials;
  readonly loginDelays: LoginDelays;
  readonly rsaKey: RsaKeyPair;
  readonly scheduler: FlushScheduler;
  readonly clientTls: ClientTlsContext;
  readonly proxyNetworks: ProxyNetworks;
  /** Replaced with each snapshot. */
  tables: TableCatalog;
  /** Swapped as a whole; who needs a consistent view takes the reference once. */
  snapshot: Snapshot;
  /** The worker is stopping: no new statements outside of transactions. */
  stopping: boolean;
  /** What a session starts with, by connection key and collation. */
  readonly initialVariables: Map<string, InitialVariables>;
  /** SET statements that a server has accepted, by address. */
  readonly accepted: AcceptedAssignments;
  readonly log: (level: LogLevel, message: string, fields: Record<string, unknown>) => void;
  readonly post: (message: FromWorker) => void;
}

/** Bounded memory of the assignments that servers took: these may be sent ahead of a write without waiting. */
export class AcceptedAssignments {
  static readonly #limit = 2048;
  readonly #known = new Set<string>();

  has(address: string, statement: string): boolean {
    return this.#known.has(`${address} ${statement}`);
  }

  add(address: string, statement: string): void {
    if (this.#known.size >= AcceptedAssignments.#limit) this.#known.clear();
    this.#known.add(`${address} ${statement}`);
  }
}
