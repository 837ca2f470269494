/** Ends what runs on a connection, as its own user, from another connection to the same server. */

import type { BackendConnection } from './backend-connection.ts';
import type { Backends } from './backends.ts';
import { askAs } from './own-query.ts';

/**
 * KILL QUERY: the connection stays.
 * @param isWanted asked when it is about to be sent. @param over it has been answered, or was not sent.
 */
export function killQuery(
  backends: Backends,
  victim: BackendConnection,
  isWanted: () => boolean,
  over: () => void,
): void {
  const stillWanted = (): boolean => {
    const wanted = !victim.isClosed && isWanted();
    if (!wanted) over();
    return wanted;
  };
  kill(backends, victim, 'KILL QUERY', stillWanted, over);
}

/** KILL: a server does not notice by itself that nobody waits for its statement any more. */
export function killConnection(backends: Backends, victim: BackendConnection): void {
  kill(
    backends,
    victim,
    'KILL',
    () => true,
    () => undefined,
  );
}

function kill(
  backends: Backends,
  victim: BackendConnection,
  verb: string,
  stillWanted: () => boolean,
  over: () => void,
): void {
  const pool = backends.poolOf(victim.server.address);
  if (pool === null) {
    victim.close('killed');
    over();
    return;
  }
  askAs({
    pool,
    connectionKey: victim.key,
    collationId: victim.collationId,
    sql: `${verb} ${victim.threadId}`,
    stillWanted,
    answered: over,
    // Closing it ends the statement as well, sooner or later.
    failed: (reason) => {
      victim.close(`killed; ${verb} could not be sent: ${reason}`);
      over();
    },
  });
}
