/** The dashboard's API. What is only read is made at most once in a second, whoever and how many ask. */
import type { CommandContext } from '../../admin/admin-command.ts';
import type { AdminState } from '../../admin/admin-state.ts';
import { isKnown, json, jsonBytes } from '../http-answer.ts';
import { type HttpCall, type HttpRoute, RouteAccess } from '../http-route.ts';
import { Precomputed } from '../precomputed.ts';
import type { ExplainValue, MeValue } from './api-values.ts';
import { eventsOf } from './event-list.ts';
import { problem, readJson } from './json-request.ts';
import { actionRoutes } from './operator-actions.ts';
import { type OverviewSources, overviewOf } from './overview.ts';
import { rulesOf } from './rule-list.ts';
import { sessionDetail, sessionsOf } from './session-list.ts';
import { statementsOf } from './statement-list.ts';
import { HISTORY_RANGES, historyOf } from './traffic-history.ts';

const INTERVAL_MS = 1000;
/** These ask the workers. */
const INQUIRY_INTERVAL_MS = 2000;
/** Of which there may be very many. */
const DIGESTS_INTERVAL_MS = 4000;
/** It grows once a minute. */
const HISTORY_INTERVAL_MS = 20_000;

export interface ApiSources extends OverviewSources {
  readonly context: CommandContext;
}

function precomputedRoute(path: string, answers: Precomputed): HttpRoute {
  return {
    method: 'GET',
    path,
    access: RouteAccess.stats,
    answer: async ({ headers }) => {
      const { body, etag } = await answers.get();
      return isKnown(headers, etag)
        ? { status: 304, contentType: '', body: '', headers: { etag } }
        : jsonBytes(body, { etag });
    },
  };
}

function meRoute(version: string): HttpRoute {
  return {
    method: 'GET',
    path: '/api/me',
    access: RouteAccess.stats,
    answer: ({ visitor }) => {
      const { username = '', role = 'stats', session = null } = visitor ?? {};
      const csrfToken = session?.csrfToken ?? null;
      const me: MeValue = { username, role, csrfToken, endsAtMs: session?.endsAtMs ?? null, version };
      return json(200, me);
    },
  };
}

function explainRoute({ state }: ApiSources): HttpRoute {
  return {
    method: 'POST',
    path: '/api/explain',
    access: RouteAccess.stats,
    answer: async (call: HttpCall) => {
      const { statement, schema = null } = readJson(call) ?? {};
      if (typeof statement !== 'string' || statement.trim() === '' || !isSchema(schema))
        return problem(400, 'expected JSON, {"statement": "…", "schema": "…" or null}, as application/json');
      const steps = await state.explainRoute({
        statement,
        schema: schema === '' ? null : schema,
        user: null,
        clientAddress: null,
      });
      if (steps.length === 0) return problem(504, 'no worker has answered');
      return json(200, { steps } satisfies ExplainValue);
    },
  };
}

/** Of one session, when somebody opens it: not for everybody, and not again and again. */
function sessionRoute(state: AdminState): HttpRoute {
  return {
    method: 'GET',
    path: '/api/session',
    access: RouteAccess.stats,
    answer: async ({ query }) => {
      const id = query.get('id') ?? '';
      if (!/^[0-9]{1,10}$/.test(id)) return problem(400, 'expected ?id=<session id>');
      return json(200, await sessionDetail(state, Number(id)));
    },
  };
}

function isSchema(value: unknown): value is string | null {
  return value === null || (typeof value === 'string' && value.length <= 64);
}

export function apiRoutes(sources: ApiSources): HttpRoute[] {
  const { state, series, version, context } = sources;
  const overview = new Precomputed(INTERVAL_MS, () => overviewOf(sources));
  const sessions = new Precomputed(INQUIRY_INTERVAL_MS, () => sessionsOf(state));
  const events = new Precomputed(INTERVAL_MS, () => eventsOf(state.events()));
  const rules = new Precomputed(INTERVAL_MS, () => rulesOf(state));
  const done = (): void => {
    for (const one of [overview, sessions, events, rules]) one.forget();
  };
  return [
    meRoute(version),
    precomputedRoute('/api/overview', overview),
    precomputedRoute('/api/series', new Precomputed(INTERVAL_MS, () => series.last())),
    precomputedRoute('/api/sessions', sessions),
    sessionRoute(state),
    precomputedRoute('/api/statements', new Precomputed(DIGESTS_INTERVAL_MS, () => statementsOf(state))),
    precomputedRoute('/api/events', events),
    precomputedRoute('/api/rules', rules),
    ...Object.entries(HISTORY_RANGES).map(([name, range]) =>
      precomputedRoute(
        `/api/history/${name}`,
        new Precomputed(HISTORY_INTERVAL_MS, () => historyOf(state, range)),
      ),
    ),
    explainRoute(sources),
    ...actionRoutes({ context, done }),
  ];
}
