/**
 * Puts the heir in the place of a dead primary. Nobody can write from `fence` to `release`.
 *
 * | step      | does                                                                  | undone by                 |
 * |-----------|-----------------------------------------------------------------------|---------------------------|
 * | hook      | runs the operator's program                                           | –                         |
 * | fence     | workers drop every connection to the old primary; writes are held     | letting them in again     |
 * | stop-io   | no replica takes anything from the old primary any more               | starting their IO threads |
 * | apply     | the heir executes what it has received                                | –                         |
 * | term      | the other Sluices agree: a new term begins                            | –                         |
 * | stop      | the heir replicates no more                                           | starting replication      |
 * | promote   | the heir takes writes: no way back                                    | (final)                   |
 * | reset     | the heir forgets its source                                           |                           |
 * | measure   | the monitor sees the new primary, workers are told                    |                           |
 * | follow    | the others begin to replicate from it                                 |                           |
 * | semi-sync | it waits for acknowledgements, as the old one did, once one of them runs |                        |
 * | release   | writes go on                                                          |                           |
 * | record    | writes into sluice.operation who has taken whose place                |                           |
 * | followed  | replication runs everywhere                                           |                           |
 *
 * A process that dies in the middle leaves a state from which the next one finds the same dead primary, and the same
 * heir, until `promote`; behind `reset` the heir is the primary by what is measured. What others have not followed yet is
 * auto-rejoin.ts's to do.
 */

import { describeError } from '../../monitor/server-error.ts';
import { followPrimary, replicationProblem } from '../follow-primary.ts';
import { HookPhase, runHook } from '../hooks/run-hook.ts';
import type { OperationContext } from '../operation-context.ts';
import { OperationKind } from '../operation-event.ts';
import { isReadOnly } from '../servers/server-state.ts';
import { type OperationStep, type RunReport, runSteps, UnknownOutcomeError } from '../step-run.ts';
import { retrying, until } from '../until.ts';
import type { FailoverPlan, Survivor } from './failover-plan.ts';
import { recordFailover } from './failover-record.ts';

/** For workers to drop what they have to a server that is dead anyway. */
const FENCE_MS = 1000;
/** Beyond what the heir may take to execute everything. */
const HOLD_MARGIN_MS = 30_000;
const ATTEMPTS = 3;
const PAUSE_MS = 200;
const MEASURE_WITHIN_MS = 5000;
const FOLLOW_WITHIN_MS = 10_000;
/** With semi-sync: until the first replica is there; without one the first commit would wait for it. */
const FIRST_WITHIN_MS = 2000;

export interface FailoverReport extends RunReport {
  readonly pauseMs: number | null;
}

interface Following {
  readonly address: string;
  /** What is wrong; '' for nothing. */
  readonly done: Promise<string>;
}

export class Failover {
  readonly id: string;
  readonly #context: OperationContext;
  readonly #plan: FailoverPlan;
  #following: readonly Following[] = [];
  #heldSince: number | null = null;
  #pauseMs: number | null = null;
  #isPromoted = false;

  constructor(context: OperationContext, plan: FailoverPlan, id: string) {
    this.#context = context;
    this.#plan = plan;
    this.id = id;
  }

