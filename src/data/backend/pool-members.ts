/** Who is in a pool: all its connections, those that are being opened or reset, and those that nobody holds. */

import type { BackendConnection } from './backend-connection.ts';
import type { ConnectionKey } from './connection-key.ts';
import { IdleConnections, usable } from './idle-connections.ts';
import type { PoolRequest } from './pool-request.ts';

/** Threads of closed connections that are remembered. */
const CLOSED_THREADS = 256;

export class PoolMembers {
  readonly all = new Set<BackendConnection>();
  /** For whom each is being opened; null for one that is being reset. */
  readonly connecting = new Map<BackendConnection, PoolRequest | null>();
  readonly #keyed = new Map<string, IdleConnections>();
  readonly #closedThreads: number[] = [];
  /** Makes room and has not closed yet. */
  evicted: BackendConnection | null = null;

  idleFor(key: ConnectionKey): IdleConnections {
    let keyed = this.#keyed.get(key.text);
    if (keyed === undefined) {
      keyed = new IdleConnections();
      this.#keyed.set(key.text, keyed);
    }
    return keyed;
  }

  /** By key. */
  idleGroups(): Iterable<IdleConnections> {
    return this.#keyed.values();
  }

  idle(): BackendConnection[] {
    return [...this.#keyed.values()].flatMap((keyed) => keyed.values());
  }

  isIdle(connection: BackendConnection): boolean {
    return this.idleFor(connection.key).has(connection);
  }

  /** @returns false if somebody has it */
  removeIdle(connection: BackendConnection): boolean {
    return this.idleFor(connection.key).remove(connection);
  }

  takeAllIdle(): BackendConnection[] {
    return [...this.#keyed.values()].flatMap((keyed) => keyed.removeAll());
  }

  opened(connection: BackendConnection, request: PoolRequest): void {
    this.all.add(connection);
    this.connecting.set(connection, request);
  }

  /** It has closed. @returns for whom it was being opened */
  left(connection: BackendConnection): PoolRequest | null {
    const openedFor = this.connecting.get(connection) ?? null;
    this.connecting.delete(connection);
    this.all.delete(connection);
    if (this.#closedThreads.push(connection.threadId) > CLOSED_THREADS) this.#closedThreads.shift();
    if (this.evicted === connection) this.evicted = null;
    this.removeIdle(connection);
    if (connection.key.ownerId !== null) this.#keyed.delete(connection.key.text);
    return openedFor;
  }

  reset(connection: BackendConnection): void {
    this.connecting.set(connection, null);
    connection.reset();
  }

  /** The longest idle one that is of no use to the request. */
  leastUsefulTo(request: PoolRequest): BackendConnection | null {
    let found: BackendConnection | null = null;
    for (const keyed of this.#keyed.values())
      for (const connection of keyed.values())
        if (!usable(connection, request) && (found === null || connection.idleSince < found.idleSince))
          found = connection;
    return found;
  }

  /** Whoever has it. */
  connectionOf(threadId: number): BackendConnection | null {
    for (const connection of this.all) if (connection.threadId === threadId) return connection;
    return null;
  }

  /** Of the connections, and of the last ones that were closed: servers list a thread for a moment longer. */
  get threadIds(): number[] {
    return [...[...this.all].map(({ threadId }) => threadId), ...this.#closedThreads];
  }

  /** The server has no room for more prepared statements: those go that nobody is about to execute. */
  closeStatements(): void {
    for (const connection of this.all) {
      const isIdle = connection.holder === null && connection.owed === 0 && !this.connecting.has(connection);
      if (isIdle) connection.statements.closeShared();
    }
  }
}

/** Closes a connection that is as it should be; what its last user may still ask about is read on the way out. */
export function retire(connection: BackendConnection, reason: string): void {
  connection.lastUser?.harvest(connection);
  connection.lastUser = null;
  connection.quit(reason);
}
