import type { HoldResult } from '../../failover/write-gate.ts';
import { AdminError } from '../admin-error.ts';
import { type AdminCommand, AdminRole } from './command.ts';

const DEFAULT_SECONDS = 10;
const MAX_SECONDS = 300;

export const holdWrites: AdminCommand = {
  name: 'HOLD WRITES',
  syntax: 'HOLD WRITES [TIMEOUT <seconds>]',
  help: 'Lets new writes and transactions wait, and waits for the open ones: for a change of the primary by other means',
  pattern: /^HOLD WRITES(?: TIMEOUT ([0-9]{1,6}))?$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: async ({ state, match }) => {
    const seconds = Number(match[1] ?? DEFAULT_SECONDS);
    if (seconds < 1 || seconds > MAX_SECONDS)
      throw new AdminError('wrongArgument', `TIMEOUT takes 1 to ${MAX_SECONDS} seconds`);
    if (state.writes.isHeld)
      throw new AdminError('wrongArgument', 'Writes are held already; RELEASE WRITES ends that');
    const result = await state.writes.hold({ drainMs: seconds * 1000, holdMs: seconds * 1000 });
    const tookMs = Math.round(result.tookMs);
    if (result.drained)
      return { kind: 'ok', info: `Nothing is left on the primary after ${tookMs} ms; writes are held` };
    return { kind: 'ok', info: `Not all has ended within ${tookMs} ms`, warnings: blockers(result) };
  },
};

export const releaseWrites: AdminCommand = {
  name: 'RELEASE WRITES',
  syntax: 'RELEASE WRITES',
  help: 'Ends HOLD WRITES: what waits goes on',
  pattern: /^RELEASE WRITES$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: ({ state }) => {
    const info = state.writes.isHeld ? '' : 'Writes were not held';
    state.writes.release();
    return { kind: 'ok', info };
  },
};

/** Who is in the way, a sentence for each. */
export function blockers(result: HoldResult): string[] {
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
