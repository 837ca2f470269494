import { FIRST_CONNECTION_ID } from '../../../common/shared-counters.ts';
import { KillOutcome } from '../../../common/thread-messages.ts';
import { AdminError } from '../admin-error.ts';
import { type AdminCommand, AdminRole } from './command.ts';

export const kill: AdminCommand = {
  name: 'KILL',
  syntax: 'KILL [CONNECTION | QUERY] <session id>',
  help: 'Ends a client session of SHOW SESSIONS, or only the statement that it runs',
  pattern: /^KILL (?:(CONNECTION|QUERY) )?([0-9]{1,10})$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: async ({ state, match }) => {
    const sessionId = Number(match[2]);
    const queryOnly = match[1]?.toUpperCase() === 'QUERY';
    // Ids of servers' threads are no business of an operator of Sluice: they would name other sessions.
    const outcome =
      sessionId < FIRST_CONNECTION_ID ? KillOutcome.unknown : await state.killSession(sessionId, queryOnly);
    if (outcome === null)
      throw new AdminError('timeout', 'Not all workers have answered; SHOW WORKERS tells which run');
    if (outcome !== KillOutcome.killed)
      throw new AdminError('wrongArgument', `No session ${sessionId}; SHOW SESSIONS lists all`);
    return { kind: 'ok', affectedRows: 1 };
  },
};
