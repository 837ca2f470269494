/** All servers of this worker: pools by address, who is primary, which replicas are fit; follows the snapshots. */

import type { Snapshot, SnapshotServer } from '../../common/snapshot.ts';
import { type TimerWheel, WheelTimer } from '../../common/timer-wheel.ts';
import { fitForReads } from '../../topology/server-selection.ts';
import { type PoolEnvironment, ServerPool } from './server-pool.ts';
import type { Killable } from './session-registry.ts';

/** After so many choices in a row the next of equally loaded replicas has its turn. */
const STREAK = 32;

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
  #dialect: Dialect = { flavor: 'mysql', versionId: 0 };
  #primary: ServerPool | null = null;
  #replicas: ServerPool[] = [];
  #last: ServerPool | null = null;
  /** How often in a row it was chosen. */
  #streak = 0;
  #chosen: ServerPool | null = null;

  constructor(env: PoolEnvironment, wheel: TimerWheel) {
    this.#env = env;
    this.#wheel = wheel;
  }

  /** How the servers read SQL: as the primary does, or as any that is known while there is none. */
  get dialect(): Dialect {
    return this.#dialect;
  }

  get primary(): ServerPool | null {
    return this.#primary;
  }

  get hasReplica(): boolean {
    return this.#replicas.length > 0;
  }

  get replicaAddresses(): string[] {
    return this.#replicas.map((pool) => pool.server.address);
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

  /**
   * The replica for the reads of this turn of the event loop: one for all, so that they can leave in one write.
   */
  replica(): ServerPool | null {
    this.#chosen ??= this.#chooseReplica();
    return this.#chosen;
  }

  /** For a read that this one could not answer. */
  otherReplica(than: ServerPool): ServerPool | null {
    return this.#replicas.find((pool) => pool !== than) ?? null;
  }

  /** A new turn of the event loop. */
  nextTurn(): void {
    this.#chosen = null;
  }

  apply(snapshot: Snapshot): void {
    const seen = new Set<string>();
    const fit = new Set(fitForReads({ servers: snapshot.servers, primary: null }, snapshot.servers));
    let primary: ServerPool | null = null;
    const replicas: ServerPool[] = [];
    for (const server of snapshot.servers) {
      seen.add(server.address);
      const pool = this.#poolFor(server, snapshot.settings.pool);
      if (server.status === 'OFFLINE_HARD') pool.destroyAll(`server is ${server.status}`);
      if (server.status !== 'ONLINE') continue;
      if (server.role === 'primary') primary ??= pool;
      else if (fit.has(server)) replicas.push(pool);
    }
    if (primary !== null && snapshot.settings.routing.readsOnPrimary === 'share' && primary.server.weight > 0)
      replicas.push(primary);
    for (const [address, pool] of this.#pools) {
      if (seen.has(address)) continue;
      pool.close();
      this.#pools.delete(address);
    }
    const known = primary?.server ?? snapshot.servers.find(({ version }) => version !== '');
    if (known !== undefined) this.#dialect = { flavor: known.flavor, versionId: known.versionId };
    this.#primary = primary;
    this.#replicas = replicas;
    this.#chosen = null;
    if (primary !== null) this.#wakeWaiting();
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

  /**
   * The one with the fewest connections in use for its weight; of equals the one that was used last, whose caches
   * and processor are warm, for a while. (Alternating between two idle replicas was measured to cost a single client a quarter.)
   */
  #chooseReplica(): ServerPool | null {
    const sticks = this.#streak < STREAK;
    let best: ServerPool | null = null;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (const pool of this.#replicas) {
      const load = pool.inUse / pool.server.weight;
      if (load > bestLoad || (load === bestLoad && (pool === this.#last) !== sticks)) continue;
      best = pool;
      bestLoad = load;
    }
    this.#streak = best === this.#last ? this.#streak + 1 : 0;
    this.#last = best;
    return best;
  }
}
