/** What every run of a series begins with: three servers, Sluice in front of them, a bank and sysbench at work. */

import type { ServerFlavor } from '../../src/topology/server-description.ts';
import { BankWorkload, bankTables } from '../../test/chaos/bank-workload.ts';
import { SEMI_SYNC_ARGS, turnOnSemiSync } from '../../test/chaos/replication-faults.ts';
import type { SmallDisk } from '../../test/chaos/small-disk.ts';
import { SysbenchLoad } from '../../test/chaos/sysbench-load.ts';
import type { DatabaseServer } from '../../test/support/database-server.ts';
import { REPLICATION_ACCOUNT, ReplicationSet } from '../../test/support/replication-set.ts';
import { type ConfigObject, mergeConfig, SluiceProcess } from '../../test/support/sluice-process.ts';

export interface StageOptions {
  readonly flavor: ServerFlavor;
  readonly bankClients: number;
  readonly sysbenchClients: number;
  readonly seconds: number;
  /** sysbench ends at its first error; else it reconnects and counts. */
  readonly stopsAtErrors: boolean;
  readonly config: ConfigObject;
  /** The primary's data is on it, and it must fit. */
  readonly disk: SmallDisk | null;
}

/** Several servers, clients and Sluice share the machine: none of them may think that it has it for itself. */
const SMALL_SERVER = ['--innodb-buffer-pool-size=16M', '--innodb-log-buffer-size=1M'];

export class Stage {
  readonly set: ReplicationSet;
  readonly sluice: SluiceProcess;
  readonly bank: BankWorkload;
  readonly sysbench: SysbenchLoad | null;
  readonly disk: SmallDisk | null;

  private constructor(
    set: ReplicationSet,
    sluice: SluiceProcess,
    bank: BankWorkload,
    sysbench: SysbenchLoad | null,
    disk: SmallDisk | null,
  ) {
    this.set = set;
    this.sluice = sluice;
    this.bank = bank;
    this.sysbench = sysbench;
    this.disk = disk;
  }

  static async start(options: StageOptions): Promise<Stage> {
    const semiSync = options.flavor === 'mariadb';
    const set = new ReplicationSet({
      flavor: options.flavor,
      replicas: 2,
      sql: bankTables(),
      placement: (name) =>
        name === 'primary' && options.disk !== null ? { dataDir: options.disk.dataDir } : {},
      args: [...SMALL_SERVER, ...(semiSync ? SEMI_SYNC_ARGS : [])],
    });
    let sluice: SluiceProcess | null = null;
    try {
      await set.start();
      if (semiSync) await turnOnSemiSync(set);
      const config = {
        servers: set.servers.map((server) => server.address),
        failover: { replication: REPLICATION_ACCOUNT },
        monitor: { intervalMs: 1000 },
        log: { level: 'info' },
      };
      sluice = await SluiceProcess.startFor(set, { config: mergeConfig(config, options.config) });
      return await Stage.#load(set, sluice, options);
    } catch (error) {
      await sluice?.dispose();
      await set.dispose();
      throw error;
    }
  }

  static async #load(set: ReplicationSet, sluice: SluiceProcess, options: StageOptions): Promise<Stage> {
    let sysbench: SysbenchLoad | null = null;
    if (options.sysbenchClients > 0) {
      await SysbenchLoad.prepare(set.primary);
      await set.waitForSync();
      sysbench = await SysbenchLoad.start({
        endpoint: sluice,
        clients: options.sysbenchClients,
        stopsAtErrors: options.stopsAtErrors,
        seconds: options.seconds,
      });
    }
    const bank = BankWorkload.start({ clients: options.bankClients, connect: () => sluice.connect() });
    return new Stage(set, sluice, bank, sysbench, options.disk);
  }

  get firstReplica(): DatabaseServer {
    return this.set.replicas[0] as DatabaseServer;
  }

  /** The one that takes writes, as the servers say themselves; null while none or several do. */
  async writable(): Promise<DatabaseServer | null> {
    const writable = [];
    for (const server of this.set.servers) {
      if (!server.running) continue;
      if ((await server.queryValue('SELECT @@global.read_only')) === '0') writable.push(server);
    }
    return writable.length === 1 ? writable[0]! : null;
  }

  /** The rows of a command on the admin port. */
  async admin(command: string): Promise<Record<string, unknown>[]> {
    const connection = await this.sluice.adminConnection();
    try {
      const [rows] = await connection.query(command);
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
    } finally {
      await connection.end();
    }
  }

  async dispose(): Promise<void> {
    await this.sysbench?.stop().catch(() => undefined);
    await this.sluice.dispose();
    await this.set.dispose();
  }
}
