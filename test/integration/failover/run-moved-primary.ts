/**
 * The primary becomes another server while clients write: with HOLD WRITES in front of it, and without. Every write
 * that was acknowledged is there once, and no client has seen an error.
 */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Test } from 'tap';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { movePrimary } from '../../support/moved-primary.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const CLIENTS = 6;

interface Stage {
  readonly set: ReplicationSet;
  readonly sluice: SluiceProcess;
  primary: DatabaseServer;
  replica: DatabaseServer;
  /** Ids are given once. */
  nextId: number;
}

/** Writes until it is told to stop; ids that were acknowledged, and errors. */
class Writer {
  readonly acknowledged: number[] = [];
  readonly errors: string[] = [];
  #isStopping = false;
  readonly #stage: Stage;
  readonly #write: (connection: Connection, id: number) => Promise<void>;

  constructor(stage: Stage, write: (connection: Connection, id: number) => Promise<void>) {
    this.#stage = stage;
    this.#write = write;
  }

  async run(): Promise<void> {
    const connection = await this.#stage.sluice.connect();
    connection.on('error', (error) => this.errors.push(error.message));
    while (!this.#isStopping && this.errors.length === 0) {
      const id = this.#stage.nextId++;
      try {
        await this.#write(connection, id);
        this.acknowledged.push(id);
      } catch (error) {
        this.errors.push((error as Error).message);
      }
    }
    await connection.end().catch(() => undefined);
  }

  stop(): void {
    this.#isStopping = true;
  }
}

async function autocommit(connection: Connection, id: number): Promise<void> {
  await connection.query(`INSERT INTO t VALUES (${id}, 'autocommit')`);
}

async function prepared(connection: Connection, id: number): Promise<void> {
  await connection.execute("INSERT INTO t VALUES (?, 'prepared')", [id]);
}

async function transaction(connection: Connection, id: number): Promise<void> {
  await connection.query('BEGIN');
  await connection.query('UPDATE account SET balance = balance - 1 WHERE id = 1');
  await connection.query(`INSERT INTO t VALUES (${id}, 'transaction')`);
  await connection.query('UPDATE account SET balance = balance + 1 WHERE id = 2');
  await connection.query('COMMIT');
}

/** While these write, `during` happens. */
async function whileWriting(
  t: Test,
  stage: Stage,
  writes: readonly ((connection: Connection, id: number) => Promise<void>)[],
  during: () => Promise<void>,
): Promise<void> {
  const writers = Array.from(
    { length: CLIENTS },
    (_, index) => new Writer(stage, writes[index % writes.length]!),
  );
  const running = writers.map((writer) => writer.run());
  const count = (): number => writers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  await waitUntil('they write', () => count() > 30);
  await during();
  const before = count();
  await waitUntil(
    'they go on',
    () => count() > before + 30 || writers.some(({ errors }) => errors.length > 0),
  );
  for (const writer of writers) writer.stop();
  await Promise.all(running);
  t.same(
    writers.flatMap(({ errors }) => errors),
    [],
    'no client has seen an error',
  );
  const ids = writers.flatMap(({ acknowledged }) => acknowledged).toSorted((a, b) => a - b);
  const rows = await stage.primary.query<{ id: string }>(
    `SELECT id FROM app.t WHERE id >= ${ids[0]} ORDER BY id`,
  );
  t.same(
    rows.map(({ id }) => Number(id)),
    ids,
    `${ids.length} acknowledged writes, each there once`,
  );
  const sum = await stage.primary.queryValue('SELECT SUM(balance) FROM app.account');
  t.equal(sum, '2000', 'and the sum is what it was');
}

async function move(t: Test, stage: Stage): Promise<void> {
  const { set, primary, replica } = stage;
  await movePrimary(set, primary, replica);
  stage.primary = replica;
  stage.replica = primary;
  const admin = await stage.sluice.adminConnection();
  t.teardown(() => admin.end());
  await waitUntil('Sluice has followed', async () => {
    const [rows] = await admin.query<RowDataPacket[]>('SHOW TOPOLOGY');
    return rows.some((row) => row.address === replica.address && row.role === 'primary');
  });
}

export function testMovedPrimary(t: Test, flavor: ServerFlavor): void {
  const set = new ReplicationSet({
    flavor,
    replicas: 1,
    sql: [
      'CREATE TABLE app.t (id INT PRIMARY KEY, kind VARCHAR(20))',
      'CREATE TABLE app.account (id INT PRIMARY KEY, balance INT)',
      'INSERT INTO app.account VALUES (1, 1000), (2, 1000)',
    ],
  });
  let stage: Stage;
  t.before(async () => {
    await set.start();
    const sluice = await SluiceProcess.startFor(set);
    stage = { set, sluice, primary: set.primary, replica: set.replicas[0]!, nextId: 1 };
  });
  t.teardown(async () => {
    await stage?.sluice.dispose();
    await set.dispose();
  });

  t.test('[B4] with writes held', async (t) => {
    const admin = await stage.sluice.adminConnection();
    await whileWriting(t, stage, [autocommit, prepared, transaction], async () => {
      await admin.query('HOLD WRITES TIMEOUT 60');
      const [warnings] = await admin.query('SHOW WARNINGS');
      t.same(warnings, [], 'nothing is in the way');
      await move(t, stage);
      await admin.query('RELEASE WRITES');
    });
    await admin.end();
  });

  t.test('without: what the old primary refuses goes to the new one', async (t) => {
    await whileWriting(t, stage, [autocommit, prepared], () => move(t, stage));
  });

  t.test('a primary that is made read-only for a moment', async (t) => {
    const retries = await stage.sluice.metric('sluice_retries_total');
    await whileWriting(t, stage, [autocommit, prepared], async () => {
      await stage.primary.query('SET GLOBAL read_only=1');
      await waitUntil('writes wait', async () => (await stage.sluice.metric('sluice_held_statements')) > 0);
      await stage.primary.query('SET GLOBAL read_only=0');
    });
    t.ok((await stage.sluice.metric('sluice_retries_total')) > retries, 'and are counted');
  });

  t.test('who is bound to the old primary loses its session, and is told why', async (t) => {
    const [pinned, open, reader] = await Promise.all([
      stage.sluice.connect(),
      stage.sluice.connect(),
      stage.sluice.connect(),
    ]);
    const told: string[] = [];
    for (const connection of [pinned, open]) connection.on('error', ({ message }) => told.push(message));
    await pinned.query('CREATE TEMPORARY TABLE mine (n INT)');
    await open.query('BEGIN');
    await open.query("INSERT INTO t VALUES (-1, 'lost')");
    const [[slow]] = await Promise.all([
      reader.query<RowDataPacket[]>(
        '/* sluice:primary */ SELECT COUNT(*) AS n, SLEEP(0) FROM t a WHERE id < 0',
      ),
      move(t, stage),
    ]);
    t.equal(slow?.[0]?.n, 0);
    for (const connection of [pinned, open]) {
      const error = await connection.query('SELECT 1').catch((lost: Error) => lost);
      t.ok(error instanceof Error, 'its next statement fails');
    }
    t.equal(await stage.primary.queryValue('SELECT COUNT(*) FROM app.t WHERE id < 0'), '0');
    t.ok(await stage.sluice.waitForLog('temporary-table'), 'what it had is named');
    await reader.end();
  });
}
