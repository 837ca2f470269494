/** What the dashboard's API answers, from the values that the admin port has. */
import t from 'tap';
import type { LogRecord } from '../../../../src/common/logger.ts';
import { createWorkerLogger } from '../../../../src/common/logger.ts';
import { FIRST_CONNECTION_ID } from '../../../../src/common/shared-counters.ts';
import { AccessControl } from '../../../../src/control/http/access/access-control.ts';
import { apiRoutes } from '../../../../src/control/http/api/api-routes.ts';
import { type HttpServer, startHttpServer } from '../../../../src/control/http/http-server.ts';
import { TrafficSeries } from '../../../../src/control/http/traffic/traffic-series.ts';
import { FakeAdminState, PRIMARY, REPLICA } from '../admin/fake-admin-state.ts';
import { routeRecord, sessionRecord } from '../admin/made-records.ts';
import { RecordedAudit } from '../admin/recorded-audit.ts';

const USERS = [
  { username: 'ops', password: 'secret', role: 'admin' },
  { username: 'watcher', password: 'secret', role: 'stats' },
] as const;

interface Reply {
  readonly status: number;
  readonly value: Record<string, unknown>;
  readonly etag: string | null;
}

class Fixture {
  readonly state = new FakeAdminState();
  readonly audit = new RecordedAudit();
  readonly log: LogRecord[] = [];
  readonly series = new TrafficSeries();
  #server: HttpServer | null = null;

  async start(): Promise<this> {
    const { state, audit, series } = this;
    const logger = createWorkerLogger('trace', (record) => this.log.push(record));
    const port = 'http' as const;
    this.#server = await startHttpServer({
      host: '127.0.0.1',
      port: 0,
      logger,
      routes: apiRoutes({
        state,
        series,
        readiness: () => ({ ready: false, reasons: ['no primary is known'] }),
        version: '0.1.0',
        startedAtMs: 5,
        context: { state, logger, audit, port, version: '0.1.0', commandTimeoutMs: 1000 },
      }),
      access: new AccessControl(USERS, { idleMs: 1000, maxMs: 1000 }, audit),
      metricsAreOpen: () => false,
      isKnownHost: () => true,
      tls: null,
      maxConnections: 64,
    });
    return this;
  }

  async stop(): Promise<void> {
    await this.#server?.close();
  }

  async ask(path: string, init: RequestInit = {}, username = 'ops'): Promise<Reply> {
    const authorization = `Basic ${Buffer.from(`${username}:secret`).toString('base64')}`;
    const response = await fetch(`http://127.0.0.1:${this.#server?.port}${path}`, {
      ...init,
      headers: { authorization, ...init.headers },
    });
    const text = await response.text();
    const value = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    return { status: response.status, value, etag: response.headers.get('etag') };
  }

  post(path: string, value: unknown, username = 'ops'): Promise<Reply> {
    const headers = { 'content-type': 'application/json' };
    return this.ask(path, { method: 'POST', headers, body: JSON.stringify(value) }, username);
  }
}

type Test = Pick<typeof t, 'teardown'>;

async function fixture(t: Test): Promise<Fixture> {
  const made = await new Fixture().start();
  t.teardown(() => made.stop());
  return made;
}

t.test('overview: servers with what goes through them, the primary first', async (t) => {
  const made = await fixture(t);
  const counters = made.state.counters();
  made.series.sample(1000, counters);
  made.series.sample(2000, {
    ...counters,
    servers: counters.servers.map((server) => ({ ...server, queries: server.queries - 1 })),
  });
  const { status, value } = await made.ask('/api/overview', {}, 'watcher');
  t.equal(status, 200);
  t.match(value, {
    version: '0.1.0',
    startedAtMs: 5,
    ready: false,
    notReady: ['no primary is known'],
    primary: PRIMARY,
    snapshotVersion: 7,
    clients: 12,
    maxClients: 1000,
    statements: 111,
    pinnedSessions: 0,
    lastEvent: 3,
    servers: [
      { address: PRIMARY, role: 'primary', connections: 9, inUse: 4, statementsPerSecond: 0, lagMs: null },
      { status: 'SHUNNED', reason: 'ping: no answer in 800 ms', isDiscovered: true, maxLagMs: 1500 },
      { address: REPLICA, role: 'replica', status: 'ONLINE', lagMs: 120, connections: 0 },
    ],
    workers: [
      { index: 0, running: true, restarts: 0, version: 7 },
      { index: 1, running: false, restarts: 3, version: 6 },
    ],
    live: { timesMs: [2000], columns: { statements: [0], p99: [null] } },
  });
});

