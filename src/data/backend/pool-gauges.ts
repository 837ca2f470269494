/** One pool's share of a server's gauges: kept with the worker's counters too, so that a crashed worker's can be
 * given back. */

import {
  ServerCounter,
  ServerGauge,
  type SharedCounters,
  serverGauge,
  type WorkerCounters,
} from '../../common/shared-counters.ts';
import type { BackendConnection } from './backend-connection.ts';

export class PoolGauges {
  readonly #shared: SharedCounters;
  readonly #own: WorkerCounters;
  readonly #slot: number;
  #starving = false;
  /** Connections of this pool that a session or a batch has. */
  inUse = 0;

  constructor(shared: SharedCounters, own: WorkerCounters, slot: number) {
    this.#shared = shared;
    this.#own = own;
    this.#slot = slot;
  }

  /** Takes one of the `limit` places that all workers share. */
  acquirePlace(limit: number): boolean {
    if (!this.#shared.acquire(serverGauge(this.#slot, ServerGauge.connections), limit)) return false;
    this.#own.addServer(this.#slot, ServerCounter.heldConnections);
    this.#own.addServer(this.#slot, ServerCounter.connects);
    return true;
  }

  isFull(limit: number): boolean {
    return this.#shared.gauge(serverGauge(this.#slot, ServerGauge.connections)) >= limit;
  }

  releasePlace(): void {
    this.#shared.addGauge(serverGauge(this.#slot, ServerGauge.connections), -1);
    this.#own.addServer(this.#slot, ServerCounter.heldConnections, -1);
  }

  countInUse(connection: BackendConnection, inUse: boolean): void {
    if (connection.counted === inUse) return;
    connection.counted = inUse;
    const delta = inUse ? 1 : -1;
    this.inUse += delta;
    const now = this.#shared.addGauge(serverGauge(this.#slot, ServerGauge.inUse), delta);
    if (inUse) this.#own.raiseServer(this.#slot, ServerCounter.mostInUse, now);
    this.#own.addServer(this.#slot, ServerCounter.heldInUse, delta);
  }

  /** This pool waits for a place that others hold. */
  setStarving(starving: boolean): void {
    if (this.#starving === starving) return;
    this.#starving = starving;
    this.#shared.addGauge(serverGauge(this.#slot, ServerGauge.starving), starving ? 1 : -1);
    this.#own.addServer(this.#slot, ServerCounter.heldStarving, starving ? 1 : -1);
  }

  /** Another worker waits for a place. */
  get othersStarve(): boolean {
    const starving = this.#shared.gauge(serverGauge(this.#slot, ServerGauge.starving));
    return starving > (this.#starving ? 1 : 0);
  }

  connectFailed(): void {
    this.#own.addServer(this.#slot, ServerCounter.connectErrors);
  }
}
