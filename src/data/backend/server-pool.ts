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

import {
  ServerCounter,
  ServerGauge,
  type SharedCounters,
  serverGauge,
  WorkerCounter,
  type WorkerCounters,
} from '../../common/shared-counters.ts';
import type { SnapshotServer, SnapshotSettings } from '../../common/snapshot.ts';
import type { TimerWheel } from '../../common/timer-wheel.ts';
import type { FlushScheduler } from '../io/flush-scheduler.ts';
import { BackendConnection, type ConnectionFailure, type ConnectionListener } from './backend-connection.ts';
import { CheckInAction, type CheckInFacts, checkInVerdict } from './check-in.ts';
import type { ConnectionKey } from './connection-key.ts';
import { rollbackReply } from './own-replies.ts';
import { PoolFailureKind, type PoolRequest } from './pool-request.ts';
import { WaitQueue } from './wait-queue.ts';

type PoolSettings = SnapshotSettings['pool'];

/** How many idle connections are looked at for one that fits exactly. */
const FIT_SCAN = 16;

export interface PoolEnvironment {
  readonly counters: SharedCounters;
  readonly workerCounters: WorkerCounters;
  readonly wheel: TimerWheel;
  readonly scheduler: FlushScheduler;
  /** A connection could not be made, or was lost: the monitor should look. */
  readonly serverFailed: (address: string, reason: string) => void;
  readonly log: (level: 'debug' | 'info' | 'warn', message: string, fields: Record<string, unknown>) => void;
  /** What a session of this key and collation starts with has been learnt. */
  readonly learnedInitial: (connection: BackendConnection) => void;
}

/** What a session leaves on a connection, besides what is tracked. */
export type LeftBehind = Pick<CheckInFacts, 'untracked' | 'survivesReset' | 'stateUnknown'>;

export const NOTHING_LEFT: LeftBehind = { untracked: false, survivesReset: false, stateUnknown: false };

class KeyedConnections {
  readonly idle: BackendConnection[] = [];
  batch: BackendConnection | null = null;
}

export class ServerPool implements ConnectionListener {
  server: SnapshotServer;
  #settings: PoolSettings;
  readonly #env: PoolEnvironment;
  readonly #keyed = new Map<string, KeyedConnections>();
  readonly #all = new Set<BackendConnection>();
  readonly #connecting = new Map<BackendConnection, string>();
  readonly #waiting: WaitQueue;
  #closing = false;

