/** [A12] An operator sees why a statement went where it went, and why a session is pinned, since when and where. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Test } from 'tap';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import { waitForReplicaReads } from '../../support/replica-reads.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { PIN_CASES, type PinCase, ROUTE_CASES, type RouteCase } from './reason-cases.ts';

type Row = Readonly<Record<string, unknown>>;

const OBJECTS = [
  'CREATE TABLE app.t (n INT)',
  'INSERT INTO app.t VALUES (4711)',
  'CREATE TABLE app.scratch (n INT)',
  'CREATE TABLE app.counted (id INT PRIMARY KEY AUTO_INCREMENT)',
  `CREATE FUNCTION app.f() RETURNS INT DETERMINISTIC NO SQL RETURN 1`,
  'CREATE VIEW app.v AS SELECT app.f() AS n',
  'CREATE PROCEDURE app.p() SET @unseen = 1',
];

export class ReasonStage {
  readonly set: ReplicationSet;
  readonly sluice: SluiceProcess;
  readonly admin: Connection;

  private constructor(set: ReplicationSet, sluice: SluiceProcess, admin: Connection) {
    this.set = set;
    this.sluice = sluice;
    this.admin = admin;
  }

  static async start(t: Test, flavor: ServerFlavor): Promise<ReasonStage> {
    const set = await new ReplicationSet({ flavor, replicas: 1, sql: OBJECTS }).start();
    t.teardown(() => set.dispose());
    const sluice = await SluiceProcess.startFor(set, { config: { causalReads: { waitMs: 5000 } } });
    t.teardown(() => sluice.dispose());
    const admin = await sluice.adminConnection({ database: 'app' });
    t.teardown(() => admin.end());
    const stage = new ReasonStage(set, sluice, admin);
    await waitUntil('reads go to the replica', async () => {
      const steps = await stage.ask('EXPLAIN ROUTE SELECT n FROM t');
      return steps.some(({ step, value }) => step === 'reason' && value === 'proven-read');
    });
    await waitForReplicaReads(sluice, set, 't');
    return stage;
  }

  async ask(command: string): Promise<Row[]> {
    const [rows] = await this.admin.query<RowDataPacket[]>(command);
    return rows;
  }

  /** A client in schema `app`, with its connection id. */
  async client(t: Test): Promise<{ readonly connection: Connection; readonly id: number }> {
    const connection = await this.sluice.connect();
    t.teardown(() => connection.destroy());
    return { connection, id: connection.threadId };
  }

  async routesOf(id: number): Promise<Row[]> {
    // A statement stands in the ring when what its answer does not tell has been asked for, behind it.
    await waitUntil('the session is idle', async () => {
      const sessions = await this.ask('SHOW SESSIONS');
      return sessions.find(({ session_id }) => session_id === id)?.state === 'idle';
    });
    return this.ask(`SHOW ROUTES FOR SESSION ${id}`);
  }

  /** Whether the primary has this thread, for a client. */
  async isThreadOfPrimary(threadId: unknown): Promise<boolean> {
    const rows = await this.set.primary.query(
      `SELECT ID FROM information_schema.PROCESSLIST WHERE ID = ${Number(threadId)} AND USER = 'app'`,
    );
    return rows.length === 1;
  }
}

export async function runReasons(t: Test, flavor: ServerFlavor): Promise<void> {
  const stage = await ReasonStage.start(t, flavor);
  await t.test('routes', async (t) => {
    for (const each of ROUTE_CASES) await t.test(each.name, (t) => checkRoute(t, stage, each));
  });
  await t.test('every statement is counted, and stands in a ring', (t) => checkCounts(t, stage));
  await t.test('prepared statements', (t) => checkPrepared(t, stage));
  await t.test('pins', async (t) => {
    for (const each of PIN_CASES) await t.test(each.pin, (t) => checkPin(t, stage, each));
  });
  await t.test('no replica', (t) => checkNoReplica(t, stage));
  if (flavor === 'mariadb') await t.test('a crowd', (t) => checkCrowd(t, stage));
}

