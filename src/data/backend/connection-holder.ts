/** Whom a connection tells of itself: who has it, and whose pool it is in. */

import type { BackendConnection } from './backend-connection.ts';
import type { ConnectionFailure } from './backend-login.ts';

/** Who has a connection for itself. */
export interface ConnectionHolder {
  /** It has closed while nobody waited for an answer. */
  heldConnectionClosed(connection: BackendConnection): void;
  /** It has begun something there that no other server can go on with, or that may write. */
  readonly isBound: boolean;
  /** Nothing is open there but one statement that was sent, and must not be sent again before its answer is known. */
  readonly isOneStatement: boolean;
}

/** Who has something in flux there: what was sent may be carried out whatever becomes of the connection. */
export interface FluxHolder {
  connectionEnded(connection: BackendConnection): void;
}

export interface ConnectionListener {
  connectionReady(connection: BackendConnection): void;
  connectionClosed(connection: BackendConnection, failure: ConnectionFailure | null): void;
  /** By how many its prepared statements have become more. */
  countStatements(difference: number): void;
}
