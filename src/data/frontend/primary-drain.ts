/**
 * While writes are held: who of this worker's sessions still has something on the primary that may write. Looked for
 * once when the hold begins, over all sessions; nobody comes to it afterwards, so that only those that were found are
 * looked at again.
 */

import { type SnapshotWrites, WritesState } from '../../common/snapshot.ts';
import type { DrainingSession } from '../../common/thread-messages.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { Session } from './session.ts';

/** Between two looks. */
const LOOK_MS = 2;
/** Named in a report. */
const MAX_NAMED = 100;

export class PrimaryDrain {
  readonly #context: WorkerContext;
  readonly #sessions: () => readonly Session[];
  /** Of `snapshot.writes.hold`. */
  #hold = 0;
  #left: Session[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(context: WorkerContext, sessions: () => readonly Session[]) {
    this.#context = context;
    this.#sessions = sessions;
  }

  apply({ state, hold }: SnapshotWrites): void {
    if (state === WritesState.open) {
      this.#stop();
      return;
    }
    if (hold === this.#hold) return;
    this.#hold = hold;
    const sessions = this.#sessions();
    // Who has not got a connection yet has not begun anything.
    for (const session of sessions) session.run.holdBack();
    this.#left = sessions.filter(isLeft);
    this.#look();
  }

  /** Somebody asks who is in the way. */
  report(): void {
    this.#left = this.#left.filter(isLeft);
    const sessions = this.#left.slice(0, MAX_NAMED).map((session) => this.#describe(session));
    this.#context.post({ type: 'draining', hold: this.#hold, left: this.#left.length, sessions });
  }

  #look(): void {
    this.#left = this.#left.filter(isLeft);
    if (this.#left.length > 0) this.#timer = setTimeout(() => this.#look(), LOOK_MS);
    else this.report();
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#left = [];
  }

  #describe(session: Session): DrainingSession {
    const { state, run } = session;
    const sinceMs = run.trace.transactionSinceMs || run.trace.beganAtMs;
    const reasons = [...(state.inTransaction ? ['transaction'] : []), ...state.pins.keys()];
    return {
      worker: this.#context.workerIndex,
      connectionId: session.connectionId,
      user: session.username,
      client: session.clientAddress,
      reasons: reasons.length > 0 ? reasons : ['statement'],
      sinceMs: sinceMs === 0 ? null : performance.timeOrigin + sinceMs,
      serverThreadId: session.primaryThreadId,
    };
  }
}

function isLeft(session: Session): boolean {
  return session.run.connections.isOnPrimary;
}
