/** [B3] Reads after writes over a replica that is held up: what each level promises, and what nothing can promise. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Test } from 'tap';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import { APP_ACCOUNT, APP_SCHEMA, REPLICATION_ACCOUNT } from '../../support/replication-set.ts';
import type { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { CausalStage, numberOf, OTHER_ACCOUNT, outcomes, since } from './causal-stage.ts';
import { clearForCrowd, crowd, updatesOn } from './crowd.ts';

/** Where every replica is held up: nobody waits long in vain. */
const SHORT_MS = 30;
/** Where one that is not held up has to be reached in time, on a busy machine too. */
const ENOUGH_MS = 500;
/** The longest that may be set. */
const LONG_MS = 5000;

const NONE = { replica_at_once: 0, replica_waited: 0, primary: 0 };

interface WriteCase {
  readonly name: string;
  /** With `?` for the new value. The last one may fail. */
  readonly write: readonly string[];
  readonly read: string;
  readonly flavor?: ServerFlavor;
  readonly fails?: boolean;
  /** Somebody else has read this for update meanwhile. */
  readonly locked?: string;
  /** As a prepared statement as well. */
  readonly prepared?: boolean;
}

/** Whatever commits, in whatever way: a reader on another connection must see it. */
const WRITES: readonly WriteCase[] = [
  { name: 'an autocommit write', write: ['UPDATE t SET n = ?'], read: 'SELECT n FROM t', prepared: true },
  {
    name: 'a transaction',
    write: ['BEGIN', 'UPDATE t SET n = ?', 'COMMIT'],
    read: 'SELECT n FROM t WHERE id = 1',
  },
  {
    name: 'a COMMIT by the next BEGIN',
    write: ['BEGIN', 'UPDATE t SET n = ?', 'BEGIN', 'ROLLBACK'],
    read: 'SELECT n FROM t',
  },
  {
    name: 'a COMMIT by SET autocommit',
    write: ['SET autocommit = 0', 'UPDATE t SET n = ?', 'SET autocommit = 1'],
    read: 'SELECT n FROM t',
  },
  {
    name: 'a COMMIT by DDL that fails',
    write: ['BEGIN', 'UPDATE t SET n = ?', 'CREATE TABLE t (a INT)'],
    read: 'SELECT n FROM t',
    fails: true,
  },
  {
    name: 'COMMIT AND CHAIN',
    write: ['BEGIN', 'UPDATE t SET n = ?', 'COMMIT AND CHAIN', 'ROLLBACK'],
    read: 'SELECT n FROM t',
  },
  {
    name: 'a table without transactions in one',
    write: ['BEGIN', 'UPDATE simple SET n = ?', 'ROLLBACK'],
    read: 'SELECT n FROM simple',
  },
  { name: 'a trigger', write: ['UPDATE other SET n = ?'], read: 'SELECT n FROM noted', prepared: true },
  {
    name: 'a view of what a trigger has written',
    write: ['UPDATE other SET n = ?'],
    read: 'SELECT n FROM seen',
  },
  { name: 'a procedure', write: ['CALL sets(?)'], read: 'SELECT n FROM t', prepared: true },
  {
    name: 'a procedure that fails behind its write',
    write: ['CALL fails(?)'],
    read: 'SELECT n FROM t',
    fails: true,
  },
  { name: 'a function in a SELECT', write: ['SELECT writes(?)'], read: 'SELECT n FROM t', prepared: true },
  {
    name: 'a view that calls a function, in a transaction that has written something else',
    write: ['UPDATE given SET n = ?', 'BEGIN', 'UPDATE given SET n = n', 'SELECT n FROM calling', 'COMMIT'],
    read: 'SELECT n FROM t',
  },
  {
    name: 'several statements',
    write: ['UPDATE other SET n = n; UPDATE t SET n = ?; SELECT 1'],
    read: 'SELECT n FROM t',
  },
  {
    name: 'several statements of which one fails',
    write: ['UPDATE t SET n = ?; SELECT nonsense FROM t'],
    read: 'SELECT n FROM t',
    fails: true,
  },
  {
    name: 'an XA transaction',
    write: ["XA START 'x'", 'UPDATE t SET n = ?', "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'"],
    read: 'SELECT n FROM t',
  },
  {
    name: 'a statement that returns rows',
    write: ['DELETE FROM noted', 'INSERT INTO noted VALUES (?) RETURNING n'],
    read: 'SELECT n FROM noted',
    flavor: 'mariadb',
  },
  {
    name: 'a table without transactions, up to a row that is locked',
    write: [
      'SET innodb_lock_wait_timeout = 1',
      'INSERT INTO simple SELECT id, ? FROM t ORDER BY id ON DUPLICATE KEY UPDATE n = VALUES(n)',
    ],
    locked: 'SELECT * FROM t WHERE id = 2 FOR UPDATE',
    read: 'SELECT n FROM simple',
    fails: true,
  },
  {
    name: 'a trigger that fails behind its write to a table without transactions',
    write: ['UPDATE guarded SET n = ?'],
    read: 'SELECT n FROM simple',
    fails: true,
    // MySQL does not mix them in one statement.
    flavor: 'mariadb',
  },
  { name: 'DDL', write: ['CREATE OR REPLACE VIEW app.shown AS SELECT ? AS n'], read: 'SELECT n FROM shown' },
  {
    name: 'a new table',
    write: ['DROP TABLE IF EXISTS made', 'CREATE TABLE made (n INT)', 'INSERT INTO made VALUES (?)'],
    read: 'SELECT n FROM made',
  },
];

