/**
 * Puts the heir in the place of a dead primary. Nobody can write from `fence` to `release`.
 *
 * | step      | does                                                                  | undone by                 |
 * |-----------|-----------------------------------------------------------------------|---------------------------|
 * | hook      | runs the operator's program                                           | –                         |
 * | fence     | workers drop every connection to the old primary; writes are held     | letting them in again     |
 * | start-sql | what an operator has stopped executes what it has received            | stopping it again         |
 * | stop-io   | no replica takes anything from the old primary any more               | starting their IO threads |
 * | apply     | the heir has executed what it has received                            | –                         |
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
 * In this order: MariaDB throws away what a replica by GTID has received when one of its threads is started while both stand.
 *
 * A process that dies in the middle leaves a state from which the next one finds the same dead primary, and the same
 * heir, until `promote`; behind `reset` the heir is the primary by what is measured. What others have not followed yet is
 * auto-rejoin.ts's to do.
 */

import { describeError } from '../../monitor/server-error.ts';
import { followPrimary, replicationProblem } from '../follow-primary.ts';
import { Following } from '../following.ts';
import { makeWritable } from '../make-writable.ts';
import type { OperationContext } from '../operation-context.ts';
import { OperationKind } from '../operation-event.ts';
import {
  followedStep,
  followStep,
  hookSteps,
  measureStep,
  promoteStep,
  releaseStep,
  resetStep,
} from '../primary-change-steps.ts';
import { type OperationStep, type RunReport, runSteps } from '../step-run.ts';
import { retrying } from '../until.ts';
import { WritePause } from '../write-pause.ts';
import type { FailoverPlan, Survivor } from './failover-plan.ts';
import { recordFailover } from './failover-record.ts';
import { startApplyingSteps } from './start-applying.ts';

/** For workers to drop what they have to a server that is dead anyway. */
const FENCE_MS = 1000;
/** Beyond what the heir may take to execute everything. */
const HOLD_MARGIN_MS = 30_000;
const ATTEMPTS = 3;
const PAUSE_MS = 200;
/** With semi-sync: until the first replica is there; without one the first commit would wait for it. */
const FIRST_WITHIN_MS = 2000;

export interface FailoverReport extends RunReport {
  readonly pauseMs: number | null;
}

export class Failover {
  readonly id: string;
  readonly #context: OperationContext;
  readonly #plan: FailoverPlan;
  readonly #following: Following;
  readonly #pause = new WritePause();
  #isPromoted = false;

  constructor(context: OperationContext, plan: FailoverPlan, id: string) {
    this.#context = context;
    this.#plan = plan;
    this.#following = new Following(
      plan.others.map((survivor) => ({
        address: survivor.operator.address,
        follow: () => this.#follow(survivor),
      })),
    );
    this.id = id;
  }

  async run(): Promise<FailoverReport> {
    const { monitor } = this.#context;
    const { id } = this;
    const note = monitor.note.bind(monitor);
    try {
      const report = await runSteps(this.steps(), { operation: OperationKind.failover, id, note });
      return { ...report, pauseMs: this.#pause.ms };
    } finally {
      this.#release();
    }
  }

  steps(): readonly OperationStep[] {
    const { monitor } = this.#context;
    const { from } = this.#plan;
    const { address } = this.#heir;
    const facts = { operation: OperationKind.failover, id: this.id, from, to: address };
    return [
      ...hookSteps(this.#context, facts),
      this.#fenceStep(),
      ...startApplyingSteps([this.#plan.heir, ...this.#plan.others]),
      this.#stopReceivingStep(),
      this.#applyStep(),
      ...(this.#context.agreement.state === 'alone' ? [] : [this.#termStep()]),
      ...this.#promotionSteps(),
      measureStep(monitor, address, () => monitor.wake(address)),
      followStep(this.#following, address),
      ...(this.#plan.semiSync.enabled ? [this.#semiSyncStep()] : []),
      releaseStep(monitor, () => this.#release()),
      this.#recordStep(),
      followedStep(monitor, this.#following),
    ];
  }

  #fenceStep(): OperationStep {
    const { gate, monitor, settings } = this.#context;
    const { from } = this.#plan;
    return {
      name: 'fence',
      plan: `drop every connection to ${from}, and hold new writes`,
      run: async () => {
        this.#pause.begin();
        // From now on it is no primary, even if it comes back before its heir is seen.
        monitor.keepOut(from, 'another server is taking its place as primary');
        const holdMs = settings().applyTimeoutMs + HOLD_MARGIN_MS;
        const isDone = await gate.fence(from, { timeoutMs: FENCE_MS, holdMs });
        return isDone ? '' : `not all workers have said so within ${FENCE_MS} ms`;
      },
      undo: async () => {
        monitor.keepOut(from, '');
        gate.unfence(from);
        return this.#release();
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
    const { toApply } = this.#plan;
    return {
      name: 'apply',
      plan: `wait until ${this.#heir.address} has executed ${toApply}`,
      run: async () => {
        const { applyTimeoutMs } = this.#context.settings();
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
    const promote = promoteStep(this.#heir.address, () => this.#promote());
    return heir.channel === null ? [promote] : [stop, promote, resetStep(this.#heir, name)];
  }

  async #promote(): Promise<string> {
    this.#mayGoOn();
    if (await this.#plan.isBack()) throw new Error(`${this.#plan.from} answers again`);
    const text = await makeWritable(this.#heir);
    this.#isPromoted = true;
    return text;
  }

  async #follow({ operator, state, channel }: Survivor): Promise<string> {
    if (channel === null) return 'it has no source: see REJOIN';
    await followPrimary(operator, state, channel, this.#plan.place);
    return replicationProblem(operator);
  }

  #semiSyncStep(): OperationStep {
    const { address } = this.#heir;
    const { timeoutMs } = this.#plan.semiSync;
    return {
      name: 'semi-sync',
      plan: `let ${address} wait for acknowledgements, once a replica gives them`,
      run: async () => {
        const isThere = await this.#following.first(FIRST_WITHIN_MS);
        if (!isThere) return 'no replica is there yet: writes wait for nobody';
        await this.#heir.setSemiSync(true, false, timeoutMs ?? undefined);
        return '';
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

  get #heir() {
    return this.#plan.heir.operator;
  }

  /** @throws Error where this Sluice has lost the right to change servers since it began */
  #mayGoOn(): void {
    const refusal = this.#context.agreement.refusal();
    if (refusal !== null) throw new Error(refusal);
  }

  /** A primary that was given up for nothing is let in again; one that has an heir stays out until it is known harmless. */
  #release(): string {
    if (this.#pause.isOn) {
      const { gate } = this.#context;
      if (!this.#isPromoted) gate.unfence(this.#plan.from);
      gate.release();
      this.#pause.end();
    }
    return this.#pause.text;
  }
}

async function startAgain({ operator, channel }: Survivor, name: string): Promise<void> {
  if (channel?.ioRunning !== 'No') await operator.startReplication(name, 'io');
}