t.test('a second writable server is a rival, whoever it says it is', async (t) => {
  const made = await fixture(t);
  made.state.servers = made.state.servers.map((one) => ({ ...one, role: 'primary' }));
  const { value } = await made.ask('/api/overview');
  t.strictSame(
    (value.servers as { role: string }[]).map(({ role }) => role),
    ['primary', 'rival', 'rival'],
  );
});

t.test('one computation for all who look, and nothing is sent twice', async (t) => {
  const made = await fixture(t);
  const [first] = await Promise.all(Array.from({ length: 20 }, () => made.ask('/api/sessions')));
  t.strictSame(
    made.state.inspections.map(({ subject, limit }) => [subject, limit]),
    [
      ['sessions', 300],
      ['pins', 300],
    ],
  );
  const again = await made.ask('/api/sessions', { headers: { 'if-none-match': first?.etag ?? '' } });
  t.equal(again.status, 304);
  t.equal(made.state.inspections.length, 2);
});

t.test('sessions, the pinned ones among them, and pins over all workers', async (t) => {
  const made = await fixture(t);
  const text = 'x'.repeat(1000);
  made.state.inspected = {
    ...made.state.inspected,
    sessions: [
      sessionRecord({ connectionId: FIRST_CONNECTION_ID + 9, digestText: text }),
      sessionRecord({ connectionId: FIRST_CONNECTION_ID + 2, pins: [{ reason: 'cursor', sinceMs: 7 }] }),
    ],
    missing: [1],
  };
  const { value } = await made.ask('/api/sessions');
  t.match(value, {
    total: 12,
    sessions: [
      { id: FIRST_CONNECTION_ID + 2, pins: [{ reason: 'cursor', sinceMs: 7 }] },
      { id: FIRST_CONNECTION_ID + 9, digestText: `${'x'.repeat(600)}…` },
    ],
    pins: [
      { reason: 'temporary-table', now: 4, started: 14 },
      { reason: 'cursor', now: 0, started: 2 },
    ],
    missing: [1],
  });
});

t.test('one session with its last statements', async (t) => {
  const made = await fixture(t);
  made.state.inspected = {
    ...made.state.inspected,
    routes: [routeRecord({ timeMs: 1000 }), routeRecord({ timeMs: 2000, errno: 1317 })],
  };
  const { value } = await made.ask(`/api/session?id=${FIRST_CONNECTION_ID + 2}`, {}, 'watcher');
  t.match(value, { session: { id: Number }, statements: [{ timeMs: 2000, errno: 1317 }, { timeMs: 1000 }] });
  t.strictSame(
    made.state.inspections.map(({ subject, connectionId, limit }) => [subject, connectionId, limit]),
    [
      ['sessions', FIRST_CONNECTION_ID + 2, 1],
      ['routes', FIRST_CONNECTION_ID + 2, 30],
    ],
  );
  made.state.inspected = { ...made.state.inspected, sessions: [], routes: [] };
  made.state.routesKept = false;
  t.match((await made.ask('/api/session?id=7')).value, { session: null, statements: [], isOff: true });
  for (const wrong of ['', '?id=', '?id=x', '?id=12345678901'])
    t.equal((await made.ask(`/api/session${wrong}`)).status, 400);
});

