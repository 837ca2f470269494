/** All servers of this worker: pools by address, who is primary, which replicas are fit; follows the snapshots. */

import type { Snapshot, SnapshotServer } from '../../common/snapshot.ts';
import { type TimerWheel, WheelTimer } from '../../common/timer-wheel.ts';
import type { HashKey } from '../../topology/balancing.ts';
import { takesWrites } from '../../topology/hostgroup-membership.ts';
import type { BackendConnection } from './backend-connection.ts';
import type { ReadNeeds } from './balancing/read-needs.ts';
import { HeldWrites } from './held-writes.ts';
import { LagFallback } from './lag-fallback.ts';
import type { PoolEnvironment } from './pool-environment.ts';
import type { ForeseenChoice } from './read-group.ts';
import { ReadGroups, type ReadTarget } from './read-groups.ts';
import { ServerPool } from './server-pool.ts';
import type { Killable } from './session-registry.ts';
import { WaitingStatements } from './waiting-statements.ts';

export interface Dialect {
  readonly flavor: 'mysql' | 'mariadb';
  readonly versionId: number;
}

interface ServerWaiter {
  readonly arrived: () => void;
  readonly timer: WheelTimer;
}

export class Backends {
  readonly #env: PoolEnvironment;
  readonly #wheel: TimerWheel;
  readonly #pools = new Map<string, ServerPool>();
  readonly #waiting = new Map<object, ServerWaiter>();
  readonly writes = new HeldWrites();
  readonly lagFallback: LagFallback;
  #dialect: Dialect = { flavor: 'mysql', versionId: 0 };
  #primary: ServerPool | null = null;
  /** The last one that there was, and its term. */
  #lastPrimary: ServerPool | null = null;
  #term = 0;
  #fenced: string | null = null;
  readonly waiting: WaitingStatements;
  readonly #groups: ReadGroups;
  #turn = 0;

  constructor(env: PoolEnvironment, wheel: TimerWheel) {
    this.#env = env;
    this.#wheel = wheel;
    this.#groups = new ReadGroups(env.measurements);
    this.waiting = new WaitingStatements(env.workerCounters);
    this.lagFallback = new LagFallback(wheel, env.workers);
  }

  /** How the servers read SQL: as the primary does, or as any that is known while there is none. */
  get dialect(): Dialect {
    return this.#dialect;
  }

  get primary(): ServerPool | null {
    return this.#primary;
  }

  /** Whether any of its servers can be read from now. */
  hasReaders(from: ReadTarget): boolean {
    return this.#groups.of(from)?.isEmpty === false;
  }

  poolOf(address: string): ServerPool | null {
    return this.#pools.get(address) ?? null;
  }

  /** Of this worker's connections to the primary. */
  get threadsOfPrimary(): number[] {
    return this.#primary?.threadIds ?? [];
  }

  /**
   * One of the own connections to the primary, as what KILL is aimed at. No session has it for itself: it is idle, and
   * is closed, or it runs short reads of several sessions, and is let be.
   */
  threadOfPrimary(threadId: number): Killable | null {
    const pool = this.#primary;
    const connection = pool?.connectionOf(threadId) ?? null;
    if (pool === null || connection === null) return null;
    return {
      username: connection.key.credentials.username,
      primaryThreadId: threadId,
      killed: (queryOnly) => {
        if (!queryOnly) pool.closeIfIdle(connection, 'killed');
      },
    };
  }

  /** The server for a read in this turn of the event loop; null if none has what it needs. */
  reader(from: ReadTarget, read: ReadNeeds): ServerPool | null {
    return this.#groups.of(from)?.choose(this.#turn, read) ?? null;
  }

  /** For a read that this one could not answer. */
  otherReader(from: ReadTarget, than: ServerPool, read: ReadNeeds): ServerPool | null {
    return this.#groups.of(from)?.other(than, read) ?? null;
  }

  /** The replica to wait on for what the read needs: the one that has applied most, within the read's lag limit. */
  nearestReader(from: ReadTarget, read: ReadNeeds): ServerPool | null {
    return this.#groups.of(from)?.nearest(read) ?? null;
  }