export async function runCausal(t: Test, flavor: ServerFlavor): Promise<void> {
  const stage = await CausalStage.start(t, flavor);
  await t.test('whatever commits', (t) => checkWrites(t, stage, flavor));
  await t.test('levels', (t) => checkLevels(t, stage));
  await t.test('a GTID that is handed on', (t) => checkTokens(t, stage));
  await t.test('waits', (t) => checkWaits(t, stage));
  await t.test('read-only transactions', (t) => checkReadOnly(t, stage));
  await t.test('many sessions', (t) => checkCrowd(t, stage));
  await t.test('the primary moves', (t) => checkMovedPrimary(t, stage));
  if (flavor === 'mysql') await t.test('without GTIDs', (t) => checkWithoutGtids(t, stage));
}

async function clients(
  t: Test,
  sluice: SluiceProcess,
  count: number,
  account = APP_ACCOUNT,
): Promise<Connection[]> {
  const made: Connection[] = [];
  for (let n = 0; n < count; n++) {
    const { username: user, password } = account;
    const connection = await sluice.connect({ user, password, multipleStatements: true });
    t.teardown(() => connection.destroy());
    made.push(connection);
  }
  return made;
}

async function checkWrites(t: Test, stage: CausalStage, flavor: ServerFlavor): Promise<void> {
  const sluice = await stage.sluice(t, { causalReads: { waitMs: SHORT_MS } });
  let value = 100;
  for (const each of WRITES) {
    if (each.flavor !== undefined && each.flavor !== flavor) continue;
    for (const isPrepared of each.prepared === true ? [false, true] : [false]) {
      await t.test(isPrepared ? `${each.name}, prepared` : each.name, async (t) => {
        const [writer, reader] = (await clients(t, sluice, 2)) as [Connection, Connection];
        value++;
        const locker = await stage.set.primary.rootConnection({ database: APP_SCHEMA });
        t.teardown(() => locker.destroy());
        await stage.heldUp(async () => {
          if (each.locked !== undefined) await locker.query(`BEGIN; ${each.locked}`);
          await write(t, writer, each, value, isPrepared);
          t.equal(await numberOf(reader, each.read), value, 'another session sees it');
          const [rows] = await reader.execute<RowDataPacket[]>(each.read);
          t.equal(rows[0]?.n, value, 'and by a prepared statement');
        });
      });
    }
  }
  t.same((await outcomes(sluice)).replica_waited, 0, 'none of them was seen on the replica');
}

