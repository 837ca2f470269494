/** The end of an order that nobody waits for any more, on its server. */

import { ServerFlavor } from '../../../topology/server-description.ts';

/**
 * As data/backend/kill-on-server.ts: MySQL gets KILL QUERY, since behind a KILL that comes when the thread waits for its next
 * command, MySQL 5.7 may leave it sleeping until its `wait_timeout` is over; the thread ends when its connection is closed.
 * MariaDB forgets a KILL QUERY that comes before the order, and would carry that out: it gets KILL.
 */
export function killOrder(flavor: ServerFlavor, threadId: string): string {
  return flavor === ServerFlavor.mariadb ? `KILL ${threadId}` : `KILL QUERY ${threadId}`;
}
