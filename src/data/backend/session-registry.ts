/** The sessions of this worker by connection id, and KILL across all workers. */

import {
  type FromWorker,
  type KillAnswer,
  KillOutcome,
  type KillRequest,
  type SessionDescription,
  type SessionList,
  type SessionListRequest,
  type SessionLists,
} from '../../common/thread-messages.ts';

/** After this long a list goes without the clients of other workers. */
const LIST_WAIT_MS = 1000;

export type KillTarget = Omit<KillRequest, 'type' | 'requestId' | 'fromWorker'>;

/** What can be killed. */
export interface Killable {
  readonly username: string;
  /** Of the primary's connection that it has for itself now, 0 for none. */
  readonly primaryThreadId: number;
  killed(queryOnly: boolean): void;
}

/** What a list of clients shows. */
export interface Listed extends Killable {
  describe(): SessionDescription;
}

/** What the registry needs to know of the worker's connections to the primary. */
export interface PrimaryThreads {
  /** The connection that has this thread id, as what KILL is aimed at. */
  threadOfPrimary(threadId: number): Killable | null;
  readonly threadsOfPrimary: readonly number[];
}

export class SessionRegistry<Entry extends Listed> {
  readonly #sessions = new Map<number, Entry>();
  readonly #workerIndex: number;
  readonly #post: (message: FromWorker) => void;
  readonly #primary: PrimaryThreads;
  readonly #listing = new Map<number, (lists: readonly SessionList[]) => void>();
  readonly #asked = new Map<number, (outcome: KillOutcome) => void>();
  #requests = 0;

  constructor(workerIndex: number, post: (message: FromWorker) => void, primary: PrimaryThreads) {
    this.#workerIndex = workerIndex;
    this.#post = post;
    this.#primary = primary;
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

  /** All clients: this worker's, and through the main thread those of the others. */
  list(done: (lists: readonly SessionList[]) => void): void {
    const requestId = ++this.#requests;
    this.#listing.set(requestId, done);
    this.#post({ type: 'listSessions', requestId, fromWorker: this.#workerIndex });
    // The data plane never waits for the main thread: without it, the own clients are what is known.
    setTimeout(() => this.listAnswered({ type: 'sessionLists', requestId, lists: [] }), LIST_WAIT_MS).unref();
  }

  /** Another worker's question. */
  answerList({ requestId, fromWorker }: SessionListRequest): void {
    this.#post(this.#ownList(requestId, fromWorker));
  }

  listAnswered({ requestId, lists }: SessionLists): void {
    const done = this.#listing.get(requestId);
    this.#listing.delete(requestId);
    done?.([this.#ownList(requestId, this.#workerIndex), ...lists]);
  }

  #ownList(requestId: number, fromWorker: number): SessionList {
    const sessions = [...this.#sessions.values()].map((session) => session.describe());
    return { type: 'sessionList', requestId, fromWorker, sessions, threads: this.#primary.threadsOfPrimary };
  }

  #kill({ connectionId, queryOnly, username, ofAll, allOfUser }: KillTarget): KillOutcome {
    if (allOfUser !== null) {
      // The one that asks is the primary's to kill, with its answer.
      for (const [id, session] of [...this.#sessions])
        if (session.username === allOfUser && id !== connectionId) session.killed(queryOnly);
      return KillOutcome.unknown;
    }
    const session =
      this.#sessions.get(connectionId) ??
      this.#servedBy(connectionId) ??
      this.#primary.threadOfPrimary(connectionId);
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
