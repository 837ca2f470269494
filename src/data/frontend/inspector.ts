/**
 * What a worker tells the control plane of its sessions and its last statements. Large answers are given in parts, one
 * for each turn of the event loop, so that no client waits for an operator's curiosity.
 */

import {
  type InspectAnswer,
  type InspectRecords,
  type InspectRequest,
  InspectSubject,
  NO_RECORDS,
  type RouteRecord,
  type SessionRecord,
} from '../../common/inspection.ts';
import { digestParts, errorParts } from '../statistics/statistics-parts.ts';
import type { WorkerContext } from '../worker-context.ts';
import { cacheAdviceParts, cacheParts } from './cache-inspector.ts';
import { idleConnectionParts, preparedParts } from './resource-inspector.ts';
import { Digests, routeRecord, wallClock } from './route-record.ts';
import { RunPhase } from './run-phase.ts';
import type { Session } from './session.ts';
import { SessionPhase } from './session-phase.ts';

/** Sessions, or statements, that are looked at in one turn. */
const PART = 200;

/** Sends one part after the other with `post`, the first one at once. */
export function inspect(
  request: InspectRequest,
  context: WorkerContext,
  sessions: readonly Session[],
  post: (answer: InspectAnswer) => void,
): void {
  const parts = partsOf(request, context, sessions);
  const next = (): void => {
    const part = parts.next();
    const isLast = part.done === true;
    const found = { ...NO_RECORDS, ...(isLast ? {} : part.value) };
    if (isLast || Object.values(found).some((records) => records.length > 0))
      post({ type: 'inspected', requestId: request.requestId, ...found, isLast });
    if (!isLast) setImmediate(next);
  };
  next();
}

type Part = Partial<InspectRecords>;

function partsOf(
  request: InspectRequest,
  context: WorkerContext,
  sessions: readonly Session[],
): Iterator<Part, void> {
  const { subject, reset = false } = request;
  if (subject === InspectSubject.digests) return digestParts(context.statistics, context.workerIndex, reset);
  if (subject === InspectSubject.errors) return errorParts(context.statistics, reset);
  if (subject === InspectSubject.prepared) return preparedParts(sessions, context.workerIndex);
  if (subject === InspectSubject.idleConnections) return idleConnectionParts(context);
  if (subject === InspectSubject.shadow) return shadowParts(context);
  if (subject === InspectSubject.cache) return cacheParts(context);
  if (subject === InspectSubject.cacheAdvice) return cacheAdviceParts(context);
  const digests = new Digests();
  return subject === InspectSubject.routes
    ? routeParts(request, context, digests)
    : sessionParts(request, context, digests, sessions);
}

function* shadowParts({ rules, workerIndex }: WorkerContext): Generator<Part, void> {
  if (rules.shadow !== null) yield { shadow: [rules.shadow.report(workerIndex)] };
}

function* sessionParts(
  { subject, connectionId, limit }: InspectRequest,
  { workerIndex }: WorkerContext,
  digests: Digests,
  sessions: readonly Session[],
): Generator<Part, void> {
  let found = 0;
  for (let start = 0; start < sessions.length; start += PART) {
    const part: SessionRecord[] = [];
    for (const session of sessions.slice(start, start + PART)) {
      if (found >= limit) break;
      // Some may have ended since the turn before.
      if (session.phase === SessionPhase.closed) continue;
      if (connectionId !== null && session.connectionId !== connectionId) continue;
      if (subject === InspectSubject.pins && !session.routing.pinned) continue;
      found++;
      part.push(sessionRecord(session, workerIndex, digests));
    }
    yield { sessions: part };
    if (found >= limit) return;
  }
}

/** The newest first. */
function* routeParts(
  { connectionId, limit }: InspectRequest,
  { workerIndex, routes }: WorkerContext,
  digests: Digests,
): Generator<Part, void> {
  // Statements come in meanwhile: the position of what was there moves on.
  const newest = routes.written;
  let found = 0;
  let looked = 0;
  while (found < limit) {
    const part: RouteRecord[] = [];
    for (let count = 0; count < PART && found < limit; count++, looked++) {
      const position = routes.written - newest + looked;
      if (position >= routes.size) {
        yield { routes: part };
        return;
      }
      if (connectionId !== null && routes.connectionIdAt(position) !== connectionId) continue;
      found++;
      part.push(routeRecord(routes.at(position), workerIndex, routes.sequenceAt(position), digests));
    }
    yield { routes: part };
  }
}

export function sessionRecord(session: Session, worker: number, digests: Digests): SessionRecord {
  const { run, state, prepared } = session;
  const { trace } = run;
  const isBusy = session.phase === SessionPhase.busy;
  const sinceMs = session.phase === SessionPhase.idle ? trace.endedAtMs : trace.beganAtMs;
  const connection = run.connection ?? run.held;
  return {
    worker,
    connectionId: session.connectionId,
    username: session.username,
    client: session.clientAddress,
    schema: state.schema,
    state: isBusy && run.phase !== RunPhase.idle ? run.step : session.phase,
    stateSinceMs: wallClock(Math.max(sinceMs, trace.connectedAtMs)),
    connectedSinceMs: wallClock(trace.connectedAtMs),
    inTransaction: state.inTransaction,
    transactionSinceMs:
      state.inTransaction && trace.transactionSinceMs > 0 ? wallClock(trace.transactionSinceMs) : null,
    pins: [...state.pins].map(([reason, since]) => ({ reason, sinceMs: since })),
    server: connection?.server.address ?? null,
    serverThreadId: connection?.threadId ?? null,
    statements: trace.statements,
    preparedStatements: prepared.size,
    unsentBytes: session.unsentBytes,
    target: trace.route?.target ?? '',
    reason: trace.route?.reason ?? '',
    digestText: digests.textOf(trace.plan?.normalized ?? null),
  };
}