async function write(
  t: Test,
  writer: Connection,
  { write: statements, fails = false }: WriteCase,
  value: number,
  isPrepared: boolean,
): Promise<void> {
  const last = statements.length - 1;
  for (const [index, sql] of statements.entries()) {
    const run = isPrepared ? writer.execute(sql, [value]) : writer.query(sql.replace('?', String(value)));
    if (index === last && fails) await t.rejects(run);
    else await run;
  }
}

async function checkLevels(t: Test, stage: CausalStage): Promise<void> {
  const sluice = await stage.sluice(t, {
    causalReads: { level: 'none', waitMs: ENOUGH_MS },
    users: [APP_ACCOUNT, { ...OTHER_ACCOUNT, causalReads: 'session' }],
    queryRules: [
      { ruleId: 1, matchDigest: 'AS ruled', attributes: { causal_reads: 'table' } },
      { ruleId: 2, matchDigest: 'AS gtid_ruled', gtidFromHostgroup: 0 },
    ],
  });
  const [app, reader] = (await clients(t, sluice, 2)) as [Connection, Connection];
  const [other, another] = (await clients(t, sluice, 2, OTHER_ACCOUNT)) as [Connection, Connection];
  await app.query('UPDATE t SET n = 1');
  const sees = async (connection: Connection, sql: string): Promise<boolean> =>
    (await numberOf(connection, sql)) === 2;
  await stage.heldUp(async () => {
    await app.query('UPDATE t SET n = 2 WHERE id = 1');
    await other.query('UPDATE t SET n = 2 WHERE id = 2');
    const plain = 'SELECT n FROM t WHERE id = 2';
    t.notOk(
      await sees(app, plain),
      'none: what the replica has, which is why the rest of this test can fail',
    );
    t.ok(await sees(other, plain), 'session, by the account: what it has written itself');
    t.notOk(await sees(another, plain), 'and nothing of others');
    t.ok(await sees(reader, '/* sluice:causal=table */ SELECT n FROM t WHERE id = 2'), 'table, by a hint');
    t.notOk(await sees(other, '/* sluice:causal=none */ SELECT n FROM t WHERE id = 2'), 'none, by a hint');
    t.notOk(
      await sees(other, '/* sluice:replica */ SELECT n FROM t WHERE id = 2'),
      'a replica, whatever it has',
    );
    const both = '/* sluice:replica causal=session */ SELECT n FROM t WHERE id = 2';
    t.ok(await sees(other, both), 'a replica, if it has it');
    t.ok(await sees(reader, 'SELECT n AS ruled FROM t WHERE id = 2'), 'table, by a rule');
    t.ok(await sees(app, 'SELECT n AS gtid_ruled FROM t WHERE id = 1'), 'session, by a rule of ProxySQL');
    t.notOk(await sees(reader, 'SELECT n AS gtid_ruled FROM t WHERE id = 1'));
    const id = await numberOf(reader, '/* sluice:causal=table */ SELECT @@server_id FROM other');
    t.equal(id, stage.replica.serverId, 'a table that nobody has written is read there');
    await other.changeUser({ user: APP_ACCOUNT.username, password: APP_ACCOUNT.password, database: 'app' });
    const own = '/* sluice:causal=session */ SELECT n FROM t WHERE id = 2';
    t.notOk(await sees(other, own), 'another user knows nothing of it');
  });
}

