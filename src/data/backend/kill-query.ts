/** Ends the statement that runs on a connection, as its own user, from another connection to the same server. */

import { Command } from '../../../protocol/index.ts';
import type { BackendConnection, ConnectionHolder } from './backend-connection.ts';
import type { Backends } from './backends.ts';
import type { ConnectionKey } from './connection-key.ts';
import type { PoolFailure, PoolRequest } from './pool-request.ts';
import { ownReply, RecordingReply } from './recording-reply.ts';
import { NOTHING_LEFT, type ServerPool } from './server-pool.ts';

class KillRequest implements PoolRequest, ConnectionHolder {
  readonly connectionKey: ConnectionKey;
  readonly collationId: number;
  readonly variables = null;
  readonly schema = null;
  readonly batchDepth = 0;
  readonly lastUser = null;
  readonly lastConnection = null;
  readonly #pool: ServerPool;
  readonly #victim: BackendConnection;

  constructor(pool: ServerPool, victim: BackendConnection) {
    this.#pool = pool;
    this.#victim = victim;
    this.connectionKey = victim.key;
    this.collationId = victim.collationId;
  }

  connectionAvailable(connection: BackendConnection): void {
    if (this.#victim.isClosed) {
      this.#pool.checkIn(connection, NOTHING_LEFT);
      return;
    }
    connection.holder = this;
    connection.lastUser?.harvest(connection);
    connection.lastUser = null;
    const done = new RecordingReply(
      () => this.#pool.checkIn(connection, NOTHING_LEFT),
      () => undefined,
    );
    connection.sendCommand(Command.COM_QUERY, `KILL QUERY ${this.#victim.threadId}`, ownReply(done));
  }

  heldConnectionClosed(): void {
    // Its reply is told.
  }

  /** No other connection to be had: closing this one ends the statement as well. */
  connectionUnavailable(failure: PoolFailure): void {
    this.#victim.close(`killed; KILL QUERY could not be sent: ${failure.message}`);
  }
}

export function killQuery(backends: Backends, victim: BackendConnection): void {
  const pool = backends.poolOf(victim.server.address);
  if (pool === null) {
    victim.close('killed');
    return;
  }
  const request = new KillRequest(pool, victim);
  const connection = pool.checkOut(request);
  if (connection !== null) request.connectionAvailable(connection);
}
