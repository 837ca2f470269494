/**
 * Before a read of a transaction that is open on a replica: what it must see may not be there yet. Then it waits for this
 * very replica, which nobody can exchange.
 */

import type { ConnectionKey } from '../backend/connection-key.ts';
import type { WaitingRead } from '../causal/server-waits.ts';
import type { WorkerContext } from '../worker-context.ts';
import { RunPhase } from './run-phase.ts';
import type { Session } from './session.ts';

export class HeldReplicaWait implements WaitingRead {
  readonly #session: Session;
  readonly #context: WorkerContext;
  #then: ((isThere: boolean) => void) | null = null;

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
  }

  get connectionKey(): ConnectionKey {
    return this.#session.connectionKey;
  }

  get collationId(): number {
    return this.#session.collationId;
  }

  /** @returns whether the held replica has it. If not, `then` is told later, whether it has come to have it. */
  has(need: number, then: (isThere: boolean) => void): boolean {
    const { held } = this.#session.run;
    const { causality, replicaWaits, backends } = this.#context;
    if (held === null || held.server.role === 'primary') return true;
    if (need >= 0 && causality.gtids.applied(held.server.slot) >= need) return true;
    this.#then = then;
    const pool = need < 0 ? null : backends.poolOf(held.server.address);
    const waits = pool !== null && replicaWaits.begin(this, pool, need, this.#session.routing.causalWaitMs);
    // Not before the caller knows that it waits.
    if (!waits) queueMicrotask(() => this.waitOver(false));
    return false;
  }

  cancel(): void {
    this.#then = null;
    this.#context.replicaWaits.cancel(this);
  }

  waitOver(reached: boolean): void {
    const then = this.#then;
    this.cancel();
    if (then !== null && this.#session.run.phase === RunPhase.idle) then(reached);
  }
}