async function checkTokens(t: Test, stage: CausalStage): Promise<void> {
  const sluice = await stage.sluice(t, { causalReads: { level: 'none', waitMs: ENOUGH_MS } });
  const [writer, reader] = (await clients(t, sluice, 2)) as [Connection, Connection];
  await writer.query('UPDATE t SET n = 1');
  const hinted = (gtid: string): string => `/* sluice:min_gtid=${gtid} */ SELECT n FROM t WHERE id = 1`;
  // Heartbeats are written meanwhile: the replica has to have this one before it is held up.
  const before = await stage.set.gtidPosition();
  await waitUntil('Sluice knows that the replica has it', async () => {
    const on = await numberOf(reader, `/* sluice:min_gtid=${before} */ SELECT @@server_id FROM noted`);
    return on === stage.replica.serverId;
  });
  await stage.heldUp(async () => {
    await writer.query('UPDATE t SET n = 2');
    const after = await stage.set.gtidPosition();
    t.equal(await numberOf(reader, hinted(before)), 1, 'what the replica has');
    t.equal(await numberOf(reader, hinted(after)), 2, 'what it has not');
    t.equal(
      await numberOf(reader, `/*;min_gtid=${after};*/ SELECT n FROM t WHERE id = 1`),
      2,
      'in the words of ProxySQL',
    );
    const [rows] = await reader.execute<RowDataPacket[]>(hinted(after));
    t.same(rows, [{ n: 2 }], 'a prepared statement');
    t.equal(await numberOf(reader, hinted(`${before},${after}`)), 2, 'the later one of two');
    const strange = '01234567-0123-0123-0123-0123456789ab:5';
    t.equal(await numberOf(reader, hinted(strange)), 2, 'one of a server that nobody knows: the primary');
    for (const wrong of ['x', '5', '0-1', 'a-b-c', '01234567:5'])
      await t.rejects(reader.query(hinted(wrong)), { errno: 9050 } as object as Error, wrong);
    t.equal(await numberOf(reader, 'SELECT n FROM t WHERE id = 1'), 1, 'and the session goes on');
  });
}

async function checkWaits(t: Test, stage: CausalStage): Promise<void> {
  const sluice = await stage.sluice(t, { causalReads: { waitMs: LONG_MS } });
  const connections = await clients(t, sluice, 6);
  const [writer, unaffected, ...readers] = connections as [Connection, Connection, ...Connection[]];
  const admin = await sluice.adminConnection();
  t.teardown(() => admin.end());
  const before = await outcomes(sluice);
  await stage.heldUp(async (letGo) => {
    await writer.query('UPDATE t SET n = 7');
    const waiting = readers.map((reader) => numberOf(reader, 'SELECT n FROM t'));
    await waitUntil('they wait', async () => {
      const [rows] = await admin.query<RowDataPacket[]>('SHOW SESSIONS');
      return rows.filter(({ state }) => state === 'searching').length === readers.length;
    });
    const id = await numberOf(unaffected, 'SELECT @@server_id FROM noted');
    t.equal(id, stage.replica.serverId, 'nobody else is held up');
    await letGo();
    t.same(
      await Promise.all(waiting),
      readers.map(() => 7),
    );
  });
  t.same(await since(sluice, before), { ...NONE, replica_waited: readers.length });
  const [steps] = await admin.query<RowDataPacket[]>(`SHOW ROUTES FOR SESSION ${readers[0]!.threadId}`);
  t.match(steps.at(-1), { target: 'replica', reason: 'proven-read', server: stage.replica.address });
}

/** On the replica, unless what it must see is not there. */
async function checkReadOnly(t: Test, stage: CausalStage): Promise<void> {
  const sluice = await stage.sluice(t, { causalReads: { waitMs: ENOUGH_MS } });
  const READ = 'SELECT n, @@server_id AS id FROM t WHERE id = 1';
  const read = async (connection: Connection) => {
    const [rows] = await connection.query<RowDataPacket[]>(READ);
    return rows[0];
  };
  const { replica, set } = stage;
  const [writer, first, second] = (await clients(t, sluice, 3)) as [Connection, Connection, Connection];
  await writer.query('UPDATE t SET n = 20');
  await waitUntil(
    'the replica is known to have it',
    async () => (await read(first))?.id === replica.serverId,
  );
  for (const reader of [first, second]) await reader.query('START TRANSACTION READ ONLY');
  t.match(await read(first), { n: 20, id: replica.serverId });
  await stage.heldUp(async () => {
    await writer.query('UPDATE t SET n = 21');
    t.match(await read(first), { n: 20, id: replica.serverId }, 'its snapshot is from before');
    t.match(await read(second), { n: 21, id: set.primary.serverId }, 'this one has read nothing before');
  });
  for (const reader of [first, second]) await reader.query('COMMIT');
}

