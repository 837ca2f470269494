/** Composition root of the main thread: starts, feeds and stops the workers and everything of the control plane. */

import { setTimeout } from 'node:timers/promises';
import type { Config } from '../../config/schema.ts';
import type { LogThreshold, RootLogger } from '../common/logger.ts';
import { SharedCounters, WorkerCounter } from '../common/shared-counters.ts';
import { SharedMeasurements } from '../common/shared-measurements.ts';
import { SharedStatistics } from '../common/shared-statistics.ts';
import type { Snapshot } from '../common/snapshot.ts';
import { FollowState, TableEpochs } from '../common/table-epochs.ts';
import { StopMode } from '../common/thread-messages.ts';
import { GRAMMAR_MISSING, onGrammarMissing } from '../sql/grammars.ts';
import { CertificateKeeper } from './certificate-keeper.ts';
import { ConfigurationInForce } from './configuration-in-force.ts';
import { configuredServers } from './configured-servers.ts';
import { WriteGate } from './failover/write-gate.ts';
import { FailoverRoom } from './failover-room.ts';
import type { GivenOver } from './handover/handover-giver.ts';
import type { HandoverTaker } from './handover/handover-taker.ts';
import { HandoverRoom } from './handover-room.ts';
import { heapLimits } from './heap-limits.ts';
import { joinAddress, listenOptions } from './listen-options.ts';
import { OperatorLogs } from './logs/operator-logs.ts';
import { MeasuredServers } from './measured-servers.ts';
import { Monitor } from './monitor/monitor.ts';
import { monitorCredentials, monitorLogger, watchSettings } from './monitor-options.ts';
import { OperatorRoom, type ProcessOrders } from './operator-room.ts';
import { RuleKeeper } from './query-rules/rule-keeper.ts';
import type { DeferredRuntime } from './runtime/deferred-runtime.ts';
import type { PreparedRuntime } from './runtime/prepare-runtime.ts';
import type { AppliedConfig, RuntimeHost } from './runtime/runtime-host.ts';
import { ServicePhase } from './service-phase.ts';
import type { SluiceAddresses, SluiceHandle } from './sluice-handle.ts';
import { SnapshotPublisher } from './snapshot-publisher.ts';
import type { SqliteStore } from './store/sqlite-store.ts';
import type { TlsMaterial } from './tls-material.ts';
import { AccountKeeper } from './users/account-keeper.ts';
import { ViewFollower } from './view-follower.ts';
import { workerCallbacks } from './worker-callbacks.ts';
import { WorkerSet } from './worker-set.ts';
import { WriteRoom } from './write-room.ts';

/** Beyond `limits.shutdownGraceMs`: for the last packets, and for threads that hang. */
const STOP_MARGIN_MS = 2000;
/** At the start, for the accounts of the primary. */
const ACCOUNTS_START_MS = 2000;

