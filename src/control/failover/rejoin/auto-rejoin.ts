/**
 * Brings back what a change of the primary has left behind: replicas of the old primary, and the old primary itself.
 *
 * Period: at once when the monitor has seen something, at least every CALM_MS; a server that could not be brought back
 *         is tried again after RETRY_MS.
 * Effect: an old primary that takes writes is made read-only before anything else. Whoever has nothing that the primary
 *         lacks becomes its replica; the others are kept out, with the reason in an event and in SHOW TOPOLOGY. Only
 *         servers are touched that the records of operations, or this process, know as replaced, and their replicas: two
 *         writable servers of which nobody knows are an alarm, not a task.
 * Stop:   `stop()`.
 */

import { randomUUID } from 'node:crypto';
import type { Clock, TimerHandle } from '../../../common/clock.ts';
import {
  type ServerAddress,
  type ServerDescription,
  ServerStatus,
} from '../../../topology/server-description.ts';
import { StrayKind, strayKind } from '../../../topology/stray-server.ts';
import { Verdict } from '../check-verdict.ts';
import type { PrimaryMemory } from '../failover/primary-memory.ts';
import type { FailoverControl } from '../failover-control.ts';
import { OpenServers } from '../open-servers.ts';
import type { OperationContext } from '../operation-context.ts';
import { OperationKind, OperationOutcome } from '../operation-event.ts';
import { readReplaced } from '../operation-record.ts';
import { openOperator } from '../servers/open-operator.ts';
import { runSteps } from '../step-run.ts';
import { divergenceOf } from './divergence.ts';
import { fenceServer } from './fence-server.ts';
import { assessRejoin, rejoinSteps } from './rejoin.ts';

export interface AutoRejoinOptions {
  readonly context: OperationContext;
  readonly control: FailoverControl;
  readonly memory: PrimaryMemory;
  readonly clock: Clock;
}

const CALM_MS = 2000;
const RETRY_MS = 5000;
/** For a replica whose source has just gone: who moves the primary may be about to re-point it. */
const PATIENCE_MS = 2000;

interface Stray {
  readonly server: ServerDescription;
  readonly kind: StrayKind;
}

export class AutoRejoin {
  readonly #options: AutoRejoinOptions;
  readonly #context: OperationContext;
  readonly #seenAtMs = new Map<ServerAddress, number>();
  readonly #retryAtMs = new Map<ServerAddress, number>();
  readonly #told = new Map<ServerAddress, string>();
  #timer: TimerHandle = null;
  #pass: Promise<void> | null = null;
  #isAgain = false;
  #isStopped = false;

  constructor(options: AutoRejoinOptions) {
    this.#options = options;
    this.#context = options.context;
  }

