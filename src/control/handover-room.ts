/**
 * Restarts in which another process takes over, put together for the main thread: this one's beginning, if it takes over
 * from another one, and its end, if another one takes over from it. ARCHITECTURE.md, "Another process takes over".
 */

import { setTimeout } from 'node:timers/promises';
import type { Config } from '../../config/schema.ts';
import type { ListeningSocket } from '../common/listening-socket.ts';
import type { RootLogger } from '../common/logger.ts';
import type { SharedCounters } from '../common/shared-counters.ts';
import { Gauge } from '../common/shared-counters.ts';
import type { Snapshot } from '../common/snapshot.ts';
import { removeSocketPath, socketInode } from '../common/socket-path.ts';
import type { TableEpochs } from '../common/table-epochs.ts';
import { ServerStatus } from '../topology/server-description.ts';
import type { FailoverRoom } from './failover-room.ts';
import { type GivenOver, HandoverGiver } from './handover/handover-giver.ts';
import type { HandoverHost } from './handover/handover-host.ts';
import type { HandoverReport } from './handover/handover-report.ts';
import type { HandoverTaker } from './handover/handover-taker.ts';
import { inheritedPort, isWanted } from './handover/inherited-sockets.ts';
import { OtherProcess } from './handover/other-process.ts';
import { ownPlace, placeObstacle } from './handover/place-obstacle.ts';
import type { Monitor } from './monitor/monitor.ts';
import type { OperatorPorts } from './operator-ports.ts';
import { readiness } from './readiness.ts';
import type { DeferredRuntime } from './runtime/deferred-runtime.ts';
import type { StatisticsHistory } from './statistics/history.ts';
import { StoreError } from './store/store-error.ts';
import type { WorkerSet } from './worker-set.ts';
import type { WriteRoom } from './write-room.ts';

/** How often a process that is about to take over looks whether it is ready. */
const LOOK_MS = 50;
const OPEN_MS = 10_000;
/** For the end of the process before this one, when it is about to end. */
const LAST_MOMENT_MS = 2000;
/** For the answer to who has asked for it on the admin port. */
const LAST_ANSWER_MS = 1000;

export interface HandoverRoomParts {
  /** Null for a process that was started otherwise. */
  readonly taker: HandoverTaker | null;
  readonly version: string;
  readonly logger: RootLogger;
  readonly counters: SharedCounters;
  readonly epochs: TableEpochs;
  readonly writes: WriteRoom;
  readonly monitor: Monitor;
  readonly failover: FailoverRoom;
  readonly history: StatisticsHistory;
  readonly runtime: DeferredRuntime;
  readonly ports: OperatorPorts;
  config(): Config;
  snapshot(): Snapshot;
  workers(): WorkerSet | null;
  isStopping(): boolean;
  /** Writes are, by an operator or an operation. */
  isHeld(): boolean;
  accept(): void;
}

export class HandoverRoom {
  readonly #parts: HandoverRoomParts;
  readonly #taker: HandoverTaker | null;
  readonly #giver: HandoverGiver;
  readonly #other: OtherProcess;
  readonly finished: Promise<void>;
  /** Of Unix sockets that were taken over: the old process's as long as it may take them back. */
  #names: readonly { readonly path: string; readonly inode: number }[] = [];
  #finish: () => void = () => undefined;
  /** Resolves when nobody else serves clients. */
  #alone: Promise<void> = Promise.resolve();