export class Supervisor implements SluiceHandle {
  readonly #inForce: ConfigurationInForce;
  readonly #logger: RootLogger;
  readonly #logs: OperatorLogs;
  readonly #counters = new SharedCounters();
  readonly #shared: SharedStatistics;
  readonly #measurements = new SharedMeasurements();
  readonly #epochs: TableEpochs;
  readonly #gate = new WriteGate({
    publish: () => this.#snapshots.publish(),
    publishedTo: async (timeoutMs) => {
      this.#snapshots.publish();
      const late = await this.#workers?.lateFor(this.#snapshot.version, timeoutMs);
      return late === undefined || late.length === 0;
    },
    running: () => (this.#workers?.status() ?? []).flatMap(({ index, running }) => (running ? index : [])),
    tellAll: (message) => this.#workers?.tellAll(message),
  });
  readonly #writes: WriteRoom;
  readonly #rules = new RuleKeeper();
  readonly #monitor: Monitor;
  readonly #failover: FailoverRoom;
  readonly #accounts: AccountKeeper;
  readonly #views: ViewFollower;
  readonly #store: SqliteStore;
  readonly #runtime: DeferredRuntime;
  readonly #readFile: () => Promise<Config>;
  readonly #snapshots: SnapshotPublisher;
  #workers: WorkerSet | null = null;
  readonly #operators: OperatorRoom;
  readonly #phase = new ServicePhase();
  readonly #handover: HandoverRoom;
  #stopping: Promise<void> | null = null;
  readonly #certificates: CertificateKeeper;

  constructor(
    prepared: PreparedRuntime,
    logger: RootLogger,
    version: string,
    readFile: () => Promise<Config>,
    taker: HandoverTaker | null,
  ) {
    const { config, runtime, store } = prepared;
    this.#inForce = new ConfigurationInForce(config);
    this.#runtime = runtime;
    this.#store = store;
    this.#readFile = readFile;
    this.#logger = logger;
    onGrammarMissing((grammar, err) => logger.error(GRAMMAR_MISSING, { grammar, err }));
    this.#logs = new OperatorLogs(config, logger, version);
    this.#shared = new SharedStatistics(config.workers);
    this.#epochs = new TableEpochs(config.workers);
    const changed = (tls: TlsMaterial) => this.#certificatesRead(tls);
    this.#certificates = new CertificateKeeper({ config, logger, changed });
    this.#monitor = new Monitor({
      servers: configuredServers(config),
      logger: monitorLogger(logger),
      definitions: () => this.#wantedDefinitions(),
      ...watchSettings(config, this.#certificates),
    });
    new MeasuredServers(this.#monitor, this.#measurements, (address) => this.#snapshots.slotOf(address));
    this.#failover = new FailoverRoom({
      monitor: this.#monitor,
      gate: this.#gate,
      certificates: this.#certificates,
      config: () => this.#config,
    });
    const publish = () => this.#snapshots.publish();
    this.#views = new ViewFollower(this.#monitor, this.#counters, publish, () => this.#wantedDefinitions());
    this.#writes = this.#makeWrites();
    this.#accounts = new AccountKeeper({
      config,
      monitor: this.#monitor,
      counters: this.#counters,
      credentials: (wanted) => monitorCredentials(wanted, this.#certificates),
      changed: () => this.#snapshots.publish(),
    });
    this.#operators = this.#makeOperators(version, taker);
    prepared.fillWith((table) => this.#operators.rowsOf(table));
    this.#handover = this.#makeHandover(version, taker);
    this.#snapshots = this.#makeSnapshots(taker === null);
    this.#runtime.begin(this.#runtimeHost(), 0);
  }

  #makeWrites(): WriteRoom {
    return new WriteRoom({
      epochs: this.#epochs,
      counters: this.#counters,
      monitor: this.#monitor,
      certificates: this.#certificates,
      logger: this.#logger,
      config: () => this.#config,
      snapshot: () => this.#snapshot,
      isHeld: () => this.#gate.isHeld,
      tell: (worker, message) => this.#workers?.tell(worker, message),
      changed: () => this.#snapshots.publish(),
      catalogChanged: () => void this.#views.follow(),
      lateWorkers: (timeoutMs) =>
        this.#workers?.lateFor(this.#snapshot.version, timeoutMs) ?? Promise.resolve([]),
      allAreUpToDate: () => this.#workers?.allGoBy(this.#snapshot.version) ?? false,
    });
  }

  #makeOperators(version: string, taker: HandoverTaker | null): OperatorRoom {
    return new OperatorRoom({
      version,
      logger: this.#logger,
      logs: this.#logs,
      store: this.#store,
      runtime: this.#runtime,
      counters: this.#counters,
      shared: this.#shared,
      epochs: this.#epochs,
      monitor: this.#monitor,
      accounts: this.#accounts,
      certificates: this.#certificates,
      rules: this.#rules,
      gate: this.#gate,
      writes: this.#writes,
      failover: this.#failover,
      inherited: taker?.sockets ?? [],
      orders: this.#orders(),
      config: () => this.#config,
      snapshot: () => this.#snapshot,
      workers: () => this.#workers,
      isStopping: () => this.#phase.isStopping,
      handover: () => this.#handover.report,
    });
  }

  #orders(): ProcessOrders {
    return {
      setLogLevel: (level) => this.#setLogLevel(level),
      reopenLogs: () => this.reopenLogs(),
      setAccepting: (accepting) => this.#snapshots.setAccepting(accepting),
      reloadFile: () => this.reload(this.#readFile),
      handOver: (by) => this.handOver(by),
    };
  }

  #makeHandover(version: string, taker: HandoverTaker | null): HandoverRoom {
    const { history, ports } = this.#operators;
    return new HandoverRoom({
      taker,
      version,
      logger: this.#logger,
      counters: this.#counters,
      epochs: this.#epochs,
      writes: this.#writes,
      monitor: this.#monitor,
      failover: this.#failover,
      history,
      runtime: this.#runtime,
      ports,
      config: () => this.#config,
      snapshot: () => this.#snapshot,
      workers: () => this.#workers,
      isStopping: () => this.#stopping !== null,
      isHeld: () => this.#gate.isHeld,
      accept: () => this.#snapshots.setAccepting(true),
    });
  }

  #makeSnapshots(accepting: boolean): SnapshotPublisher {
    return new SnapshotPublisher({
      accepting,
      logger: this.#logger,
      epochs: this.#epochs,
      monitor: this.#monitor,
      views: this.#views,
      certificates: this.#certificates,
      accounts: this.#accounts,
      rules: this.#rules,
      gate: this.#gate,
      writes: this.#writes,
      config: () => this.#config,
      workers: () => this.#workers,
      isSuspended: () => this.#phase.isClosing || this.#inForce.isApplying,
    });
  }

  get #config(): Config {
    return this.#inForce.config;
  }

  get #snapshot(): Snapshot {
    return this.#snapshots.current;
  }

  get addresses(): SluiceAddresses {
    const { listen } = this.#config;
    return {
      listen: joinAddress(listen.host, this.#workers?.port ?? listen.port),
      socket: listen.socket,
      ...this.#operators.ports.addresses,
    };
  }

  async start(): Promise<void> {
    const { isTaking } = this.#handover;
    if (!isTaking) await this.#operators.ports.openHttp();
    await this.#monitor.start();
    if (!isTaking) this.#handover.startRoles();
    // A primary that hangs keeps nobody waiting: logins find out for themselves.
    await Promise.race([this.#accounts.start(), setTimeout(ACCOUNTS_START_MS, undefined, { ref: false })]);
    this.#snapshots.rebuild();
    this.#writes.follow(this.#snapshot);
    const { inherited, port } = this.#handover.socketsForClients();
    this.#workers = new WorkerSet({
      count: this.#config.workers,
      heap: heapLimits(this.#config.workers),
      listen: { ...listenOptions(this.#config.listen), port },
      inherited,
      counters: this.#counters,
      statistics: this.#shared,
      measurements: this.#measurements,
      gtids: this.#writes.gtids.shared,
      epochs: this.#epochs,
      logger: this.#logger,
      snapshot: () => this.#snapshot,
      ...workerCallbacks({
        monitor: this.#monitor,
        views: this.#views,
        accounts: this.#accounts,
        writes: this.#writes,
        gate: this.#gate,
        logs: this.#logs,
      }),
    });
    this.#monitor.on('change', () => this.#snapshots.publish());
    await this.#workers.start();
    if (isTaking) await this.#handover.take();
    else await this.#operators.ports.openAdmin(this.#workers.rsaKey);
    this.#certificates.follow();
    // What changed while the workers were starting.
    this.#snapshots.publish();
    this.#phase.started();
  }

  handOver(by: string): Promise<GivenOver> {
    return this.#handover.request(by);
  }

  get isSuperseded(): boolean {
    return this.#handover.isGiven;
  }

  get finished(): Promise<void> {
    return this.#handover.finished;
  }

  #runtimeHost(): RuntimeHost {
    const config = () => this.#config;
    const rules = this.#rules;
    return {
      get config() {
        return config();
      },
      apply: (wanted) => this.#apply(wanted),
      lateWorkers: (version, timeoutMs) => this.#workers?.lateFor(version, timeoutMs) ?? Promise.resolve([]),
      get shadow() {
        return rules.shadow;
      },
      setShadow: (shadow) => {
        rules.setShadow(shadow);
        this.#snapshots.publish();
      },
      readFile: this.#readFile,
    };
  }

  async reload(read: () => Promise<Config>): Promise<AppliedConfig> {
    return (await this.#runtime.load()).fileChanged(read);
  }

  #apply(wanted: Config): Promise<AppliedConfig> {
    return this.#inForce.apply(wanted, {
      logger: this.#logger,
      logs: this.#logs,
      certificates: this.#certificates,
      ports: this.#operators.ports,
      monitor: this.#monitor,
      writes: this.#writes,
      accounts: this.#accounts,
      rebuild: () => this.#snapshots.rebuild(),
      send: () => this.#snapshots.send(),
      publish: () => this.#snapshots.publish(),
    });
  }

  #certificatesRead(tls: TlsMaterial): void {
    this.#operators.ports.updateTls(tls);
    this.#snapshots.publish();
  }

  beats(): readonly number[] {
    const running = (this.#workers?.status() ?? []).filter(({ running }) => running);
    return running.map(({ index }) => this.#counters.worker(index).get(WorkerCounter.beats));
  }

  commands(): number {
    return this.#counters.total(WorkerCounter.questions);
  }

  reopenLogs(): void {
    this.#logs.reopen();
  }

  /** Until the configuration is read again. */
  #setLogLevel(level: LogThreshold): void {
    this.#inForce.setLogLevel(level);
    this.#logger.setLevel(level);
    this.#snapshots.publish();
  }

  /** Of a start that has failed: nobody is there who could be served on. */
  abandon(): Promise<void> {
    this.#stopping ??= this.#close(0);
    return this.#stopping;
  }

  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    const { shutdownDelayMs: delayMs, shutdownGraceMs: graceMs } = this.#config.limits;
    this.#logger.info('stopping', { reason, delayMs, graceMs });
    await this.#handover.cancel(`Sluice stops: ${reason}`);
    await this.#phase.leave(this.#handover.isGiven ? 0 : delayMs);
    await this.#close(graceMs);
  }

  async #close(graceMs: number): Promise<void> {
    await this.#failover.stop();
    this.#certificates.stop();
    this.#views.stop();
    await this.#workers?.stop(StopMode.graceful, graceMs + STOP_MARGIN_MS);
    await this.#accounts.stop();
    await this.#writes.stop();
    await this.#monitor.stop();
    await this.#operators.ports.close();
    this.#handover.removeNames();
    await this.#operators.history.stop();
    await this.#store.close();
    await this.#logs.close();
  }

  /** Keys of tables are for single rows, of which only a follower tells that they have changed. */
  #wantedDefinitions(): number | null {
    return this.#epochs.followState === FollowState.off ? null : this.#epochs.definitions;
  }
}
