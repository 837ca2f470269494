/** The session whose statement ran last on a connection, as far as pool and connection need to know it. */

import type { BackendConnection } from './backend-connection.ts';

export interface LastUser {
  /** It may still ask for what its last statement left there: others take another connection while there is one. */
  owesOn(connection: BackendConnection): boolean;
  /** Somebody else's statement is about to run there: what only this connection knows is read now. */
  harvest(connection: BackendConnection): void;
}
