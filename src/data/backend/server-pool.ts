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

import { WorkerCounter } from '../../common/shared-counters.ts';
import type { SnapshotServer } from '../../common/snapshot.ts';
import type { BackendConnection } from './backend-connection.ts';
import type { ConnectionFailure } from './backend-login.ts';
import { LatencyAverage } from './balancing/latency-average.ts';
import { CheckInAction, checkInVerdict, type LeftBehind, NOTHING_LEFT } from './check-in.ts';
import type { ConnectionListener } from './connection-holder.ts';
import { InitConnect } from './connection-setup.ts';
import { fits, type IdleConnections, mayJoin, usable } from './idle-connections.ts';
import type { PoolEnvironment, PoolSettings, PoolTerms } from './pool-environment.ts';
import { PoolGauges } from './pool-gauges.ts';
import { PoolMembers, retire } from './pool-members.ts';
import { PoolOpening } from './pool-opening.ts';
import { PoolRefusals } from './pool-refusals.ts';
import { PoolFailureKind, type PoolRequest } from './pool-request.ts';
import { PoolUpkeep } from './pool-upkeep.ts';
import { endTermOn } from './term-end.ts';
import { UserVariables } from './user-variables.ts';
import { WaitQueue } from './wait-queue.ts';

/** A request that has waited this long takes a place from those that are served before it. */
const OVERDUE_MS = 100;

export class ServerPool implements ConnectionListener {
  readonly latency = new LatencyAverage();
  readonly #terms: PoolTerms;
  readonly #env: PoolEnvironment;
  readonly #gauges: PoolGauges;
  readonly #members = new PoolMembers();
  readonly #waiting: WaitQueue;
  readonly #refusals: PoolRefusals;
  readonly #opening: PoolOpening;
  readonly #upkeep: PoolUpkeep;
  #closing = false;

