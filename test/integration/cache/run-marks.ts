/** What real servers' answers mean for the marks, statement by statement, and for those that nobody hears the end of. */

import type { Connection } from 'mysql2/promise';
import type { Test } from 'tap';
import { EVERYTHING } from '../../../src/common/table-epochs.ts';
import { encodeTableRelations } from '../../../src/common/table-relations.ts';
import { tableSlot } from '../../../src/common/table-slots.ts';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { MarksRig, startSet } from './marks-rig.ts';

const PATIENT = { timeoutMs: 30_000 };

/** As often it is looked at while a write is held up. */
const LOOKS = 50;

type Step = readonly [sql: string, raised: string, fails?: 'fails'];

/** What MySQL refuses with GTIDs. */
const MIXED = 'with a table without transactions';

/** One session each, in the order of its steps. */
const SESSIONS: Readonly<Record<string, readonly Step[]>> = {
  autocommit: [
    ['UPDATE t SET n = n + 1', 't'],
    ['UPDATE t SET n = n + 1 WHERE id = 99', 't'],
    ['SELECT * FROM t', ''],
    ['INSERT INTO t VALUES (1, 1)', 't', 'fails'],
    ['UPDATE t, u SET t.n = 1, u.n = 1', 't u'],
    ['SET NAMES utf8mb4', ''],
    ['SELECT writes()', '*'],
    ['UPDATE my SET n = n + 1', 'my'],
    // Of three rows one has been changed when it fails.
    ['UPDATE my SET id = CASE id WHEN 1 THEN 9 ELSE 3 END ORDER BY id', 'my', 'fails'],
    ['UPDATE my SET id = 1 WHERE id = 9', 'my'],
    ['CREATE TABLE t (id INT)', 't', 'fails'],
    ['ALTER TABLE u COMMENT "x"', 'u'],
    ['UPDATE t SET n = 1; UPDATE u SET n = 1; SELECT 1', 't u'],
  ],
  'a transaction': [
    ['BEGIN', ''],
    ['UPDATE t SET n = n + 1', ''],
    ['SELECT * FROM u', ''],
    ['SAVEPOINT a', ''],
    ['UPDATE u SET n = n + 1', ''],
    ['ROLLBACK TO a', ''],
    ['COMMIT', 't u'],
    ['SELECT * FROM u', ''],
  ],
  'a transaction that is rolled back': [
    ['START TRANSACTION', ''],
    ['UPDATE t SET n = n + 1', ''],
    ['ROLLBACK', ''],
    ['COMMIT', ''],
  ],
  [MIXED]: [
    ['BEGIN', ''],
    ['UPDATE t SET n = n + 1', ''],
    ['UPDATE my SET n = n + 1', 'my'],
    ['ROLLBACK', ''],
  ],
  'without autocommit': [
    ['SET autocommit = 0', ''],
    ['UPDATE t SET n = n + 1', ''],
    ['COMMIT', 't'],
    ['UPDATE u SET n = n + 1', ''],
    ['SET autocommit = 1', 'u'],
    ['UPDATE u SET n = n + 1', 'u'],
  ],
  'implicit commits': [
    ['BEGIN', ''],
    ['UPDATE t SET n = n + 1', ''],
    ['BEGIN', 't'],
    ['UPDATE u SET n = n + 1', ''],
    ['CREATE TABLE t (id INT)', 't u', 'fails'],
    // For all that its error says, the transaction may be open still.
    ['BEGIN', 'u'],
    ['UPDATE t SET n = n + 1', ''],
    ['LOCK TABLES u READ', 't'],
    ['UNLOCK TABLES', ''],
  ],
  chains: [
    ['BEGIN', ''],
    ['UPDATE t SET n = n + 1', ''],
    ['COMMIT AND CHAIN', 't'],
    ['UPDATE u SET n = n + 1', ''],
    ['ROLLBACK AND CHAIN', ''],
    ['UPDATE t SET n = n + 1', ''],
    ['COMMIT', 't'],
  ],
  'a routine begins a transaction': [
    ['CALL opens()', '*'],
    ['UPDATE u SET n = n + 1', ''],
    ['COMMIT', '*'],
  ],
  'a routine begins a transaction and fails': [
    ['CALL opens_and_fails()', '*', 'fails'],
    ['COMMIT', '*'],
  ],
  'text PREPARE': [
    ['PREPARE s FROM "UPDATE t SET n = n + 1"', ''],
    ['EXECUTE s', 't'],
    ['BEGIN', ''],
    ['EXECUTE s', ''],
    ['COMMIT', 't'],
    ['SET @q = "UPDATE u SET n = n + 1"', ''],
    ['PREPARE s FROM @q', ''],
    ['EXECUTE s', '*'],
    ['DEALLOCATE PREPARE s', ''],
  ],
  XA: [
    ['XA START "one"', '*'],
    ['UPDATE t SET n = n + 1', ''],
    ['XA END "one"', '*'],
    ['XA PREPARE "one"', '*'],
    ['XA COMMIT "one"', '*'],
  ],
  'a statement that is not parsed': [['UPDATE t SET', 't', 'fails']],
};

