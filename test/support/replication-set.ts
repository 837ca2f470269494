/** A primary and its replicas, replicating by GTID, with the accounts that Sluice and an application need. */

import type { Connection } from 'mysql2/promise';
import { createConnection } from 'mysql2/promise';
import { ServerFlavor } from '../../src/topology/server-description.ts';
import type { DatabaseServer, DatabaseServerOptions } from './database-server.ts';
import { MariadbServer } from './mariadb-server.ts';
import { Mysql57Server } from './mysql57-server.ts';
import { waitUntil } from './wait-until.ts';

export interface Account {
  readonly username: string;
  readonly password: string;
}

export interface ReplicationSetOptions {
  readonly flavor?: ServerFlavor;
  /** 2 unless told; 0 gives a lone primary. */
  readonly replicas?: number;
  /** More options for every server. */
  readonly args?: readonly string[];
  /** A commit waits for a replica. MariaDB only: the MySQL of the tests comes without the plugin. */
  readonly semiSync?: boolean;
  /** MySQL: administrators cannot write on replicas either. */
  readonly superReadOnly?: boolean;
  /** Run on the primary, as root, once replication works. */
  readonly sql?: readonly string[];
  /** Where and how one of the servers runs, and options for it alone. */
  readonly placement?: (name: string) => Pick<DatabaseServerOptions, 'args' | 'host' | 'runBy' | 'dataDir'>;
}

export const REPLICATION_ACCOUNT: Account = { username: 'replication', password: 'replication-secret' };
export const MONITOR_ACCOUNT: Account = { username: 'monitor', password: 'monitor-secret' };
export const APP_ACCOUNT: Account = { username: 'app', password: 'app-secret' };
export const APP_SCHEMA = 'app';

/** May do everything in the schema of the application. */
export function accountSql({ username, password }: Account): string[] {
  return [
    `CREATE USER '${username}'@'%' IDENTIFIED BY '${password}'`,
    `GRANT ALL ON ${APP_SCHEMA}.* TO '${username}'@'%'`,
  ];
}

const SEMI_SYNC = {
  primary: '--rpl-semi-sync-master-enabled=1',
  replica: '--rpl-semi-sync-slave-enabled=1',
} as const;

/** Those that the README asks for: to watch, and to change the primary. */
const MONITOR_PRIVILEGES: Readonly<Record<ServerFlavor, readonly string[]>> = {
  mariadb: [
    'SLAVE MONITOR',
    'REPLICATION MASTER ADMIN',
    'PROCESS',
    'SELECT',
    'SHOW VIEW',
    'TRIGGER',
    'BINLOG MONITOR',
    'REPLICATION SLAVE',
    'READ_ONLY ADMIN',
    'REPLICATION SLAVE ADMIN',
    'CONNECTION ADMIN',
    'RELOAD',
  ],
  mysql: [
    'REPLICATION CLIENT',
    'REPLICATION SLAVE',
    'PROCESS',
    'SELECT',
    'SHOW VIEW',
    'TRIGGER',
    'SUPER',
    'RELOAD',
  ],
};

const SYNC_TIMEOUT_MS = 60_000;

export class ReplicationSet {
  readonly flavor: ServerFlavor;
  readonly primary: DatabaseServer;
  readonly replicas: readonly DatabaseServer[];
  readonly #options: ReplicationSetOptions;

  constructor(options: ReplicationSetOptions = {}) {
    this.#options = options;
    this.flavor = options.flavor ?? ServerFlavor.mariadb;
    this.primary = this.#makeServer('primary', 1);
    this.replicas = Array.from({ length: options.replicas ?? 2 }, (_, index) =>
      this.#makeServer(`replica${index + 1}`, index + 2),
    );
  }

  /** Primary first. */
  get servers(): readonly DatabaseServer[] {
    return [this.primary, ...this.replicas];
  }

  /** The name (`primary`, `replica1` …) of the server that answered with this `@@port` or `@@server_id`. */
  nameOf(portOrServerId: number | string): string {
    const wanted = Number(portOrServerId);
    const server = this.servers.find((one) => one.port === wanted || one.serverId === wanted);
    return server?.name ?? `unknown server ${portOrServerId}`;
  }

