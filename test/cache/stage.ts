/** The servers of a run, the Sluices in front of them, and the ways to both. */

import { SEMI_SYNC_ARGS, turnOnSemiSync } from '../chaos/replication-faults.ts';
import type { DatabaseServer } from '../support/database-server.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/owned-resources.ts';
import { APP_ACCOUNT, APP_SCHEMA, REPLICATION_ACCOUNT, ReplicationSet } from '../support/replication-set.ts';
import { SharedCacheServer } from '../support/shared-cache-server.ts';
import { type ConfigObject, mergeConfig, SluiceProcess } from '../support/sluice-process.ts';
import { SOURCE_COMMAND } from '../support/sluice-script.ts';
import { Succession } from '../support/succession.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { CheckerOptions } from './checker-options.ts';
import type { Endpoint } from './driver/checker-connection.ts';
import type { Gate } from './driver/gate.ts';
import { SERVER_OPTIONS, schemaStatements } from './driver/schema.ts';
import type { World } from './driver/world.ts';
import { CRASH_HOOK } from './legs/crash-worker.ts';
import { PLANT_HOOK } from './planted-faults.ts';

const STARTED_WITHIN_MS = 30_000;
/** Whoever has not left the old process by then is sent away. */
const DRAIN_MS = 1500;
const OWNERS_PER_CRASH = 4;
const HITS_METRIC = 'sluice_cache_hits_total';
/** Of a hundred answers, or parts of one, how many come late. */
const LATE_OF_HUNDRED = 12;

/** Whose tables are there from the beginning: DDL at each crash would hide what else is wrong then. */
export function readyOwners(options: CheckerOptions): number {
  const { writers, workerCrashes, handovers, failovers } = options;
  return writers * (1 + failovers) + OWNERS_PER_CRASH * (workerCrashes + handovers);
}

export class Stage {
  readonly world: World;
  readonly set: ReplicationSet;
  readonly sluices: SluiceProcess[] = [];
  /** Of each Sluice's workers, the sockets that crash them. */
  readonly crashFolder = makeTemporaryDirectory('crash');
  readonly #options: CheckerOptions;
  /** In front of each server, where answers are to come late. */
  readonly #lines: FaultProxy[] = [];
  /** The one that takes writes. */
  primary: DatabaseServer;
  shared: SharedCacheServer | null = null;
  #succession: Succession | null = null;
  /** Of processes that have handed over. */
  #hitsBefore = 0;
  #configuring: Promise<void> = Promise.resolve();

  private constructor(world: World, options: CheckerOptions) {
    this.world = world;
    this.#options = options;
    const { flavor, replicas } = options;
    const args = this.isLossless ? [...SERVER_OPTIONS, ...SEMI_SYNC_ARGS] : SERVER_OPTIONS;
    this.set = new ReplicationSet({ flavor, replicas, sql: schemaStatements(readyOwners(options)), args });
    this.primary = this.set.primary;
  }

  static async start(world: World, options: CheckerOptions): Promise<Stage> {
    const stage = new Stage(world, options);
    try {
      await stage.#start();
    } catch (error) {
      await stage.dispose();
      throw error;
    }
    return stage;
  }

  /** The one that everything is said of. */
  get sluice(): SluiceProcess {
    return this.sluices[0]!;
  }

  get replicas(): readonly DatabaseServer[] {
    return this.set.servers.filter((server) => server !== this.primary);
  }

  /** The processes of the first Sluice. */
  get succession(): Succession {
    this.#succession ??= new Succession(this.sluice);
    return this.#succession;
  }

  /** A commit that is acknowledged, or visible, is on a replica as well. */
  get isLossless(): boolean {
    return this.#options.failovers > 0 && this.#options.flavor === 'mariadb';
  }

  asRoot(sql: string): Promise<Record<string, unknown>[]> {
    return this.primary.query(sql);
  }

  /** On the admin port of the first Sluice. */
  async administer(sql: string): Promise<void> {
    const admin = await this.sluice.adminConnection();
    try {
      await admin.query(sql);
    } finally {
      await admin.end();
    }
  }

  /** A process has ended, and with it what it had counted, as `hits` told. */
  keepHits(hits: number): void {
    this.#hitsBefore = hits;
  }

  async hits(): Promise<number> {
    return this.#hitsBefore + (await this.sluice.metric(HITS_METRIC));
  }

  /** An operator does not change the configuration while another one has a new process started: one behind the other. */
  configuring(work: () => Promise<void>): Promise<void> {
    const done = this.#configuring.then(work);
    this.#configuring = done.catch(() => undefined);
    return done;
  }

