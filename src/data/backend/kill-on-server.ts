/** Ends what runs on a connection, as its own user, from another connection to the same server. */

import { ServerFlavor } from '../../topology/server-description.ts';
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

/**
 * A server does not notice by itself that nobody waits for its statement any more. The connection is about to be closed, which
 * ends its thread behind the statement; so MySQL gets KILL QUERY. After a KILL that comes when the thread waits for its next
 * command, MySQL 5.7 may keep the transaction open until `wait_timeout` is over, about once in a hundred.
 */
export function killConnection(backends: Backends, victim: BackendConnection): void {
  const verb = victim.server.flavor === ServerFlavor.mariadb ? 'KILL' : 'KILL QUERY';
  kill(
    backends,
    victim,
    verb,
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
