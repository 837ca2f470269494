/** Where a session is between its client and a server; the table is in session.ts. */

import { makeTransitions } from '../../common/state-machine.ts';

export const SessionPhase = { idle: 'idle', busy: 'busy', infile: 'infile', closed: 'closed' } as const;
export type SessionPhase = (typeof SessionPhase)[keyof typeof SessionPhase];

export const moveSession = makeTransitions<SessionPhase>('session', {
  idle: ['busy', 'closed'],
  busy: ['idle', 'infile', 'closed'],
  infile: ['busy', 'idle', 'closed'],
  closed: [],
});
