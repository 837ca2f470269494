/** Ends what runs on a connection, as its own user, from another connection to the same server. */

import type { BackendConnection } from './backend-connection.ts';
import type { Backends } from './backends.ts';
import { askAs } from './own-query.ts';

/** KILL QUERY: the connection stays. */
export function killQuery(backends: Backends, victim: BackendConnection): void {
  kill(backends, victim, 'KILL QUERY', () => !victim.isClosed);
}

/** KILL: a server does not notice by itself that nobody waits for its statement any more. */
export function killConnection(backends: Backends, victim: BackendConnection): void {
  kill(backends, victim, 'KILL', () => true);
}

function kill(backends: Backends, victim: BackendConnection, verb: string, stillWanted: () => boolean): void {
  const pool = backends.poolOf(victim.server.address);
  if (pool === null) {
    victim.close('killed');
    return;
  }
  askAs({
    pool,
    connectionKey: victim.key,
    collationId: victim.collationId,
    sql: `${verb} ${victim.threadId}`,
    stillWanted,
    answered: () => undefined,
    // Closing it ends the statement as well, sooner or later.
    failed: (reason) => victim.close(`killed; ${verb} could not be sent: ${reason}`),
  });
}
