import { InspectSubject, type SessionRecord } from '../../../common/inspection.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';
import { ageMs, askWorkers, cut, DEFAULT_ROWS, readLimit, utc, yesNo } from './worker-answers.ts';

/** A session, and the moment that its ages are told for. */
export interface SessionRow extends SessionRecord {
  readonly nowMs: number;
}

function pinnedSince({ pins }: SessionRecord): number | null {
  return pins.length === 0 ? null : Math.min(...pins.map(({ sinceMs }) => sinceMs));
}

export const SESSION_COLUMNS: readonly ComputedColumn<SessionRow>[] = [
  {
    name: 'session_id',
    type: 'number',
    meaning: 'Connection id of the client: `CONNECTION_ID()`, and what KILL takes',
    value: (row) => row.connectionId,
  },
  { name: 'user', meaning: 'Account', value: ({ username }) => username },
  {
    name: 'client',
    meaning: '`host:port` of the client; empty for a Unix socket',
    value: ({ client }) => client,
  },
  { name: 'schema', meaning: 'Its schema; NULL for none', value: ({ schema }) => schema },
  {
    name: 'state',
    meaning:
      '`idle`, `infile` (the client sends a file), `searching` (for a server connection), `settingState`, `preparing`, `running`, `settling`, or `busy` with something else',
    value: ({ state }) => state,
  },
  {
    name: 'state_ms',
    type: 'number',
    meaning: 'Milliseconds since the statement came, or since the last one ended',
    value: ({ stateSinceMs, nowMs }) => ageMs(stateSinceMs, nowMs),
  },
  { name: 'connected', meaning: 'When it logged in, UTC', value: (row) => utc(row.connectedSinceMs) },
  {
    name: 'statements',
    type: 'number',
    meaning: 'Statements since then',
    value: ({ statements }) => statements,
  },
  { name: 'in_transaction', meaning: '`YES` or `NO`', value: (row) => yesNo(row.inTransaction) },
  {
    name: 'transaction_ms',
    type: 'number',
    meaning: 'Milliseconds since the transaction began; NULL outside of one',
    value: ({ transactionSinceMs, nowMs }) =>
      transactionSinceMs === null ? null : ageMs(transactionSinceMs, nowMs),
  },
  {
    name: 'pins',
    meaning: 'Why it is bound to its server connection, besides a transaction; empty when it is not',
    value: ({ pins }) => pins.map(({ reason }) => reason).join(', '),
  },
  {
    name: 'pinned_ms',
    type: 'number',
    meaning: 'Milliseconds since the oldest of these; NULL without one',
    value: (row) => {
      const since = pinnedSince(row);
      return since === null ? null : ageMs(since, row.nowMs);
    },
  },
  {
    name: 'server',
    meaning: 'Server of the connection that it has now, `host:port`; NULL for none',
    value: ({ server }) => server,
  },
  {
    name: 'server_thread',
    type: 'number',
    meaning: "The server's id of that connection",
    value: ({ serverThreadId }) => serverThreadId,
  },
  {
    name: 'prepared_statements',
    type: 'number',
    meaning: 'Prepared statements that it has',
    value: ({ preparedStatements }) => preparedStatements,
  },
  {
    name: 'unsent_bytes',
    type: 'number',
    meaning: 'Bytes of answers that the client has not taken',
    value: ({ unsentBytes }) => unsentBytes,
  },
  {
    name: 'target',
    meaning: 'Where the statement that runs, or ran last, was sent: as in SHOW ROUTES',
    value: ({ target }) => target,
  },
  { name: 'reason', meaning: 'Why', value: ({ reason }) => reason },
  {
    name: 'digest_text',
    meaning: 'That statement without its literals',
    value: ({ digestText }) => digestText,
  },
  { name: 'worker', type: 'number', meaning: 'Number of its worker thread', value: ({ worker }) => worker },
];

export const showSessions: AdminCommand = {
  name: 'SHOW SESSIONS',
  syntax: 'SHOW SESSIONS [LIMIT n]',
  help: 'The clients of all workers: what each does, on which server, and what pins it; 10000 unless LIMIT says',
  pattern: /^SHOW SESSIONS(?: LIMIT ([0-9]{1,9}))?$/i,
  access: AdminRole.stats,
  changes: false,
  columns: SESSION_COLUMNS,
  execute: async ({ state, match }) => {
    const limit = readLimit(match[1], DEFAULT_ROWS);
    const subject = InspectSubject.sessions;
    const answer = await askWorkers(state, { subject, connectionId: null, limit: limit + 1 });
    const sessions = answer.sessions.toSorted((a, b) => a.connectionId - b.connectionId);
    const { kept, warnings } = cut(sessions, limit, 'sessions');
    const nowMs = Date.now();
    const rows = kept.map((session) => ({ ...session, nowMs }));
    return { ...table(rows, SESSION_COLUMNS), warnings: [...answer.warnings, ...warnings] };
  },
};