t.test('events, newest first, each as grave as in the log', async (t) => {
  const made = await fixture(t);
  const { value } = await made.ask('/api/events');
  t.match(value.events, [
    { sequence: 3, kind: 'two-primaries', address: '', level: 'error' },
    { sequence: 2, address: REPLICA, level: 'warn', detail: /^from=ONLINE to=SHUNNED reason="ping: / },
    { sequence: 1, address: PRIMARY, level: 'info' },
  ]);
});

t.test('EXPLAIN ROUTE, for stats users too', async (t) => {
  const made = await fixture(t);
  const reply = await made.post('/api/explain', { statement: 'SELECT 1', schema: '' }, 'watcher');
  t.match(reply, { status: 200, value: { steps: [{ step: 'target', value: 'replica' }, {}] } });
  await made.post('/api/explain', { statement: 'SELECT 2', schema: 'shop' });
  t.strictSame(made.state.explained, [
    ['SELECT 1', null],
    ['SELECT 2', 'shop'],
  ]);
  for (const wrong of [{}, { statement: '' }, { statement: 7 }, { statement: 'x', schema: 7 }, [], null])
    t.equal((await made.post('/api/explain', wrong)).status, 400);
  made.state.explain = async () => [];
  t.equal((await made.post('/api/explain', { statement: 'SELECT 1' })).status, 504);
});

t.test('orders are commands of the admin port: authorized, checked and written down there', async (t) => {
  const made = await fixture(t);
  t.match(await made.post('/api/drain', { address: REPLICA }), {
    status: 200,
    value: { message: /gets no new statements/ },
  });
  await made.post('/api/undrain', { address: REPLICA });
  t.match(await made.post('/api/switchover', { address: REPLICA }), {
    status: 200,
    value: { message: `${REPLICA} is the primary.` },
  });
  await made.post('/api/kill', { session: FIRST_CONNECTION_ID + 1, queryOnly: true });
  await made.post('/api/kill', { session: FIRST_CONNECTION_ID + 1 });
  t.strictSame(made.state.orders, [
    [REPLICA, 'OFFLINE_SOFT'],
    [REPLICA, 'ONLINE'],
    ['switchover', JSON.stringify({ to: REPLICA, timeoutMs: null, dryRun: false })],
  ]);
  t.strictSame(made.state.kills, [
    [FIRST_CONNECTION_ID + 1, true],
    [FIRST_CONNECTION_ID + 1, false],
  ]);
  t.strictSame(
    made.audit.commands.map(({ statement }) => statement),
    [
      `DRAIN '${REPLICA}'`,
      `UNDRAIN '${REPLICA}'`,
      `SWITCHOVER TO '${REPLICA}'`,
      `KILL QUERY ${FIRST_CONNECTION_ID + 1}`,
      `KILL CONNECTION ${FIRST_CONNECTION_ID + 1}`,
    ],
  );
  t.match(await made.post('/api/drain', { address: '10.9.9.9:3306' }), {
    status: 404,
    value: { error: /There is no server '10\.9\.9\.9:3306'/ },
  });
  t.match(await made.post('/api/kill', { session: 7 }), { status: 404, value: { error: /No session 7/ } });
  made.state.killOutcome = null;
  t.equal((await made.post('/api/kill', { session: FIRST_CONNECTION_ID })).status, 504);
});

t.test('an order that is none, or in other words, is refused', async (t) => {
  const made = await fixture(t);
  const wrong: [string, unknown][] = [
    ['/api/drain', {}],
    ['/api/switchover', { address: `${REPLICA}' DRY RUN` }],
    ['/api/drain', { address: 7 }],
    ['/api/drain', { address: `${REPLICA}'; KILL 1` }],
    ['/api/drain', { address: "x' OR '" }],
    ['/api/drain', { address: 'x'.repeat(301) }],
    ['/api/kill', { session: '1; DRAIN' }],
    ['/api/kill', { session: 1.5 }],
    ['/api/kill', { session: -1 }],
    ['/api/kill', { session: FIRST_CONNECTION_ID, queryOnly: 'yes' }],
    ['/api/kill', []],
    ['/api/kill', null],
  ];
  for (const [path, value] of wrong)
    t.equal((await made.post(path, value)).status, 400, JSON.stringify(value));
  const asForm = { method: 'POST', body: JSON.stringify({ address: REPLICA }) };
  t.equal((await made.ask('/api/drain', asForm)).status, 400, 'a type that forms can have');
  const broken = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"address":' };
  t.equal((await made.ask('/api/drain', broken)).status, 400);
  for (const path of ['/api/drain', '/api/undrain', '/api/kill'])
    t.equal(
      (await made.post(path, { address: REPLICA, session: FIRST_CONNECTION_ID }, 'watcher')).status,
      403,
    );
  t.strictSame([made.state.orders, made.state.kills], [[], []]);
});
