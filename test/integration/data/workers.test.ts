/** Two real workers in front of a real server: one crashes, the other's clients do not notice. */

import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { RootLogger } from '../../../src/common/logger.ts';
import {
  Gauge,
  ServerCounter,
  ServerGauge,
  SharedCounters,
  serverGauge,
  userGauge,
  WorkerCounter,
} from '../../../src/common/shared-counters.ts';
import { SharedGtids } from '../../../src/common/shared-gtids.ts';
import { SharedMeasurements } from '../../../src/common/shared-measurements.ts';
import { SharedStatistics } from '../../../src/common/shared-statistics.ts';
import type { Snapshot } from '../../../src/common/snapshot.ts';
import { TableEpochs } from '../../../src/common/table-epochs.ts';
import { StopMode } from '../../../src/common/thread-messages.ts';
import { WorkerSet } from '../../../src/control/worker-set.ts';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { madeAccounts, madeServer, madeSnapshot } from './made-snapshot.ts';

const server = await new MariadbServer().start();
await server.query('CREATE DATABASE app; CREATE TABLE app.t (who VARCHAR(20))');
await server.query("CREATE USER app@'%' IDENTIFIED BY 'app-secret'");
await server.query("GRANT ALL ON app.* TO app@'%'");

const counters = new SharedCounters();
const log: string[] = [];

function snapshot(more: Partial<Snapshot> = {}): Snapshot {
  const accounts = madeAccounts([{ username: 'app', password: 'app-secret' }]);
  return madeSnapshot({ servers: [madeServer(server.address)], accounts, ...more });
}

const workers = new WorkerSet({
  count: 2,
  listen: { host: '127.0.0.1', port: 0, more: [], sockets: [], socketMode: 0o777 },
  counters,
  statistics: new SharedStatistics(2),
  measurements: new SharedMeasurements(),
  gtids: new SharedGtids(),
  epochs: new TableEpochs(2),
  logger: new RootLogger(
    'info',
    ({ message, fields }) => log.push(`${message} ${JSON.stringify(fields)}`),
    () => undefined,
  ),
  snapshot: () => snapshot(),
  serverFailed: () => undefined,
  primaryRefuses: () => undefined,
  viewsChanged: () => undefined,
  accountsWanted: () => undefined,
  gtidsWanted: () => undefined,
  strongWanted: () => undefined,
  reported: () => undefined,
  script: new URL('./crashing-worker.ts', import.meta.url),
});
await workers.start();
const clients: Connection[] = [];

t.teardown(async () => {
  for (const client of clients) client.destroy();
  await workers.stop(StopMode.immediate, 2000);
  await server.dispose();
});

interface Client {
  readonly connection: Connection;
  readonly worker: number;
}

function sessionsOf(worker: number): number {
  return counters.worker(worker).get(WorkerCounter.sessions);
}

async function connect(): Promise<Client> {
  const before = sessionsOf(0);
  const connection = await createConnection({
    host: '127.0.0.1',
    port: workers.port,
    user: 'app',
    password: 'app-secret',
    database: 'app',
  });
  connection.on('error', () => undefined);
  clients.push(connection);
  return { connection, worker: sessionsOf(0) > before ? 0 : 1 };
}

/** The system spreads them; asked for until one has come to this worker. */
async function connectTo(worker: number): Promise<Client> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const client = await connect();
    if (client.worker === worker) return client;
  }
  throw new Error(`no client came to worker ${worker}`);
}

async function rows(connection: Connection, sql: string): Promise<RowDataPacket[]> {
  const [found] = await connection.query<RowDataPacket[]>(sql);
  return found;
}

const connectionsGauge = serverGauge(0, ServerGauge.connections);