  /** The monitor has seen something. */
  look(): void {
    if (this.#isStopped) return;
    if (this.#pass !== null) {
      this.#isAgain = true;
      return;
    }
    this.#options.clock.clearTimeout(this.#timer);
    this.#pass = this.#run().finally(() => {
      this.#pass = null;
      if (this.#isStopped) return;
      if (this.#isAgain) this.look();
      else this.#timer = this.#options.clock.setTimeout(() => this.look(), CALM_MS);
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#options.clock.clearTimeout(this.#timer);
    await this.#pass;
  }

  async #run(): Promise<void> {
    this.#isAgain = false;
    const { automatic, rejoin } = this.#context.settings();
    const { topology } = this.#context.monitor;
    const primary = topology.primary === null ? null : topology.find(topology.primary);
    if (primary?.status !== ServerStatus.ONLINE) return;
    this.#letIn(primary.address);
    if (!automatic || !rejoin) return;
    if (this.#context.agreement.refusal() !== null || this.#options.control.running !== null) return;
    if (!topology.servers.some((server) => this.#mayBeStray(server, primary.address))) return;
    const servers = new OpenServers(this.#context);
    try {
      for (const stray of this.#strays(primary.address, await this.#replaced(servers, primary)))
        await this.#bringBack(servers, stray, primary);
    } catch {
      // The primary cannot be asked, or another operation has begun: the next pass comes.
    } finally {
      servers.close();
    }
  }

  /** Servers that follow the primary, whoever has made them. */
  #letIn(primary: ServerAddress): void {
    const { topology } = this.#context.monitor;
    for (const { address } of topology.servers) {
      const member = topology.member(address);
      const isOut = member !== null && (member.keptOut !== '' || this.#context.gate.fenced === address);
      if (isOut && strayKind(topology, member, primary, new Set()) === StrayKind.follows)
        this.#follows(address);
    }
  }

  /** Without asking a server: most of the time nothing is to do. */
  #mayBeStray({ address, role, source }: ServerDescription, primary: ServerAddress): boolean {
    if (address === primary) return false;
    const { topology } = this.#context.monitor;
    return (topology.member(address)?.keptOut ?? '') !== '' || role !== 'replica' || source === null;
  }

  async #replaced(servers: OpenServers, primary: ServerDescription): Promise<ReadonlySet<ServerAddress>> {
    const { topology } = this.#context.monitor;
    const { link } = await servers.open(primary);
    const replaced = new Set<ServerAddress>();
    for (const address of [...(await readReplaced(link)), ...this.#options.memory.replaced()])
      replaced.add(topology.find(address)?.address ?? address);
    replaced.delete(primary.address);
    return replaced;
  }

  #strays(primary: ServerAddress, replaced: ReadonlySet<ServerAddress>): readonly Stray[] {
    const { topology } = this.#context.monitor;
    return topology.servers.flatMap((server) => {
      const member = topology.member(server.address);
      if (member === null) return [];
      const kind = strayKind(topology, member, primary, replaced);
      if (kind === StrayKind.follows || kind === StrayKind.other) {
        this.#seenAtMs.delete(server.address);
        return [];
      }
      return this.#isDue(server.address, kind) ? [{ server, kind }] : [];
    });
  }

  #follows(address: ServerAddress): void {
    this.#told.delete(address);
    this.#retryAtMs.delete(address);
    this.#context.monitor.keepOut(address, '');
    this.#context.gate.unfence(address);
  }

  #isDue(address: ServerAddress, kind: StrayKind): boolean {
    const now = this.#options.clock.monotonicMs();
    const seenAtMs = this.#seenAtMs.get(address) ?? now;
    this.#seenAtMs.set(address, seenAtMs);
    if (kind === StrayKind.writableOld) return true;
    if (now < (this.#retryAtMs.get(address) ?? 0)) return false;
    return kind === StrayKind.old || now - seenAtMs >= PATIENCE_MS;
  }

  async #bringBack(servers: OpenServers, { server, kind }: Stray, primary: ServerDescription): Promise<void> {
    const { address } = server;
    this.#retryAtMs.set(address, this.#options.clock.monotonicMs() + RETRY_MS);
    if (kind === StrayKind.writableOld) await this.#fence(servers, server, primary.address);
    const { plan, checks, reason } = await assessRejoin(this.#context, servers, server);
    if (plan === null) {
      const isAway = checks.some((check) => check.check === 'reachable' && check.verdict === Verdict.refused);
      if (!isAway) this.#tell(address, reason, await this.#diverging(servers, server, primary));
      return;
    }
    const id = randomUUID();
    const { control, memory } = this.#options;
    const operation = OperationKind.rejoin;
    const note = this.#context.monitor.note.bind(this.#context.monitor);
    const steps = rejoinSteps(this.#context, plan);
    const report = await control.exclusive(operation, () =>
      control.announced({ operation, id, from: primary.address, to: address }, () =>
        runSteps(steps, { operation, id, note }),
      ),
    );
    if (report.outcome !== OperationOutcome.done) {
      this.#tell(address, report.reason, await this.#diverging(servers, server, primary));
      return;
    }
    this.#follows(address);
    const wish = memory.wishFor(primary.address);
    if (wish?.enabled && !plan.primary.state.semiSync.sourceEnabled)
      await plan.primary.operator.setSemiSync(true, false, wish.timeoutMs ?? undefined);
  }

  async #fence(servers: OpenServers, server: ServerDescription, primary: ServerAddress): Promise<void> {
    const operator = await servers.open(server);
    const { statementTimeoutMs } = this.#context.settings();
    await fenceServer(operator, () => openOperator(server, this.#context.credentials(), statementTimeoutMs));
    this.#context.monitor.note({ kind: 'server-fenced', address: server.address, primary });
    await this.#context.monitor.wake(server.address);
  }

  async #diverging(
    servers: OpenServers,
    server: ServerDescription,
    primary: ServerDescription,
  ): Promise<string> {
    try {
      const [own, theirs] = await Promise.all(
        [server, primary].map(async (each) => (await servers.open(each)).readState()),
      );
      return own === undefined || theirs === undefined ? '' : divergenceOf(own, theirs).extra;
    } catch {
      return '';
    }
  }

  #tell(address: ServerAddress, reason: string, gtids: string): void {
    this.#context.monitor.keepOut(address, reason);
    if (this.#told.get(address) === reason) return;
    this.#told.set(address, reason);
    this.#context.monitor.note({ kind: 'server-kept-out', address, reason, gtids });
  }
}