async function checkCrowd(t: Test, stage: CausalStage): Promise<void> {
  const SESSIONS = 8;
  const OPERATIONS = 60;
  const sluice = await stage.sluice(t, { workers: 2, causalReads: { waitMs: ENOUGH_MS } });
  let hasEnded = false;
  const end = (): void => {
    hasEnded = true;
  };
  await clearForCrowd(stage);
  const all = crowd(await clients(t, sluice, SESSIONS), (n) => n < OPERATIONS);
  void all.then(end, end);
  const isBehind = async (): Promise<boolean> =>
    hasEnded || (await updatesOn(stage.set.primary)) > (await updatesOn(stage.replica));
  while (!hasEnded)
    await stage.heldUp(async () => {
      await waitUntil('the replica is behind', isBehind, { intervalMs: 5 });
    });
  t.same(await all, { reads: (SESSIONS * OPERATIONS * 2) / 3, stale: 0 });
}

/** There and back: the numbers of the first primary's second time are above those of its first. */
async function checkMovedPrimary(t: Test, stage: CausalStage): Promise<void> {
  const sluice = await stage.sluice(t, { workers: 2, failover: { replication: REPLICATION_ACCOUNT } });
  const admin = await sluice.adminConnection();
  t.teardown(() => admin.end());
  let moves = 0;
  await clearForCrowd(stage);
  const operations = crowd(await clients(t, sluice, 6), () => moves < 2);
  for (const target of [stage.replica, stage.set.primary]) {
    const before = await outcomes(sluice);
    await admin.query(`SWITCHOVER TO '${target.address}' TIMEOUT 20`);
    await waitUntil('a replica is read again', async () => (await since(sluice, before)).replica_waited > 0);
    moves++;
  }
  t.match(await operations, { stale: 0 });
}

/** Nobody reports a commit: the primary is asked where its binlog is, and reads of what was written wait for that there. */
async function checkWithoutGtids(t: Test, stage: CausalStage): Promise<void> {
  const { primary } = stage.set;
  await stage.set.waitForSync();
  const [status] = await primary.query<Record<string, string>>('SHOW MASTER STATUS');
  await stage.replica.query(
    `STOP SLAVE; CHANGE MASTER TO MASTER_AUTO_POSITION=0, MASTER_LOG_FILE='${status?.File}', MASTER_LOG_POS=${status?.Position}; START SLAVE`,
  );
  for (const mode of ['ON_PERMISSIVE', 'OFF_PERMISSIVE', 'OFF'])
    for (const server of stage.set.servers) await server.query(`SET GLOBAL gtid_mode=${mode}`);
  const sluice = await stage.sluice(t, { causalReads: { waitMs: ENOUGH_MS } });
  const [writer, reader] = (await clients(t, sluice, 2)) as [Connection, Connection];
  const read = async () => {
    const [rows] = await reader.query<RowDataPacket[]>('SELECT n, @@server_id AS id FROM t WHERE id = 1');
    return rows[0];
  };
  const lock = await stage.replica.rootConnection();
  await lock.query('FLUSH TABLES WITH READ LOCK');
  for (let n = 700; n < 710; n++) {
    await writer.query(`UPDATE t SET n = ${n}`);
    t.match(await read(), { n, id: primary.serverId });
  }
  await lock.end();
  await waitUntil(
    'the replica is known to have it',
    async () => (await read())?.id === stage.replica.serverId,
  );
  t.match(await read(), { n: 709 });
}
