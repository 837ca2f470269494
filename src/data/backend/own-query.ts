/** A statement of Sluice's own in the name of a user, on whatever connection of the pool is free. */

import { Command } from '../../../protocol/index.ts';
import type { BackendConnection } from './backend-connection.ts';
import { NOTHING_LEFT } from './check-in.ts';
import type { ConnectionHolder } from './connection-holder.ts';
import type { ConnectionKey } from './connection-key.ts';
import type { PoolFailure, PoolRequest } from './pool-request.ts';
import { ownReply, type RecordedResult, RecordingReply } from './recording-reply.ts';
import type { ServerPool } from './server-pool.ts';

export interface OwnQuestion {
  readonly pool: ServerPool;
  readonly connectionKey: ConnectionKey;
  readonly collationId: number;
  /** Must mean the same in every `sql_mode`, and change nothing of the session. */
  readonly sql: string;
  /** Asked when a connection is there; false: the statement is not sent any more. */
  readonly stillWanted: () => boolean;
  readonly answered: (result: RecordedResult) => void;
  /** No connection was to be had, or it was lost. */
  readonly failed: (reason: string) => void;
}

class OwnQuery implements PoolRequest, ConnectionHolder {
  readonly variables = null;
  readonly schema = null;
  readonly batchDepth = 0;
  /** Nobody is the worse for a question that ends with its connection. */
  readonly isBound = true;
  readonly isOneStatement = false;
  readonly lastUser = null;
  readonly lastConnection = null;
  readonly #question: OwnQuestion;

  constructor(question: OwnQuestion) {
    this.#question = question;
  }

  get connectionKey(): ConnectionKey {
    return this.#question.connectionKey;
  }

  get collationId(): number {
    return this.#question.collationId;
  }

  refuses(): boolean {
    return false;
  }

  hasStatement(): boolean {
    return true;
  }

  connectionAvailable(connection: BackendConnection): void {
    const { pool, sql, stillWanted, answered, failed } = this.#question;
    if (!stillWanted()) {
      pool.checkIn(connection, NOTHING_LEFT);
      return;
    }
    connection.holder = this;
    connection.lastUser?.harvest(connection);
    connection.lastUser = null;
    const done = new RecordingReply((_connection, result) => {
      pool.checkIn(connection, NOTHING_LEFT);
      answered(result);
    }, failed);
    connection.sendCommand(Command.COM_QUERY, sql, ownReply(done));
  }

  heldConnectionClosed(): void {
    // Its reply is told.
  }

  connectionUnavailable(failure: PoolFailure): void {
    this.#question.failed(failure.message);
  }
}

export function askAs(question: OwnQuestion): void {
  const request = new OwnQuery(question);
  const connection = question.pool.checkOut(request);
  if (connection !== null) request.connectionAvailable(connection);
}
