/** Two Sluices on hosts of their own in front of the same servers, and room for what is in front of them. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { findProgram, findProgramIfAny } from '../../support/find-program.ts';
import { NetworkNamespaces } from '../../support/network-namespaces.ts';
import { APP_ACCOUNT, APP_SCHEMA, ReplicationSet } from '../../support/replication-set.ts';
import { type ConfigObject, mergeConfig, SluiceProcess } from '../../support/sluice-process.ts';

export const HEALTH_PORT = 9105;
export const CLIENT_PORT = 6033;

/** Asked for metrics and health is what shows nothing else, and may be open. */
const PORTS = { clients: CLIENT_PORT, admin: 6032, http: HEALTH_PORT };

export type NodeName = 'sluice1' | 'sluice2';

export class EntryStage {
  readonly network: NetworkNamespaces;
  readonly set: ReplicationSet;
  readonly #sluices = new Map<NodeName, SluiceProcess>();
  readonly #hosts = new Map<string, { readonly host: string; readonly runBy: readonly string[] }>();

  private constructor(network: NetworkNamespaces, replicas: number, sql: readonly string[]) {
    this.network = network;
    this.set = new ReplicationSet({
      replicas,
      sql: ['CREATE TABLE app.t (id INT PRIMARY KEY AUTO_INCREMENT, value INT NOT NULL)', ...sql],
      placement: () => ({ host: network.ownAddress }),
    });
  }

  /** @param program what is in front */
  static async unavailableReason(program: string): Promise<string | null> {
    if ((await findProgramIfAny([program])) === null) return `${program} is not installed`;
    return NetworkNamespaces.unavailableReason();
  }

  static async start(
    options: {
      readonly replicas?: number;
      readonly sql?: readonly string[];
      readonly config?: ConfigObject;
    } = {},
  ): Promise<EntryStage> {
    const stage = new EntryStage(NetworkNamespaces.create(), options.replicas ?? 0, options.sql ?? []);
    try {
      for (const name of ['entry', 'sluice1', 'sluice2', 'client']) stage.#addHost(name);
      await stage.set.start();
      await Promise.all(
        (['sluice1', 'sluice2'] as const).map((name) => stage.#startSluice(name, options.config ?? {})),
      );
      return stage;
    } catch (error) {
      await stage.dispose();
      throw error;
    }
  }

  static async startFor(t: Test, options: Parameters<typeof EntryStage.start>[0] = {}): Promise<EntryStage> {
    const stage = await EntryStage.start(options);
    t.teardown(() => stage.dispose());
    return stage;
  }

  sluice(name: NodeName): SluiceProcess {
    const sluice = this.#sluices.get(name);
    if (sluice === undefined) throw new Error(`${name} was not started`);
    return sluice;
  }

  hostOf(name: string): { readonly host: string; readonly runBy: readonly string[] } {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  /** How many clients a Sluice has now. */
  clientsOf(name: NodeName): Promise<number> {
    return this.sluice(name).metric('sluice_frontend_connections');
  }

  /** What the stock client prints that runs on this host. */
  async stockClient(
    name: string,
    target: { readonly host: string; readonly port: number },
    sql: string,
  ): Promise<string> {
    const [command = '', ...before] = this.hostOf(name).runBy;
    const account = [`-u${APP_ACCOUNT.username}`, `-p${APP_ACCOUNT.password}`];
    const client = await findProgram(['mariadb', 'mysql']);
    const args = ['--no-defaults', ...account, `-h${target.host}`, `-P${target.port}`, '-BN', '-e', sql];
    return (await promisify(execFile)(command, [...before, client, ...args, APP_SCHEMA])).stdout;
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#sluices.values()].map((sluice) => sluice.dispose()));
    await this.set.dispose();
    this.network.dispose();
  }

  #addHost(name: string): void {
    const { address, runBy } = this.network.add(name);
    this.#hosts.set(name, { host: address, runBy });
  }

  async #startSluice(name: NodeName, config: ConfigObject): Promise<void> {
    const { host, runBy } = this.hostOf(name);
    const sluice = await SluiceProcess.startFor(this.set, {
      host,
      runBy,
      ports: PORTS,
      startTimeoutMs: 60_000,
      config: mergeConfig(
        {
          workers: 1,
          listen: { host: '0.0.0.0' },
          users: [APP_ACCOUNT],
          // With default passwords these are for loopback only.
          admin: { host: '127.0.0.1' },
          http: { host: '127.0.0.1', port: 6080, metricsAddress: `${host}:${HEALTH_PORT}` },
          proxyProtocol: { networks: [this.hostOf('entry').host] },
        },
        config,
      ),
    });
    this.#sluices.set(name, sluice);
  }
}
