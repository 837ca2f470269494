/** From a replica that has everything to a server that takes writes. */

import { makeWritable } from '../make-writable.ts';
import type { OperationContext } from '../operation-context.ts';
import { promoteStep, resetStep } from '../primary-change-steps.ts';
import type { OperationStep } from '../step-run.ts';
import { retrying } from '../until.ts';
import type { SwitchoverPlan } from './switchover-plan.ts';

const ATTEMPTS = 3;
const PAUSE_MS = 300;

async function promote({ agreement, gate }: OperationContext, { from, to }: SwitchoverPlan): Promise<string> {
  const { operator } = to;
  const term = await agreement.claimTerm({ from: from.operator.address, to: operator.address });
  if (term !== null) gate.raiseTerm(term);
  return makeWritable(operator);
}

function stopStep({ channel, to, from }: SwitchoverPlan): OperationStep {
  const { operator } = to;
  const { sourceEnabled, timeoutMs } = from.state.semiSync;
  return {
    name: 'stop',
    plan: `stop replication on ${operator.address}`,
    run: async () => {
      await operator.stopReplication(channel.name);
      if (sourceEnabled) await operator.setSemiSync(true, false, timeoutMs);
      return '';
    },
    undo: async () => {
      const before = to.state.semiSync;
      // A replica that waits for acknowledgements would stand still.
      if (sourceEnabled)
        await retrying(
          () => operator.setSemiSync(before.sourceEnabled, before.replicaEnabled),
          ATTEMPTS,
          PAUSE_MS,
        );
      await retrying(() => operator.startReplication(channel.name), ATTEMPTS, PAUSE_MS);
      return '';
    },
  };
}

export function promotionSteps(context: OperationContext, plan: SwitchoverPlan): readonly OperationStep[] {
  const promoted = promoteStep(plan.to.operator.address, () => promote(context, plan));
  return plan.isPair ? [promoted] : [stopStep(plan), promoted];
}

/** While the others begin to follow. A pair goes on replicating from each other. */
export function resetSteps({ to, channel, isPair }: SwitchoverPlan): readonly OperationStep[] {
  return isPair ? [] : [resetStep(to.operator, channel.name)];
}