  async start(): Promise<this> {
    await Promise.all(this.servers.map((server) => server.start()));
    await this.#createAccounts();
    await Promise.all(this.replicas.map((replica) => this.replicateFrom(replica, this.primary)));
    for (const statement of this.#options.sql ?? []) await this.primary.query(statement);
    await this.waitForSync();
    return this;
  }

  /** Points a server at a source, read-only, and waits until its replication threads run. */
  async replicateFrom(
    replica: DatabaseServer,
    source: Pick<DatabaseServer, 'name' | 'host' | 'port'>,
  ): Promise<void> {
    const { username, password } = REPLICATION_ACCOUNT;
    const position =
      this.flavor === ServerFlavor.mariadb ? 'MASTER_USE_GTID=slave_pos' : 'MASTER_AUTO_POSITION=1';
    await replica.query('SET GLOBAL read_only=1');
    await replica.query('STOP SLAVE');
    await replica.query(
      `CHANGE MASTER TO MASTER_HOST='${source.host}', MASTER_PORT=${source.port}, MASTER_USER='${username}', ` +
        `MASTER_PASSWORD='${password}', MASTER_CONNECT_RETRY=1, ${position}`,
    );
    await replica.query('START SLAVE');
    await waitUntil(`${replica.name} replicates from ${source.name}`, async () => {
      const [status] = await replica.query<Record<string, string>>('SHOW SLAVE STATUS');
      const running = status?.Slave_IO_Running === 'Yes' && status.Slave_SQL_Running === 'Yes';
      const error = status?.Last_IO_Error || status?.Last_SQL_Error;
      if (!running && error) throw new Error(error);
      return running;
    });
  }

  /** Waits until these replicas (all that run, unless told) have applied what the primary has written so far. */
  async waitForSync(
    replicas: readonly DatabaseServer[] = this.replicas.filter((one) => one.running),
  ): Promise<void> {
    const position = await this.gtidPosition();
    await Promise.all(replicas.map((replica) => this.#waitForPosition(replica, position)));
  }

  /** What the primary has executed, in its own dialect. */
  async gtidPosition(): Promise<string> {
    const variable =
      this.flavor === ServerFlavor.mariadb ? '@@global.gtid_binlog_pos' : '@@global.gtid_executed';
    return (await this.primary.queryValue(`SELECT ${variable}`)) ?? '';
  }

  /** A connection straight to a server over TCP; the caller ends it. */
  connect(
    server: DatabaseServer,
    account: Account = APP_ACCOUNT,
    database: string = APP_SCHEMA,
  ): Promise<Connection> {
    return createConnection({
      host: server.host,
      port: server.port,
      user: account.username,
      password: account.password,
      database,
    });
  }

  /** Kills every server and removes all files. */
  async dispose(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.dispose()));
  }

  #makeServer(name: string, serverId: number): DatabaseServer {
    const { args: ownArgs = [], ...placement } = this.#options.placement?.(name) ?? {};
    const common = [
      '--log-bin=binlog',
      '--binlog-format=ROW',
      `--report-host=${placement.host ?? '127.0.0.1'}`,
      '--relay-log=relay',
      '--slave-net-timeout=10',
      ...(serverId === 1 ? [] : ['--read-only=1']),
      ...(this.#options.semiSync === true ? [SEMI_SYNC[serverId === 1 ? 'primary' : 'replica']] : []),
    ];
    if (this.flavor === ServerFlavor.mariadb) {
      const args = [
        ...common,
        '--gtid-strict-mode=1',
        '--log-slave-updates=1',
        ...(this.#options.args ?? []),
        ...ownArgs,
      ];
      return new MariadbServer({ name, serverId, args, ...placement });
    }
    const args = [
      ...common,
      '--gtid-mode=ON',
      '--enforce-gtid-consistency=ON',
      '--log-slave-updates=ON',
      '--master-info-repository=TABLE',
      '--relay-log-info-repository=TABLE',
      ...(this.#options.superReadOnly === true && serverId !== 1 ? ['--super-read-only=1'] : []),
      ...(this.#options.args ?? []),
      ...ownArgs,
    ];
    return new Mysql57Server({ name, serverId, args, ...placement });
  }

  async #createAccounts(): Promise<void> {
    const grants: ReadonlyArray<readonly [Account, string]> = [
      [REPLICATION_ACCOUNT, 'REPLICATION SLAVE ON *.*'],
      [MONITOR_ACCOUNT, `${MONITOR_PRIVILEGES[this.flavor].join(', ')} ON *.*`],
      [MONITOR_ACCOUNT, 'CREATE, INSERT, UPDATE, DELETE ON `sluice`.*'],
      [APP_ACCOUNT, `ALL ON \`${APP_SCHEMA}\`.*`],
    ];
    await this.primary.query(`CREATE DATABASE \`${APP_SCHEMA}\``);
    for (const { username, password } of [REPLICATION_ACCOUNT, MONITOR_ACCOUNT, APP_ACCOUNT])
      await this.primary.query(`CREATE USER '${username}'@'%' IDENTIFIED BY '${password}'`);
    for (const [account, privileges] of grants) {
      await this.primary.query(`GRANT ${privileges} TO '${account.username}'@'%'`);
    }
  }

  async #waitForPosition(replica: DatabaseServer, position: string): Promise<void> {
    if (position === '') return;
    const wait = this.flavor === ServerFlavor.mariadb ? 'MASTER_GTID_WAIT' : 'WAIT_FOR_EXECUTED_GTID_SET';
    const result = await replica.queryValue(`SELECT ${wait}(?, ?)`, [position, SYNC_TIMEOUT_MS / 1000]);
    if (result === '0') return;
    const [status] = await replica.query<Record<string, string>>('SHOW SLAVE STATUS');
    const error = status?.Last_SQL_Error || status?.Last_IO_Error || 'no error reported';
    throw new Error(`${replica.name} did not reach GTID ${position} within ${SYNC_TIMEOUT_MS} ms (${error})`);
  }
}