async function checkRoute(t: Test, stage: ReasonStage, each: RouteCase): Promise<void> {
  const { connection, id } = await stage.client(t);
  const { target, reason } = each;
  const counted = (): Promise<number> => stage.sluice.metric('sluice_routed_total', { target, reason });
  for (const sql of each.sql.slice(0, -1)) await connection.query(sql);
  const before = await counted();
  const last = connection.query(each.sql.at(-1)!);
  if (each.fails === true) await t.rejects(last);
  else await last;
  t.equal((await counted()) - before, 1, 'the metric');
  const routes = await stage.routesOf(id);
  t.equal(routes.length, each.sql.length, 'a row for each statement');
  const server = (each.row?.server ?? target) === 'replica' ? stage.set.replicas[0]! : stage.set.primary;
  const base = { target, reason, session_id: id, user: 'app', attempts: 1 };
  const wanted = { ...base, ...each.row, server: server.address };
  t.match(routes.at(-1), wanted);
  t.notMatch(JSON.stringify(routes), /secret/, 'no literal');
  const [session] = (await stage.ask('SHOW SESSIONS')).filter(({ session_id }) => session_id === id);
  t.match(session, {
    state: 'idle',
    statements: each.sql.length,
    target,
    reason,
    in_transaction: inTransaction(each),
  });
}

function inTransaction({ sql }: RouteCase): string {
  return /^(BEGIN|START|SET autocommit)/.test(sql[0]!) ? 'YES' : 'NO';
}

async function checkCounts(t: Test, stage: ReasonStage): Promise<void> {
  const { connection, id } = await stage.client(t);
  const before = await stage.sluice.metric('sluice_routed_total');
  for (let n = 0; n < 20; n++) await connection.query('SELECT n FROM t LIMIT ?', [n]);
  for (let n = 0; n < 5; n++) await connection.query('INSERT INTO scratch VALUES (?)', [n]);
  t.equal((await stage.sluice.metric('sluice_routed_total')) - before, 25);
  const routes = await stage.routesOf(id);
  const digests = Object.groupBy(routes, ({ digest_text }) => String(digest_text));
  t.strictSame(
    Object.entries(digests).map(([text, rows]) => [text, rows!.length]),
    [
      ['SELECT n FROM t LIMIT ?', 20],
      ['INSERT INTO scratch VALUES (?)', 5],
    ],
  );
  t.equal(new Set(routes.map(({ digest }) => digest)).size, 2);
  t.match(routes[0]?.digest, /^0x[0-9A-F]{16}$/);
  const times = routes.map(({ time }) => String(time));
  t.strictSame(times, times.toSorted(), 'oldest first');
  t.ok(
    routes.every(({ duration_us: micros }) => Number(micros) > 0 && Number(micros) < 60e6),
    'durations',
  );
  t.equal((await stage.ask(`SHOW ROUTES FOR SESSION ${id} LIMIT 3`)).length, 3);
  const items = await stage.ask(`SHOW SESSION ${id}`);
  t.equal(items.filter(({ item }) => item === 'route').length, 20, 'SHOW SESSION has the last 20');
  await connection.end();
  t.match(await stage.ask(`SHOW SESSION ${id}`), [{ value: String(id) }, { value: 'closed' }]);
}

async function checkPrepared(t: Test, stage: ReasonStage): Promise<void> {
  // The statements before may have written it, for all that their class tells.
  await waitForReplicaReads(stage.sluice, stage.set, 't');
  const { connection, id } = await stage.client(t);
  await connection.execute('SELECT n FROM t WHERE n > ?', [1]);
  t.match(await stage.routesOf(id), [
    {
      command: 'COM_STMT_PREPARE',
      target: 'replica',
      reason: 'proven-read',
      digest_text: 'SELECT n FROM t WHERE n > ?',
    },
    { command: 'COM_STMT_EXECUTE', target: 'replica', reason: 'proven-read', rows_sent: 1, reprepared: 'NO' },
  ]);
  const [session] = (await stage.ask('SHOW SESSIONS')).filter(({ session_id }) => session_id === id);
  t.match(session, { prepared_statements: 1, server: null, pins: '' });
  await connection.query('BEGIN');
  await connection.execute('SELECT n FROM t WHERE n > ?', [2]);
  t.match(
    (await stage.routesOf(id)).at(-1),
    { target: 'held', reprepared: 'YES' },
    'the primary has not got it',
  );
}

