/** [A12] Why a session is pinned, and why a statement went where it went, as the admin port shows it. */

import t from 'tap';
import type { TextValue } from '../../../../protocol/index.ts';
import { NO_RECORDS } from '../../../../src/common/inspection.ts';
import { createWorkerLogger } from '../../../../src/common/logger.ts';
import { runAdminStatement } from '../../../../src/control/admin/admin-command.ts';
import type { AdminError } from '../../../../src/control/admin/admin-error.ts';
import type { CommandAnswer } from '../../../../src/control/admin/commands/command.ts';
import { FakeAdminState } from './fake-admin-state.ts';
import { FIRST_ID, routeRecord, sessionRecord } from './made-records.ts';
import { RecordedAudit } from './recorded-audit.ts';

type Rows = Omit<Extract<CommandAnswer, { kind: 'rows' }>, 'rows'> & {
  readonly rows: readonly (readonly TextValue[])[];
};

async function answerOf(state: FakeAdminState, text: string): Promise<Rows> {
  const session = {
    connectionId: 5,
    username: 'watcher',
    role: 'stats',
    host: '127.0.0.1',
    schema: null,
    conditions: [{ level: 'Warning', code: 1105, message: 'the one before' }],
  } as const;
  const answer = await runAdminStatement(Buffer.from(text), session, {
    state,
    logger: createWorkerLogger('info', () => undefined),
    audit: new RecordedAudit(),
    port: 'admin',
    version: '0.1.0',
    commandTimeoutMs: 1000,
  });
  if (answer?.kind !== 'rows') throw new Error(`${text} gave no rows`);
  return { ...answer, rows: [...answer.rows] };
}

async function rowsOf(state: FakeAdminState, text: string): Promise<Record<string, unknown>[]> {
  const { columns, rows } = await answerOf(state, text);
  return rows.map((row) => Object.fromEntries(row.map((value, index) => [columns[index]!.name, value])));
}

async function errorOf(state: FakeAdminState, text: string): Promise<string> {
  try {
    await answerOf(state, text);
  } catch (error) {
    const { errno, message } = (error as AdminError).toClientError();
    return `${errno} ${message}`;
  }
  throw new Error(`${text} was accepted`);
}

t.test('SHOW SESSIONS', async (t) => {
  const state = new FakeAdminState();
  const now = Date.now();
  state.inspected = {
    ...NO_RECORDS,
    sessions: [
      sessionRecord({ worker: 1, connectionId: FIRST_ID + 1 }),
      sessionRecord({
        state: 'running',
        stateSinceMs: now - 5000,
        inTransaction: true,
        transactionSinceMs: now - 60_000,
        server: '10.0.0.1:3306',
        serverThreadId: 77,
        pins: [
          { reason: 'user-lock', sinceMs: now - 20_000 },
          { reason: 'temporary-table', sinceMs: now - 30_000 },
        ],
      }),
    ],
    missing: [],
    asked: 2,
  };
  const [first, second] = await rowsOf(state, 'SHOW SESSIONS');
  t.strictSame(state.inspections, [{ subject: 'sessions', connectionId: null, limit: 10_001 }]);
  t.match(first, {
    session_id: FIRST_ID,
    user: 'app',
    client: '10.1.2.3:50000',
    schema: 'shop',
    state: 'running',
    connected: '2023-11-14T22:13:20.000Z',
    statements: 3,
    in_transaction: 'YES',
    pins: 'user-lock, temporary-table',
    server: '10.0.0.1:3306',
    server_thread: 77,
    target: 'replica',
    reason: 'proven-read',
    digest_text: 'SELECT ?',
    worker: 0,
  });
  const age = (name: string): number => Math.floor(Number(first?.[name]) / 1000);
  t.strictSame(
    [age('state_ms'), age('transaction_ms'), age('pinned_ms')],
    [5, 60, 30],
    'the oldest pin counts',
  );
  t.match(second, {
    session_id: FIRST_ID + 1,
    in_transaction: 'NO',
    transaction_ms: null,
    pins: '',
    pinned_ms: null,
    server: null,
    server_thread: null,
    worker: 1,
  });
});