export async function runMarks(t: Test, flavor: ServerFlavor): Promise<void> {
  const set = await startSet(t, flavor);
  const rig = await MarksRig.start(t, set, 2);

  for (const [name, steps] of Object.entries(SESSIONS)) {
    if (name === MIXED && flavor === 'mysql') continue;
    await t.test(name, async (t) => {
      const connection = await rig.connect();
      for (const [sql, raised, fails] of steps) {
        const found = await rig.raisedBy(async () => {
          const outcome = await connection.query(sql).then(
            () => undefined,
            (error: Error) => error,
          );
          if ((outcome !== undefined) !== (fails !== undefined)) t.fail(`${sql}: ${outcome?.message}`);
        });
        t.equal(found, raised, sql);
      }
      await connection.end();
    });
  }

  await t.test('an engine that is crash-safe, and has no transactions', async (t) => {
    if (flavor !== 'mariadb') return;
    const connection = await rig.connect();
    await connection.query('BEGIN');
    t.equal(await rig.raisedBy(() => connection.query('INSERT INTO aria VALUES (1, 1)')), 'aria');
    t.ok(rig.written('aria') > 0 || rig.isUnknown('aria'), 'a replica must have it');
    await connection.end();
  });

  await t.test('prepared statements', async (t) => {
    const connection = await rig.connect();
    const update = await connection.prepare('UPDATE t SET n = n + ? WHERE id = 1');
    t.equal(await rig.raisedBy(() => update.execute([1])), 't');
    await connection.query('BEGIN');
    t.equal(await rig.raisedBy(() => update.execute([1])), '');
    t.equal(await rig.raisedBy(() => connection.query('COMMIT')), 't');
    await connection.end();
  });

  await t.test('in flux while it runs', (t) => whileItRuns(t, rig));
  await t.test('connections that are lost with a write under way', (t) => losses(t, rig));
  await t.test('the schema changes behind a write that was sent before', (t) => barrier(t, rig));
  await t.test('a worker that crashes', (t) => crash(t, rig));
  await t.test('who may not see the threads does not take them for ended', (t) => unseen(t, set));
  await t.test('another primary', (t) => anotherTerm(t, rig));
}

/** What waits behind a lock of a direct connection is looked at in the middle. */
async function whileItRuns(t: Test, rig: MarksRig): Promise<void> {
  const blocker = await rig.server.rootConnection({ database: 'app' });
  const connection = await rig.connect();
  const cases: readonly (readonly [lock: string, before: string, sql: string, flux: string])[] = [
    ['LOCK TABLES t WRITE', '', 'UPDATE t SET n = n + 1', 't'],
    ['LOCK TABLES t WRITE', '', 'SELECT * FROM t FOR UPDATE', ''],
    ['LOCK TABLES t WRITE', '', 'SELECT writes()', '*'],
    ['LOCK TABLES t WRITE', '', 'DROP TABLE IF EXISTS t2, t', 't'],
    ['FLUSH TABLES WITH READ LOCK', 'BEGIN; UPDATE t SET n = n + 1', 'COMMIT', 't'],
    ['LOCK TABLES u WRITE', 'BEGIN; UPDATE t SET n = n + 1', 'UPDATE u SET n = n + 1', 'u'],
  ];
  for (const [lock, before, sql, flux] of cases) {
    if (before !== '') await connection.query(before);
    await blocker.query(lock);
    const running = connection.query(sql).catch((error: Error) => error);
    await rig.runs(sql);
    t.equal(rig.flux, flux, `${sql} behind ${lock}`);
    if (sql.startsWith('DROP')) await killStatement(rig, sql);
    await blocker.query('UNLOCK TABLES');
    await running;
    await rig.quiet();
    await connection.query('ROLLBACK');
  }
  await blocker.end();
  await connection.end();
}