  constructor(parts: HandoverRoomParts) {
    const { taker, counters, epochs, writes } = parts;
    this.#parts = parts;
    this.#taker = taker;
    const gtidsWanted = (): void => writes.gtids.resolve();
    this.#other = new OtherProcess({
      epochs,
      gtids: writes.gtids.shared,
      schemaChanged: writes.schemaChanged,
      gtidsWanted,
    });
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    const before = taker?.offer ?? { done: 0, failed: 0 };
    this.#giver = new HandoverGiver({ host: this.#host(), before });
    if (taker === null) return;
    this.#other.comes();
    counters.beginConnectionIds(taker.offer.nextConnectionId);
    writes.binlog.suspend();
  }

  /** It begins without clients, and without what only one process may do. */
  get isTaking(): boolean {
    return this.#taker !== null;
  }

  /** Another process has the sockets of this one. */
  get isGiven(): boolean {
    return this.#giver.isGiven;
  }

  get report(): HandoverReport {
    const { done = 0, failed = 0 } = this.#taker?.offer ?? {};
    return { done, failed: failed + this.#giver.failed, before: this.#taker?.before ?? null };
  }

  /** Those that workers are to open, and at which port. */
  socketsForClients(): { readonly inherited: readonly ListeningSocket[]; readonly port: number } {
    const { config } = this.#parts;
    const sockets = this.#taker?.sockets ?? [];
    const inherited = sockets.filter((socket) => socket.use === 'clients' && isWanted(config(), socket));
    return { inherited, port: inheritedPort(config(), sockets) };
  }

  // ---- the beginning

  /** Workers run, and let nobody in. Resolves when they do. @throws Error when that cannot be */
  async take(): Promise<void> {
    const taker = this.#taker;
    if (taker === null) return;
    const { monitor, config, workers, ports, accept } = this.#parts;
    await this.#untilReady(taker);
    await taker.ready();
    for (const { address, status } of taker.administered) monitor.setAdministrativeStatus(address, status);
    const set = workers();
    if (set === null) throw new Error('there are no workers');
    await ports.openHttp();
    await ports.openAdmin(set.rsaKey);
    accept();
    await set.untilAccepting(OPEN_MS);
    const unwanted = taker.taken((socket) => isWanted(config(), socket));
    const named = (from: readonly ListeningSocket[]) =>
      from.flatMap(({ path }) => (path === null ? [] : { path, inode: socketInode(path) }));
    for (const { path, inode } of named(unwanted)) removeSocketPath(path, inode);
    this.#names = named(taker.sockets.filter((socket) => !unwanted.includes(socket)));
    const { pid: from, version: fromVersion, sockets } = taker.offer;
    const { durationMs } = taker;
    monitor.note({ kind: 'handover-taken', from, fromVersion, sockets: sockets.length, durationMs });
    this.#alone = this.#succeed(taker);
  }

  async #untilReady(taker: HandoverTaker): Promise<void> {
    const { workers, snapshot, isStopping } = this.#parts;
    let told = '';
    for (;;) {
      if (isStopping()) throw new Error('it was stopped before it was ready');
      const { ready, reasons } = readiness(
        workers()?.status() ?? [],
        { ...snapshot(), accepting: true },
        false,
      );
      if (ready) return;
      if (told !== reasons.join()) taker.waits(reasons);
      told = reasons.join();
      await setTimeout(LOOK_MS);
    }
  }

  /** Takes what only one process may do, and then trusts its own eyes again. */
  async #succeed(taker: HandoverTaker): Promise<void> {
    const { monitor, isStopping } = this.#parts;
    await taker.released();
    if (isStopping()) return;
    this.startRoles();
    await taker.alone();
    this.#other.goes();
    this.#markLines(false);
    const { offer, isClean: clean, durationMs } = taker;
    monitor.note({ kind: 'handover-ended', from: offer.pid, clean, durationMs });
  }

  /** What only one process may do. */
  startRoles(): void {
    const { failover, history, writes } = this.#parts;
    failover.start();
    history.start();
    writes.binlog.resume();
  }

  // ---- the end

  /** @throws HandoverError */
  async request(by: string): Promise<GivenOver> {
    // Others may see its end a moment before it is seen here.
    await Promise.race([this.#alone, setTimeout(LAST_MOMENT_MS, undefined, { ref: false })]);
    return this.#giver.request(by, this.#finish);
  }

  /** While two processes write to one output each line says whose it is. */
  #markLines(isShared: boolean): void {
    this.#parts.logger.mark(isShared ? { process: process.pid } : null);
  }

  /** The last thing to be done. */
  removeNames(): void {
    if (!this.isGiven) for (const { path, inode } of this.#names) removeSocketPath(path, inode);
  }

  cancel(reason: string): Promise<void> {
    return this.#giver.cancel(reason);
  }

  #host(): HandoverHost {
    const { version, logger, counters, monitor, failover, history, writes, ports } = this.#parts;
    const { config, workers } = this.#parts;
    return {
      version,
      settings: () => config().handover,
      obstacle: () => this.#obstacle(),
      configurationNumber: () => this.#parts.runtime.version,
      unsaved: () => this.#unsaved(),
      sockets: async () => [...((await workers()?.sockets()) ?? []), ...ports.sockets()],
      administered: () =>
        monitor.topology.servers.flatMap(({ address }) => {
          const status = monitor.topology.member(address)?.administrative ?? ServerStatus.ONLINE;
          return status === ServerStatus.ONLINE ? [] : { address, status };
        }),
      nextConnectionId: () => counters.farConnectionId,
      clients: () => counters.gauge(Gauge.frontendConnections),
      suspendRoles: async () => {
        await failover.pause();
        writes.binlog.suspend();
        this.#other.comes();
      },
      resumeRoles: () => {
        this.#other.goes();
        writes.binlog.resume();
        failover.resume();
      },
      sharesLog: (isShared) => this.#markLines(isShared),
      drain: () => this.#drain(),
      endRoles: async () => {
        await failover.stop();
        await history.stop();
        await monitor.pauseHeartbeat();
      },
      note: (event) => monitor.note(event),
      warn: (message, fields) => logger.warn(message, fields),
    };
  }

  /** @throws ConfigError: the new process would not start either */
  async #unsaved(): Promise<readonly string[]> {
    const { runtime, logger } = this.#parts;
    try {
      return await (await runtime.load()).lostAtNextStart();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      logger.warn('it cannot be told whether all that is in force was saved', { reason: error.message });
      return [];
    }
  }

  #obstacle(): string | null {
    const { snapshot, workers, failover, isStopping, isHeld } = this.#parts;
    if (isStopping()) return 'Sluice is stopping';
    const before = this.#taker?.before ?? null;
    if (before !== null)
      return `the process before this one (${before.pid}) has ${before.clients} clients still: try again when it has ended`;
    if (!snapshot().accepting)
      return 'no new clients are let in (PROXYSQL PAUSE): there is no socket to hand over';
    if ((workers()?.status() ?? []).some(({ running }) => !running)) return 'not all workers are running';
    if (isHeld()) return 'writes are held';
    const { running } = failover.control;
    if (running !== null) return `a ${running} is running`;
    return placeObstacle(ownPlace());
  }

  async #drain(): Promise<void> {
    const { workers, ports, config } = this.#parts;
    const { idleMs, drainMs } = config().handover;
    const drained = workers()?.handOver({ type: 'handOver', idleMs, drainMs });
    await ports.handOver();
    await setTimeout(LAST_ANSWER_MS, undefined, { ref: false });
    await Promise.all([drained, ports.close()]);
  }
}