  /** What reads are kept together by there; null where they are not. */
  hashKeyOf(from: ReadTarget): HashKey | null {
    return this.#groups.of(from)?.hashKey ?? null;
  }

  /** Which server would answer, and by what it is chosen; null if none has what the read needs. */
  foresee(from: ReadTarget, read: ReadNeeds): ForeseenChoice | null {
    return this.#groups.of(from)?.foresee(read) ?? null;
  }

  /** A new turn of the event loop. */
  nextTurn(): void {
    this.#turn++;
  }

  apply(snapshot: Snapshot): void {
    const seen = new Set<string>();
    let primary: ServerPool | null = null;
    for (const server of snapshot.servers) {
      seen.add(server.address);
      const pool = this.#poolFor(server, snapshot.settings.pool);
      if (server.status === 'OFFLINE_HARD') pool.destroyAll(`server is ${server.status}`);
      if (server.status !== 'ONLINE' || server.role !== 'primary') continue;
      if (server.address === snapshot.writes.fenced) continue;
      if (takesWrites(snapshot.hostgroups, server.address)) primary ??= pool;
    }
    for (const [address, pool] of this.#pools) {
      if (seen.has(address)) continue;
      pool.close();
      this.#pools.delete(address);
    }
    const known = primary?.server ?? snapshot.servers.find(({ version }) => version !== '');
    if (known !== undefined) this.#dialect = { flavor: known.flavor, versionId: known.versionId };
    this.#primary = primary;
    this.#groups.apply(snapshot, this.#pools);
    for (const pool of this.#pools.values()) pool.drain();
    this.waiting.limit = snapshot.settings.limits.heldBytes;
    this.#followTerm(snapshot);
    this.writes.apply(snapshot.writes);
    this.lagFallback.apply(snapshot.settings);
    if (primary !== null) this.#wakeWaiting();
  }

  /** Nothing is written to a server that is not the primary of this term, or has been given up. */
  #followTerm({ writes, servers }: Snapshot): void {
    const old = this.#lastPrimary;
    if (writes.term !== this.#term && old !== null && old !== this.#primary) {
      const { address } = old.server;
      const isOnline = servers.some((server) => server.address === address && server.status === 'ONLINE');
      const now = this.#primary === null ? 'none is yet' : `${this.#primary.server.address} is`;
      old.endTerm(isOnline, `${address} is the primary no more, ${now}`);
    }
    if (writes.fenced !== null && writes.fenced !== this.#fenced)
      this.poolOf(writes.fenced)?.endTerm(false, `${writes.fenced} has been given up as the primary`);
    this.#fenced = writes.fenced;
    this.#term = writes.term;
    this.#lastPrimary = this.#primary ?? this.#lastPrimary;
  }

  /** Calls `arrived` once there is a primary, or `expired` after `timeoutMs`. One wait per `owner`. */
  waitForPrimary(owner: object, timeoutMs: number, arrived: () => void, expired: () => void): void {
    this.cancelWait(owner);
    const timer = new WheelTimer(() => {
      this.#waiting.delete(owner);
      expired();
    });
    this.#waiting.set(owner, { arrived, timer });
    this.#wheel.arm(timer, Math.max(1, timeoutMs));
  }

  cancelWait(owner: object): void {
    const waiter = this.#waiting.get(owner);
    if (waiter === undefined) return;
    this.#wheel.cancel(waiter.timer);
    this.#waiting.delete(owner);
  }

  /** Those of all servers that nobody uses now. */
  idleConnections(): BackendConnection[] {
    return [...this.#pools.values()].flatMap((pool) => pool.idleConnections());
  }

  closeIdle(now: number): void {
    for (const pool of this.#pools.values()) pool.closeIdle(now);
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close();
  }

  #wakeWaiting(): void {
    const waiting = [...this.#waiting];
    for (const [owner, waiter] of waiting) {
      this.cancelWait(owner);
      waiter.arrived();
    }
  }

  #poolFor(server: SnapshotServer, settings: Snapshot['settings']['pool']): ServerPool {
    let pool = this.#pools.get(server.address);
    if (pool === undefined) {
      pool = new ServerPool(server, settings, this.#env);
      this.#pools.set(server.address, pool);
    } else {
      pool.update(server, settings);
    }
    return pool;
  }
}
