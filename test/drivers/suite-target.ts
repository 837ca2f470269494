/** A primary with replicas, fresh for one run of a suite, and Sluice in front of it where the run goes through it. */

import { join } from 'node:path';
import type { ServerFlavor } from '../../src/topology/server-description.ts';
import { CertificateAuthority, type CertificateFiles } from '../support/certificates.ts';
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
  readonly #authority: CertificateAuthority;

  private constructor(servers: Servers, sluice: SluiceProcess | null) {
    const { set, authority } = servers;
    this.#set = set;
    this.#authority = authority;
    this.#sluice = sluice;
    this.endpoint = {
      host: '127.0.0.1',
      port: sluice?.port ?? set.primary.port,
      socket: sluice === null ? set.primary.socket : socketOf(authority),
      ...ACCOUNT,
      schema: SCHEMA,
    };
  }

  static async straight(options: TargetOptions): Promise<SuiteTarget> {
    return new SuiteTarget(await startServers(options), null);
  }

  static async throughSluice(options: TargetOptions): Promise<SuiteTarget> {
    const servers = await startServers(options);
    try {
      return new SuiteTarget(servers, await startSluice(servers));
    } catch (error) {
      await servers.set.dispose();
      servers.authority.dispose();
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
    this.#authority.dispose();
  }
}

interface Servers {
  readonly set: ReplicationSet;
  readonly authority: CertificateAuthority;
  readonly files: CertificateFiles;
}

async function startServers({ suite, flavor, replicas }: TargetOptions): Promise<Servers> {
  const authority = await CertificateAuthority.create();
  const files = await authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1']);
  const set = new ReplicationSet({
    flavor,
    replicas,
    args: [
      '--local-infile=1',
      '--max-allowed-packet=64M',
      `--ssl-ca=${authority.file}`,
      `--ssl-cert=${files.certificate}`,
      `--ssl-key=${files.key}`,
      ...(suite.serverArgs ?? []),
    ],
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
    await set.start();
    return { set, authority, files };
  } catch (error) {
    await set.dispose();
    authority.dispose();
    throw error;
  }
}

function socketOf(authority: CertificateAuthority): string {
  return join(authority.directory, 'sluice.sock');
}

function startSluice({ set, authority, files }: Servers): Promise<SluiceProcess> {
  return SluiceProcess.startFor(set, {
    config: {
      workers: WORKERS,
      listen: { socket: socketOf(authority) },
      tls: files,
      pool: { maxConnections: POOL_CONNECTIONS },
      // Suites create accounts.
      users: { source: 'backend' },
    },
  });
}