/** The statement ends, its connection stays. */
async function killStatement(rig: MarksRig, sql: string): Promise<void> {
  await rig.server.query(`KILL QUERY ${await rig.runs(sql)}`);
}

const HELD_UP = 'UPDATE t SET n = n + 1 WHERE id = 1';

/** Writes of rows of `t` wait on the server until it is let go. */
async function holdUp({ server }: MarksRig): Promise<() => Promise<void>> {
  const holder = await server.rootConnection();
  await holder.query('BEGIN; SELECT n FROM app.t FOR UPDATE');
  return () => holder.end();
}

async function losses(t: Test, rig: MarksRig): Promise<void> {
  const value = async (): Promise<number> =>
    Number(await rig.server.queryValue('SELECT n FROM app.t WHERE id = 1'));

  await t.test('the client goes away: what it has sent is carried out', async (t) => {
    const before = await value();
    const connection = await rig.connect();
    const raised = await rig.raisedBy(async () => {
      const letGo = await holdUp(rig);
      void connection.query(HELD_UP).catch(() => undefined);
      await rig.runs('UPDATE t');
      connection.destroy();
      await waitUntil('it is a doubt', () => rig.doubts.count === 1);
      t.equal(rig.flux, 't');
      await letGo();
      await waitUntil('it has run', async () => (await value()) === before + 1);
    });
    t.equal(raised, 't');
    t.equal(rig.doubts.count, 0);
    t.ok(rig.isUnknown('t'), 'it may have been written behind all that is known');
  });

  await t.test('it is never out of flux while it is not carried out', async (t) => {
    const before = await value();
    const connection = await rig.connect();
    const letGo = await holdUp(rig);
    void connection.query(HELD_UP).catch(() => undefined);
    await rig.runs('UPDATE t');
    connection.destroy();
    let lettingGo: Promise<void> | null = null;
    for (let looks = 0; ; looks++) {
      const flux = rig.flux;
      if ((await value()) !== before) break;
      if (flux !== 't') t.fail(`look ${looks}`);
      if (looks === LOOKS) lettingGo = letGo();
    }
    await lettingGo;
    await rig.quiet();
  });

  await t.test('the server closes the connection', async (t) => {
    const before = await value();
    const connection = await rig.connect();
    const raised = await rig.raisedBy(async () => {
      const letGo = await holdUp(rig);
      const running = connection.query(HELD_UP).catch((error: Error) => error);
      const id = await rig.runs('UPDATE t');
      await rig.server.query(`KILL ${id}`);
      t.match(await running, Error);
      await letGo();
    });
    t.equal(raised, 't');
    t.equal(await value(), before);
  });

  await t.test('a COMMIT', async (t) => {
    const before = await value();
    const blocker = await rig.server.rootConnection();
    const connection = await rig.connect();
    await connection.query('BEGIN; UPDATE t SET n = n + 1 WHERE id = 1');
    const raised = await rig.raisedBy(async () => {
      await blocker.query('FLUSH TABLES WITH READ LOCK');
      void connection.query('COMMIT').catch(() => undefined);
      await rig.runs('COMMIT');
      connection.destroy();
      await waitUntil('it is a doubt', () => rig.doubts.count === 1);
      t.equal(rig.flux, 't');
      await blocker.query('UNLOCK TABLES');
      await waitUntil('it has run', async () => (await value()) === before + 1);
    });
    t.equal(raised, 't');
    await blocker.end();
  });

  await t.test('a transaction in which nothing runs: it is rolled back', async (t) => {
    const connection = await rig.connect();
    await connection.query('BEGIN; UPDATE t SET n = n + 1 WHERE id = 1');
    const raised = await rig.raisedBy(async () => {
      connection.destroy();
      // It has given up its lock of the row by then.
      await rig.server.query('SELECT n FROM app.t WHERE id = 1 FOR UPDATE');
    });
    t.equal(raised, '');
    t.equal(rig.doubts.count, 0);
  });
}

