/**
 * Runs an operation, which is a list of steps, one after the other.
 *
 * | state   | meaning                                                  | left to                                        |
 * |---------|----------------------------------------------------------|------------------------------------------------|
 * | doing   | steps run; each failure can still be undone              | undoing (one failed), final (one was `final`), done |
 * | final   | there is no way back: failures are told, the rest is run | done                                           |
 * | undoing | what was done is undone, in reverse order                | undone, failed (an undo failed)                |
 * | failed  | nobody knows what a step has done, or an undo failed     | –                                              |
 *
 * A step must end by itself: everything it waits for has a time-out. It is never left running beside its own undo.
 */

import { type Clock, systemClock } from '../../common/clock.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import { describeError } from '../monitor/server-error.ts';
import { type OperationEvent, type OperationKind, OperationOutcome } from './operation-event.ts';

export interface OperationStep {
  readonly name: string;
  /** For DRY RUN: what it will do. */
  readonly plan: string;
  /** @returns what was found or done, '' for nothing worth telling */
  run(): Promise<string>;
  /** Also of a step that failed half-way; told twice does no harm. */
  undo?(): Promise<string>;
  /** Once it has succeeded nothing is undone any more. */
  readonly final?: boolean;
}

/** What a step has done cannot be found out now: to undo would be as wrong as to go on. */
export class UnknownOutcomeError extends Error {
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'UnknownOutcomeError';
  }
}

export interface StepReport {
  readonly step: string;
  readonly direction: 'do' | 'undo';
  readonly ok: boolean;
  readonly durationMs: number;
  readonly text: string;
}

export interface RunReport {
  readonly outcome: OperationOutcome;
  /** Why it is not `done`, or what failed behind the point of no return; '' when all went well. */
  readonly reason: string;
  readonly steps: readonly StepReport[];
}

export interface RunOptions {
  readonly operation: OperationKind;
  readonly id: string;
  readonly note: (event: OperationEvent) => void;
  readonly clock?: Clock;
}

type RunState = 'doing' | 'final' | 'undoing' | 'done' | 'undone' | 'failed';

const transition = makeTransitions<RunState>('operation', {
  doing: ['final', 'undoing', 'done', 'failed'],
  final: ['done'],
  undoing: ['undone', 'failed'],
  done: [],
  undone: [],
  failed: [],
});

class StepRun {
  readonly #options: RunOptions;
  readonly #clock: Clock;
  readonly #reports: StepReport[] = [];
  readonly #failures: string[] = [];
  #state: RunState = 'doing';

  constructor(options: RunOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async run(steps: readonly OperationStep[]): Promise<RunReport> {
    const begun: OperationStep[] = [];
    for (const step of steps) {
      begun.push(step);
      const error = await this.#attempt(step.name, 'do', () => step.run());
      if (error === null) {
        if (step.final === true) this.#move('final');
        continue;
      }
      if (this.#state === 'final') continue;
      if (error instanceof UnknownOutcomeError) return this.#end('failed', OperationOutcome.failed);
      return this.#undo(begun);
    }
    return this.#end('done', OperationOutcome.done);
  }

  async #undo(begun: readonly OperationStep[]): Promise<RunReport> {
    this.#move('undoing');
    let ok = true;
    for (const step of begun.toReversed()) {
      if (step.undo === undefined) continue;
      const error = await this.#attempt(step.name, 'undo', () => step.undo?.() ?? Promise.resolve(''));
      ok = ok && error === null;
    }
    return ok ? this.#end('undone', OperationOutcome.undone) : this.#end('failed', OperationOutcome.failed);
  }

  async #attempt(step: string, direction: 'do' | 'undo', work: () => Promise<string>): Promise<Error | null> {
    const began = this.#clock.monotonicMs();
    let text: string;
    let failure: Error | null = null;
    try {
      text = await work();
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      text = describeError(error);
      this.#failures.push(`${direction === 'do' ? step : `undoing ${step}`}: ${text}`);
    }
    const durationMs = Math.round((this.#clock.monotonicMs() - began) * 10) / 10;
    const report = { step, direction, ok: failure === null, durationMs, text };
    this.#reports.push(report);
    const { operation, id, note } = this.#options;
    note({ kind: 'operation-step', operation, id, ...report });
    return failure;
  }

  #move(to: RunState): void {
    this.#state = transition(this.#state, to);
  }

  #end(state: RunState, outcome: OperationOutcome): RunReport {
    this.#move(state);
    return { outcome, reason: this.#failures.join('; '), steps: this.#reports };
  }
}

export function runSteps(steps: readonly OperationStep[], options: RunOptions): Promise<RunReport> {
  return new StepRun(options).run(steps);
}
