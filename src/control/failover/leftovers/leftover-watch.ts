/**
 * Looks after servers that are the primary no more until nothing is open on them from the time when they were.
 *
 * Period: PERIOD_MS while there is such a server; the first look is at once when the monitor sees another primary.
 * Effect: what is still open after `failover.endTransactionsAfterMs` is ended, where Sluice has moved the primary itself or
 *         may do so by itself (`failover.automatic`); what cannot be ended is told, with what to do (demoted-server.ts).
 * Stop:   `stop()`.
 */

import type { Clock, TimerHandle } from '../../../common/clock.ts';
import type { ServerAddress } from '../../../topology/server-description.ts';
import { KnownPrimary } from '../known-primary.ts';
import { OpenServers } from '../open-servers.ts';
import type { OperationContext } from '../operation-context.ts';
import { DemotedServer, type Permission } from './demoted-server.ts';

const PERIOD_MS = 500;
/** Where nothing is ended: what is still open after this long. */
const TOLD_AFTER_MS = 2000;

export class LeftoverWatch {
  readonly #demoted = new Map<ServerAddress, DemotedServer>();
  /** Whose place Sluice has given to another one. */
  readonly #ownOrders = new Set<ServerAddress>();
  readonly #context: OperationContext;
  readonly #primary = new KnownPrimary();
  #pass: Promise<void> | null = null;
  readonly #clock: Clock;
  #isStopped = false;
  #timer: TimerHandle = null;

  constructor(context: OperationContext, clock: Clock) {
    this.#context = context;
    this.#clock = clock;
  }

  /** The topology may name another primary. */
  look(): void {
    const change = this.#primary.see(this.#context.monitor.topology);
    if (change === null) return;
    if (change.from !== null) this.#add(change.from);
    this.#demoted.delete(change.to);
    this.#ownOrders.delete(change.to);
    this.#schedule(0);
  }

  /** An operation of Sluice gives its place to another one. */
  replaced(address: ServerAddress): void {
    this.#ownOrders.add(address);
  }

  /** It was the primary once, as far as is known, and becomes a replica now. */
  rejoined(address: ServerAddress): void {
    this.replaced(address);
    this.#add(address);
    this.#schedule(0);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#clock.clearTimeout(this.#timer);
    await this.#pass;
  }

  #add(address: ServerAddress): void {
    const { monitor } = this.#context;
    const nowMs = (): number => this.#clock.monotonicMs();
    const server = new DemotedServer({ address, note: (event) => monitor.note(event), nowMs });
    this.#demoted.set(address, server);
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped || this.#demoted.size === 0 || this.#pass !== null) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => {
      this.#pass = this.#run().finally(() => {
        this.#pass = null;
        this.#schedule(PERIOD_MS);
      });
    }, delayMs);
  }

  async #run(): Promise<void> {
    for (const server of [...this.#demoted.values()]) {
      const isDone = await this.#lookAt(server).catch(() => false);
      if (isDone && this.#demoted.get(server.address) === server) this.#demoted.delete(server.address);
    }
  }

  /** @returns whether it needs to be looked after no more @throws ServerOrderError */
  async #lookAt(server: DemotedServer): Promise<boolean> {
    const { topology } = this.#context.monitor;
    const place = topology.find(server.address);
    if (place === null || topology.primary === server.address) return true;
    // While it takes writes whatever is open may be committed: others see to that first.
    if (place.readOnly !== true) return false;
    const servers = new OpenServers(this.#context);
    try {
      return await server.look(await servers.open(place), this.#permission(server));
    } finally {
      servers.close();
    }
  }

  #permission(server: DemotedServer): Permission | null {
    const { endTransactionsAfterMs, automatic } = this.#context.settings();
    if (this.#context.agreement.refusal() !== null) return null;
    const isOff = endTransactionsAfterMs === 0;
    if (server.ageMs < (isOff ? TOLD_AFTER_MS : endTransactionsAfterMs)) return null;
    const mayEnd = automatic || this.#ownOrders.has(server.address);
    if (mayEnd && !isOff) return { ok: true };
    const why = isOff ? 'failover.endTransactionsAfterMs is 0' : 'it was not Sluice that moved the primary';
    return { ok: false, reason: `${why}: KILL them if replication waits for them` };
  }
}