/** The catalogue says what follows from `t` only when it has been read again; until then everything may follow. */
async function barrier(t: Test, rig: MarksRig): Promise<void> {
  const writer = await rig.connect();
  const definer = await rig.connect();
  const blocker = await rig.server.rootConnection({ database: 'app' });
  rig.readsAgain = false;
  await blocker.query('BEGIN; SELECT n FROM u WHERE id = 1 FOR UPDATE');
  const running = writer.query('UPDATE u SET n = n + 1 WHERE id = 1');
  await rig.runs('UPDATE u');
  t.equal(rig.flux, 'u');
  await definer.query('CREATE OR REPLACE VIEW seen AS SELECT n FROM t');
  await waitUntil('the main thread has it', () => rig.schema.held === 1);
  t.equal(rig.flux, 'u *', 'the statement has been answered, and nobody has read the schema');
  const written = new Map([[tableSlot('app', 'u'), [tableSlot('app', 't')]]]);
  rig.readAgain(encodeTableRelations(new Map(), written, new Map()));
  await waitUntil('workers go by it', () => rig.schema.held === 0);
  t.equal(rig.flux, '*', 'the write may change more than it has said');
  await blocker.query('COMMIT');
  await running;
  await rig.quiet();
  t.equal(await rig.raisedBy(() => writer.query('UPDATE u SET n = n + 1')), 't u');
  rig.readsAgain = true;
  rig.readAgain(null);
  for (const connection of [writer, definer, blocker]) await connection.end();
}

async function crash(t: Test, rig: MarksRig): Promise<void> {
  const connections: Connection[] = [];
  for (let i = 0; i < 2; i++) connections.push(await rig.connect());
  const before = Number(await rig.server.queryValue('SELECT SUM(n) FROM app.t'));
  const raised = await rig.raisedBy(async () => {
    const letGo = await holdUp(rig);
    for (const [index, connection] of connections.entries())
      void connection.query(`UPDATE t SET n = n + 1 WHERE id = ${index + 1}`).catch(() => undefined);
    await waitUntil('both run', async () => {
      const running = (await rig.threads()).filter(({ info }) => info?.startsWith('UPDATE t'));
      return running.length === 2;
    });
    const { serverVersion } = rig.snapshot;
    rig.publish({ serverVersion: 'crash 0' });
    rig.publish({ serverVersion: 'crash 1' });
    await waitUntil('both have gone', () => rig.workers.status().every(({ restarts }) => restarts === 1));
    await waitUntil('both are doubts', () => rig.doubts.count > 0);
    t.equal(rig.flux, 't');
    await letGo();
    await waitUntil('both have run', async () => {
      return Number(await rig.server.queryValue('SELECT SUM(n) FROM app.t')) === before + 2;
    });
    rig.publish({ serverVersion });
    await waitUntil('workers are back', () => rig.workers.status().every(({ running }) => running), PATIENT);
  });
  t.equal(raised, 't');
}

/** The account sees its own threads only. */
async function unseen(t: Test, set: ReplicationSet): Promise<void> {
  const { primary } = set;
  await primary.query("CREATE USER blind@'%' IDENTIFIED BY 'blind-secret'");
  const rig = await MarksRig.start(t, set, 1, { username: 'blind', password: 'blind-secret' });
  const connection = await rig.connect();
  const letGo = await holdUp(rig);
  void connection.query(HELD_UP).catch(() => undefined);
  await rig.runs('UPDATE t');
  connection.destroy();
  await waitUntil('it is a doubt', () => rig.doubts.count === 1);
  await letGo();
  await waitUntil('it has ended', async () => {
    return (await rig.threads()).every(({ info }) => info?.startsWith('UPDATE t') !== true);
  });
  await waitUntil('it was looked for', async () => {
    const [row] = await primary.query(
      "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE USER = 'blind'",
    );
    return Number(row?.n) > 0;
  });
  t.equal(rig.flux, 't');
  t.equal(rig.doubts.count, 1);
  await primary.query("GRANT PROCESS ON *.* TO blind@'%'");
  await rig.quiet();
}

async function anotherTerm(t: Test, rig: MarksRig): Promise<void> {
  const connection = await rig.connect();
  const { servers, writes } = rig.snapshot;
  void connection.query('UPDATE t SET n = n + SLEEP(60) WHERE id = 1').catch(() => undefined);
  await rig.runs('UPDATE t');
  connection.destroy();
  await waitUntil('it is a doubt', () => rig.doubts.count === 1);
  rig.publish({ servers: servers.map((server) => ({ ...server, role: 'unknown' as const })) });
  const before = rig.epochs.epoch(EVERYTHING);
  t.equal(rig.flux, 't', 'nobody can say what becomes of it');
  const other = { ...servers[0]!, address: '127.0.0.1:1', port: 1, slot: 1 };
  rig.publish({ servers: [other], writes: { ...writes, term: writes.term + 1 } });
  await rig.quiet();
  t.not(rig.epochs.epoch(EVERYTHING), before, 'the term has raised everything');
  t.equal(rig.doubts.count, 0);
}
