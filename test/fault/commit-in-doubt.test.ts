/** The connection is lost between COMMIT and its answer: the client is told the truth, or that nobody knows it. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { ServerFlavor } from '../../src/topology/server-description.ts';
import type { DatabaseServer } from '../support/database-server.ts';
import { Mysql57Server } from '../support/mysql57-server.ts';
import { ReplicationSet } from '../support/replication-set.ts';
import { type ConfigObject, mergeConfig, SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type Fault, MarkedFaultProxy } from './marked-fault-proxy.ts';

const ER_PARSE_ERROR = 1064;
const ER_TRANS_CACHE_FULL = 1197;
const ER_COMMIT_UNKNOWN = 9041;
const ER_COMMIT_ROLLED_BACK = 9042;

const missing = await Mysql57Server.unavailableReason();
const SQL = ['CREATE TABLE app.written (id INT PRIMARY KEY, mark VARCHAR(40))'];
const CONFIG = {
  failover: { resolveCommits: true },
  workers: 1,
  limits: { noServerWaitMs: 30_000 },
  log: { level: 'info' },
};

interface Stage {
  readonly set: ReplicationSet;
  readonly proxy: MarkedFaultProxy;
  readonly sluice: SluiceProcess;
}

async function makeStage(t: Test, set: ReplicationSet, config: ConfigObject = {}): Promise<Stage> {
  t.teardown(() => set.dispose());
  await set.start();
  const proxy = await MarkedFaultProxy.start(set.primary);
  t.teardown(() => proxy.close());
  const addresses = { servers: [proxy.address, ...set.replicas.map(({ address }) => address)] };
  const sluice = await SluiceProcess.startFor(set, {
    config: mergeConfig(mergeConfig(CONFIG, { ...addresses, monitor: { discovery: false } }), config),
  });
  t.teardown(() => sluice.dispose());
  return { set, proxy, sluice };
}

/** The error's number, or 0 for OK. */
async function errnoOf(work: Promise<unknown>): Promise<number> {
  return work.then(
    () => 0,
    (error: { readonly errno?: number }) => error.errno ?? -1,
  );
}

async function write(client: Connection, id: number, commit: string): Promise<number> {
  await client.query('START TRANSACTION');
  await client.query('INSERT INTO written VALUES (?, ?)', [id, 'written']);
  return errnoOf(client.query(commit));
}

/** From then on it is known where the binlogs ended before a COMMIT: a transaction that is lost is known to be lost. */
async function waitForPositions(client: Connection, set: ReplicationSet): Promise<void> {
  // MariaDB and MySQL count it under different names. With the second one the first is known.
  const counts =
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_show_binlog_status', 'Com_show_master_status')";
  await waitUntil('the ends of the binlogs are sampled', async () => {
    const samples = await Promise.all(set.servers.map((server) => server.query<{ Value: string }>(counts)));
    return samples.every((rows) => rows.reduce((sum, { Value }) => sum + Number(Value), 0) >= 2);
  });
  await client.query('SELECT 1');
}

async function countOn(server: DatabaseServer, id: number): Promise<number> {
  return Number(await server.queryValue('SELECT COUNT(*) FROM app.written WHERE id = ?', [id]));
}

async function isThere(set: ReplicationSet, id: number): Promise<boolean> {
  return (await countOn(set.primary, id)) === 1;
}

