/** Real workers in front of a real server, and the shared memory that they mark their writes in. */

import { type Connection, createConnection } from 'mysql2/promise';
import type { Test } from 'tap';
import { RootLogger } from '../../../src/common/logger.ts';
import { Gauge, SharedCounters } from '../../../src/common/shared-counters.ts';
import { SharedGtids } from '../../../src/common/shared-gtids.ts';
import { SharedMeasurements } from '../../../src/common/shared-measurements.ts';
import { SharedStatistics } from '../../../src/common/shared-statistics.ts';
import { NO_TABLES, type Snapshot } from '../../../src/common/snapshot.ts';
import { EVERYTHING, TableEpochs } from '../../../src/common/table-epochs.ts';
import { tableSlot } from '../../../src/common/table-slots.ts';
import { StopMode } from '../../../src/common/thread-messages.ts';
import { SchemaBarrier } from '../../../src/control/cache/schema-barrier.ts';
import { WriteDoubts } from '../../../src/control/cache/write-doubts.ts';
import { WorkerSet } from '../../../src/control/worker-set.ts';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { APP_ACCOUNT, MONITOR_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { madeAccounts, madeServer, madeSnapshot } from '../data/made-snapshot.ts';

/** `*` stands for everything. */
const NAMES = ['t', 'u', 'my', 'aria', '*'];
const OBJECTS = [
  'CREATE TABLE app.t (id INT PRIMARY KEY, n INT NOT NULL)',
  'CREATE TABLE app.u (id INT PRIMARY KEY, n INT NOT NULL)',
  'CREATE TABLE app.my (id INT PRIMARY KEY, n INT NOT NULL) ENGINE=MyISAM',
  'INSERT INTO app.t VALUES (1, 0), (2, 0)',
  'INSERT INTO app.u VALUES (1, 0)',
  'INSERT INTO app.my VALUES (1, 0), (2, 0), (3, 0)',
  'CREATE PROCEDURE app.opens() BEGIN START TRANSACTION; UPDATE app.t SET n = n + 1; END',
  "CREATE PROCEDURE app.opens_and_fails() BEGIN START TRANSACTION; UPDATE app.t SET n = n + 1; SIGNAL SQLSTATE '45000'; END",
  'CREATE FUNCTION app.writes() RETURNS INT MODIFIES SQL DATA BEGIN UPDATE app.t SET n = n + 1; RETURN 1; END',
];

function slotOf(name: string): number {
  return name === '*' ? EVERYTHING : tableSlot('app', name);
}

export class MarksRig {
  readonly set: ReplicationSet;
  readonly epochs: TableEpochs;
  readonly workers: WorkerSet;
  readonly doubts: WriteDoubts;
  readonly schema: SchemaBarrier;
  /** The catalogue is read again at once when it may have changed. */
  readsAgain = true;
  readonly gtids = new SharedGtids();
  readonly log: string[] = [];
  readonly #counters = new SharedCounters();
  readonly #clients: Connection[] = [];
  #snapshot: Snapshot;

  private constructor(set: ReplicationSet, snapshot: Snapshot, count: number, account = MONITOR_ACCOUNT) {
    this.set = set;
    this.#snapshot = snapshot;
    this.epochs = new TableEpochs(count);
    this.epochs.beginTerm(snapshot.writes.term);
    const logger = new RootLogger(
      'info',
      ({ message, fields }) => this.log.push(`${message} ${JSON.stringify(fields)}`),
      () => undefined,
    );
    this.schema = new SchemaBarrier({
      epochs: this.epochs,
      isCurrent: () =>
        this.#snapshot.catalogEpoch === this.#counters.gauge(Gauge.viewsEpoch) &&
        this.#snapshot.relationsEpoch === this.#counters.gauge(Gauge.relationsEpoch),
      lateWorkers: (timeoutMs) => this.workers.lateFor(this.#snapshot.version, timeoutMs),
    });
    this.doubts = new WriteDoubts({
      epochs: this.epochs,
      gtids: this.gtids,
      gtidsWanted: () => undefined,
      schemaChanged: () => this.#schemaChanged(),
      snapshot: () => this.#snapshot,
      credentials: () => account,
      timeoutMs: () => 5000,
      logger,
    });
    this.workers = new WorkerSet({
      count,
      listen: { host: '127.0.0.1', port: 0, more: [], sockets: [], socketMode: 0o777 },
      counters: this.#counters,
      statistics: new SharedStatistics(count),
      measurements: new SharedMeasurements(),
      gtids: this.gtids,
      epochs: this.epochs,
      logger,
      snapshot: () => this.#snapshot,
      serverFailed: () => undefined,
      primaryRefuses: () => undefined,
      viewsChanged: () => {
        if (this.readsAgain) this.readAgain();
      },
      accountsWanted: () => undefined,
      gtidsWanted: () => undefined,
      strongWanted: () => undefined,
      schemaInFlux: (worker) => this.schema.received(worker),
      writeInDoubt: (worker, message) => this.doubts.received(worker, message),
      workerEnded: (worker) => this.doubts.workerEnded(worker),
      reported: () => undefined,
      script: new URL('../data/crashing-worker.ts', import.meta.url),
    });
  }

  static async start(t: Test, set: ReplicationSet, count = 1, account = MONITOR_ACCOUNT): Promise<MarksRig> {
    const rig = new MarksRig(set, await snapshotOf(set), count, account);
    t.teardown(async () => {
      for (const client of rig.#clients) client.destroy();
      await rig.workers.stop(StopMode.immediate, 2000);
      rig.doubts.stop();
    });
    await rig.workers.start();
    return rig;
  }

  get server(): DatabaseServer {
    return this.set.primary;
  }

  async connect(): Promise<Connection> {
    const connection = await createConnection({
      host: '127.0.0.1',
      port: this.workers.port,
      user: APP_ACCOUNT.username,
      password: APP_ACCOUNT.password,
      database: 'app',
      multipleStatements: true,
      infileStreamFactory: () => {
        throw new Error('no file is read');
      },
    });
    connection.on('error', () => undefined);
    this.#clients.push(connection);
    return connection;
  }

  /** No replica counts as having what was written there last. */
  isUnknown(name: string): boolean {
    return this.gtids.isUnknown(slotOf(name));
  }

  /** How far a replica must be to have what was written there last. */
  written(name: string): number {
    return this.gtids.written(slotOf(name));
  }

  /** Names of what is in flux. */
  get flux(): string {
    return NAMES.filter((name) => this.epochs.flux(slotOf(name)) !== 0).join(' ');
  }

  async quiet(): Promise<void> {
    await waitUntil('nothing is in flux', () => this.flux === '');
  }

  /** Names of what `work` has raised by its end, and nothing is in flux. */
  async raisedBy(work: () => Promise<unknown>): Promise<string> {
    // An answer may be here some microseconds before its flux has ended.
    await this.quiet();
    const before = NAMES.map((name) => this.epochs.epoch(slotOf(name)));
    await work();
    await this.quiet();
    return NAMES.filter((name, index) => this.epochs.epoch(slotOf(name)) !== before[index]).join(' ');
  }

  publish(more: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, version: this.#snapshot.version + 1, ...more };
    this.epochs.beginTerm(this.#snapshot.writes.term);
    this.workers.publish(this.#snapshot);
    this.doubts.follow();
  }

  #schemaChanged(): void {
    this.schema.hold();
    this.#counters.addGauge(Gauge.relationsEpoch, 1);
    this.readAgain();
  }

  /** As if the catalogue had been read. @param relations what belongs together by now */
  readAgain(relations: SharedArrayBuffer | null = this.#snapshot.catalog.tables.relations): void {
    const { catalog } = this.#snapshot;
    const version = catalog.tables.version + (relations === catalog.tables.relations ? 0 : 1);
    const tables = { ...catalog.tables, version, relations };
    const catalogEpoch = this.#counters.gauge(Gauge.viewsEpoch);
    const relationsEpoch = this.#counters.gauge(Gauge.relationsEpoch);
    this.publish({ catalogEpoch, relationsEpoch, catalog: { ...catalog, tables } });
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** The server's threads of the application, and what they do. */
  threads(): Promise<{ id: number; command: string; info: string | null }[]> {
    return this.server.query(
      "SELECT ID AS id, COMMAND AS command, INFO AS info FROM information_schema.PROCESSLIST WHERE USER = 'app'",
    );
  }

  /** The statement that begins so runs on the server. */
  async runs(start: string): Promise<number> {
    const thread = await waitUntil(`${start} runs`, async () => {
      return (await this.threads()).find(({ info }) => info?.startsWith(start));
    });
    return thread.id;
  }
}

export async function startSet(t: Test, flavor: ServerFlavor): Promise<ReplicationSet> {
  const more =
    flavor === 'mariadb'
      ? ['CREATE TABLE app.aria (id INT PRIMARY KEY, n INT) ENGINE=Aria TRANSACTIONAL=1']
      : [];
  const set = new ReplicationSet({
    flavor,
    replicas: 0,
    sql: [...OBJECTS, ...more],
    args: ['--log-bin-trust-function-creators=1'],
  });
  t.teardown(() => set.dispose());
  return set.start();
}

async function snapshotOf(set: ReplicationSet): Promise<Snapshot> {
  const { primary, flavor } = set;
  const isMariadb = flavor === 'mariadb';
  const prefix = isMariadb
    ? `0-${primary.serverId}-`
    : `${await primary.queryValue('SELECT @@server_uuid')}:`;
  const version = isMariadb ? {} : { version: '5.7.29-log', flavor: 'mysql' as const, versionId: 50_729 };
  const made = madeSnapshot();
  return {
    ...made,
    serverVersion: isMariadb ? made.serverVersion : '5.7.29-log',
    servers: [madeServer(primary.address, version)],
    hostgroups: madeSnapshot({ servers: [madeServer(primary.address, version)] }).hostgroups,
    accounts: madeAccounts([APP_ACCOUNT]),
    gtidSources: [
      {
        index: 1,
        address: primary.address,
        prefix,
        flavor: isMariadb ? 'mariadb' : 'mysql',
        end: null,
        base: 0n,
      },
    ],
    catalog: { ...made.catalog, tables: { ...NO_TABLES, version: 1, complete: true, incompleteReason: '' } },
  };
}
