import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { APP_ACCOUNT, type ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { loadFixture } from './corpus.ts';

export const LIMITED_ACCOUNT = { username: 'limited', password: 'limited-secret' } as const;

/** Passwords of the accounts that cases name; `nosuch` is known to nobody. */
export const PASSWORDS: Readonly<Record<string, string>> = {
  [APP_ACCOUNT.username]: APP_ACCOUNT.password,
  [LIMITED_ACCOUNT.username]: LIMITED_ACCOUNT.password,
};

/** What every server needs so that a 17 MiB statement is not refused. */
export const SERVER_ARGS = [
  '--max-allowed-packet=64M',
  '--innodb-log-file-size=96M',
  '--local-infile=1',
] as const;

const USER_LOCKS = ['diff_l', 'diff_m', 'diff_reset'] as const;

const LEFTOVERS = `
  SELECT CONCAT('DROP ', CASE TABLE_TYPE WHEN 'VIEW' THEN 'VIEW' WHEN 'SEQUENCE' THEN 'SEQUENCE' ELSE 'TABLE' END,
                ' IF EXISTS diff.\`', TABLE_NAME, '\`') AS statement
    FROM information_schema.tables WHERE TABLE_SCHEMA = 'diff' AND TABLE_NAME NOT LIKE 'f\\_%'
  UNION ALL
  SELECT CONCAT('DROP ', ROUTINE_TYPE, ' IF EXISTS diff.\`', ROUTINE_NAME, '\`')
    FROM information_schema.routines WHERE ROUTINE_SCHEMA = 'diff' AND ROUTINE_NAME NOT LIKE 'f\\_%'`;

/** Counts whatever makes a thing that outlives its session, also inside of a procedure or of a prepared statement. */
const DEFINITIONS = `SHOW GLOBAL STATUS WHERE Variable_name REGEXP '^Com_(create|alter|drop|rename|xa)_'`;

/** The schemas `diff` and `diff2` of a replication set, as every run of a case finds them. */
export class DifferentialFixture {
  readonly #set: ReplicationSet;
  readonly #root: Connection;
  /** How often this has been asked for: as when nothing was left. */
  #definitions = '';

  private constructor(set: ReplicationSet, root: Connection) {
    this.#set = set;
    this.#root = root;
  }

  static async create(set: ReplicationSet): Promise<DifferentialFixture> {
    const root = await set.primary.rootConnection();
    const fixture = new DifferentialFixture(set, root);
    await root.query(`
      SET lock_wait_timeout = 20;
      CREATE DATABASE diff DEFAULT CHARSET utf8mb4;
      CREATE DATABASE diff2 DEFAULT CHARSET utf8mb4;
      CREATE TABLE diff2.t_other (a INT);
      INSERT INTO diff2.t_other VALUES (1);
      GRANT ALL ON *.* TO ${APP_ACCOUNT.username}@'%';
      CREATE USER ${LIMITED_ACCOUNT.username} IDENTIFIED BY '${LIMITED_ACCOUNT.password}';
      GRANT SELECT, EXECUTE ON diff.* TO ${LIMITED_ACCOUNT.username};
      USE diff;
      SET NAMES utf8mb4`);
    const server = set.flavor === ServerFlavor.mariadb ? 'mariadb' : 'mysql57';
    for (const statement of loadFixture(server)) await root.query(statement);
    await set.waitForSync();
    return fixture;
  }

  /** Drops what the last run of a case has made, everywhere, and waits until its session is really gone. */
  async reset(): Promise<void> {
    // Most cases make nothing, and looking for it takes as long as the case.
    if ((await this.#countDefinitions()) !== this.#definitions) await this.#dropLeftovers();
    const free = USER_LOCKS.map((name) => `IS_FREE_LOCK('${name}')`).join(' AND ');
    await waitUntil('the locks of the last session are free', async () => {
      const [rows] = await this.#root.query<RowDataPacket[]>(`SELECT ${free} AS free`);
      return rows[0]?.free === 1;
    });
    await this.#set.waitForSync();
  }

  async close(): Promise<void> {
    await this.#root.end();
  }

  async #dropLeftovers(): Promise<void> {
    await this.#rollbackPreparedTransactions();
    const [leftovers] = await this.#root.query<RowDataPacket[]>(LEFTOVERS);
    await this.#root.query('SET foreign_key_checks = 0');
    for (const { statement } of leftovers) await this.#root.query(statement as string);
    this.#definitions = await this.#countDefinitions();
  }

  async #countDefinitions(): Promise<string> {
    const [rows] = await this.#root.query<RowDataPacket[]>(DEFINITIONS);
    return JSON.stringify(rows);
  }

  async #rollbackPreparedTransactions(): Promise<void> {
    const [prepared] = await this.#root.query<RowDataPacket[]>('XA RECOVER');
    for (const row of prepared) {
      const gtrid = String(row.data).slice(0, Number(row.gtrid_length));
      await this.#root.query(`XA ROLLBACK '${gtrid}'`);
    }
  }
}
