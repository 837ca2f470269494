/** What a session asks the pool for. The session itself is the request: it has one at a time, so nothing is made. */

import type { BackendConnection } from './backend-connection.ts';
import type { ConnectionFailure } from './backend-login.ts';
import type { ConnectionKey } from './connection-key.ts';
import type { LastUser } from './last-user.ts';
import type { SessionVariables } from './session-variables.ts';

export interface PoolRequest {
  readonly connectionKey: ConnectionKey;
  readonly collationId: number;
  /** null until the first connection has told what a session like this starts with. */
  readonly variables: SessionVariables | null;
  readonly schema: string | null;
  /**
   * With how many statements of other sessions of this turn of the event loop it may share a connection, itself
   * included; below 2: with none.
   */
  readonly batchDepth: number;
  /** As connections know the session. */
  readonly lastUser: LastUser | null;
  /** Preferred if free and nobody else has used it since: it ran the session's last statement. */
  readonly lastConnection: BackendConnection | null;
  /** Whether it has something that the statement must not find there and that cannot be taken away. */
  refuses(connection: BackendConnection): boolean;
  /** Whether it has the prepared statement that is to be executed; true where none is. */
  hasStatement(connection: BackendConnection): boolean;
  connectionAvailable(connection: BackendConnection): void;
  connectionUnavailable(reason: PoolFailure): void;
}

export const PoolFailureKind = {
  /** The server refused the user or the schema: its own error goes to the client. */
  refused: 'refused',
  timeout: 'timeout',
  queueFull: 'queue-full',
  unreachable: 'unreachable',
  closed: 'closed',
  /** It is the primary no more: the request is asked anew where it wants to go. */
  moved: 'moved',
} as const;
export type PoolFailureKind = (typeof PoolFailureKind)[keyof typeof PoolFailureKind];

export interface PoolFailure {
  readonly kind: PoolFailureKind;
  readonly address: string;
  readonly message: string;
  readonly refusal: ConnectionFailure | null;
}
