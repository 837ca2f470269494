/**
 * Questions to workers, their own ones to each other included: to whom each goes, and to whom its answer. A worker that
 * ends keeps nobody waiting.
 */

import type { Inspection } from '../common/inspection.ts';
import type {
  ExplainQuestion,
  ExplainStep,
  FromWorker,
  KillOutcome,
  SessionListRequest,
  ToWorker,
} from '../common/thread-messages.ts';
import { KillRelay } from './kill-relay.ts';
import { OPERATOR, OperatorKills } from './operator-kills.ts';
import { SessionListing } from './session-lists.ts';
import { WorkerExplains } from './worker-explains.ts';
import { type InspectResult, WorkerInquiries } from './worker-inquiries.ts';

export type QuestionMessage = Extract<
  FromWorker,
  { type: 'kill' | 'killAnswer' | 'explained' | 'inspected' | 'listSessions' | 'sessionList' }
>;

export interface WorkerQuestionsOptions {
  readonly tell: (worker: number, message: ToWorker) => void;
  /** Those that listen. */
  readonly running: () => readonly number[];
  /** Those that have a thread: who drains has sessions yet. */
  readonly alive: () => readonly number[];
}

export class WorkerQuestions {
  readonly #options: WorkerQuestionsOptions;
  readonly #explains = new WorkerExplains();
  readonly #inquiries = new WorkerInquiries();
  readonly #operatorKills = new OperatorKills();
  readonly #kills: KillRelay;
  readonly #lists: SessionListing;

  constructor(options: WorkerQuestionsOptions) {
    this.#options = options;
    const { tell } = options;
    this.#kills = new KillRelay((worker, message) => {
      if (worker === OPERATOR && message.type === 'killAnswer')
        this.#operatorKills.answered(message.requestId, message.outcome);
      tell(worker, message);
    });
    this.#lists = new SessionListing(tell);
  }

  /**
   * One running worker says all; of the others only what each has for itself. Empty when there is none, or the first one does
   * not answer in time.
   */
  async explainRoute(question: ExplainQuestion): Promise<readonly ExplainStep[]> {
    const { running, tell } = this.#options;
    const answers = await Promise.all(
      running().map((worker) => this.#explains.ask(question, (message) => tell(worker, message))),
    );
    const [first = [], ...others] = answers;
    return first.flatMap((one) => [one, ...(one.isOfWorker === true ? alike(one, others) : [])]);
  }

  /** Asks all workers that run; does not wait for one that is late. */
  inspect(inspection: Inspection): Promise<InspectResult> {
    const { running, tell } = this.#options;
    return this.#inquiries.ask(inspection, running(), tell);
  }

  /** Null when workers were late, and none of the others has this session. */
  killSession(connectionId: number, queryOnly: boolean): Promise<KillOutcome | null> {
    return this.#operatorKills.request(connectionId, queryOnly, (request) =>
      this.#kills.passOn(request, this.#othersThan(OPERATOR)),
    );
  }

  received(worker: number, message: QuestionMessage): void {
    switch (message.type) {
      case 'kill':
        this.#kills.passOn(message, this.#othersThan(message.fromWorker));
        return;
      case 'killAnswer':
        this.#kills.collect(worker, message);
        return;
      case 'explained':
        this.#explains.answered(message.requestId, message.steps);
        return;
      case 'inspected':
        this.#inquiries.received(worker, message);
        return;
      case 'listSessions':
        this.#askForSessions(message);
        return;
      case 'sessionList':
        this.#lists.collect(worker, message);
    }
  }

  workerEnded(worker: number): void {
    this.#kills.forget(worker);
    this.#lists.forget(worker);
    this.#inquiries.workerEnded(worker);
  }

  #askForSessions(request: SessionListRequest): void {
    const others = this.#othersThan(request.fromWorker);
    this.#lists.begin(request, others);
    for (const worker of others) this.#options.tell(worker, request);
  }

  #othersThan(worker: number): number[] {
    return this.#options.alive().filter((other) => other !== worker);
  }
}

function alike({ step }: ExplainStep, others: readonly (readonly ExplainStep[])[]): ExplainStep[] {
  return others.flatMap((steps) => steps.filter((other) => other.step === step));
}
