/** A primary with replicas that can be held up, a Sluice in front of them, and what its counters say of reads. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Test } from 'tap';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { type ConfigObject, SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

export type Outcome = 'replica_at_once' | 'replica_waited' | 'primary';
export type Outcomes = Readonly<Record<Outcome, number>>;

const OUTCOMES: readonly Outcome[] = ['replica_at_once', 'replica_waited', 'primary'];

const OBJECTS = [
  'CREATE TABLE app.t (id INT PRIMARY KEY, n INT NOT NULL)',
  'CREATE TABLE app.other (id INT PRIMARY KEY, n INT NOT NULL)',
  'CREATE TABLE app.simple (id INT PRIMARY KEY, n INT NOT NULL) ENGINE=MyISAM',
  'CREATE TABLE app.noted (n INT NOT NULL)',
  'INSERT INTO app.t VALUES (1, 0), (2, 0)',
  'INSERT INTO app.other VALUES (1, 0)',
  'INSERT INTO app.simple VALUES (1, 0)',
  'INSERT INTO app.noted VALUES (0)',
  'CREATE TRIGGER app.notes AFTER UPDATE ON app.other FOR EACH ROW UPDATE app.noted SET n = NEW.n',
  'CREATE VIEW app.seen AS SELECT n FROM app.noted',
  'CREATE PROCEDURE app.sets(v INT) UPDATE app.t SET n = v',
  "CREATE PROCEDURE app.fails(v INT) BEGIN UPDATE app.t SET n = v; SIGNAL SQLSTATE '45000'; END",
  'CREATE FUNCTION app.writes(v INT) RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN UPDATE app.t SET n = v; RETURN v; END',
  'CREATE TABLE app.given (n INT NOT NULL)',
  'INSERT INTO app.given VALUES (0)',
  'CREATE VIEW app.calling AS SELECT app.writes(n) AS n FROM app.given',
  'CREATE TABLE app.guarded (n INT NOT NULL)',
  'INSERT INTO app.guarded VALUES (0)',
  "CREATE TRIGGER app.guards BEFORE UPDATE ON app.guarded FOR EACH ROW BEGIN UPDATE app.simple SET n = NEW.n; SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END",
  "CREATE USER other@'%' IDENTIFIED BY 'other-secret'",
  'GRANT ALL ON app.* TO other@`%`',
];

export const OTHER_ACCOUNT = { username: 'other', password: 'other-secret' };

export class CausalStage {
  readonly set: ReplicationSet;

  private constructor(set: ReplicationSet) {
    this.set = set;
  }

  static async start(t: Test, flavor: ServerFlavor, replicas = 1): Promise<CausalStage> {
    const set = new ReplicationSet({
      flavor,
      replicas,
      sql: OBJECTS,
      args: ['--log-bin-trust-function-creators=1'],
    });
    t.teardown(() => set.dispose());
    await set.start();
    return new CausalStage(set);
  }

  get replica(): DatabaseServer {
    return this.set.replicas[0]!;
  }

  /** Ready, and reads go to a replica. */
  async sluice(t: Test, config: ConfigObject = {}): Promise<SluiceProcess> {
    const sluice = await SluiceProcess.startFor(this.set, {
      config: { workers: 1, users: [APP_ACCOUNT, OTHER_ACCOUNT], ...config },
    });
    t.teardown(() => sluice.dispose());
    const connection = await sluice.connect();
    await waitUntil('reads come from a replica', async () => {
      const id = await numberOf(connection, 'SELECT @@server_id FROM other LIMIT 1');
      return this.set.replicas.some(({ serverId }) => serverId === id);
    });
    await connection.end();
    return sluice;
  }

  /**
   * Nothing is applied on the replica while `work` runs, or until it lets it go; its replication runs all the same, and
   * it answers. It has everything at the beginning.
   */
  async heldUp(work: (letGo: () => Promise<void>) => Promise<void>, replica = this.replica): Promise<void> {
    await this.set.waitForSync([replica]);
    const lock = await replica.rootConnection();
    const letGo = async (): Promise<void> => void (await lock.query('UNLOCK TABLES'));
    try {
      await lock.query('FLUSH TABLES WITH READ LOCK');
      await work(letGo);
    } finally {
      await lock.end();
    }
  }
}

export async function outcomes(sluice: SluiceProcess): Promise<Outcomes> {
  const entries = OUTCOMES.map(
    async (outcome) => [outcome, await sluice.metric('sluice_causal_reads_total', { outcome })] as const,
  );
  return Object.fromEntries(await Promise.all(entries)) as Outcomes;
}

/** What has been added since `before`. */
export async function since(sluice: SluiceProcess, before: Outcomes): Promise<Outcomes> {
  const now = await outcomes(sluice);
  return {
    replica_at_once: now.replica_at_once - before.replica_at_once,
    replica_waited: now.replica_waited - before.replica_waited,
    primary: now.primary - before.primary,
  };
}

/** The first value of the first row. */
export async function numberOf(connection: Connection, sql: string, values: unknown[] = []): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>(sql, values);
  return Number(Object.values(rows[0] ?? { none: Number.NaN })[0]);
}
