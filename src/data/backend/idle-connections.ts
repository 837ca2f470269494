/** The connections of one `ConnectionKey` that nobody holds, and the one that a batch of this loop turn is put on. */

import type { BackendConnection } from './backend-connection.ts';
import type { PoolRequest } from './pool-request.ts';

/** How many idle connections are looked at for one that fits exactly. */
const FIT_SCAN = 16;

export class IdleConnections {
  readonly #idle: BackendConnection[] = [];
  /** Shared by reads of several sessions as long as it is not sent. */
  batch: BackendConnection | null = null;

  get size(): number {
    return this.#idle.length;
  }

  has(connection: BackendConnection): boolean {
    return this.#idle.includes(connection);
  }

  values(): readonly BackendConnection[] {
    return this.#idle;
  }

  /** The most recently used last: it is taken first, so that those which are not needed age. */
  add(connection: BackendConnection): void {
    if (this.batch === connection) this.batch = null;
    this.#idle.push(connection);
  }

  remove(connection: BackendConnection): boolean {
    if (this.batch === connection) this.batch = null;
    const at = this.#idle.indexOf(connection);
    if (at < 0) return false;
    this.#idle.splice(at, 1);
    return true;
  }

  removeAll(): BackendConnection[] {
    this.batch = null;
    return this.#idle.splice(0);
  }

  /** The batch of this turn, if the request's statement may go along. */
  joinable(request: PoolRequest, maxDepth: number): BackendConnection | null {
    const { batch } = this;
    if (batch === null || request.batchDepth < 2 || !batch.socket.scheduled) return null;
    return mayJoin(batch, request, maxDepth) ? batch : null;
  }

  /** Takes the connection that costs least to bring in line. */
  take(request: PoolRequest): BackendConnection | null {
    const at = this.#bestFor(request);
    if (at < 0) return null;
    const [connection] = this.#idle.splice(at, 1) as [BackendConnection];
    return connection;
  }

  #bestFor(request: PoolRequest): number {
    const idle = this.#idle;
    const last = request.lastConnection;
    const isLast = last !== null && last.lastUser === request.lastUser;
    if (isLast && usable(last, request) && request.hasStatement(last)) {
      const at = idle.indexOf(last);
      if (at >= 0) return at;
    }
    // Best first: owed to nobody, has the prepared statement, is in the session's state, is in its schema.
    let best = -1;
    let bestRank = 0;
    const lowest = Math.max(0, idle.length - FIT_SCAN);
    for (let i = idle.length - 1; i >= 0 && (i >= lowest || best < 0); i--) {
      const connection = idle[i]!;
      const isFit = fits(connection, request);
      if (!isFit && !usable(connection, request)) continue;
      const isFree = connection.lastUser?.owesOn(connection) !== true;
      const hasStatement = request.hasStatement(connection);
      if (isFit && isFree && hasStatement) return i;
      const isInSchema = connection.schema === request.schema;
      const rank = (isFree ? 8 : 1) + (hasStatement ? 3 : 0) + (isFit ? 2 : 0) + (isInSchema ? 1 : 0);
      if (rank <= bestRank) continue;
      best = i;
      bestRank = rank;
    }
    return best;
  }
}

export function mayJoin(batch: BackendConnection, request: PoolRequest, maxDepth: number): boolean {
  const depth = Math.min(maxDepth, request.batchDepth);
  return batch.holder === null && batch.owed < depth && fits(batch, request) && request.hasStatement(batch);
}

/**
 * Whether a connection can be brought in line at all. No statement leaves a schema again: a session without one
 * needs a connection without one. And what a session starts with is told only by a connection that was opened
 * with its collation.
 */
export function usable(connection: BackendConnection, request: PoolRequest): boolean {
  if (connection.key.text !== request.connectionKey.text) return false;
  if (request.variables === null && connection.collationId !== request.collationId) return false;
  if (request.refuses(connection)) return false;
  return request.schema !== null || connection.schema === null;
}

/** Whether a connection can run the request's statement without being brought in line first. */
export function fits(connection: BackendConnection, request: PoolRequest): boolean {
  const { variables } = request;
  if (variables === null || connection.key.text !== request.connectionKey.text) return false;
  if (connection.schema !== request.schema || request.refuses(connection)) return false;
  return connection.variables === variables || connection.variables?.equals(variables) === true;
}
