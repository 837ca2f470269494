/** What the commands that change the primary answer. */

import type { OperationAnswer, OperationRow } from '../../failover/operation-answer.ts';
import { AdminError } from '../admin-error.ts';
import { type CommandAnswer, type ComputedColumn, table } from './command.ts';

/** The operation has time-outs of its own, and goes on when nobody waits for it. */
export const OPERATION_TIMEOUT_MS = 600_000;

export const OPERATION_COLUMNS: readonly ComputedColumn<OperationRow>[] = [
  { name: 'part', meaning: '`check`, `step`, or `undo` of a step', value: ({ part }) => part },
  { name: 'name', meaning: 'Which one', value: ({ name }) => name },
  {
    name: 'result',
    meaning: '`ok`, `note` or `refused` of a check; `planned`, `done` or `failed` of a step',
    value: ({ result }) => result,
  },
  {
    name: 'duration_ms',
    type: 'real',
    meaning: 'Of a step; NULL where nothing was done',
    value: ({ durationMs }) => durationMs,
  },
  { name: 'text', meaning: 'What was found or done, or why not', value: ({ text }) => text },
];

/** @throws AdminError for an operation that was refused, or did not end as ordered */
export function operationAnswer({ outcome, reason, rows }: OperationAnswer, dryRun: boolean): CommandAnswer {
  if (outcome === 'refused' && dryRun && rows.length > 0)
    return { ...table(rows, OPERATION_COLUMNS), warnings: [`It would be refused: ${reason}`] };
  if (outcome === 'refused') throw new AdminError('wrongArgument', `Nothing was changed: ${reason}`);
  if (outcome === 'undone')
    throw new AdminError(
      'other',
      `It was undone, everything is as before: ${reason}; SHOW EVENTS has the steps`,
    );
  if (outcome === 'failed')
    throw new AdminError('other', `It has not ended: ${reason}; SHOW EVENTS has the steps`);
  return { ...table(rows, OPERATION_COLUMNS), warnings: reason === '' ? [] : [reason] };
}
