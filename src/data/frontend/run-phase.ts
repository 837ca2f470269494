/** Where the run of a command is; the table is in statement-run.ts. */

import { makeTransitions } from '../../common/state-machine.ts';

export const RunPhase = {
  idle: 'idle',
  approaching: 'approaching',
  running: 'running',
  settling: 'settling',
} as const;
export type RunPhase = (typeof RunPhase)[keyof typeof RunPhase];

export const moveRun = makeTransitions<RunPhase>('statement run', {
  idle: ['approaching'],
  approaching: ['idle', 'approaching', 'running'],
  running: ['idle', 'approaching', 'settling'],
  settling: ['idle'],
});
