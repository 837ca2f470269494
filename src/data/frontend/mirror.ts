/**
 * Statements that a rule has another hostgroup run as well. Nobody waits for the answer, and there are never more than
 * `routing.mirrorConcurrency` of them in a worker: what comes beyond that is not mirrored, and counted.
 *
 * Only proven reads outside of transactions are mirrored: anything else would be executed twice, or on a server that
 * replicates it.
 */

import { WorkerCounter } from '../../common/shared-counters.ts';
import type { Destination } from '../router/destination.ts';
import type { Plan } from '../router/plan.ts';
import type { MirroredSession, Mirroring, WorkerContext } from '../worker-context.ts';
import { usesResidue } from './asked-connection.ts';
import { UnheardClient } from './unheard-client.ts';

export class Mirrors implements Mirroring {
  readonly #contextOf: () => WorkerContext;
  readonly #idle: UnheardClient[] = [];
  #running = 0;

  /** @param context asked when the first one comes: it has this in it. */
  constructor(context: () => WorkerContext) {
    this.#contextOf = context;
  }

  /** The statement in `buffer[start, end)`, command byte included, which the session itself is about to run. */
  take(
    session: MirroredSession,
    hostgroup: number,
    buffer: Buffer,
    start: number,
    end: number,
    plan: Plan,
  ): void {
    if (!isMirrored(session, plan)) return;
    const { counters, router, snapshot, backends } = this.#contextOf();
    const destination = router.mirrorTo(hostgroup);
    const hasServer =
      destination !== null &&
      (destination.readers === null ? backends.primary !== null : backends.hasReaders(destination));
    if (destination === null || !hasServer || this.#running >= snapshot.settings.routing.mirrorConcurrency) {
      counters.add(WorkerCounter.mirrorsDropped);
      return;
    }
    counters.add(WorkerCounter.mirrored);
    this.#running++;
    const client = this.#idle.pop() ?? this.#make(session, destination);
    const packet = Buffer.from(buffer.subarray(start, end));
    const timeoutMs = session.routing.verdict.timeoutMs ?? snapshot.settings.limits.queryTimeoutMs;
    client.begin(session, destination, {
      packet,
      plan,
      prepared: null,
      timeoutMs,
      source: 'mirror',
      capture: null,
    });
  }

  #make(session: MirroredSession, destination: Destination): UnheardClient {
    return new UnheardClient(session, destination, this.#contextOf(), (client) => {
      this.#running--;
      this.#idle.push(client);
    });
  }
}

/** What the session is in the middle of cannot be made again elsewhere. */
function isMirrored(session: MirroredSession, { statement }: Plan): boolean {
  if (!statement.provenRead || statement.statementCount !== 1 || usesResidue(statement)) return false;
  const { routing } = session;
  return !(routing.holdsConnection || routing.pinned || routing.inTransaction) && routing.autocommit;
}