  constructor(server: SnapshotServer, settings: PoolSettings, env: PoolEnvironment) {
    const terms: PoolTerms = { server, settings };
    this.#terms = terms;
    this.#env = env;
    this.#gauges = new PoolGauges(env.counters, env.workerCounters, server.slot);
    this.#waiting = new WaitQueue(env.wheel, (request) => {
      env.workerCounters.add(WorkerCounter.poolTimeouts);
      const limit = `no free connection within ${terms.settings.waitTimeoutMs} ms`;
      this.#refusals.refuse(request, PoolFailureKind.timeout, limit);
    });
    this.#refusals = new PoolRefusals(terms, this.#waiting);
    this.#upkeep = new PoolUpkeep(terms, this.#members, this.#gauges);
    this.#opening = new PoolOpening({
      terms,
      env,
      members: this.#members,
      gauges: this.#gauges,
      waiting: this.#waiting,
      refusals: this.#refusals,
      latency: this.latency,
      listener: this,
    });
  }

  get server(): SnapshotServer {
    return this.#terms.server;
  }

  update(server: SnapshotServer, settings: PoolSettings): void {
    const isOther = !hasSameTlsPolicy(server, this.server);
    this.#terms.server = server;
    this.#terms.settings = settings;
    for (const connection of this.#members.all) connection.server = server;
    this.#upkeep.statusChanged();
    if (isOther) this.#retireIdle('tls-settings-changed');
  }

  /** Connections that a session or a batch has. */
  get inUse(): number {
    return this.#gauges.inUse;
  }

  get size(): number {
    return this.#members.all.size;
  }

  /** @returns a connection at once, or null: then the request is told later. */
  checkOut(request: PoolRequest): BackendConnection | null {
    const found = this.#findFree(request);
    if (found !== null) return found;
    if (this.#closing || this.#isDraining || this.#waiting.length >= this.#terms.settings.waitQueueLength) {
      const [kind, message] = this.#whyNot();
      // Not before the caller knows that it waits.
      queueMicrotask(() => this.#refusals.refuse(request, kind, message));
      return null;
    }
    this.#env.workerCounters.add(WorkerCounter.poolWaits);
    this.#waiting.push(request, this.#terms.settings.waitTimeoutMs);
    this.#opening.openMissing();
    return null;
  }

  #whyNot(): readonly [PoolFailureKind, string] {
    if (this.#closing) return [PoolFailureKind.closed, 'the pool is closing'];
    if (this.#isDraining) return [PoolFailureKind.moved, 'the server is being drained'];
    return [PoolFailureKind.queueFull, `${this.#terms.settings.waitQueueLength} statements wait already`];
  }

  cancel(request: PoolRequest): void {
    this.#waiting.remove(request);
  }

  /** The session is done with it, and has left this behind. */
  checkIn(connection: BackendConnection, left: LeftBehind): void {
    connection.holder = null;
    if (connection.isClosed) return;
    this.#gauges.countInUse(connection, false);
    if (!this.#members.all.has(connection)) {
      // Of a pool that was closed when its server left the topology; the server has come back meanwhile.
      connection.quit('its server was removed');
      return;
    }
    const { action, reason } = checkInVerdict({
      statusFlags: connection.statusFlags,
      repliesOwed: connection.owed,
      awaitsInfile: connection.replies.awaitsInfile,
      tainted: connection.tainted,
      // One by one: this is done for every statement, and a spread is slow.
      untracked: left.untracked,
      survivesReset: left.survivesReset,
      stateUnknown: left.stateUnknown,
      initialised: connection.initConnect !== InitConnect.none,
      initialLost:
        connection.initConnect === InitConnect.setsUserVariables &&
        connection.userVariables !== UserVariables.none,
      ageMs: Date.now() - connection.createdAt,
      maxLifetimeMs: this.#terms.settings.maxLifetimeMs,
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
    else this.#members.reset(connection);
  }

  hasIdle(connection: BackendConnection): boolean {
    return this.#members.isIdle(connection);
  }

  connectionOf(threadId: number): BackendConnection | null {
    return this.#members.connectionOf(threadId);
  }

  get threadIds(): number[] {
    return this.#members.threadIds;
  }

  idleConnections(): BackendConnection[] {
    return this.#members.idle();
  }

  closeStatements(): void {
    this.#members.closeStatements();
  }

  /** KILL of a connection that serves nobody. */
  closeIfIdle(connection: BackendConnection, reason: string): void {
    if (this.#members.removeIdle(connection)) retire(connection, reason);
  }

  /** Takes this very connection, if nobody has it. */
  takeIdle(connection: BackendConnection): boolean {
    if (!this.#members.removeIdle(connection)) return false;
    this.#gauges.countInUse(connection, true);
    return true;
  }

  /** A reply of a batch has come. */
  batchDone(connection: BackendConnection): void {
    if (connection.owed > 0 || connection.holder !== null) return;
    this.checkIn(connection, NOTHING_LEFT);
  }

  connectionReady(connection: BackendConnection): void {
    this.#members.connecting.delete(connection);
    this.#env.learnedInitial(connection);
    this.#free(connection);
    this.#opening.openMissing();
  }

  connectionClosed(connection: BackendConnection, failure: ConnectionFailure | null): void {
    const openedFor = this.#members.left(connection);
    this.#gauges.countInUse(connection, false);
    this.#gauges.releasePlace();
    const reason = connection.closeReason;
    // What Sluice closes itself is routine; what a server does wrong, or a network, is not.
    const level = connection.brokeProtocol ? 'warn' : 'debug';
    this.#env.log(level, 'backend connection closed', { server: this.server.address, reason });
    if (openedFor !== null) this.#opening.failed(connection, openedFor, reason, failure);
    this.#opening.openMissing();
  }

  countStatements(difference: number): void {
    this.#env.workerCounters.add(WorkerCounter.backendStatements, difference);
  }

  /** Idle and worn-out connections go; called by the janitor of the worker. */
  closeIdle(now: number): void {
    this.#upkeep.look(now);
  }

  /** Nobody gets a connection any more; idle ones close now, held ones when they come back. */
  close(): void {
    this.#closing = true;
    this.#opening.stop();
    this.#refusals.refuseAll(PoolFailureKind.closed, 'the pool is closing');
    for (const idle of this.#members.takeAllIdle()) idle.quit('pool-closing');
    for (const connection of [...this.#members.connecting.keys()]) connection.close('pool-closing');
  }

  /**
   * Nothing begins here while the server is OFFLINE_SOFT: idle connections close now, the others when they come back,
   * and who waits looks for one elsewhere.
   */
  drain(): void {
    if (!this.#isDraining) return;
    this.#refusals.refuseAll(PoolFailureKind.moved, `${this.server.address} is being drained`);
    this.#opening.stop();
    this.#retireIdle('server-drained');
    const { connecting } = this.#members;
    for (const [connection, request] of [...connecting]) {
      if (request === null) continue;
      connecting.delete(connection);
      connection.close('server-drained');
    }
  }

  #retireIdle(reason: string): void {
    for (const idle of this.#members.takeAllIdle()) retire(idle, reason);
  }

  get #isDraining(): boolean {
    return this.server.status === 'OFFLINE_SOFT';
  }

  /**
   * Another server is the primary. What may write here ends, and who waits looks for a connection elsewhere.
   * @param answers it goes on as a replica: what only reads may end in peace, and what was sent gets its answer
   */
  endTerm(answers: boolean, reason: string): void {
    this.#refusals.refuseAll(PoolFailureKind.moved, reason);
    endTermOn([...this.#members.all], answers, reason, this.#env.wheel);
  }

  /** The server is gone: whatever hangs on it is told at once. */
  destroyAll(reason: string): void {
    for (const connection of [...this.#members.all]) connection.close(reason);
  }

  #findFree(request: PoolRequest): BackendConnection | null {
    const keyed = this.#members.idleFor(request.connectionKey);
    const batch = keyed.joinable(request, this.#terms.settings.pipelineDepth);
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
    const keyed = this.#members.idleFor(connection.key);
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
      this.#opening.openMissing();
    }
  }

  /**
   * Those who can use the connection must not keep it for ever from one who cannot, or from another worker: who has
   * waited for long gets its place.
   */
  #isDueToOthers(connection: BackendConnection): boolean {
    if (connection.lastUser?.owesOn(connection) === true || this.#members.evicted !== null) return false;
    const overdue = this.#waiting.overdue(OVERDUE_MS);
    if (overdue !== null && !usable(connection, overdue) && this.#gauges.isFull(this.#opening.limit)) {
      this.#members.evicted = connection;
      return true;
    }
    return this.#gauges.othersStarve && this.#opening.hasMoreThanItsShare;
  }

  /** Others that wait with a short read of the same state go along in the same write. */
  #fillBatch(keyed: IdleConnections, connection: BackendConnection): void {
    while (keyed.batch === connection && connection.socket.scheduled && this.#waiting.length > 0) {
      const next = this.#waiting.shift(
        (waiting) =>
          waiting.batchDepth >= 2 && mayJoin(connection, waiting, this.#terms.settings.pipelineDepth),
      );
      if (next === null) return;
      this.#countCheckOut(true, true);
      next.connectionAvailable(connection);
    }
  }
}

/** A renewed certificate is no reason to connect again; a demand that was not made of the old connections is. */
function hasSameTlsPolicy({ backendTls: a }: SnapshotServer, { backendTls: b }: SnapshotServer): boolean {
  return a.mode === b.mode && a.serverName === b.serverName && a.ca === b.ca && a.minVersion === b.minVersion;
}
