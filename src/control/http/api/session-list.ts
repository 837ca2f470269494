/** Clients' sessions: the pinned ones always, of the others as many as a page can show. */
import { InspectSubject, type RouteRecord, type SessionRecord } from '../../../common/inspection.ts';
import type { AdminState } from '../../admin/admin-state.ts';
import type {
  LastStatementValue,
  PinCountValue,
  SessionDetailValue,
  SessionsValue,
  SessionValue,
} from './api-values.ts';

/** Of each worker, so that one with very many clients is not kept busy by those who look at them. */
const MOST_OF_A_WORKER = 300;
/** A digest may be as long as a statement. */
const MAX_TEXT_LENGTH = 600;

export function cutText(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text;
}

function sessionValue(session: SessionRecord): SessionValue {
  return {
    id: session.connectionId,
    worker: session.worker,
    username: session.username,
    client: session.client,
    schema: session.schema,
    state: session.state,
    stateSinceMs: session.stateSinceMs,
    connectedSinceMs: session.connectedSinceMs,
    inTransaction: session.inTransaction,
    transactionSinceMs: session.transactionSinceMs,
    pins: session.pins,
    server: session.server,
    statements: session.statements,
    target: session.target,
    reason: session.reason,
    digestText: cutText(session.digestText),
  };
}

function pinsByReason(state: AdminState): PinCountValue[] {
  const byReason = new Map<string, PinCountValue>();
  for (const { pins } of state.counters().workers) {
    for (const { reason, now, started } of pins) {
      const sum = byReason.get(reason) ?? { reason, now: 0, started: 0 };
      byReason.set(reason, { reason, now: sum.now + now, started: sum.started + started });
    }
  }
  return [...byReason.values()]
    .filter(({ started }) => started > 0)
    .sort((a, b) => b.now - a.now || b.started - a.started || a.reason.localeCompare(b.reason));
}

export async function sessionsOf(state: AdminState): Promise<SessionsValue> {
  const ask = (subject: InspectSubject) =>
    state.inspect({ subject, connectionId: null, limit: MOST_OF_A_WORKER });
  const [all, pinned] = await Promise.all([ask(InspectSubject.sessions), ask(InspectSubject.pins)]);
  const byId = new Map([...all.sessions, ...pinned.sessions].map((one) => [one.connectionId, one]));
  return {
    timeMs: Date.now(),
    total: state.counters().frontendConnections,
    sessions: [...byId.values()].map(sessionValue).sort((a, b) => a.id - b.id),
    pins: pinsByReason(state),
    missing: [...new Set([...all.missing, ...pinned.missing])],
  };
}

const LAST_STATEMENTS = 30;

function lastStatement(route: RouteRecord): LastStatementValue {
  return {
    timeMs: route.timeMs,
    command: route.command,
    text: cutText(route.digestText),
    target: route.target,
    reason: route.reason,
    detail: route.detail,
    server: route.server,
    durationMicros: route.durationMicros,
    waitMicros: route.waitMicros,
    rows: route.rowsSent ?? route.rowsAffected,
    errno: route.errno,
  };
}

/** One session with its last statements; ids of sessions that have ended may still have some. */
export async function sessionDetail(state: AdminState, connectionId: number): Promise<SessionDetailValue> {
  const [{ sessions }, { routes }] = await Promise.all([
    state.inspect({ subject: InspectSubject.sessions, connectionId, limit: 1 }),
    state.inspect({ subject: InspectSubject.routes, connectionId, limit: LAST_STATEMENTS }),
  ]);
  const [session] = sessions;
  return {
    timeMs: Date.now(),
    session: session === undefined ? null : sessionValue(session),
    statements: routes.map(lastStatement).sort((a, b) => b.timeMs - a.timeMs),
    isOff: !state.keepsRoutes(),
  };
}
