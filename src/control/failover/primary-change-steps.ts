/** Steps that a planned change of the primary and the end of a dead one have in common. */

import type { ServerAddress } from '../../topology/server-description.ts';
import type { Following } from './following.ts';
import { type HookFacts, HookPhase, runHook } from './hooks/run-hook.ts';
import type { OperationContext, OperationMonitor } from './operation-context.ts';
import type { ServerOperator } from './servers/server-operator.ts';
import type { OperationStep } from './step-run.ts';
import { retrying, until } from './until.ts';

const ATTEMPTS = 3;
const PAUSE_MS = 300;
const MEASURE_WITHIN_MS = 5000;

/** Of the operator's program in front of everything; none where no such program is set. */
export function hookSteps(
  { settings }: OperationContext,
  facts: Pick<HookFacts, 'operation' | 'id' | 'from' | 'to'>,
): readonly OperationStep[] {
  const { before, timeoutMs } = settings().hooks;
  if (before === null) return [];
  const step: OperationStep = {
    name: 'hook',
    plan: `run ${before} before`,
    run: () => runHook(before, { phase: HookPhase.before, ...facts, outcome: '', reason: '' }, timeoutMs),
  };
  return [step];
}

export function promoteStep(heir: ServerAddress, promote: () => Promise<string>): OperationStep {
  return {
    name: 'promote',
    plan: `make ${heir} writable: there is no way back from here`,
    run: promote,
    final: true,
  };
}

export function resetStep(heir: ServerOperator, channelName: string): OperationStep {
  return {
    name: 'reset',
    plan: `let ${heir.address} forget its source`,
    run: async () => {
      await retrying(() => heir.resetReplication(channelName), ATTEMPTS, PAUSE_MS);
      return '';
    },
  };
}

/** @param look has the monitor look again at those whose roles have changed. */
export function measureStep(
  monitor: OperationMonitor,
  heir: ServerAddress,
  look: () => Promise<void>,
): OperationStep {
  return {
    name: 'measure',
    plan: `wait until the monitor sees that ${heir} is the primary`,
    run: async () => {
      const isSeen = await until(async () => {
        await look();
        return monitor.topology.primary === heir;
      }, MEASURE_WITHIN_MS);
      if (!isSeen) throw new Error(`the monitor takes ${monitor.topology.primary} for the primary`);
      return '';
    },
  };
}

export function followStep(following: Following, heir: ServerAddress): OperationStep {
  const { addresses } = following;
  const isAnyThere = addresses.length > 0;
  return {
    name: 'follow',
    plan: isAnyThere ? `let ${addresses.join(', ')} replicate from ${heir}` : 'nobody else is there',
    run: async () => {
      following.begin();
      return isAnyThere ? 'begun' : '';
    },
  };
}

/** @param release lets writes go on. @returns (of the step) for how long they were held */
export function releaseStep(monitor: OperationMonitor, release: () => string): OperationStep {
  return {
    name: 'release',
    plan: 'let writes go on',
    run: async () => {
      const text = release();
      monitor.resumeHeartbeat();
      return text;
    },
  };
}

export function followedStep(monitor: OperationMonitor, following: Following): OperationStep {
  return {
    name: 'followed',
    plan: 'wait until replication runs everywhere',
    run: async () => {
      const problems = await following.problems();
      await Promise.all(following.addresses.map((address) => monitor.wake(address)));
      if (problems.length > 0) throw new Error(`${problems.join('; ')}; see REJOIN`);
      return '';
    },
  };
}
