/**
 * What becomes of the connections to a server that is the primary no more.
 *
 * A statement that the server has refused, since it is read-only by now, can be sent to the new primary; one whose
 * connection is closed in front of that answer may have been executed, and its client gets an error. So a server that
 * answers is given a moment for what it was sent. Transactions and pins end at once.
 */

import { type TimerWheel, WheelTimer } from '../../common/timer-wheel.ts';
import type { BackendConnection } from './backend-connection.ts';

/** A refusal takes no time: what has not come by then waits for something, maybe for what the change has locked. */
const LAST_ANSWERS_MS = 5000;

/** @param answers the server goes on as a replica: what only reads may end in peace. */
export function endTermOn(
  connections: readonly BackendConnection[],
  answers: boolean,
  reason: string,
  wheel: TimerWheel,
): void {
  const late: BackendConnection[] = [];
  for (const connection of connections) {
    const { holder } = connection;
    if (!answers) connection.close(reason);
    else if (holder?.isBound !== true) continue;
    else if (holder.isOneStatement && connection.owed > 0) late.push(connection);
    else connection.close(reason);
  }
  if (late.length === 0) return;
  for (const connection of late) connection.closeWhenAnswered(reason);
  const expire = (): void => {
    for (const connection of late) connection.closeUnanswered();
  };
  wheel.arm(new WheelTimer(expire), LAST_ANSWERS_MS);
}
