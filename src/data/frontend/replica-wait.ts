/** A read that waits for the replica which will have what it must see, and what has come of that. */

import { WorkerCounter } from '../../common/shared-counters.ts';
import type { ConnectionKey } from '../backend/connection-key.ts';
import type { WaitingRead } from '../causal/server-waits.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { SearchClient } from './search-client.ts';
import type { ServerChoice } from './server-choice.ts';

export class ReplicaWait implements WaitingRead {
  readonly #client: SearchClient;
  readonly #context: WorkerContext;
  readonly #choice: ServerChoice;
  readonly #over: () => void;
  #isWaiting = false;
  #hasWaited = false;
  /** No replica has what the read must see: it goes to the primary. */
  #isBehind = false;

  /** @param over called when it may go on, to that replica or to the primary. */
  constructor(client: SearchClient, context: WorkerContext, choice: ServerChoice, over: () => void) {
    this.#client = client;
    this.#context = context;
    this.#choice = choice;
    this.#over = over;
  }

  /** Of a new statement. */
  begin(): void {
    this.#hasWaited = false;
    this.#isBehind = false;
  }

  /** No replica has what the read must see: the one that is nearest to it may have it soon. @returns whether it waits. */
  waits(): boolean {
    const { neededGtid } = this.#choice.needs;
    if (neededGtid <= 0 || this.#choice.isPrimaryOnly) return false;
    const nearest = this.#hasWaited ? null : this.#choice.nearest();
    const waitMs = this.#client.routing.causalWaitMs;
    if (nearest === null || !this.#context.replicaWaits.begin(this, nearest, neededGtid, waitMs)) {
      this.#isBehind = true;
      return false;
    }
    this.#hasWaited = true;
    this.#isWaiting = true;
    return true;
  }

  /** A connection has been found. @returns no replica has what the read must see. */
  placed(): boolean {
    const { counters } = this.#context;
    if (this.#choice.needs.neededGtid <= 0) return false;
    if (this.#isBehind) counters.add(WorkerCounter.causalReadsBehind);
    else counters.add(this.#hasWaited ? WorkerCounter.causalReadsWaited : WorkerCounter.causalReadsAtOnce);
    return this.#isBehind;
  }

  cancel(): void {
    this.#isWaiting = false;
    this.#context.replicaWaits.cancel(this);
  }

  // ---- WaitingRead

  get connectionKey(): ConnectionKey {
    return this.#client.connectionKey;
  }

  get collationId(): number {
    return this.#client.collationId;
  }

  waitOver(reached: boolean): void {
    const wasWaiting = this.#isWaiting;
    this.cancel();
    if (!wasWaiting) return;
    if (!reached) {
      this.#choice.primaryOnly();
      this.#isBehind = true;
    }
    this.#over();
  }
}
