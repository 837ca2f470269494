import { InspectSubject, type RouteRecord } from '../../../common/inspection.ts';
import { AdminError } from '../admin-error.ts';
import type { AdminState } from '../admin-state.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';
import { askWorkers, readLimit, utc, type WorkerAnswer, yesNo } from './worker-answers.ts';

const DEFAULT_ROUTES = 100;

function number(
  name: string,
  meaning: string,
  value: (row: RouteRecord) => number | null,
): ComputedColumn<RouteRecord> {
  return { name, type: 'number', meaning, value };
}

function text(
  name: string,
  meaning: string,
  value: (row: RouteRecord) => string | null,
): ComputedColumn<RouteRecord> {
  return { name, meaning, value };
}

const COLUMNS: readonly ComputedColumn<RouteRecord>[] = [
  text('time', 'When it came, UTC', ({ timeMs }) => utc(timeMs)),
  number('session_id', 'Connection id of the client', (row) => row.connectionId),
  text('user', 'Account', ({ username }) => username),
  text('client', '`host:port` of the client; empty for a Unix socket', ({ client }) => client),
  text('schema', 'The schema that it came in; NULL for none', ({ schema }) => schema),
  text('command', 'Command of the protocol, e.g. `COM_QUERY`, `COM_STMT_EXECUTE`', ({ command }) => command),
  text(
    'target',
    '`primary`, `replica`, `held` (the connection that it has), or `sluice`: no server was needed',
    ({ target }) => target,
  ),
  text('reason', 'Why', ({ reason }) => reason),
  text(
    'class_reason',
    'Why it is a proven read, or none: as in EXPLAIN ROUTE; empty for what is no statement',
    ({ classReason }) => classReason,
  ),
  text('detail', 'What made the reason: a function, or what pins the session', ({ detail }) => detail),
  text('rules', 'Numbers of the query rules that have matched; empty for none', ({ rules }) =>
    rules.join(', '),
  ),
  number(
    'hostgroup',
    'Hostgroup that it was served in; NULL where no server was used',
    ({ hostgroup }) => hostgroup,
  ),
  text(
    'server',
    'Who executed it, `host:port`; NULL where Sluice answered itself or found no server',
    (row) => row.server,
  ),
  number('server_thread', "The server's id of the connection", (row) => row.serverThreadId),
  text(
    'connection',
    '`held` by the session before, `previous` (of the statement before, which this one asks about), `pipelined` (shared with reads of others for the moment), or its `own` for the statement',
    ({ connection }) => connection,
  ),
  text('state_sent', '`YES` where session state had to be sent in front', ({ aligned }) => yesNo(aligned)),
  text('reprepared', '`YES` where it had to be prepared on that connection first', ({ reprepared }) =>
    yesNo(reprepared),
  ),
  number('attempts', '1 unless it had to be sent again', ({ attempts }) => attempts),
  number('wait_us', 'Microseconds that it waited for a connection or a server', (row) => row.waitMicros),
  number(
    'duration_us',
    'Microseconds from its arrival to the end of its answer',
    (row) => row.durationMicros,
  ),
  number('rows_sent', 'Rows of its last result set; NULL without one', ({ rowsSent }) => rowsSent),
  number('rows_affected', 'Rows that it changed; NULL with a result set', ({ rowsAffected }) => rowsAffected),
  number('bytes', 'Bytes of its answer', ({ bytes }) => bytes),
  number('errno', 'Number of the error that it ended with; 0 for none', ({ errno }) => errno),
  text('client_gone', '`YES` where the client had gone before the end', ({ abandoned }) => yesNo(abandoned)),
  text('pins', 'What pins the session behind it; empty for nothing', ({ pins }) => pins.join(', ')),
  text('digest', 'Name of the digest, the same at all times; empty without one', ({ digest }) => digest),
  text(
    'digest_text',
    'The statement without its literals, cut at 2048 bytes; empty where it is no statement, or longer than 16384 bytes',
    (row) => row.digestText,
  ),
  number('worker', 'Number of the worker thread', ({ worker }) => worker),
  number('sequence', '1 for the first statement of the worker', ({ sequence }) => sequence),
];

/** The last ones, oldest first. */
export async function lastRoutes(
  state: AdminState,
  connectionId: number | null,
  limit: number,
): Promise<WorkerAnswer> {
  const answer = await askWorkers(state, { subject: InspectSubject.routes, connectionId, limit });
  const routes = answer.routes.toSorted((a, b) => a.timeMs - b.timeMs || a.sequence - b.sequence);
  return { ...answer, routes: limit === 0 ? [] : routes.slice(-limit) };
}

export const showRoutes: AdminCommand = {
  name: 'SHOW ROUTES',
  syntax: 'SHOW ROUTES [FOR SESSION id] [LIMIT n]',
  help: 'The last statements, oldest first: where each went, why, and what came of it; 100 unless LIMIT says',
  pattern: /^SHOW ROUTES(?: FOR SESSION ([0-9]{1,10}))?(?: LIMIT ([0-9]{1,9}))?$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async ({ state, match }) => {
    if (!state.keepsRoutes())
      throw new AdminError('wrongArgument', 'No statement is remembered: limits.routeRingEntries is 0');
    const session = match[1] === undefined ? null : Number(match[1]);
    const { routes, warnings } = await lastRoutes(state, session, readLimit(match[2], DEFAULT_ROUTES));
    return { ...table(routes, COLUMNS), warnings };
  },
};
