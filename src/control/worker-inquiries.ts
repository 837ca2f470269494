/**
 * Questions to all workers at once. Each is answered in parts, and over when every worker has given its last one, has
 * ended, or is late: then what has come so far is the answer, and says whose is missing. Nobody is waited for longer.
 */

import type {
  DigestRecord,
  ErrorRecord,
  InspectAnswer,
  Inspection,
  RouteRecord,
  SessionRecord,
} from '../common/inspection.ts';
import type { ShadowRecord } from '../common/shadow-report.ts';
import type { ToWorker } from '../common/thread-messages.ts';

export const INQUIRY_TIMEOUT_MS = 2000;

export interface InspectResult {
  readonly sessions: readonly SessionRecord[];
  readonly routes: readonly RouteRecord[];
  readonly digests: readonly DigestRecord[];
  readonly errors: readonly ErrorRecord[];
  readonly shadow: readonly ShadowRecord[];
  /** Numbers of the workers whose answer is not complete. */
  readonly missing: readonly number[];
  /** How many were asked. */
  readonly asked: number;
}

interface Pending {
  /** Workers whose last part is due. */
  readonly awaited: Set<number>;
  /** Of those that have ended meanwhile. */
  readonly ended: number[];
  readonly sessions: SessionRecord[];
  readonly routes: RouteRecord[];
  readonly digests: DigestRecord[];
  readonly errors: ErrorRecord[];
  readonly shadow: ShadowRecord[];
  readonly done: () => void;
}

export class WorkerInquiries {
  readonly #pending = new Map<number, Pending>();
  readonly #timeoutMs: number;
  #requests = 0;

  constructor(timeoutMs = INQUIRY_TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs;
  }

  /** @param workers those that run. @param send to one of them. */
  ask(
    inspection: Inspection,
    workers: readonly number[],
    send: (worker: number, message: ToWorker) => void,
  ): Promise<InspectResult> {
    const requestId = ++this.#requests;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#pending.delete(requestId);
        const { sessions, routes, digests, errors, shadow, awaited, ended } = pending;
        resolve({
          sessions,
          routes,
          digests,
          errors,
          shadow,
          missing: [...awaited, ...ended].sort(ascending),
          asked: workers.length,
        });
      };
      const timer = setTimeout(done, this.#timeoutMs);
      const pending: Pending = {
        awaited: new Set(workers),
        ended: [],
        sessions: [],
        routes: [],
        digests: [],
        errors: [],
        shadow: [],
        done,
      };
      this.#pending.set(requestId, pending);
      for (const worker of workers) send(worker, { type: 'inspect', requestId, ...inspection });
      if (workers.length === 0) done();
    });
  }

  received(worker: number, answer: InspectAnswer): void {
    const pending = this.#pending.get(answer.requestId);
    if (pending?.awaited.has(worker) !== true) return;
    for (const session of answer.sessions) pending.sessions.push(session);
    for (const route of answer.routes) pending.routes.push(route);
    for (const digest of answer.digests) pending.digests.push(digest);
    for (const error of answer.errors) pending.errors.push(error);
    pending.shadow.push(...answer.shadow);
    if (answer.isLast) this.#over(pending, worker);
  }

  /** It will not answer any more. */
  workerEnded(worker: number): void {
    for (const pending of [...this.#pending.values()]) {
      if (!pending.awaited.has(worker)) continue;
      pending.ended.push(worker);
      this.#over(pending, worker);
    }
  }

  #over(pending: Pending, worker: number): void {
    pending.awaited.delete(worker);
    if (pending.awaited.size === 0) pending.done();
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}