  get ownGate(): Gate {
    return this.#gate('own', this.sluice.port);
  }

  /** Past the first Sluice; null where nobody writes there. */
  get otherGate(): Gate | null {
    const { foreign } = this.#options;
    if (foreign === 'none') return null;
    return this.#gate(foreign, foreign === 'direct' ? this.set.primary.port : this.sluices[1]!.port);
  }

  async dispose(): Promise<void> {
    if (this.#succession !== null) await this.#succession.dispose();
    for (const sluice of this.sluices) await sluice.dispose();
    await this.shared?.dispose();
    for (const line of this.#lines) await line.close();
    await this.set.dispose();
    removeTemporaryDirectory(this.crashFolder);
  }

  #gate(name: string, port: number): Gate {
    const endpoint: Endpoint = { host: '127.0.0.1', port, account: APP_ACCOUNT, database: APP_SCHEMA };
    return { name, endpoint, flavor: this.#options.flavor };
  }

  async #start(): Promise<void> {
    await this.set.start();
    if (this.isLossless) await turnOnSemiSync(this.set);
    const { level2 } = this.#options;
    if (level2 !== null) this.shared = await SharedCacheServer.start(level2);
    const count = this.#options.foreign === 'second' ? 2 : 1;
    for (let n = 0; n < count; n++) this.sluices.push(await this.#startSluice(this.#options.config));
    // Not before: a start is long enough without.
    for (const line of this.#lines) line.delay(() => this.#latency(), 'down');
  }

  #latency(): number {
    const { random } = this.world;
    return random.below(100) < LATE_OF_HUNDRED ? random.next() * this.#options.delayMs : 0;
  }

  async #startSluice(config: ConfigObject): Promise<SluiceProcess> {
    const base = {
      servers: await this.#addresses(),
      workers: 2,
      log: { level: 'info' },
      pool: { maxConnections: 60 },
      failover: { replication: REPLICATION_ACCOUNT },
      ...this.#failover(),
      handover: { startTimeoutMs: STARTED_WITHIN_MS, idleMs: 100, drainMs: DRAIN_MS },
      ...this.#level2(),
    };
    const sluice = await SluiceProcess.startFor(this.set, {
      config: mergeConfig(base, config),
      env: this.#environment(),
      ...(this.#options.planted === null ? {} : { command: SOURCE_COMMAND }),
    });
    if (this.replicas.length > 0) await this.#untilReplicasAnswer(sluice);
    return sluice;
  }

  #failover(): ConfigObject {
    if (this.#options.failovers === 0) return {};
    return {
      failover: { automatic: true, confirmMs: 300, minIntervalMs: 1000, replication: REPLICATION_ACCOUNT },
      // A heartbeat that nobody has replicated would keep the old primary out.
      monitor: { heartbeat: { write: false } },
    };
  }

  #level2(): ConfigObject {
    const { shared } = this;
    if (shared === null) return {};
    return { cache: { level2: { kind: shared.kind, endpoints: [shared.address] } } };
  }

  /** What is imported before Sluice. */
  #environment(): NodeJS.ProcessEnv {
    const { planted, workerCrashes } = this.#options;
    const env: NodeJS.ProcessEnv = {};
    const hooks: string[] = [];
    if (planted !== null) {
      hooks.push(PLANT_HOOK);
      env.CHECKER_PLANTED_FAULT = planted;
    }
    if (workerCrashes > 0) {
      hooks.push(CRASH_HOOK);
      env.CHECKER_CRASH_FOLDER = this.crashFolder;
    }
    return hooks.length === 0
      ? {}
      : { ...env, NODE_OPTIONS: hooks.map((hook) => `--import ${hook}`).join(' ') };
  }

  async #addresses(): Promise<string[]> {
    if (this.#options.delayMs === 0) return [this.set.primary.address];
    if (this.#lines.length === 0)
      for (const { host, port } of this.set.servers) this.#lines.push(await FaultProxy.start({ host, port }));
    return this.#lines.map(({ address }) => address);
  }

  async #untilReplicasAnswer(sluice: SluiceProcess): Promise<void> {
    const connection = await sluice.connect();
    await waitUntil(
      'reads come from a replica',
      async () => {
        const [rows] = await connection.query<never[]>(
          'SELECT @@server_id AS id FROM a RIGHT JOIN (SELECT 1) AS one ON 1 = 0',
        );
        return Number((rows[0] as { id: number } | undefined)?.id) !== this.primary.serverId;
      },
      { timeoutMs: STARTED_WITHIN_MS },
    );
    await connection.end();
  }
}