async function checkPin(t: Test, stage: ReasonStage, { pin, begin, end }: PinCase): Promise<void> {
  const { connection, id } = await stage.client(t);
  const now = (): Promise<number> => stage.sluice.metric('sluice_pins', { reason: pin });
  const started = (): Promise<number> => stage.sluice.metric('sluice_pins_started_total', { reason: pin });
  const pinned = (): Promise<number> => stage.sluice.metric('sluice_pinned_sessions');
  const startedBefore = await started();
  t.equal(await now(), 0, 'nobody is pinned before');
  const earliest = Date.now();
  for (const sql of begin) await connection.query(sql);
  // What an answer does not tell is asked for behind it.
  const rows = await waitUntil('the session is idle', async () => {
    const all = await stage.ask('SHOW PINS');
    return all.some(({ state }) => state === 'idle') ? all : null;
  });
  t.match(rows, [{ session_id: id, user: 'app', pin, server: stage.set.primary.address, state: 'idle' }]);
  t.equal(rows.length, 1);
  t.ok(await stage.isThreadOfPrimary(rows[0]?.server_thread), 'the thread is one of the primary');
  const since = Date.parse(String(rows[0]?.since));
  t.ok(since >= earliest && since <= Date.now(), 'since when');
  t.strictSame([await now(), await started(), await pinned()], [1, startedBefore + 1, 1]);
  const counts = (await stage.ask('SHOW PINS BY REASON')).filter((row) => row.pin === pin);
  t.strictSame(
    counts.map(({ sessions, started: times }) => [sessions, times]),
    [[1, startedBefore + 1]],
  );
  if (end === undefined) await connection.end();
  else for (const sql of end) await connection.query(sql);
  await waitUntil('the pin has ended', async () => (await now()) === 0);
  t.strictSame(await stage.ask('SHOW PINS'), []);
  t.strictSame([await started(), await pinned()], [startedBefore + 1, 0]);
}

async function checkNoReplica(t: Test, stage: ReasonStage): Promise<void> {
  const { connection, id } = await stage.client(t);
  await stage.ask(`DRAIN '${stage.set.replicas[0]!.address}'`);
  await waitUntil('reads go to the primary', async () => {
    await connection.query('SELECT n FROM t');
    return (await stage.routesOf(id)).at(-1)?.reason === 'no-replica';
  });
  t.match((await stage.routesOf(id)).at(-1), { target: 'primary', server: stage.set.primary.address });
}

const CROWD = 450;

/** More than one part of each worker's answer. */
async function checkCrowd(t: Test, stage: ReasonStage): Promise<void> {
  const isEmpty = async (): Promise<boolean> => (await stage.ask('SHOW SESSIONS')).length === 0;
  await waitUntil('the clients of other tests have gone', isEmpty);
  const crowd = await Promise.all(Array.from({ length: CROWD }, () => stage.sluice.connect()));
  t.teardown(() => {
    for (const one of crowd) one.destroy();
  });
  const rows = await stage.ask('SHOW SESSIONS');
  t.equal(rows.length, CROWD);
  const ids = rows.map(({ session_id }) => Number(session_id));
  t.strictSame(
    ids,
    ids.toSorted((a, b) => a - b),
    'in order',
  );
  for (const { threadId } of crowd) if (!ids.includes(threadId)) t.fail(`${threadId} is missing`);
  t.equal(new Set(rows.map(({ client }) => client)).size, CROWD, 'each with its own port');
  const [cut] = await stage.admin.query<RowDataPacket[]>('SHOW SESSIONS LIMIT 250');
  t.equal(cut.length, 250);
  t.match(await stage.ask('SHOW WARNINGS'), [
    { Level: 'Warning', Message: /more sessions than the 250 shown/ },
  ]);
  t.equal((await stage.ask('SHOW WARNINGS')).length, 1, 'asking for them keeps them');
  t.equal((await stage.ask('SHOW SESSIONS LIMIT 100000')).length, CROWD);
  t.strictSame(await stage.ask('SHOW WARNINGS'), [], 'another command does not');
}
