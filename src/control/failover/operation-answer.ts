/** What an operator hears of an operation: every check and every step. */

import type { CheckVerdict } from './check-verdict.ts';
import type { OperationOutcome } from './operation-event.ts';
import type { OperationStep, StepReport } from './step-run.ts';

export interface OperationRow {
  readonly part: 'check' | 'step' | 'undo';
  readonly name: string;
  /** Of a check its verdict; `planned`, `done` or `failed` of a step. */
  readonly result: string;
  readonly durationMs: number | null;
  readonly text: string;
}

export interface OperationAnswer {
  /** `refused`: nothing was touched; `planned`: nor was it, as ordered. */
  readonly outcome: OperationOutcome | 'refused' | 'planned';
  readonly reason: string;
  readonly rows: readonly OperationRow[];
}

export function checkRows(checks: readonly CheckVerdict[]): readonly OperationRow[] {
  return checks.map(({ check, verdict, text }) => ({
    part: 'check',
    name: check,
    result: verdict,
    durationMs: null,
    text,
  }));
}

export function planRows(steps: readonly OperationStep[]): readonly OperationRow[] {
  return steps.map(({ name, plan }) => ({
    part: 'step',
    name,
    result: 'planned',
    durationMs: null,
    text: plan,
  }));
}

export function stepRows(steps: readonly StepReport[]): readonly OperationRow[] {
  return steps.map(({ step, direction, ok, durationMs, text }) => ({
    part: direction === 'do' ? 'step' : 'undo',
    name: step,
    result: ok ? 'done' : 'failed',
    durationMs,
    text,
  }));
}
