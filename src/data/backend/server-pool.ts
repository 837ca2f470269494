/**
 * The connections of one worker to one server. Connections are alike per `ConnectionKey` (user, capabilities);
 * their session state differs and is brought in line at check-out.
 *
 * A connection is in exactly one place:
 * | place      | who is there                                              | leaves by                          |
 * |------------|-----------------------------------------------------------|------------------------------------|
 * | connecting | not ready yet, or being reset; counts towards the limit   | `connectionReady`, close           |
 * | idle       | ready, nobody holds it, no reply owed                      | check-out, idle time-out, close    |
 * | batch      | shared by reads of several sessions of one loop turn      | the last reply, close              |
 * | held       | one session has it                                        | `checkIn`, close                   |
 */

import { type SharedCounters, WorkerCounter, type WorkerCounters } from '../../common/shared-counters.ts';
import type { SnapshotServer, SnapshotSettings } from '../../common/snapshot.ts';
import { type TimerWheel, WheelTimer } from '../../common/timer-wheel.ts';
import type { FlushScheduler } from '../io/flush-scheduler.ts';
import { BackendConnection } from './backend-connection.ts';
import type { ConnectionFailure } from './backend-login.ts';
import { LatencyAverage } from './balancing/latency-average.ts';
import type { ReplicaMeasurements } from './balancing/replica-measurements.ts';
import { CheckInAction, type CheckInFacts, checkInVerdict } from './check-in.ts';
import type { ConnectionListener } from './connection-holder.ts';
import type { ConnectionKey } from './connection-key.ts';
import { InitConnect } from './connection-setup.ts';
import { fits, IdleConnections, mayJoin, usable } from './idle-connections.ts';
import { PoolGauges } from './pool-gauges.ts';
import { PoolFailureKind, type PoolRequest } from './pool-request.ts';
import { endTermOn } from './term-end.ts';
import { UserVariables } from './user-variables.ts';
import { WaitQueue } from './wait-queue.ts';

type PoolSettings = SnapshotSettings['pool'];

/** ER_CON_COUNT_ERROR: the server itself is full; who waits may still get a connection that is given back. */
const ER_CON_COUNT_ERROR = 1040;
/** ER_ACCESS_DENIED_ERROR: true of every connection of this user. */
const ER_ACCESS_DENIED_ERROR = 1045;
/** How often a pool asks again for a place that other workers hold. */
const STARVING_RETRY_MS = 50;
/** A request that has waited this long takes a place from those that are served before it. */
const OVERDUE_MS = 100;
/** A server that has been shunned for so long is not expected to answer what it has been asked before. */
const STUCK_MS = 3000;
/** Threads of closed connections that are remembered. */
const CLOSED_THREADS = 256;

/** What a session leaves on a connection, besides what is tracked. */
export type LeftBehind = Pick<CheckInFacts, 'untracked' | 'survivesReset' | 'stateUnknown'>;

export const NOTHING_LEFT: LeftBehind = { untracked: false, survivesReset: false, stateUnknown: false };

export interface PoolEnvironment {
  /** How many workers share the limits. */
  readonly workers: number;
  readonly counters: SharedCounters;
  readonly workerCounters: WorkerCounters;
  readonly wheel: TimerWheel;
  readonly scheduler: FlushScheduler;
  readonly measurements: ReplicaMeasurements;
  /** A connection could not be made, or was lost: the monitor should look. */
  readonly serverFailed: (address: string, reason: string) => void;
  readonly log: (level: 'debug' | 'info' | 'warn', message: string, fields: Record<string, unknown>) => void;
  /** What a session of this key and collation starts with has been learnt. */
  readonly learnedInitial: (connection: BackendConnection) => void;
}

