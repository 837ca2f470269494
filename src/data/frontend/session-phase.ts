/** Where a session is between its client and a server; the table is in `session.ts`. */
export const SessionPhase = { idle: 'idle', busy: 'busy', infile: 'infile', closed: 'closed' } as const;
export type SessionPhase = (typeof SessionPhase)[keyof typeof SessionPhase];
