import { describeBlockers } from '../../failover/write-gate-blockers.ts';
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
  // It has a time-out of its own.
  timeoutMs: (MAX_SECONDS + 10) * 1000,
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
    return { kind: 'ok', info: `Not all has ended within ${tookMs} ms`, warnings: describeBlockers(result) };
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
