/** From a replica that has everything to a server that takes writes. */

import { describeError } from '../../monitor/server-error.ts';
import type { OperationContext } from '../operation-context.ts';
import { isReadOnly } from '../servers/server-state.ts';
import { type OperationStep, UnknownOutcomeError } from '../step-run.ts';
import { retrying } from '../until.ts';
import type { SwitchoverPlan } from './switchover-plan.ts';

const ATTEMPTS = 3;
const PAUSE_MS = 300;

/** If the answer was lost, the server itself says whether it was carried out. */
async function promote({ agreement, gate }: OperationContext, { from, to }: SwitchoverPlan): Promise<string> {
  const { operator } = to;
  const term = await agreement.claimTerm({ from: from.operator.address, to: operator.address });
  if (term !== null) gate.raiseTerm(term);
  try {
    await operator.setWritable();
    return '';
  } catch (error) {
    const state = await retrying(() => operator.readState(), ATTEMPTS, PAUSE_MS).catch(() => null);
    if (state === null) {
      const text = `nobody knows whether ${operator.address} is writable now (${describeError(error)}): both stay as they are until it answers`;
      throw new UnknownOutcomeError(text, error);
    }
    if (isReadOnly(state)) throw error;
    return `it is writable, though its answer was lost: ${describeError(error)}`;
  }
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
  const { operator } = plan.to;
  const promoteStep: OperationStep = {
    name: 'promote',
    plan: `make ${operator.address} writable: there is no way back from here`,
    run: () => promote(context, plan),
    final: true,
  };
  return plan.isPair ? [promoteStep] : [stopStep(plan), promoteStep];
}

/** While the others begin to follow. A pair goes on replicating from each other. */
export function resetSteps({ to, channel, isPair }: SwitchoverPlan): readonly OperationStep[] {
  if (isPair) return [];
  const { operator } = to;
  const resetStep: OperationStep = {
    name: 'reset',
    plan: `let ${operator.address} forget its source`,
    run: async () => {
      await operator.resetReplication(channel.name);
      return '';
    },
  };
  return [resetStep];
}
