/** A primary with replicas, fresh for one run of a suite, and Sluice in front of it where the run goes through it. */

import { join } from 'node:path';
import type { ServerFlavor } from '../../src/topology/server-description.ts';
import { ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import type { DriverSuite, Endpoint } from './driver-suite.ts';

const ACCOUNT = { user: 'driver', password: 'driver-secret' };
const SCHEMA = 'test';

/** Far fewer than the suites open, so that connections are shared. */
const POOL_CONNECTIONS = 10;
const WORKERS = 2;

export interface TargetOptions {
  readonly suite: DriverSuite;
  readonly flavor: ServerFlavor;
  readonly replicas: number;
}

export class SuiteTarget {
  readonly endpoint: Endpoint;
  readonly #set: ReplicationSet;
  readonly #sluice: SluiceProcess | null;

  private constructor(set: ReplicationSet, sluice: SluiceProcess | null) {
    this.#set = set;
    this.#sluice = sluice;
    this.endpoint = {
      host: '127.0.0.1',
      port: sluice?.port ?? set.primary.port,
      socket: sluice === null ? set.primary.socket : join(sluice.directory, 'socket'),
      ...ACCOUNT,
      schema: SCHEMA,
    };
  }

  static async straight(options: TargetOptions): Promise<SuiteTarget> {
    return new SuiteTarget(await startServers(options), null);
  }

  static async throughSluice(options: TargetOptions): Promise<SuiteTarget> {
    const set = await startServers(options);
    try {
      return new SuiteTarget(set, await startSluice(set));
    } catch (error) {
      await set.dispose();
      throw error;
    }
  }

  /** What Sluice logged as a warning or worse. */
  get complaints(): readonly string[] {
    const lines = this.#sluice?.log ?? [];
    return lines
      .filter(({ level, raw }) => raw !== undefined || ['warn', 'error', 'fatal'].includes(String(level)))
      .map((line) => line.raw ?? JSON.stringify(line));
  }

  async dispose(): Promise<void> {
    await this.#sluice?.dispose();
    await this.#set.dispose();
  }
}

async function startServers({ suite, flavor, replicas }: TargetOptions): Promise<ReplicationSet> {
  const set = new ReplicationSet({
    flavor,
    replicas,
    args: ['--local-infile=1', '--max-allowed-packet=64M', ...(suite.serverArgs ?? [])],
    sql: [
      `CREATE DATABASE ${SCHEMA}`,
      `CREATE USER '${ACCOUNT.user}'@'%' IDENTIFIED BY '${ACCOUNT.password}'`,
      `GRANT ALL ON *.* TO '${ACCOUNT.user}'@'%' WITH GRANT OPTION`,
      // It would be taken for the account of everybody who comes by the socket.
      "DROP USER IF EXISTS ''@localhost",
      ...(suite.setupSql?.(flavor) ?? []),
    ],
  });
  try {
    return await set.start();
  } catch (error) {
    await set.dispose();
    throw error;
  }
}

function startSluice(set: ReplicationSet): Promise<SluiceProcess> {
  return SluiceProcess.startFor(set, {
    config: {
      workers: WORKERS,
      pool: { maxConnections: POOL_CONNECTIONS },
      users: [{ username: ACCOUNT.user, password: ACCOUNT.password }],
    },
  });
}