for (const flavor of [ServerFlavor.mariadb, ServerFlavor.mysql]) {
  const skip = flavor === ServerFlavor.mysql ? (missing ?? false) : false;
  // Every byte was tried once; each third one shows the same, and the packets of both flavours are alike.
  const step = flavor === ServerFlavor.mariadb ? 3 : 9;

  t.test(`cut between COMMIT and its answer, ${flavor}`, { skip }, async (t) => {
    const { set, proxy, sluice } = await makeStage(t, new ReplicationSet({ flavor, replicas: 0, sql: SQL }));
    const client = await sluice.connect();
    t.teardown(() => client.destroy());
    await waitForPositions(client, set);
    const told = { committed: 0, rolledBack: 0 };
    let id = 0;
    const tryFault = async (fault: Fault): Promise<boolean> => {
      proxy.faults.set('cut', fault);
      const errno = await write(client, ++id, `COMMIT ${MarkedFaultProxy.mark('cut')}`);
      const there = await isThere(set, id);
      if (errno !== (there ? 0 : ER_COMMIT_ROLLED_BACK))
        t.fail(`${JSON.stringify(fault)}: error ${errno}, and it is ${there ? 'there' : 'not there'}`);
      told[there ? 'committed' : 'rolledBack']++;
      return there;
    };
    // About 70 bytes: SAVEPOINT, and COMMIT with the mark.
    for (let bytes = 0; bytes < 80; bytes += step) await tryFault({ passStatementBytes: bytes });
    t.ok(told.rolledBack > 60 / step, 'a COMMIT of which the server has not got all was rolled back');
    let answered = 0;
    for (let bytes = 1; bytes < 30; bytes += step)
      answered += Number(await tryFault({ cutAfterBytes: bytes }));
    t.equal(answered, Math.ceil(29 / step), 'one whose answer was lost was committed');
    const [rows] = await client.query<RowDataPacket[]>('SELECT COUNT(*) AS n FROM written');
    t.equal(rows[0]?.n, told.committed, 'the session goes on');
    proxy.faults.clear();
    await t.test('several statements stay forbidden', (t) => checkSeveral(t, sluice));
  });
}

/** Mark and COMMIT are two in one text: connections allow that, and their clients must not notice. */
async function checkSeveral(t: Test, sluice: SluiceProcess): Promise<void> {
  const client = await sluice.connect();
  t.teardown(() => client.destroy());
  for (const id of [1001, 1002]) {
    t.equal(await write(client, id, 'COMMIT; -- with a remark'), 0);
    t.equal(await errnoOf(client.query('SELECT 1; DELETE FROM written')), ER_PARSE_ERROR);
    const [rows] = await client.query("SELECT ';' AS x; -- one statement");
    t.strictSame(rows, [{ x: ';' }]);
    await client.query('SELECT * FROM written FOR UPDATE');
    t.equal(await errnoOf(client.query('DO 1; DO 2')), ER_PARSE_ERROR);
  }
  const several = await sluice.connect({ multipleStatements: true });
  t.teardown(() => several.destroy());
  t.equal(await write(several, 1003, 'COMMIT'), 0);
  const [results] = await several.query('SELECT 1 AS a; SELECT COUNT(*) AS n FROM written WHERE id > 1000');
  t.strictSame(results, [[{ a: 1 }], [{ n: 3 }]]);
}

t.test('the primary dies at that moment', async (t) => {
  const set = new ReplicationSet({ replicas: 1, sql: SQL });
  const { proxy, sluice } = await makeStage(t, set);
  const [replica] = set.replicas as [DatabaseServer];
  const clients = await Promise.all([sluice.connect(), sluice.connect(), sluice.connect()]);
  t.teardown(() => Promise.all(clients.map((client) => client.destroy())));
  const [arrived, lost, bystander] = clients as [Connection, Connection, Connection];
  for (const client of clients) client.on('error', () => undefined);
  await waitForPositions(bystander, set);
  // The server executes it, and its answer never comes.
  proxy.faults.set('frozen', { freeze: true });
  const commit = `COMMIT ${MarkedFaultProxy.mark('frozen')}`;
  const first = write(arrived, 1, commit);
  await waitUntil('the replica has it', async () => (await countOn(replica, 1)) === 1);
  await replica.query('STOP SLAVE');
  const second = write(lost, 2, commit);
  await waitUntil('the primary has it', async () => (await countOn(set.primary, 2)) === 1);
  await set.primary.kill();
  proxy.breakAll();
  await replica.query('RESET SLAVE ALL');
  await replica.query('SET GLOBAL read_only = 0');
  t.equal(await first, 0, 'OK for what the survivor has');
  t.equal(await second, ER_COMMIT_ROLLED_BACK, 'an error that says so for what it has not');
  t.equal(await write(arrived, 3, 'COMMIT'), 0, 'and both sessions go on');
  t.equal(await write(lost, 4, 'COMMIT'), 0);
  t.strictSame(await replica.query('SELECT id FROM app.written ORDER BY id'), [
    { id: 1 },
    { id: 3 },
    { id: 4 },
  ]);
});

