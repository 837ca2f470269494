import { InspectSubject, type RouteRecord } from '../../../common/inspection.ts';
import { AdminError } from '../admin-error.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';
import { lastRoutes } from './show-routes.ts';
import { SESSION_COLUMNS } from './show-sessions.ts';
import { ageMs, askWorkers, utc } from './worker-answers.ts';

const LAST_ROUTES = 20;

interface Item {
  readonly item: string;
  readonly value: string | null;
}

const COLUMNS: readonly ComputedColumn<Item>[] = [
  {
    name: 'item',
    meaning:
      'A column of SHOW SESSIONS; `pin <reason>`; `route` for each of its last statements, oldest first',
    value: ({ item }) => item,
  },
  {
    name: 'value',
    meaning: 'Its value; of a statement the most important columns of SHOW ROUTES',
    value: (row) => row.value,
  },
];

function routeLine(route: RouteRecord): string {
  const detail = route.detail === '' ? '' : ` (${route.detail})`;
  const outcome = route.errno === 0 ? '' : `, error ${route.errno}`;
  return (
    `${utc(route.timeMs)} ${route.command}: ${route.target}, ${route.reason}${detail}, ` +
    `on ${route.server ?? 'none'}, ${route.durationMicros} us${outcome}: ${route.digestText}`
  );
}

export const showSession: AdminCommand = {
  name: 'SHOW SESSION',
  syntax: 'SHOW SESSION <id>',
  help: 'One session, its pins and its last statements',
  pattern: /^SHOW SESSION ([0-9]{1,10})$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async ({ state, match }) => {
    const connectionId = Number(match[1]);
    const [found, last] = await Promise.all([
      askWorkers(state, { subject: InspectSubject.sessions, connectionId, limit: 1 }),
      lastRoutes(state, connectionId, LAST_ROUTES),
    ]);
    const [session] = found.sessions;
    if (session === undefined && last.routes.length === 0)
      throw new AdminError('wrongArgument', `No session ${connectionId}; SHOW SESSIONS lists all`);
    const nowMs = Date.now();
    const items: Item[] = [];
    // One that has ended may still have left its statements.
    if (session !== undefined) {
      for (const { name, value } of SESSION_COLUMNS) {
        const told = value({ ...session, nowMs });
        items.push({ item: name, value: told === null ? null : String(told) });
      }
      for (const { reason, sinceMs } of session.pins)
        items.push({ item: `pin ${reason}`, value: `since ${utc(sinceMs)}, ${ageMs(sinceMs, nowMs)} ms` });
    } else items.push({ item: 'session_id', value: `${connectionId}` }, { item: 'state', value: 'closed' });
    for (const route of last.routes) items.push({ item: 'route', value: routeLine(route) });
    return { ...table(items, COLUMNS), warnings: found.warnings };
  },
};
