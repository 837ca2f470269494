/** The servers that all targets lead to: a primary and its replicas, with sysbench's tables. */

import { APP_ACCOUNT, APP_SCHEMA, ReplicationSet } from '../../test/support/replication-set.ts';
import { prepareSysbenchTables, type SysbenchEndpoint, type SysbenchTables } from './sysbench.ts';

/** HAProxy takes one server connection per client, so the servers must bear every idle client. */
const MAX_CONNECTIONS = 7_000;

const SERVER_ARGS = [
  `--max-connections=${MAX_CONNECTIONS}`,
  '--back-log=4096',
  '--innodb-buffer-pool-size=256M',
  '--innodb-log-file-size=128M',
  '--table-open-cache=4000',
  '--thread-cache-size=256',
];

export class BackendServers {
  readonly set: ReplicationSet;
  readonly tables: SysbenchTables;

  private constructor(set: ReplicationSet, tables: SysbenchTables) {
    this.set = set;
    this.tables = tables;
  }

  /** Starts them and fills the tables; resolves when the replicas have everything. */
  static async start(replicas: number, tables: SysbenchTables): Promise<BackendServers> {
    const set = new ReplicationSet({ replicas, args: SERVER_ARGS });
    try {
      await set.start();
      await prepareSysbenchTables(endpointAt(set.primary.port), tables);
      await set.waitForSync();
    } catch (error) {
      await set.dispose();
      throw error;
    }
    return new BackendServers(set, tables);
  }

  /** After writes: no target is to find the replicas still busy with the previous one's. */
  settle(): Promise<void> {
    return this.set.waitForSync();
  }

  async version(): Promise<string> {
    return (await this.set.primary.queryValue('SELECT VERSION()')) ?? 'unknown';
  }

  /** Prepared statements that all servers together have now. */
  async preparedStatements(): Promise<number> {
    let count = 0;
    for (const server of [this.set.primary, ...this.set.replicas]) {
      const [row] = await server.query("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'");
      count += Number(row?.Value);
    }
    return count;
  }

  dispose(): Promise<void> {
    return this.set.dispose();
  }
}

/** The application's account and schema at a port of this machine. */
export function endpointAt(port: number): SysbenchEndpoint {
  return {
    host: '127.0.0.1',
    port,
    username: APP_ACCOUNT.username,
    password: APP_ACCOUNT.password,
    database: APP_SCHEMA,
  };
}