t.test('an answer that is cut says so', async (t) => {
  const state = new FakeAdminState();
  const sessions = Array.from({ length: 3 }, (_, index) => sessionRecord({ connectionId: FIRST_ID + index }));
  state.inspected = { ...NO_RECORDS, sessions, missing: [], asked: 1 };
  const { rows, warnings } = await answerOf(state, 'show sessions limit 2');
  t.equal(state.inspections[0]?.limit, 3);
  t.equal(rows.length, 2);
  t.match(warnings, [/^There are more sessions than the 2 shown/]);
  t.strictSame((await answerOf(state, 'SHOW SESSIONS LIMIT 3')).warnings, []);
  t.match(await errorOf(state, 'SHOW SESSIONS LIMIT 100001'), /^1210 LIMIT is at most 100000$/);
  t.match(await errorOf(state, 'SHOW SESSIONS LIMIT -1'), /^1064 /);
});

t.test('a worker that does not answer costs a warning, all of them an error', async (t) => {
  const state = new FakeAdminState();
  state.inspected = { ...state.inspected, missing: [1], asked: 2 };
  for (const command of ['SHOW SESSIONS', `SHOW SESSION ${FIRST_ID}`, 'SHOW PINS', 'SHOW ROUTES']) {
    const { rows, warnings } = await answerOf(state, command);
    t.ok(rows.length > 0, command);
    t.strictSame(warnings, ['Worker 1 has not answered in time: what it knows is missing, or part of it']);
  }
  state.inspected = { ...state.inspected, missing: [0, 1] };
  for (const command of ['SHOW SESSIONS', `SHOW SESSION ${FIRST_ID}`, 'SHOW PINS', 'SHOW ROUTES'])
    t.match(await errorOf(state, command), /^3024 No worker has answered/, command);
});

t.test('SHOW WARNINGS tells of the command before, and keeps that', async (t) => {
  const answer = await answerOf(new FakeAdminState(), 'SHOW WARNINGS');
  t.strictSame(answer.rows, [['Warning', 1105, 'the one before']]);
  t.equal(answer.keepsWarnings, true);
});

t.test('SHOW PINS: one row for each reason, the oldest first', async (t) => {
  const state = new FakeAdminState();
  const now = Date.now();
  const first = [
    { reason: 'cursor', sinceMs: now - 1000 },
    { reason: 'user-lock', sinceMs: now - 9000 },
  ];
  const sessions = [
    sessionRecord({ pins: first, server: '10.0.0.1:3306', serverThreadId: 8 }),
    sessionRecord({ connectionId: FIRST_ID + 1, pins: [{ reason: 'xa', sinceMs: now - 5000 }] }),
  ];
  state.inspected = { ...NO_RECORDS, sessions, missing: [], asked: 1 };
  const rows = await rowsOf(state, 'SHOW PINS');
  t.equal(state.inspections[0]?.subject, 'pins');
  t.strictSame(
    rows.map(({ session_id, pin, server_thread }) => [session_id, pin, server_thread]),
    [
      [FIRST_ID, 'user-lock', 8],
      [FIRST_ID + 1, 'xa', null],
      [FIRST_ID, 'cursor', 8],
    ],
  );
  t.equal(rows[0]?.since, new Date(now - 9000).toISOString());
  t.ok(Number(rows[0]?.pinned_ms) >= 9000);
  t.match((await answerOf(state, 'SHOW PINS LIMIT 2')).warnings, [/^There are more pins than the 2 shown/]);
});

t.test('SHOW PINS BY REASON: over all workers, without asking them', async (t) => {
  const state = new FakeAdminState();
  t.strictSame(await rowsOf(state, 'show pins by reason'), [
    { pin: 'temporary-table', sessions: 4, started: 14 },
    { pin: 'cursor', sessions: 0, started: 2 },
  ]);
  t.equal(state.inspections.length, 0);
});

