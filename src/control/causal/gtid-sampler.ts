/**
 * A loop for each server that asks how far it is.
 *
 * Period: `SAMPLE_MS`; the primary is asked at once, and then no more often than every `RESOLVE_MS`, while workers have
 *         writes of which they do not know the position.
 * Effect: `GtidKeeper` gets each answer, and is told when the answer of a server may be worth nothing any more.
 * Stop:   `stop()`.
 */

import type { Clock, TimerHandle } from '../../common/clock.ts';
import type { SharedGtids } from '../../common/shared-gtids.ts';
import type { SnapshotServer } from '../../common/snapshot.ts';
import { isSameTls } from '../../topology/server-description.ts';
import { CheckInterval, CheckTimeoutError } from '../monitor/check-interval.ts';
import { KeptConnection } from '../monitor/kept-connection.ts';
import type { MonitorConnection, MonitorCredentials } from '../monitor/monitor-connection.ts';
import type { GtidKeeper } from './gtid-keeper.ts';
import { type GtidSample, sampleGtids } from './gtid-sample.ts';

const SAMPLE_MS = 250;
/** Together with the samples at most twelve statements a second. */
const RESOLVE_MS = 125;

export interface GtidSamplerOptions {
  readonly shared: SharedGtids;
  readonly keeper: GtidKeeper;
  readonly credentials: () => MonitorCredentials;
  readonly timeoutMs: () => number;
  readonly clock: Clock;
  /** It is reached again, and may have been started anew: what it had acknowledged it may have lost. */
  readonly primaryReturned: () => void;
}

export class GtidSampler {
  readonly #options: GtidSamplerOptions;
  readonly #loops = new Map<string, SampleLoop>();
  #stopped = false;

  constructor(options: GtidSamplerOptions) {
    this.#options = options;
  }

  /** Of a snapshot: every server has a loop, nobody else has. */
  follow(servers: readonly SnapshotServer[]): void {
    if (this.#stopped) return;
    const seen = new Set<string>();
    for (const server of servers) {
      seen.add(server.address);
      const known = this.#loops.get(server.address);
      if (known !== undefined && isSameTls(known.server.tls, server.tls)) {
        known.server = server;
        continue;
      }
      if (known !== undefined) void known.stop();
      const loop = new SampleLoop(server, this.#options);
      this.#loops.set(server.address, loop);
      loop.start();
    }
    for (const [address, loop] of this.#loops) {
      if (seen.has(address)) continue;
      this.#loops.delete(address);
      void loop.stop();
    }
  }

  /** A worker has writes whose position it does not know. */
  resolve(): void {
    for (const loop of this.#loops.values()) loop.resolve();
  }

  /** Other credentials, or time-outs: every connection is opened anew. */
  restart(): void {
    const servers = [...this.#loops.values()].map(({ server }) => server);
    for (const loop of this.#loops.values()) void loop.stop();
    this.#loops.clear();
    this.follow(servers);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#loops.values()].map((loop) => loop.stop()));
    this.#loops.clear();
  }
}

class SampleLoop {
  server: SnapshotServer;
  readonly #options: GtidSamplerOptions;
  readonly #kept: KeptConnection;
  readonly #interval: CheckInterval<void>;
  #last: MonitorConnection | null = null;
  #wasReached = false;
  /** Some worker waits for an answer that was asked for after its write. */
  #isWanted = false;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #timer: TimerHandle = null;
  #stopped = false;

  constructor(server: SnapshotServer, options: GtidSamplerOptions) {
    this.server = server;
    this.#options = options;
    const { host, port, tls } = server;
    this.#kept = new KeptConnection({ host, port, tls }, options.credentials(), () => this.#lost());
    this.#interval = new CheckInterval<void>({
      periodMs: () => SAMPLE_MS,
      timeoutMs: options.timeoutMs(),
      check: (signal) => this.#sample(signal),
      report: (result) => {
        // A server that is slow has not lost anything; of one that has gone nobody knows with what it comes back.
        if (!result.ok && !(result.error instanceof CheckTimeoutError)) this.#lost();
      },
      clock: options.clock,
    });
  }

  start(): void {
    void this.#interval.start();
  }

  resolve(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    if (this.server.role !== 'primary') return;
    const { clock } = this.#options;
    const waitMs = this.#startedAtMs + RESOLVE_MS - clock.monotonicMs();
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => void this.#interval.wake(), Math.max(0, waitMs));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.clock.clearTimeout(this.#timer);
    const stopping = this.#interval.stop();
    this.#kept.close();
    await stopping;
    this.#kept.discard();
  }

  async #sample(signal: AbortSignal): Promise<void> {
    const { shared, clock } = this.#options;
    this.#startedAtMs = clock.monotonicMs();
    const isPrimary = this.server.role === 'primary';
    const isWanted = isPrimary && this.#isWanted;
    try {
      const connection = await this.#kept.get(signal);
      if (connection !== this.#last) {
        this.#lost();
        if (isPrimary && this.#wasReached) this.#options.primaryReturned();
        this.#wasReached = true;
      }
      this.#last = connection;
      // What is wanted from here on is wanted of the next sample.
      if (isWanted) this.#isWanted = false;
      const epoch = isWanted ? shared.beginResolving() : null;
      const incarnation = shared.incarnation(this.server.slot);
      const sample = await sampleGtids(connection, isPrimary, signal);
      // It may have another role by now: what that means is to be asked again.
      if (this.#stopped || (this.server.role === 'primary') !== isPrimary) this.#isWanted ||= isWanted;
      else this.#take(sample, isPrimary, incarnation, epoch);
    } catch (error) {
      this.#isWanted ||= isWanted;
      this.#kept.discard();
      throw error;
    }
  }

  #take(sample: GtidSample, isPrimary: boolean, incarnation: number, epoch: number | null): void {
    const { keeper } = this.#options;
    if (isPrimary) {
      keeper.primarySampled(this.server, sample, epoch);
      if (epoch !== null && keeper.sources.length === 0) this.#isWanted = true;
    } else keeper.replicaSampled(this.server, sample, incarnation);
  }

  #lost(): void {
    this.#last = null;
    if (!this.#stopped) this.#options.keeper.lost(this.server);
  }
}
