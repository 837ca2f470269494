/**
 * Questions to all workers at once. Each is answered in parts, and over when every worker has given its last one, has
 * ended, or is late: then what has come so far is the answer, and says whose is missing. Nobody is waited for longer.
 * What a late worker has forgotten by telling it (`reset`) is in the next answer to the same question.
 */

import {
  type InspectAnswer,
  type Inspection,
  type InspectRecords,
  NO_RECORDS,
} from '../common/inspection.ts';
import type { ToWorker } from '../common/thread-messages.ts';

const INQUIRY_TIMEOUT_MS = 2000;

export interface InspectResult extends InspectRecords {
  /** Numbers of the workers whose answer is not complete. */
  readonly missing: readonly number[];
  /** How many were asked. */
  readonly asked: number;
}

type Subject = keyof InspectRecords;
type Collected = { readonly [Name in Subject]: InspectRecords[Name][number][] };

const SUBJECTS = Object.keys(NO_RECORDS) as Subject[];

function collected(): Collected {
  return Object.fromEntries(SUBJECTS.map((subject) => [subject, []])) as unknown as Collected;
}

function append(records: unknown[], more: readonly unknown[]): void {
  for (const record of more) records.push(record);
}

interface Pending {
  /** Workers whose last part is due. */
  readonly awaited: Set<number>;
  /** Of those that have ended meanwhile. */
  readonly ended: number[];
  readonly records: Collected;
  readonly done: () => void;
}

export class WorkerInquiries {
  readonly #pending = new Map<number, Pending>();
  /** Workers that still have something to tell which they forget, by request. */
  readonly #late = new Map<number, Set<number>>();
  /** What those have told since. */
  readonly #kept = collected();
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
        const { records, awaited, ended } = pending;
        if (inspection.reset === true && awaited.size > 0) this.#late.set(requestId, new Set(awaited));
        resolve({
          ...records,
          missing: [...awaited, ...ended].sort(ascending),
          asked: workers.length,
        });
      };
      const timer = setTimeout(done, this.#timeoutMs);
      const pending: Pending = {
        awaited: new Set(workers),
        ended: [],
        records: collected(),
        done,
      };
      if (inspection.reset === true) this.#takeKept(inspection, pending.records);
      this.#pending.set(requestId, pending);
      for (const worker of workers) send(worker, { type: 'inspect', requestId, ...inspection });
      if (workers.length === 0) done();
    });
  }

  received(worker: number, answer: InspectAnswer): void {
    const pending = this.#pending.get(answer.requestId);
    if (pending === undefined) this.#keep(worker, answer);
    if (pending?.awaited.has(worker) !== true) return;
    for (const subject of SUBJECTS) append(pending.records[subject], answer[subject]);
    if (answer.isLast) this.#over(pending, worker);
  }

  /** It will not answer any more. */
  workerEnded(worker: number): void {
    for (const requestId of [...this.#late.keys()]) this.#isLateNoMore(requestId, worker);
    for (const pending of [...this.#pending.values()]) {
      if (!pending.awaited.has(worker)) continue;
      pending.ended.push(worker);
      this.#over(pending, worker);
    }
  }

  #keep(worker: number, answer: InspectAnswer): void {
    if (this.#late.get(answer.requestId)?.has(worker) !== true) return;
    for (const subject of SUBJECTS) append(this.#kept[subject], answer[subject]);
    if (answer.isLast) this.#isLateNoMore(answer.requestId, worker);
  }

  #takeKept({ subject: wanted }: Inspection, records: Collected): void {
    for (const subject of SUBJECTS)
      if (subject === wanted) append(records[subject], this.#kept[subject].splice(0));
  }

  #isLateNoMore(requestId: number, worker: number): void {
    const workers = this.#late.get(requestId);
    workers?.delete(worker);
    if (workers?.size === 0) this.#late.delete(requestId);
  }

  #over(pending: Pending, worker: number): void {
    pending.awaited.delete(worker);
    if (pending.awaited.size === 0) pending.done();
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}
