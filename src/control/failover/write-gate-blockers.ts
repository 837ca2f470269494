/** What keeps a hold from being complete, for people. */

import type { HoldResult } from './write-gate.ts';

/** Who is in the way, a sentence for each. */
export function describeBlockers(result: HoldResult): string[] {
  if (result.drained) return [];
  const sessions = result.sessions.map(({ connectionId, user, client, reasons, sinceMs }) => {
    const since = sinceMs === null ? '' : ` since ${new Date(sinceMs).toISOString()}`;
    return `Session ${connectionId} of '${user}' at ${client || 'a Unix socket'} is in the way: ${reasons.join(', ')}${since}`;
  });
  const unnamed = result.left - sessions.length;
  if (unnamed > 0) sessions.push(`${unnamed} more sessions are in the way; SHOW SESSIONS lists all`);
  for (const worker of result.silent) sessions.push(`Worker ${worker} has not answered`);
  return sessions;
}
