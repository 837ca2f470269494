/** SQL threads that an operator has stopped, in front of everything that stops IO threads: see the order in failover.ts. */

import type { OperationStep } from '../step-run.ts';
import type { Survivor } from './failover-plan.ts';

/** None where all run, or have stopped by an error, which would come again. */
export function startApplyingSteps(survivors: readonly Survivor[]): readonly OperationStep[] {
  const stopped = survivors.flatMap(({ operator, channel }) => {
    if (channel === null || channel.sqlRunning !== 'No' || channel.sqlError !== '') return [];
    return [{ operator, name: channel.name }];
  });
  if (stopped.length === 0) return [];
  const step: OperationStep = {
    name: 'start-sql',
    plan: `start the SQL threads of ${stopped.map(({ operator }) => operator.address).join(', ')}, which somebody has stopped`,
    run: async () => {
      for (const { operator, name } of stopped) await operator.startReplication(name, 'sql');
      return stopped.map(({ operator }) => operator.address).join(', ');
    },
    undo: async () => {
      for (const { operator, name } of stopped) await operator.stopReplication(name, 'sql');
      return '';
    },
  };
  return [step];
}
