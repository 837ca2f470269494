/** What the search for a connection needs of its session, and whom it tells what it finds. */

import type { ClientError } from '../../common/errors.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { ConnectionKey } from '../backend/connection-key.ts';
import type { CommandRouting } from './command-routing.ts';
import type { SessionState } from './session-state.ts';

export interface SearchClient {
  readonly state: SessionState;
  readonly username: string;
  readonly connectionKey: ConnectionKey;
  readonly collationId: number;
  /** @returns true if `connectionKey` is another one now, with credentials that a server may accept. */
  takeNewerCredentials(): boolean;
  /** The password has expired. @returns true if `connectionKey` is one for that now. */
  confine(): boolean;
  /** @param changed the password is another one now; else it has not expired after all. */
  confinementEnded(changed: boolean): void;
  readonly routing: CommandRouting;
}

export interface SearchListener {
  /** Only after `find` has returned null. */
  connectionFound(connection: BackendConnection): void;
  /** What the statement asks about has been read: the search begins anew. */
  residueRead(): void;
  searchFailed(error: ClientError): void;
}