  async run(): Promise<FailoverReport> {
    const { monitor } = this.#context;
    const { id } = this;
    const note = monitor.note.bind(monitor);
    try {
      const report = await runSteps(this.steps(), { operation: OperationKind.failover, id, note });
      return { ...report, pauseMs: this.#pauseMs };
    } finally {
      this.#release();
    }
  }

  steps(): readonly OperationStep[] {
    const { hooks } = this.#context.settings();
    return [
      ...(hooks.before === null ? [] : [this.#hookStep(hooks.before, hooks.timeoutMs)]),
      this.#fenceStep(),
      this.#stopReceivingStep(),
      this.#applyStep(),
      ...(this.#context.agreement.state === 'alone' ? [] : [this.#termStep()]),
      ...this.#promotionSteps(),
      this.#measureStep(),
      this.#followStep(),
      ...(this.#plan.semiSync.enabled ? [this.#semiSyncStep()] : []),
      this.#releaseStep(),
      this.#recordStep(),
      this.#followedStep(),
    ];
  }

  #hookStep(path: string, timeoutMs: number): OperationStep {
    const { id } = this;
    const facts = { operation: OperationKind.failover, id, from: this.#plan.from, to: this.#heir.address };
    return {
      name: 'hook',
      plan: `run ${path} before`,
      run: () => runHook(path, { phase: HookPhase.before, ...facts, outcome: '', reason: '' }, timeoutMs),
    };
  }

  #fenceStep(): OperationStep {
    const { gate, monitor, settings } = this.#context;
    const { from } = this.#plan;
    return {
      name: 'fence',
      plan: `drop every connection to ${from}, and hold new writes`,
      run: async () => {
        this.#heldSince = performance.now();
        // From now on it is no primary, even if it comes back before its heir is seen.
        monitor.keepOut(from, 'another server is taking its place as primary');
        const holdMs = settings().applyTimeoutMs + HOLD_MARGIN_MS;
        const isDone = await gate.fence(from, { timeoutMs: FENCE_MS, holdMs });
        return isDone ? '' : `not all workers have said so within ${FENCE_MS} ms`;
      },
      undo: async () => {
        monitor.keepOut(from, '');
        gate.unfence(from);
        this.#release();
        return this.#pauseText();
      },
    };
  }

  #stopReceivingStep(): OperationStep {
    const { from, heir, others } = this.#plan;
    const all = [heir, ...others].filter(({ channel }) => channel !== null);
    const names = all.map(({ operator }) => operator.address).join(', ');
    const each = (work: (survivor: Survivor, channel: string) => Promise<void>) =>
      Promise.allSettled(all.map((survivor) => work(survivor, survivor.channel?.name ?? '')));
    return {
      name: 'stop-io',
      plan: `let ${names} take nothing from ${from} any more`,
      run: async () => {
        this.#mayGoOn();
        const done = await each(({ operator }, name) => operator.stopReplication(name, 'io'));
        const failed = done.flatMap((result, index) =>
          result.status === 'rejected'
            ? [`${all[index]?.operator.address}: ${describeError(result.reason)}`]
            : [],
        );
        if (done[0]?.status === 'rejected' && heir.channel !== null) throw new Error(failed.join('; '));
        return failed.join('; ');
      },
      undo: async () => {
        await each((survivor, name) => startAgain(survivor, name));
        return '';
      },
    };
  }

  #applyStep(): OperationStep {
    const { heir, toApply } = this.#plan;
    return {
      name: 'apply',
      plan: `wait until ${this.#heir.address} has executed ${toApply}`,
      run: async () => {
        const { channel } = heir;
        const { applyTimeoutMs } = this.#context.settings();
        if (channel !== null && channel.sqlRunning !== 'Yes')
          await this.#heir.startReplication(channel.name, 'sql');
        // Between the election and the end of its IO thread nothing more can have come: the source is dead.
        const hasAll = await this.#heir.waitForGtids(toApply, applyTimeoutMs);
        if (!hasAll)
          throw new Error(`${this.#heir.address} has not executed all within ${applyTimeoutMs} ms`);
        return toApply;
      },
    };
  }

  #termStep(): OperationStep {
    const { agreement, gate } = this.#context;
    const { from } = this.#plan;
    return {
      name: 'term',
      plan: 'begin a new term that the other Sluices know of',
      run: async () => {
        const term = await agreement.claimTerm({ from, to: this.#heir.address });
        if (term !== null) gate.raiseTerm(term);
        return `term ${term}`;
      },
    };
  }

  #promotionSteps(): readonly OperationStep[] {
    const { heir } = this.#plan;
    const name = heir.channel?.name ?? '';
    const stop: OperationStep = {
      name: 'stop',
      plan: `stop replication on ${this.#heir.address}`,
      run: async () => {
        this.#mayGoOn();
        await this.#heir.stopReplication(name);
        return '';
      },
      undo: async () => {
        await retrying(() => this.#heir.startReplication(name), ATTEMPTS, PAUSE_MS);
        return '';
      },
    };
    const promote: OperationStep = {
      name: 'promote',
      plan: `make ${this.#heir.address} writable: there is no way back from here`,
      run: () => this.#promote(),
      final: true,
    };
    const reset: OperationStep = {
      name: 'reset',
      plan: `let ${this.#heir.address} forget its source`,
      run: async () => {
        await retrying(() => this.#heir.resetReplication(name), ATTEMPTS, PAUSE_MS);
        return '';
      },
    };
    return heir.channel === null ? [promote] : [stop, promote, reset];
  }

  /** If the answer was lost, the server itself says whether it was carried out. */
  async #promote(): Promise<string> {
    this.#mayGoOn();
    if (await this.#plan.isBack()) throw new Error(`${this.#plan.from} answers again`);
    try {
      await this.#heir.setWritable();
    } catch (error) {
      const state = await retrying(() => this.#heir.readState(), ATTEMPTS, PAUSE_MS).catch(() => null);
      if (state === null) {
        const text = `nobody knows whether ${this.#heir.address} is writable now (${describeError(error)})`;
        throw new UnknownOutcomeError(text, error);
      }
      if (isReadOnly(state)) throw error;
    }
    this.#isPromoted = true;
    return '';
  }

  #measureStep(): OperationStep {
    const { monitor } = this.#context;
    const { address } = this.#heir;
    return {
      name: 'measure',
      plan: `wait until the monitor sees that ${address} is the primary`,
      run: async () => {
        const isSeen = await until(async () => {
          await monitor.wake(address);
          return monitor.topology.primary === address;
        }, MEASURE_WITHIN_MS);
        if (!isSeen) throw new Error(`the monitor takes ${monitor.topology.primary} for the primary`);
        return '';
      },
    };
  }

  #followStep(): OperationStep {
    const { others } = this.#plan;
    const names = others.map(({ operator }) => operator.address).join(', ');
    return {
      name: 'follow',
      plan:
        others.length === 0 ? 'nobody else is there' : `let ${names} replicate from ${this.#heir.address}`,
      run: async () => {
        this.#following = others.map((survivor) => ({
          address: survivor.operator.address,
          done: this.#follow(survivor).catch(describeError),
        }));
        return others.length === 0 ? '' : 'begun';
      },
    };
  }

