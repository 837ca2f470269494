/**
 * What has to be known of a primary when it is dead.
 *
 * Period: READ_MS, and at once when another server is the primary.
 * Effect: notes how it waits for acknowledgements. A server that has failed as primary is remembered too.
 * Stop:   `stop()`.
 */

import type { Clock, TimerHandle } from '../../../common/clock.ts';
import type { ServerAddress } from '../../../topology/server-description.ts';
import { KnownPrimary } from '../known-primary.ts';
import { OpenServers } from '../open-servers.ts';
import type { OperationContext } from '../operation-context.ts';
import type { SemiSyncWish } from './failover-plan.ts';

const READ_MS = 10_000;

export class PrimaryMemory {
  readonly #context: OperationContext;
  readonly #clock: Clock;
  readonly #semiSync = new Map<ServerAddress, SemiSyncWish>();
  readonly #wishes = new Map<ServerAddress, SemiSyncWish>();
  readonly #failedAtMs = new Map<ServerAddress, number>();
  readonly #primary = new KnownPrimary();
  #timer: TimerHandle = null;
  #isStopped = false;

  constructor(context: OperationContext, clock: Clock) {
    this.#context = context;
    this.#clock = clock;
  }

  /** The topology may name another primary. */
  look(): void {
    if (this.#primary.see(this.#context.monitor.topology) !== null) void this.#read();
  }

  stop(): void {
    this.#isStopped = true;
    this.#clock.clearTimeout(this.#timer);
  }

  /** As it was when it was read last, or is to become; null where neither is known. */
  semiSyncOf(address: ServerAddress): SemiSyncWish | null {
    const wish = this.#wishes.get(address);
    return wish?.enabled ? wish : (this.#semiSync.get(address) ?? null);
  }

  failed(address: ServerAddress): void {
    this.#failedAtMs.set(address, this.#clock.monotonicMs());
  }

  /** Why it is not to be promoted again so soon; null where it may be. */
  exclusion(address: ServerAddress): string | null {
    const failedAtMs = this.#failedAtMs.get(address);
    if (failedAtMs === undefined) return null;
    const agoMs = this.#clock.monotonicMs() - failedAtMs;
    const { minIntervalMs } = this.#context.settings();
    if (agoMs >= minIntervalMs) return null;
    const agoSeconds = Math.round(agoMs / 1000);
    return `it failed as primary ${agoSeconds} s ago (failover.minIntervalMs is ${minIntervalMs})`;
  }

  /** Servers that failed as primary, and whose place was taken. */
  replaced(): Iterable<ServerAddress> {
    return this.#failedAtMs.keys();
  }

  /** How a new primary is to wait for acknowledgements, once a replica gives them. */
  wish(address: ServerAddress, wish: SemiSyncWish): void {
    this.#wishes.set(address, wish);
  }

  wishFor(address: ServerAddress): SemiSyncWish | null {
    return this.#wishes.get(address) ?? null;
  }

  async #read(): Promise<void> {
    this.#clock.clearTimeout(this.#timer);
    const { address } = this.#primary;
    const server = address === null ? null : this.#context.monitor.topology.find(address);
    if (server?.status === 'ONLINE') await this.#readSemiSync(server);
    if (this.#isStopped) return;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => void this.#read(), READ_MS);
  }

  async #readSemiSync(server: Parameters<OpenServers['open']>[0]): Promise<void> {
    const servers = new OpenServers(this.#context);
    try {
      const { semiSync } = await (await servers.open(server)).readState();
      const { available, sourceEnabled, timeoutMs } = semiSync;
      this.#semiSync.set(server.address, { enabled: available && sourceEnabled, timeoutMs });
    } catch {
      // What was read before is still the best that is known.
    } finally {
      servers.close();
    }
  }
}