t.test('nobody is there to be asked', async (t) => {
  const set = new ReplicationSet({ replicas: 0, sql: SQL });
  const { proxy, sluice } = await makeStage(t, set, { limits: { noServerWaitMs: 500 } });
  const client = await sluice.connect();
  client.on('error', () => undefined);
  t.teardown(() => client.destroy());
  await waitForPositions(client, set);
  proxy.faults.set('frozen', { freeze: true });
  const committing = write(client, 1, `COMMIT ${MarkedFaultProxy.mark('frozen')}`);
  await waitUntil('the primary has it', async () => (await countOn(set.primary, 1)) === 1);
  await set.primary.kill();
  proxy.breakAll();
  t.equal(await committing, ER_COMMIT_UNKNOWN);
  proxy.faults.clear();
  t.not(await errnoOf(write(client, 2, 'COMMIT')), 0, 'without a primary nothing is committed');
});

/** How long a text may be so that the binlog's cache has room for its row, and not for a savepoint behind it. */
async function lengthThatFills(set: ReplicationSet): Promise<number> {
  const connection = await set.connect(set.primary);
  let [fits, fails] = [1000, 100_000];
  while (fails - fits > 1) {
    const length = (fits + fails) >> 1;
    await connection.query('BEGIN');
    if ((await errnoOf(connection.query(wide(length)))) === 0) fits = length;
    else fails = length;
    await connection.query('ROLLBACK');
  }
  await connection.end();
  return fits;
}

const wide = (length: number): string => `INSERT INTO wide VALUES (1, REPEAT('x', ${length}))`;

/** Else MariaDB commits the transaction without its mark, and MySQL commits nothing and says OK. */
for (const flavor of [ServerFlavor.mariadb, ServerFlavor.mysql]) {
  const skip = flavor === ServerFlavor.mysql ? (missing ?? false) : false;
  t.test(`a mark that fails, ${flavor}: nothing is committed without it`, { skip }, async (t) => {
    const set = new ReplicationSet({
      flavor,
      replicas: 1,
      args: ['--binlog-cache-size=4096', '--max-binlog-cache-size=4096'],
      sql: ['CREATE TABLE app.wide (id INT PRIMARY KEY, text LONGTEXT)'],
    });
    const { proxy, sluice } = await makeStage(t, set);
    const [replica] = set.replicas as [DatabaseServer];
    const client = await sluice.connect();
    t.teardown(() => client.destroy());
    await waitForPositions(client, set);
    const length = await lengthThatFills(set);
    const fill = async (): Promise<void> => {
      await client.query('START TRANSACTION');
      await client.query(wide(length));
    };
    const count = (server: DatabaseServer) => server.queryValue('SELECT COUNT(*) FROM app.wide');
    await fill();
    t.equal(await errnoOf(client.query('COMMIT')), ER_TRANS_CACHE_FULL, 'the client is told');
    await client.query('ROLLBACK');
    t.equal(await count(set.primary), '0');

    const marks = () =>
      set.primary
        .query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Com_savepoint'")
        .then(([row]) => row?.Value);
    const before = await marks();
    await fill();
    proxy.faults.set('frozen', { freeze: true });
    const committing = errnoOf(client.query(`COMMIT ${MarkedFaultProxy.mark('frozen')}`));
    await waitUntil('the primary has it', async () => (await marks()) !== before);
    await set.waitForSync();
    await set.primary.kill();
    proxy.breakAll();
    await replica.query('STOP SLAVE');
    await replica.query('RESET SLAVE ALL');
    await replica.query('SET GLOBAL read_only = 0');
    t.equal(await committing, ER_COMMIT_ROLLED_BACK);
    t.equal(await count(replica), '0', 'what is said to be rolled back is not there');
  });
}