  async #follow({ operator, state, channel }: Survivor): Promise<string> {
    if (channel === null) return 'it has no source: see REJOIN';
    await followPrimary(operator, state, channel, this.#plan.place);
    return replicationProblem(operator, FOLLOW_WITHIN_MS);
  }

  #semiSyncStep(): OperationStep {
    const { address } = this.#heir;
    const { timeoutMs } = this.#plan.semiSync;
    return {
      name: 'semi-sync',
      plan: `let ${address} wait for acknowledgements, once a replica gives them`,
      run: async () => {
        const first = this.#following.map(async ({ done }) => {
          if ((await done) !== '') throw new Error('it does not replicate');
        });
        const isThere = await atMost(FIRST_WITHIN_MS, Promise.any(first));
        if (!isThere) return 'no replica is there yet: writes wait for nobody';
        await this.#heir.setSemiSync(true, false, timeoutMs ?? undefined);
        return '';
      },
    };
  }

  #releaseStep(): OperationStep {
    return {
      name: 'release',
      plan: 'let writes go on',
      run: async () => {
        this.#release();
        this.#context.monitor.resumeHeartbeat();
        return this.#pauseText();
      },
    };
  }

  #recordStep(): OperationStep {
    const { from } = this.#plan;
    return {
      name: 'record',
      plan: 'write into sluice.operation who has taken whose place',
      run: async () => {
        const { recordDays } = this.#context.settings();
        await recordFailover(this.#heir.link, { id: this.id, from, to: this.#heir.address }, recordDays);
        return '';
      },
    };
  }

  #followedStep(): OperationStep {
    return {
      name: 'followed',
      plan: 'wait until replication runs everywhere',
      run: async () => {
        const problems: string[] = [];
        for (const { address, done } of this.#following) {
          const problem = await done;
          if (problem !== '') problems.push(`${address}: ${problem}`);
        }
        await Promise.all(this.#following.map(({ address }) => this.#context.monitor.wake(address)));
        if (problems.length > 0) throw new Error(problems.join('; '));
        return '';
      },
    };
  }

  get #heir() {
    return this.#plan.heir.operator;
  }

  /** @throws Error where this Sluice has lost the right to change servers since it began */
  #mayGoOn(): void {
    const refusal = this.#context.agreement.refusal();
    if (refusal !== null) throw new Error(refusal);
  }

  /** A primary that was given up for nothing is let in again; one that has an heir stays out until it is known harmless. */
  #release(): void {
    if (this.#heldSince === null || this.#pauseMs !== null) return;
    const { gate } = this.#context;
    if (!this.#isPromoted) gate.unfence(this.#plan.from);
    gate.release();
    this.#pauseMs = Math.round(performance.now() - this.#heldSince);
  }

  #pauseText(): string {
    return `writes were held for ${this.#pauseMs} ms`;
  }
}

async function startAgain({ operator, channel }: Survivor, name: string): Promise<void> {
  if (channel?.ioRunning !== 'No') await operator.startReplication(name, 'io');
}

/** @returns whether `work` has succeeded within the time */
async function atMost(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  const done = work.then(
    () => true,
    () => false,
  );
  const isDone = await Promise.race([done, late]);
  clearTimeout(timer);
  return isDone;
}