  constructor(server: SnapshotServer, settings: PoolSettings, env: PoolEnvironment) {
    this.server = server;
    this.#settings = settings;
    this.#env = env;
    this.#waiting = new WaitQueue(env.wheel, (request) =>
      this.#refuse(
        request,
        PoolFailureKind.timeout,
        `no free connection within ${this.#settings.waitTimeoutMs} ms`,
      ),
    );
  }

  update(server: SnapshotServer, settings: PoolSettings): void {
    this.server = server;
    this.#settings = settings;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Open connections of this worker that a session or a batch is using. */
  get busy(): number {
    let idle = 0;
    for (const keyed of this.#keyed.values()) idle += keyed.idle.length;
    return this.#all.size - idle - this.#connecting.size;
  }

  /** @returns a connection at once, or null: then the request is told later. */
  checkOut(request: PoolRequest): BackendConnection | null {
    const keyed = this.#keyedFor(request.connectionKey);
    const found = this.#findFree(keyed, request);
    if (found !== null) return found;
    if (this.#waiting.length >= this.#settings.waitQueueLength) {
      const limit = `${this.#settings.waitQueueLength} statements wait already`;
      queueMicrotask(() => this.#refuse(request, PoolFailureKind.queueFull, limit));
      return null;
    }
    this.#env.workerCounters.add(WorkerCounter.poolWaits);
    this.#waiting.push(request, this.#settings.waitTimeoutMs);
    this.#openFor(request);
    return null;
  }

  cancel(request: PoolRequest): void {
    this.#waiting.remove(request);
  }

  /** The session is done with it, and has left this behind. */
  checkIn(connection: BackendConnection, left: LeftBehind): void {
    connection.holder = null;
    if (connection.isClosed) return;
    this.#countInUse(connection, false);
    const { action, reason } = checkInVerdict({
      statusFlags: connection.statusFlags,
      repliesOwed: connection.owed,
      awaitsInfile: connection.awaitsInfile,
      tainted: connection.tainted,
      ...left,
      ageMs: Date.now() - connection.createdAt,
      maxLifetimeMs: this.#settings.maxLifetimeMs,
      serverUsable: this.server.status !== 'OFFLINE_HARD',
      poolClosing: this.#closing,
    });
    if (action === CheckInAction.keep) this.#free(connection);
    else if (action === CheckInAction.close) connection.quit(reason);
    else if (action === CheckInAction.rollback) {
      connection.lastUser = null;
      rollbackReply(connection, () => this.checkIn(connection, NOTHING_LEFT));
    } else {
      connection.lastUser = null;
      this.#connecting.set(connection, connection.key.text);
      connection.reset();
    }
  }

  hasIdle(connection: BackendConnection): boolean {
    return this.#keyedFor(connection.key).idle.includes(connection);
  }

  /** Takes this very connection, if nobody has it. */
  takeIdle(connection: BackendConnection): boolean {
    const idle = this.#keyedFor(connection.key).idle;
    const at = idle.indexOf(connection);
    if (at < 0) return false;
    idle.splice(at, 1);
    this.#countInUse(connection, true);
    return true;
  }

  /** The last reply of a batch has come. */
  batchDone(connection: BackendConnection): void {
    if (connection.owed > 0 || connection.holder !== null) return;
    const keyed = this.#keyedFor(connection.key);
    if (keyed.batch === connection) keyed.batch = null;
    this.checkIn(connection, NOTHING_LEFT);
  }

  connectionReady(connection: BackendConnection): void {
    this.#connecting.delete(connection);
    this.#env.learnedInitial(connection);
    this.#free(connection);
  }

  connectionClosed(connection: BackendConnection, failure: ConnectionFailure | null): void {
    const wasConnecting = this.#connecting.delete(connection);
    this.#all.delete(connection);
    this.#countInUse(connection, false);
    this.#countOpen(-1);
    const keyed = this.#keyedFor(connection.key);
    const at = keyed.idle.indexOf(connection);
    if (at >= 0) keyed.idle.splice(at, 1);
    if (keyed.batch === connection) keyed.batch = null;
    const reason = connection.closeReason;
    this.#env.log('debug', 'backend connection closed', { server: this.server.address, reason });
    if (!wasConnecting) {
      this.#openForWaiting();
      return;
    }
    this.#env.workerCounters.addServer(this.server.slot, ServerCounter.connectErrors);
    if (failure === null) this.#env.serverFailed(this.server.address, reason);
    this.#env.log('warn', 'cannot connect to a server', { server: this.server.address, reason });
    const kind = failure === null ? PoolFailureKind.unreachable : PoolFailureKind.refused;
    for (;;) {
      const request = this.#waiting.shift((waiting) => waiting.connectionKey.text === connection.key.text);
      if (request === null) break;
      request.connectionUnavailable({
        kind,
        address: this.server.address,
        message: reason,
        refusal: failure,
      });
    }
  }

  /** Idle and worn-out connections go; called by the janitor of the worker. */
  closeIdle(now: number): void {
    const { idleTimeoutMs, maxLifetimeMs, minIdle } = this.#settings;
    for (const keyed of this.#keyed.values()) {
      for (const connection of [...keyed.idle]) {
        const idleTooLong =
          idleTimeoutMs > 0 && now - connection.idleSince > idleTimeoutMs && keyed.idle.length > minIdle;
        const tooOld = maxLifetimeMs > 0 && now - connection.createdAt > maxLifetimeMs;
        if ((!idleTooLong && !tooOld) || connection.lastUser?.owesOn(connection) === true) continue;
        keyed.idle.splice(keyed.idle.indexOf(connection), 1);
        connection.quit(idleTooLong ? 'idle-timeout' : 'too-old');
      }
    }
  }

  /** Nobody gets a connection any more; idle ones close now, held ones when they come back. */
  close(): void {
    this.#closing = true;
    for (const request of this.#waiting.drain())
      this.#refuse(request, PoolFailureKind.closed, 'the pool is closing');
    for (const keyed of this.#keyed.values())
      for (const idle of keyed.idle.splice(0)) idle.quit('pool-closing');
    for (const connection of this.#connecting.keys()) connection.close('pool-closing');
  }

  /** The server is gone: whatever hangs on it is told at once. */
  destroyAll(reason: string): void {
    for (const connection of [...this.#all]) connection.close(reason);
  }

  #countOpen(delta: number): void {
    this.#env.counters.addGauge(serverGauge(this.server.slot, ServerGauge.connections), delta);
    this.#env.workerCounters.addServer(this.server.slot, ServerCounter.heldConnections, delta);
  }

  #countInUse(connection: BackendConnection, inUse: boolean): void {
    if (connection.counted === inUse) return;
    connection.counted = inUse;
    const delta = inUse ? 1 : -1;
    this.#env.counters.addGauge(serverGauge(this.server.slot, ServerGauge.inUse), delta);
    this.#env.workerCounters.addServer(this.server.slot, ServerCounter.heldInUse, delta);
  }

  #keyedFor(key: ConnectionKey): KeyedConnections {
    let keyed = this.#keyed.get(key.text);
    if (keyed === undefined) {
      keyed = new KeyedConnections();
      this.#keyed.set(key.text, keyed);
    }
    return keyed;
  }

  #findFree(keyed: KeyedConnections, request: PoolRequest): BackendConnection | null {
    const counters = this.#env.workerCounters;
    if (request.batchDepth >= 2) {
      const batch = keyed.batch;
      if (batch?.socket.scheduled && this.#mayJoin(batch, request)) {
        counters.add(WorkerCounter.checkouts);
        counters.add(WorkerCounter.checkoutsPipelined);
        counters.add(WorkerCounter.checkoutsFitting);
        return batch;
      }
    }
    const at = this.#bestIdle(keyed, request);
    if (at < 0) return null;
    const [connection] = keyed.idle.splice(at, 1) as [BackendConnection];
    this.#countInUse(connection, true);
    counters.add(WorkerCounter.checkouts);
    if (fits(connection, request)) counters.add(WorkerCounter.checkoutsFitting);
    if (request.batchDepth >= 2 && fits(connection, request)) keyed.batch = connection;
    return connection;
  }

  #mayJoin(batch: BackendConnection, request: PoolRequest): boolean {
    return (
      batch.holder === null &&
      batch.owed < Math.min(this.#settings.pipelineDepth, request.batchDepth) &&
      fits(batch, request)
    );
  }

  /** Index of the idle connection that costs least to bring in line, -1 if none will do. */
  #bestIdle(keyed: KeyedConnections, request: PoolRequest): number {
    const idle = keyed.idle;
    const last = request.lastConnection;
    if (last !== null && last.lastUser === request.lastUser && last.server.address === this.server.address) {
      const at = idle.indexOf(last);
      if (at >= 0) return at;
    }
    // Best first: fits and is owed to nobody, is owed to nobody, fits, any.
    let best = -1;
    let bestRank = 0;
    const lowest = Math.max(0, idle.length - FIT_SCAN);
    for (let i = idle.length - 1; i >= lowest; i--) {
      const connection = idle[i]!;
      const isFit = fits(connection, request);
      if (!isFit && !usable(connection, request)) continue;
      const isFree = connection.lastUser?.owesOn(connection) !== true;
      if (isFit && isFree) return i;
      const rank = (isFree ? 4 : 1) + (isFit ? 2 : 0) + (connection.schema === request.schema ? 1 : 0);
      if (rank <= bestRank) continue;
      best = i;
      bestRank = rank;
    }
    return best;
  }

  #free(connection: BackendConnection): void {
    if (this.#closing) {
      connection.quit('pool-closing');
      return;
    }
    connection.idleSince = Date.now();
    const keyed = this.#keyedFor(connection.key);
    const request = this.#waiting.length === 0 ? null : this.#nextFor(connection);
    if (request === null) {
      keyed.idle.push(connection);
      if (this.#waiting.length > 0) this.#openForWaiting();
      return;
    }
    this.#countInUse(connection, true);
    this.#env.workerCounters.add(WorkerCounter.checkouts);
    if (fits(connection, request)) {
      this.#env.workerCounters.add(WorkerCounter.checkoutsFitting);
      if (request.batchDepth >= 2) keyed.batch = connection;
    }
    request.connectionAvailable(connection);
    this.#fillBatch(keyed, connection);
  }

  #nextFor(connection: BackendConnection): PoolRequest | null {
    return this.#waiting.shift((waiting) => usable(connection, waiting));
  }

  /** Others that wait with a short read of the same state go along in the same write. */
  #fillBatch(keyed: KeyedConnections, connection: BackendConnection): void {
    while (keyed.batch === connection && connection.socket.scheduled && this.#waiting.length > 0) {
      const next = this.#waiting.shift(
        (waiting) =>
          waiting.batchDepth >= 2 &&
          waiting.connectionKey.text === connection.key.text &&
          this.#mayJoin(connection, waiting),
      );
      if (next === null) return;
      this.#env.workerCounters.add(WorkerCounter.checkouts);
      this.#env.workerCounters.add(WorkerCounter.checkoutsPipelined);
      this.#env.workerCounters.add(WorkerCounter.checkoutsFitting);
      next.connectionAvailable(connection);
    }
  }

  #openForWaiting(): void {
    const next = this.#waiting.shift(() => true);
    if (next === null) return;
    this.#waiting.push(next, this.#settings.waitTimeoutMs);
    this.#openFor(next);
  }

  /** Opens one more for this request, as far as the limits allow; else it waits for one that is given back. */
  #openFor(request: PoolRequest): void {
    if (this.#closing || this.#connecting.size >= this.#settings.maxConnecting) return;
    const gauge = serverGauge(this.server.slot, ServerGauge.connections);
    const own = this.server.maxConnections;
    const limit = own > 0 ? Math.min(own, this.#settings.maxConnections) : this.#settings.maxConnections;
    if (!this.#env.counters.acquire(gauge, limit)) {
      this.#evictOther(request);
      return;
    }
    const connection = new BackendConnection(
      {
        server: this.server,
        key: request.connectionKey,
        collationId: request.collationId,
        schema: request.schema,
        connectTimeoutMs: this.#settings.connectTimeoutMs,
      },
      this.#env.scheduler,
      this,
    );
    this.#all.add(connection);
    this.#env.workerCounters.addServer(this.server.slot, ServerCounter.heldConnections);
    this.#connecting.set(connection, request.connectionKey.text);
    this.#env.workerCounters.addServer(this.server.slot, ServerCounter.connects);
  }

  /** At the limit, with idle connections that this request cannot use: the one idle for longest makes room. */
  #evictOther(request: PoolRequest): void {
    let victim: { keyed: KeyedConnections; at: number; since: number } | null = null;
    for (const keyed of this.#keyed.values()) {
      keyed.idle.forEach((connection, at) => {
        if (usable(connection, request)) return;
        if (victim === null || connection.idleSince < victim.since)
          victim = { keyed, at, since: connection.idleSince };
      });
    }
    if (victim === null) return;
    const { keyed, at } = victim as { keyed: KeyedConnections; at: number };
    const [connection] = keyed.idle.splice(at, 1) as [BackendConnection];
    connection.quit('evicted-for-another-user');
  }

  #refuse(request: PoolRequest, kind: PoolFailureKind, message: string): void {
    if (kind === PoolFailureKind.timeout) this.#env.workerCounters.add(WorkerCounter.poolTimeouts);
    request.connectionUnavailable({ kind, address: this.server.address, message, refusal: null });
  }
}

/**
 * Whether a connection can be brought in line at all. No statement leaves a schema again: a session without one
 * needs a connection without one. And what a session starts with is told only by a connection that was opened
 * with its collation.
 */
function usable(connection: BackendConnection, request: PoolRequest): boolean {
  if (connection.key.text !== request.connectionKey.text) return false;
  if (request.variables === null) return connection.collationId === request.collationId;
  return request.schema !== null || connection.schema === null;
}

/** Whether a connection can run the request's statement without being brought in line first. */
function fits(connection: BackendConnection, request: PoolRequest): boolean {
  const { variables } = request;
  if (variables === null || connection.schema !== request.schema) return false;
  return connection.variables?.equals(variables) === true;
}