t.test('a worker that crashes takes its own clients only, and comes back', async (t) => {
  const [lucky, unlucky] = [await connectTo(0), await connectTo(1)];
  for (const [client, who] of [
    [lucky, 'lucky'],
    [unlucky, 'unlucky'],
  ] as const) {
    await client.connection.query('BEGIN');
    await client.connection.query('INSERT INTO t VALUES (?)', [who]);
    await client.connection.query('SET @who = ?', [who]);
  }
  const survivors = sessionsOf(0);
  t.equal(counters.gauge(Gauge.frontendConnections), survivors + sessionsOf(1));
  workers.publish(snapshot({ version: 2, serverVersion: 'crash 1' }));

  await t.rejects(unlucky.connection.query('SELECT 1'));
  await waitUntil('it is running again', () => {
    const status = workers.status()[1];
    return status?.restarts === 1 && status.running && status.appliedVersion > 0;
  });
  t.ok(log.some((line) => line.startsWith('worker crashed') && line.includes('as the test wants it')));

  t.same(await rows(lucky.connection, 'SELECT @who AS who'), [{ who: 'lucky' }]);
  await lucky.connection.query('COMMIT');
  t.same(
    await rows(lucky.connection, 'SELECT who FROM t'),
    [{ who: 'lucky' }],
    'the other one is rolled back',
  );
  t.equal(workers.status()[0]?.restarts, 0);

  t.equal(counters.gauge(Gauge.frontendConnections), survivors, 'clients');
  t.equal(counters.gauge(userGauge(0)), survivors, 'clients of the user');
  const held = counters.worker(0).getServer(0, ServerCounter.heldConnections);
  t.equal(counters.gauge(connectionsGauge), held, 'connections to the server');

  const next = await connectTo(1);
  t.same(await rows(next.connection, 'SELECT 1 AS one'), [{ one: 1 }]);
});

t.test('KILL QUERY reaches a client of the other worker', async (t) => {
  const [victim, killer] = [await connectTo(0), await connectTo(1)];
  const slept = rows(victim.connection, 'SELECT SLEEP(20) AS interrupted').then(
    (found) => found[0]?.interrupted,
    (error: { errno?: number }) => error.errno,
  );
  await waitUntil('it sleeps', async () => {
    const [found] = await server.query<{ n: number }>(
      "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP%'",
    );
    return Number(found?.n) === 1;
  });
  await killer.connection.query(`KILL QUERY ${victim.connection.threadId}`);
  t.ok([1, 1317].includes((await slept) as number), 'interrupted');
  t.same(await rows(victim.connection, 'SELECT 2 AS two'), [{ two: 2 }], 'the session goes on');
  await t.rejects(killer.connection.query('KILL QUERY 4000000000'), /Unknown thread id/);
});

t.test('paused workers let nobody in, and go on with those who are there', async (t) => {
  const { connection } = await connectTo(0);
  const refused = (): Promise<string> =>
    connect().then(
      () => 'let in',
      ({ code }: { code: string }) => code,
    );
  workers.publish(snapshot({ version: 10, accepting: false }));
  await waitUntil('nobody is let in', async () => (await refused()) === 'ECONNREFUSED');
  t.same(await rows(connection, 'SELECT 3 AS three'), [{ three: 3 }]);
  workers.publish(snapshot({ version: 11, accepting: false }));
  workers.publish(snapshot({ version: 12 }));
  workers.publish(snapshot({ version: 13, accepting: false }));
  workers.publish(snapshot({ version: 14 }));
  await waitUntil('clients are let in again', async () => (await refused()) === 'let in');
  for (const worker of [0, 1]) {
    const next = await connectTo(worker);
    t.same(await rows(next.connection, 'SELECT 4 AS four'), [{ four: 4 }], `worker ${worker}`);
  }
});

t.test('a graceful stop lets a transaction end', async (t) => {
  for (const client of clients.splice(0)) client.destroy();
  const { connection } = await connectTo(0);
  await connection.query('BEGIN');
  await connection.query("INSERT INTO t VALUES ('last')");
  const stopped = workers.stop(StopMode.graceful, 5000);
  await connection.query('COMMIT');
  await stopped;
  t.equal(await server.queryValue("SELECT COUNT(*) FROM app.t WHERE who = 'last'"), '1');
  t.same(
    workers.status().map(({ running }) => running),
    [false, false],
  );
  t.equal(counters.gauge(Gauge.frontendConnections), 0);
  t.equal(counters.gauge(connectionsGauge), 0);
});