export class ServerPool implements ConnectionListener {
  server: SnapshotServer;
  readonly latency = new LatencyAverage();
  #settings: PoolSettings;
  readonly #env: PoolEnvironment;
  readonly #gauges: PoolGauges;
  readonly #keyed = new Map<string, IdleConnections>();
  readonly #all = new Set<BackendConnection>();
  /** For whom each is being opened; null for one that is being reset. */
  readonly #connecting = new Map<BackendConnection, PoolRequest | null>();
  readonly #waiting: WaitQueue;
  readonly #closedThreads: number[] = [];
  readonly #starvingTimer = new WheelTimer(() => {
    this.#serverFull = false;
    this.#openMissing();
  });
  /** The server itself has refused one more connection just now. */
  #serverFull = false;
  /** By the wall clock; 0 while it is not. */
  #shunnedSinceMs = 0;
  #closing = false;
  /** Makes room and has not closed yet. */
  #evicted: BackendConnection | null = null;

  constructor(server: SnapshotServer, settings: PoolSettings, env: PoolEnvironment) {
    this.server = server;
    this.#settings = settings;
    this.#env = env;
    this.#gauges = new PoolGauges(env.counters, env.workerCounters, server.slot);
    this.#waiting = new WaitQueue(env.wheel, (request) => {
      env.workerCounters.add(WorkerCounter.poolTimeouts);
      const limit = `no free connection within ${this.#settings.waitTimeoutMs} ms`;
      this.#refuse(request, PoolFailureKind.timeout, limit);
    });
  }

  update(server: SnapshotServer, settings: PoolSettings): void {
    const isOther = !hasSameTlsPolicy(server, this.server);
    this.server = server;
    this.#settings = settings;
    for (const connection of this.#all) connection.server = server;
    this.#follow(server.status === 'SHUNNED');
    if (!isOther) return;
    for (const keyed of this.#keyed.values())
      for (const idle of keyed.removeAll()) retire(idle, 'tls-settings-changed');
  }

  /** Connections that stood through an outage may be dead without anybody knowing: a write on one would be lost. */
  #follow(isShunned: boolean): void {
    const wasShunned = this.#shunnedSinceMs > 0;
    if (wasShunned === isShunned) return;
    this.#shunnedSinceMs = isShunned ? Date.now() : 0;
    if (!isShunned) return;
    for (const keyed of this.#keyed.values())
      for (const idle of [...keyed.values()]) {
        if (idle.lastUser?.owesOn(idle) === true) continue;
        keyed.remove(idle);
        idle.quit('server-shunned');
      }
  }

  /** Reads that a server which answers nothing has had for so long are asked elsewhere. */
  #closeStuck(now: number): void {
    if (this.#shunnedSinceMs === 0 || now - this.#shunnedSinceMs < STUCK_MS) return;
    for (const connection of [...this.#all])
      if (connection.replies.owesOnlyReads) connection.close('the server is shunned and does not answer');
  }

  /** Connections that a session or a batch has. */
  get inUse(): number {
    return this.#gauges.inUse;
  }

  get size(): number {
    return this.#all.size;
  }

  /** @returns a connection at once, or null: then the request is told later. */
  checkOut(request: PoolRequest): BackendConnection | null {
    const found = this.#findFree(request);
    if (found !== null) return found;
    if (this.#closing || this.#isDraining || this.#waiting.length >= this.#settings.waitQueueLength) {
      const [kind, message] = this.#whyNot();
      // Not before the caller knows that it waits.
      queueMicrotask(() => this.#refuse(request, kind, message));
      return null;
    }
    this.#env.workerCounters.add(WorkerCounter.poolWaits);
    this.#waiting.push(request, this.#settings.waitTimeoutMs);
    this.#openMissing();
    return null;
  }

  #whyNot(): readonly [PoolFailureKind, string] {
    if (this.#closing) return [PoolFailureKind.closed, 'the pool is closing'];
    if (this.#isDraining) return [PoolFailureKind.moved, 'the server is being drained'];
    return [PoolFailureKind.queueFull, `${this.#settings.waitQueueLength} statements wait already`];
  }

  cancel(request: PoolRequest): void {
    this.#waiting.remove(request);
  }

  /** The session is done with it, and has left this behind. */
  checkIn(connection: BackendConnection, left: LeftBehind): void {
    connection.holder = null;
    if (connection.isClosed) return;
    this.#gauges.countInUse(connection, false);
    if (!this.#all.has(connection)) {
      // Of a pool that was closed when its server left the topology; the server has come back meanwhile.
      connection.quit('its server was removed');
      return;
    }
    const { action, reason } = checkInVerdict({
      statusFlags: connection.statusFlags,
      repliesOwed: connection.owed,
      awaitsInfile: connection.replies.awaitsInfile,
      tainted: connection.tainted,
      ...left,
      initialised: connection.initConnect !== InitConnect.none,
      initialLost:
        connection.initConnect === InitConnect.setsUserVariables &&
        connection.userVariables !== UserVariables.none,
      ageMs: Date.now() - connection.createdAt,
      maxLifetimeMs: this.#settings.maxLifetimeMs,
      serverUsable: this.server.status !== 'OFFLINE_HARD',
      poolClosing: this.#closing,
    });
    if (action === CheckInAction.keep) {
      this.#free(connection);
      return;
    }
    if (action === CheckInAction.close) {
      retire(connection, reason);
      return;
    }
    connection.lastUser = null;
    if (action === CheckInAction.rollback)
      connection.upkeep.rollback(() => this.checkIn(connection, NOTHING_LEFT));
    else {
      this.#connecting.set(connection, null);
      connection.reset();
    }
  }

  hasIdle(connection: BackendConnection): boolean {
    return this.#keyedFor(connection.key).has(connection);
  }

  /** Whoever has it. */
  connectionOf(threadId: number): BackendConnection | null {
    for (const connection of this.#all) if (connection.threadId === threadId) return connection;
    return null;
  }

  /** Of its connections, and of the last ones that were closed: servers list a thread for a moment longer. */
  get threadIds(): number[] {
    return [...[...this.#all].map(({ threadId }) => threadId), ...this.#closedThreads];
  }

  /** KILL of a connection that serves nobody. */
  closeIfIdle(connection: BackendConnection, reason: string): void {
    if (this.#keyedFor(connection.key).remove(connection)) retire(connection, reason);
  }

  /** Takes this very connection, if nobody has it. */
  takeIdle(connection: BackendConnection): boolean {
    if (!this.#keyedFor(connection.key).remove(connection)) return false;
    this.#gauges.countInUse(connection, true);
    return true;
  }

  /** A reply of a batch has come. */
  batchDone(connection: BackendConnection): void {
    if (connection.owed > 0 || connection.holder !== null) return;
    this.checkIn(connection, NOTHING_LEFT);
  }

  connectionReady(connection: BackendConnection): void {
    this.#connecting.delete(connection);
    this.#env.learnedInitial(connection);
    this.#free(connection);
    this.#openMissing();
  }

  connectionClosed(connection: BackendConnection, failure: ConnectionFailure | null): void {
    const openedFor = this.#connecting.get(connection) ?? null;
    this.#connecting.delete(connection);
    this.#all.delete(connection);
    if (this.#closedThreads.push(connection.threadId) > CLOSED_THREADS) this.#closedThreads.shift();
    if (this.#evicted === connection) this.#evicted = null;
    this.#gauges.countInUse(connection, false);
    this.#gauges.releasePlace();
    this.#keyedFor(connection.key).remove(connection);
    if (connection.key.ownerId !== null) this.#keyed.delete(connection.key.text);
    const reason = connection.closeReason;
    // What Sluice closes itself is routine; what a server does wrong, or a network, is not.
    const level = connection.brokeProtocol ? 'warn' : 'debug';
    this.#env.log(level, 'backend connection closed', { server: this.server.address, reason });
    if (openedFor !== null) this.#connectFailed(connection, openedFor, reason, failure);
    this.#openMissing();
  }

  countStatements(difference: number): void {
    this.#env.workerCounters.add(WorkerCounter.backendStatements, difference);
  }

  /** The server has no room for more prepared statements: those go that nobody is about to execute. */
  closeStatements(): void {
    for (const connection of this.#all) {
      const isIdle = connection.holder === null && connection.owed === 0 && !this.#connecting.has(connection);
      if (isIdle) connection.statements.closeShared();
    }
  }

  idleConnections(): BackendConnection[] {
    return [...this.#keyed.values()].flatMap((keyed) => keyed.values());
  }

  /** Idle and worn-out connections go; called by the janitor of the worker. */
  closeIdle(now: number): void {
    this.#closeStuck(now);
    const { idleTimeoutMs, maxLifetimeMs, minIdle } = this.#settings;
    for (const keyed of this.#keyed.values()) {
      for (const connection of [...keyed.values()]) {
        if (connection.lastUser?.owesOn(connection) === true) continue;
        const idleTooLong =
          idleTimeoutMs > 0 && now - connection.idleSince > idleTimeoutMs && keyed.size > minIdle;
        const tooOld = maxLifetimeMs > 0 && now - connection.createdAt > maxLifetimeMs;
        const isWanted = this.#gauges.othersStarve;
        const isExpiring = connection.isExpiring(now);
        if (!idleTooLong && !tooOld && !isWanted && !isExpiring) continue;
        keyed.remove(connection);
        const age = tooOld ? 'too-old' : isExpiring ? 'wait_timeout' : 'idle-timeout';
        connection.quit(isWanted ? 'wanted-by-another-worker' : age);
        // One at a time: who waits may want no more.
        if (isWanted) return;
      }
    }
  }

  /** Nobody gets a connection any more; idle ones close now, held ones when they come back. */
  close(): void {
    this.#closing = true;
    this.#stopStarving();
    for (const request of this.#waiting.drain())
      this.#refuse(request, PoolFailureKind.closed, 'the pool is closing');
    for (const keyed of this.#keyed.values()) for (const idle of keyed.removeAll()) idle.quit('pool-closing');
    for (const connection of [...this.#connecting.keys()]) connection.close('pool-closing');
  }

  /**
   * Nothing begins here while the server is OFFLINE_SOFT: idle connections close now, the others when they come back,
   * and who waits looks for one elsewhere.
   */
  drain(): void {
    if (!this.#isDraining) return;
    const reason = `${this.server.address} is being drained`;
    for (const request of this.#waiting.drain()) this.#refuse(request, PoolFailureKind.moved, reason);
    this.#stopStarving();
    for (const keyed of this.#keyed.values())
      for (const idle of keyed.removeAll()) retire(idle, 'server-drained');
    for (const [connection, request] of [...this.#connecting]) {
      if (request === null) continue;
      this.#connecting.delete(connection);
      connection.close('server-drained');
    }
  }

  get #isDraining(): boolean {
    return this.server.status === 'OFFLINE_SOFT';
  }

  /**
   * Another server is the primary. What may write here ends, and who waits looks for a connection elsewhere.
   * @param answers it goes on as a replica: what only reads may end in peace, and what was sent gets its answer
   */
  endTerm(answers: boolean, reason: string): void {
    for (const request of this.#waiting.drain()) this.#refuse(request, PoolFailureKind.moved, reason);
    endTermOn([...this.#all], answers, reason, this.#env.wheel);
  }

  /** The server is gone: whatever hangs on it is told at once. */
  destroyAll(reason: string): void {
    for (const connection of [...this.#all]) connection.close(reason);
  }

  #keyedFor(key: ConnectionKey): IdleConnections {
    let keyed = this.#keyed.get(key.text);
    if (keyed === undefined) {
      keyed = new IdleConnections();
      this.#keyed.set(key.text, keyed);
    }
    return keyed;
  }

  #findFree(request: PoolRequest): BackendConnection | null {
    const keyed = this.#keyedFor(request.connectionKey);
    const batch = keyed.joinable(request, this.#settings.pipelineDepth);
    if (batch !== null) {
      this.#countCheckOut(true, true);
      return batch;
    }
    const now = Date.now();
    let connection = keyed.take(request);
    while (connection?.isExpiring(now) === true) {
      retire(connection, 'wait_timeout');
      connection = keyed.take(request);
    }
    if (connection !== null) this.#handOut(keyed, connection, request);
    return connection;
  }

  #handOut(keyed: IdleConnections, connection: BackendConnection, request: PoolRequest): void {
    const isFit = fits(connection, request);
    this.#gauges.countInUse(connection, true);
    this.#countCheckOut(isFit, false);
    if (isFit && request.batchDepth >= 2) keyed.batch = connection;
  }

  #countCheckOut(isFit: boolean, isPipelined: boolean): void {
    const counters = this.#env.workerCounters;
    counters.add(WorkerCounter.checkouts);
    if (isFit) counters.add(WorkerCounter.checkoutsFitting);
    if (isPipelined) counters.add(WorkerCounter.checkoutsPipelined);
  }

  #free(connection: BackendConnection): void {
    this.#offer(connection);
    // A connection that is being closed tells it when it is.
    if (!connection.isLeaving) connection.tellCleaned();
  }

  #offer(connection: BackendConnection): void {
    if (this.#closing) {
      connection.quit('pool-closing');
      return;
    }
    if (this.#isDraining) {
      retire(connection, 'server-drained');
      return;
    }
    if (!hasSameTlsPolicy(connection.openedTo, this.server)) {
      retire(connection, 'tls-settings-changed');
      return;
    }
    connection.idleSince = Date.now();
    const keyed = this.#keyedFor(connection.key);
    if (this.#isDueToOthers(connection)) {
      connection.quit('evicted-for-another-user');
      return;
    }
    const request = this.#waiting.shift((waiting) => usable(connection, waiting));
    if (request !== null) {
      this.#handOut(keyed, connection, request);
      request.connectionAvailable(connection);
      this.#fillBatch(keyed, connection);
    } else if (this.#gauges.othersStarve && connection.lastUser?.owesOn(connection) !== true) {
      connection.quit('wanted-by-another-worker');
    } else {
      keyed.add(connection);
      this.#openMissing();
    }
  }

  /**
   * Those who can use the connection must not keep it for ever from one who cannot, or from another worker: who has
   * waited for long gets its place.
   */
  #isDueToOthers(connection: BackendConnection): boolean {
    if (connection.lastUser?.owesOn(connection) === true || this.#evicted !== null) return false;
    const overdue = this.#waiting.overdue(OVERDUE_MS);
    if (overdue !== null && !usable(connection, overdue) && this.#gauges.isFull(this.#limit)) {
      this.#evicted = connection;
      return true;
    }
    return this.#gauges.othersStarve && this.#all.size > this.#limit / this.#env.workers;
  }

  get #limit(): number {
    const own = this.server.maxConnections;
    const { maxConnections } = this.#settings;
    return own > 0 ? Math.min(own, maxConnections) : maxConnections;
  }

  /** Others that wait with a short read of the same state go along in the same write. */
  #fillBatch(keyed: IdleConnections, connection: BackendConnection): void {
    while (keyed.batch === connection && connection.socket.scheduled && this.#waiting.length > 0) {
      const next = this.#waiting.shift(
        (waiting) => waiting.batchDepth >= 2 && mayJoin(connection, waiting, this.#settings.pipelineDepth),
      );
      if (next === null) return;
      this.#countCheckOut(true, true);
      next.connectionAvailable(connection);
    }
  }

  /** Opens connections for those who wait, first come first served, as far as the limits allow. */
  #openMissing(): void {
    if (this.#waiting.length === 0 || this.#closing) {
      this.#stopStarving();
      return;
    }
    if (this.#serverFull) return;
    const served = new Set(this.#connecting.values());
    for (const request of this.#waiting.values()) {
      if (this.#connecting.size >= this.#settings.maxConnecting) return;
      if (served.has(request)) continue;
      if (!this.#open(request)) return;
    }
    this.#stopStarving();
  }

  /** @returns false at the limit of the server. */
  #open(request: PoolRequest): boolean {
    const hasItsShare = this.#all.size >= this.#limit / this.#env.workers;
    if ((hasItsShare && this.#gauges.othersStarve) || !this.#gauges.acquirePlace(this.#limit)) {
      // An idle one that the request cannot use makes room; else others must give a place back.
      if (!this.#evictFor(request)) {
        this.#gauges.setStarving(true);
        this.#env.wheel.arm(this.#starvingTimer, STARVING_RETRY_MS);
      }
      return false;
    }
    const target = {
      server: this.server,
      key: request.connectionKey,
      collationId: request.collationId,
      schema: request.schema,
      connectTimeoutMs: this.#settings.connectTimeoutMs,
      latency: this.latency,
    };
    const connection = new BackendConnection(target, this.#env.scheduler, this);
    this.#all.add(connection);
    this.#connecting.set(connection, request);
    return true;
  }

  #stopStarving(): void {
    this.#gauges.setStarving(false);
    this.#serverFull = false;
    this.#env.wheel.cancel(this.#starvingTimer);
  }

  /** The longest idle connection that is of no use to the request goes; `connectionClosed` opens the new one. */
  #evictFor(request: PoolRequest): boolean {
    if (this.#evicted !== null) return true;
    let victim: BackendConnection | null = null;
    for (const keyed of this.#keyed.values())
      for (const connection of keyed.values())
        if (!usable(connection, request) && (victim === null || connection.idleSince < victim.idleSince))
          victim = connection;
    if (victim === null) return false;
    this.#keyedFor(victim.key).remove(victim);
    if (victim.key.text === request.connectionKey.text && request.refuses(victim)) {
      // All that is wrong with it a reset takes away.
      victim.lastUser?.harvest(victim);
      victim.lastUser = null;
      this.#connecting.set(victim, null);
      victim.reset();
      return true;
    }
    this.#evicted = victim;
    retire(victim, 'evicted-for-another-user');
    return true;
  }

  /** Who is told: those for whom it would have been the same. */
  #connectFailed(
    connection: BackendConnection,
    openedFor: PoolRequest,
    reason: string,
    failure: ConnectionFailure | null,
  ): void {
    this.#gauges.connectFailed();
    this.#env.log('warn', 'cannot connect to a server', { server: this.server.address, reason });
    if (failure === null) {
      this.#env.serverFailed(this.server.address, reason);
      for (const request of this.#waiting.drain()) this.#refuse(request, PoolFailureKind.unreachable, reason);
      return;
    }
    if (failure.errno === ER_CON_COUNT_ERROR && this.#all.size > 0) {
      // Asked again a little later: not at once, or the full server would be stormed.
      this.#serverFull = true;
      this.#env.wheel.arm(this.#starvingTimer, STARVING_RETRY_MS);
      return;
    }
    const isOfUser = failure.errno === ER_ACCESS_DENIED_ERROR;
    const concerned = [...this.#waiting.values()].filter(
      (request) => request === openedFor || (isOfUser && request.connectionKey.text === connection.key.text),
    );
    for (const request of concerned) {
      this.#waiting.remove(request);
      this.#refuse(request, PoolFailureKind.refused, reason, failure);
    }
  }

  #refuse(
    request: PoolRequest,
    kind: PoolFailureKind,
    message: string,
    refusal: ConnectionFailure | null = null,
  ): void {
    request.connectionUnavailable({ kind, address: this.server.address, message, refusal });
  }
}

/** Closes a connection that is as it should be; what its last user may still ask about is read on the way out. */
function retire(connection: BackendConnection, reason: string): void {
  connection.lastUser?.harvest(connection);
  connection.lastUser = null;
  connection.quit(reason);
}

/** A renewed certificate is no reason to connect again; a demand that was not made of the old connections is. */
function hasSameTlsPolicy({ backendTls: a }: SnapshotServer, { backendTls: b }: SnapshotServer): boolean {
  return a.mode === b.mode && a.serverName === b.serverName && a.ca === b.ca && a.minVersion === b.minVersion;
}
