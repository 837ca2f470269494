/** Reads that wait for a replica: they hold nothing meanwhile, and stand in front of nobody else's statement. */

import type { ReplicaMeasurements } from '../backend/balancing/replica-measurements.ts';
import type { ServerPool } from '../backend/server-pool.ts';
import { ServerWaits, type WaitingRead } from './server-waits.ts';
import type { WorkerCausality } from './worker-causality.ts';

export class ReplicaWaits {
  readonly #causality: WorkerCausality;
  readonly #measured: ReplicaMeasurements;
  readonly #servers = new Map<ServerPool, ServerWaits>();
  readonly #waiting = new Map<WaitingRead, ServerWaits>();

  constructor(causality: WorkerCausality, measured: ReplicaMeasurements) {
    this.#causality = causality;
    this.#measured = measured;
  }

  /** @returns false if that is not worth while: the server is too far behind, or cannot tell. Else `waitOver` is called. */
  begin(read: WaitingRead, pool: ServerPool, need: number, waitMs: number): boolean {
    if (waitMs <= 0 || this.#measured.lagMs(pool.server.slot) > waitMs) return false;
    let server = this.#servers.get(pool);
    if (server === undefined) {
      server = new ServerWaits(pool, this.#causality);
      this.#servers.set(pool, server);
    }
    if (!server.mayReach(need)) return false;
    this.#waiting.set(read, server);
    server.add(read, need, waitMs);
    return true;
  }

  /** To be called when the wait is over as well. */
  cancel(read: WaitingRead): void {
    const server = this.#waiting.get(read);
    if (server === undefined) return;
    this.#waiting.delete(read);
    server.remove(read);
  }

  /** Of servers that are gone nobody waits any more. */
  keepOnly(isThere: (pool: ServerPool) => boolean): void {
    for (const [pool, server] of this.#servers) {
      if (isThere(pool)) continue;
      this.#servers.delete(pool);
      server.close();
    }
  }
}
