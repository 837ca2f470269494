/** Asks workers about their sessions and last statements; what many ask at once is asked once. */

import { type Inspection, NO_RECORDS } from '../common/inspection.ts';
import { SharedAnswers } from './statistics/shared-answer.ts';
import type { InspectResult } from './worker-inquiries.ts';
import type { WorkerSet } from './worker-set.ts';

export class WorkerInspection {
  readonly #workers: () => WorkerSet | null;
  readonly #answers = new SharedAnswers<InspectResult>(recordsOf);

  /** @param workers null as long as there are none */
  constructor(workers: () => WorkerSet | null) {
    this.#workers = workers;
  }

  ask(inspection: Inspection): Promise<InspectResult> {
    const ask = (): Promise<InspectResult> =>
      this.#workers()?.questions.inspect(inspection) ??
      Promise.resolve({ ...NO_RECORDS, missing: [], asked: 0 });
    const { subject, connectionId, limit, reset = false } = inspection;
    return reset ? ask() : this.#answers.get(`${subject} ${connectionId} ${limit}`, ask);
  }
}

function recordsOf(answer: InspectResult): number {
  return (
    answer.sessions.length + answer.routes.length + answer.prepared.length + answer.idleConnections.length
  );
}
