/** The sessions of this worker by connection id, and KILL across all workers. */

import {
  type FromWorker,
  type KillAnswer,
  KillOutcome,
  type KillRequest,
} from '../../common/thread-messages.ts';

export type KillTarget = Omit<KillRequest, 'type' | 'requestId' | 'fromWorker'>;

/** What can be killed. */
export interface Killable {
  readonly username: string;
  /** Of the primary's connection that it has for itself now, 0 for none. */
  readonly primaryThreadId: number;
  killed(queryOnly: boolean): void;
}

export class SessionRegistry<Entry extends Killable> {
  readonly #sessions = new Map<number, Entry>();
  readonly #workerIndex: number;
  readonly #post: (message: FromWorker) => void;
  readonly #pooledThread: (threadId: number) => Killable | null;
  readonly #asked = new Map<number, (outcome: KillOutcome) => void>();
  #requests = 0;

  /** @param pooledThread the own connection to the primary that has this thread id. */
  constructor(
    workerIndex: number,
    post: (message: FromWorker) => void,
    pooledThread: (threadId: number) => Killable | null,
  ) {
    this.#workerIndex = workerIndex;
    this.#post = post;
    this.#pooledThread = pooledThread;
  }

  get size(): number {
    return this.#sessions.size;
  }

  values(): IterableIterator<Entry> {
    return this.#sessions.values();
  }

  add(connectionId: number, session: Entry): void {
    this.#sessions.set(connectionId, session);
  }

  remove(connectionId: number): void {
    this.#sessions.delete(connectionId);
  }

  /** KILL of one of this worker's own clients, or, through the main thread, of another worker's. */
  requestKill(target: KillTarget, done: (outcome: KillOutcome) => void): void {
    const own = this.#kill(target);
    if (own !== KillOutcome.unknown) {
      done(own);
      return;
    }
    const requestId = ++this.#requests;
    this.#asked.set(requestId, done);
    this.#post({ type: 'kill', requestId, fromWorker: this.#workerIndex, ...target });
  }

  /** Another worker's request. */
  answerKill(request: KillRequest): void {
    const { requestId, fromWorker } = request;
    this.#post({ type: 'killAnswer', requestId, fromWorker, outcome: this.#kill(request) });
  }

  killAnswered(answer: KillAnswer): void {
    const done = this.#asked.get(answer.requestId);
    this.#asked.delete(answer.requestId);
    done?.(answer.outcome);
  }

  #kill({ connectionId, queryOnly, username, ofAll, allOfUser }: KillTarget): KillOutcome {
    if (allOfUser !== null) {
      // The one that asks is the primary's to kill, with its answer.
      for (const [id, session] of [...this.#sessions])
        if (session.username === allOfUser && id !== connectionId) session.killed(queryOnly);
      return KillOutcome.unknown;
    }
    const session =
      this.#sessions.get(connectionId) ?? this.#servedBy(connectionId) ?? this.#pooledThread(connectionId);
    if (session === null) return KillOutcome.unknown;
    if (session.username !== username && !ofAll) return KillOutcome.denied;
    session.killed(queryOnly);
    return KillOutcome.killed;
  }

  #servedBy(threadId: number): Entry | null {
    if (threadId === 0) return null;
    for (const session of this.#sessions.values()) if (session.primaryThreadId === threadId) return session;
    return null;
  }
}
