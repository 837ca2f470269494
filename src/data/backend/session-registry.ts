/** The sessions of this worker by connection id, and KILL across all workers. */

import {
  type FromWorker,
  type KillAnswer,
  KillOutcome,
  type KillRequest,
} from '../../common/thread-messages.ts';

/** What can be killed. */
export interface Killable {
  readonly username: string;
  killed(queryOnly: boolean): void;
}

export class SessionRegistry<Entry extends Killable> {
  readonly #sessions = new Map<number, Entry>();
  readonly #workerIndex: number;
  readonly #post: (message: FromWorker) => void;
  readonly #asked = new Map<number, (outcome: KillOutcome) => void>();
  #requests = 0;

  constructor(workerIndex: number, post: (message: FromWorker) => void) {
    this.#workerIndex = workerIndex;
    this.#post = post;
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
  requestKill(
    connectionId: number,
    queryOnly: boolean,
    username: string,
    done: (outcome: KillOutcome) => void,
  ): void {
    const own = this.#kill(connectionId, queryOnly, username);
    if (own !== KillOutcome.unknown) {
      done(own);
      return;
    }
    const requestId = ++this.#requests;
    this.#asked.set(requestId, done);
    const fromWorker = this.#workerIndex;
    this.#post({ type: 'kill', requestId, fromWorker, connectionId, queryOnly, username });
  }

  /** Another worker's request. */
  answerKill(request: KillRequest): void {
    const outcome = this.#kill(request.connectionId, request.queryOnly, request.username);
    const { requestId, fromWorker } = request;
    this.#post({ type: 'killAnswer', requestId, fromWorker, outcome });
  }

  killAnswered(answer: KillAnswer): void {
    const done = this.#asked.get(answer.requestId);
    this.#asked.delete(answer.requestId);
    done?.(answer.outcome);
  }

  #kill(connectionId: number, queryOnly: boolean, username: string): KillOutcome {
    const session = this.#sessions.get(connectionId);
    if (session === undefined) return KillOutcome.unknown;
    if (session.username !== username) return KillOutcome.denied;
    session.killed(queryOnly);
    return KillOutcome.killed;
  }
}
