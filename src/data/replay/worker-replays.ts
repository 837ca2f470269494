/**
 * What the replays of a worker share: whether transactions are logged and how much memory that may take, and how many
 * are being replayed, in all workers. What is new on the primary lets them pass: it could take the very ids that the
 * lost transactions had.
 */

import {
  Gauge,
  type SharedCounters,
  WorkerCounter,
  type WorkerCounters,
} from '../../common/shared-counters.ts';

export interface ReplaySettings {
  readonly enabled: boolean;
  /** Of one transaction. */
  readonly maxBytes: number;
  readonly maxStatements: number;
  /** Of all transactions of a worker. */
  readonly maxWorkerBytes: number;
}

export class WorkerReplays implements ReplaySettings {
  enabled = false;
  maxBytes = 0;
  maxStatements = 0;
  maxWorkerBytes = 0;
  bytes = 0;
  readonly #shared: SharedCounters;
  readonly #own: WorkerCounters;

  constructor(shared: SharedCounters, own: WorkerCounters) {
    this.#shared = shared;
    this.#own = own;
  }

  update({ enabled, maxBytes, maxStatements, maxWorkerBytes }: ReplaySettings): void {
    this.enabled = enabled;
    this.maxBytes = maxBytes;
    this.maxStatements = maxStatements;
    this.maxWorkerBytes = maxWorkerBytes;
  }

  hasRoomFor(bytes: number): boolean {
    return this.bytes + bytes <= this.maxWorkerBytes;
  }

  take(bytes: number): void {
    this.bytes += bytes;
  }

  give(bytes: number): void {
    this.bytes -= bytes;
  }

  /** Transactions are being replayed now. */
  get isAny(): boolean {
    return this.enabled && this.#shared.gauge(Gauge.replays) > 0;
  }

  /** @param difference 1 when one begins, -1 when it ends. */
  count(difference: 1 | -1): void {
    this.#shared.addGauge(Gauge.replays, difference);
    this.#own.add(WorkerCounter.replaysNow, difference);
  }
}