t.test('SHOW ROUTES: the last ones of all workers, oldest first', async (t) => {
  const state = new FakeAdminState();
  const routes = [
    routeRecord({ sequence: 9, timeMs: 1_700_000_000_300 }),
    routeRecord({ sequence: 8, timeMs: 1_700_000_000_100 }),
    routeRecord({
      worker: 1,
      sequence: 2,
      timeMs: 1_700_000_000_200,
      target: 'held',
      reason: 'pinned',
      detail: 'temporary-table',
      errno: 1146,
      pins: ['temporary-table'],
      rowsSent: null,
      rowsAffected: 0,
      aligned: true,
      reprepared: true,
      abandoned: true,
      attempts: 2,
    }),
  ];
  state.inspected = { ...NO_RECORDS, routes, missing: [], asked: 2 };
  const rows = await rowsOf(state, `SHOW ROUTES FOR SESSION ${FIRST_ID} LIMIT 2`);
  t.strictSame(state.inspections, [{ subject: 'routes', connectionId: FIRST_ID, limit: 2 }]);
  t.strictSame(rows[0], {
    time: '2023-11-14T22:13:20.200Z',
    session_id: FIRST_ID,
    user: 'app',
    client: '10.1.2.3:50000',
    schema: null,
    command: 'COM_QUERY',
    target: 'held',
    reason: 'pinned',
    class_reason: 'proven-read',
    detail: 'temporary-table',
    rules: '',
    hostgroup: 1,
    server: '10.0.0.2:3306',
    server_thread: 41,
    connection: 'pipelined',
    state_sent: 'YES',
    reprepared: 'YES',
    attempts: 2,
    wait_us: 0,
    duration_us: 812,
    rows_sent: null,
    rows_affected: 0,
    bytes: 62,
    errno: 1146,
    client_gone: 'YES',
    pins: 'temporary-table',
    digest: '0x0123456789ABCDEF',
    digest_text: 'SELECT ?',
    worker: 1,
    sequence: 2,
  });
  t.match(rows[1], { worker: 0, sequence: 9, state_sent: 'NO', reprepared: 'NO', client_gone: 'NO' });
  t.equal(rows.length, 2);
  t.equal((await rowsOf(state, 'SHOW ROUTES LIMIT 0')).length, 0);
  await rowsOf(state, 'SHOW ROUTES');
  t.strictSame(state.inspections.at(-1), { subject: 'routes', connectionId: null, limit: 100 });
  state.routesKept = false;
  t.match(await errorOf(state, 'SHOW ROUTES'), /^1210 .*limits\.routeRingEntries is 0$/);
});

t.test('SHOW SESSION', async (t) => {
  const state = new FakeAdminState();
  const rows = await rowsOf(state, `SHOW SESSION ${FIRST_ID}`);
  t.strictSame(
    state.inspections.map(({ subject, connectionId }) => [subject, connectionId]),
    [
      ['sessions', FIRST_ID],
      ['routes', FIRST_ID],
    ],
  );
  const value = (item: string): unknown => rows.find((row) => row.item === item)?.value;
  t.equal(value('user'), 'app');
  t.equal(value('server'), null);
  t.match(value('pin cursor'), /^since 2023-11-14T22:13:21\.000Z, \d+ ms$/);
  t.equal(
    value('route'),
    '2023-11-14T22:13:20.250Z COM_QUERY: replica, proven-read, on 10.0.0.2:3306, 812 us: SELECT ?',
  );
  state.inspected = { ...state.inspected, sessions: [] };
  t.match(
    await rowsOf(state, `SHOW SESSION ${FIRST_ID}`),
    [{ item: 'session_id' }, { item: 'state', value: 'closed' }, { item: 'route' }],
    'one that has ended has left its statements',
  );
  state.inspected = { ...state.inspected, routes: [] };
  t.match(await errorOf(state, 'SHOW SESSION 7'), /^1210 No session 7; SHOW SESSIONS lists all$/);
});
