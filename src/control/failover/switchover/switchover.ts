/**
 * A planned change of the primary. Clients see a pause from `hold` to `release`, and no error.
 *
 * | step       | does                                                        | undone by                       |
 * |------------|-------------------------------------------------------------|---------------------------------|
 * | lock       | takes the lock of operations on both servers                | freeing it                      |
 * | hook       | runs the operator's program                                 | –                               |
 * | record     | writes to the old primary what is about to happen           | writing down that it was undone |
 * | near       | waits until the new one is close behind                     | –                               |
 * | hold       | new writes wait, open transactions end                      | letting them go on              |
 * | heartbeat  | no more heartbeats                                          | going on with them              |
 * | read-only  | the old primary takes no more writes of anybody             | making it writable              |
 * | catch-up   | the new one has everything                                  | –                               |
 * | stop       | the new one replicates no more                              | starting replication            |
 * | promote    | the new one takes writes: no way back                       | (final)                         |
 * | follow     | the old one and the others begin to replicate from it       |                                 |
 * | reset      | the new one forgets its source                              |                                 |
 * | measure    | the monitor sees the new primary, workers are told          |                                 |
 * | semi-sync  | where commits wait for a replica: until there is one        |                                 |
 * | release    | writes go on                                                |                                 |
 * | followed   | replication runs everywhere                                 |                                 |
 * | end        | writes down that it is done                                 |                                 |
 */

import { followPrimary, replicationProblem } from '../follow-primary.ts';
import { type Follower, Following } from '../following.ts';
import type { OperationContext } from '../operation-context.ts';
import { OperationKind, OperationOutcome } from '../operation-event.ts';
import { OperationLock } from '../operation-lock.ts';
import { beginRecord, endRecord } from '../operation-record.ts';
import { followedStep, followStep, hookSteps, measureStep, releaseStep } from '../primary-change-steps.ts';
import { isReadOnly } from '../servers/server-state.ts';
import { type OperationStep, type RunReport, runSteps } from '../step-run.ts';
import { retrying, until } from '../until.ts';
import { describeBlockers } from '../write-gate-blockers.ts';
import { WritePause } from '../write-pause.ts';
import { promotionSteps, resetSteps } from './promotion-steps.ts';
import type { SwitchoverPlan } from './switchover-plan.ts';

/** Over the time-out of the switchover: for undoing it. Workers open by themselves when a process forgets to. */
const UNDO_MARGIN_MS = 20_000;
const UNDO_ATTEMPTS = 3;
const UNDO_PAUSE_MS = 300;
/** Behind by so little that the pause is short. */
const NEAR_MS = 200;
const NEAR_WITHIN_MS = 5000;
const SEMI_SYNC_WITHIN_MS = 2000;

export interface SwitchoverReport extends RunReport {
  /** Null where writes were never held. */
  readonly pauseMs: number | null;
}

export class Switchover {
  readonly id: string;
  readonly #context: OperationContext;
  readonly #plan: SwitchoverPlan;
  readonly #timeoutMs: number;
  readonly #following: Following;
  #lock: OperationLock | null = null;
  readonly #pause = new WritePause();
  #deadline = 0;
  #failure = '';

  constructor(context: OperationContext, plan: SwitchoverPlan, id: string, timeoutMs: number) {
    this.#context = context;
    this.#plan = plan;
    this.#following = new Following(followersIn(plan));
    this.id = id;
    this.#timeoutMs = timeoutMs;
  }

  async run(): Promise<SwitchoverReport> {
    const { monitor } = this.#context;
    const { id } = this;
    const note = monitor.note.bind(monitor);
    try {
      const report = await runSteps(this.steps(), { operation: OperationKind.switchover, id, note });
      return { ...report, pauseMs: this.#pause.ms };
    } finally {
      // Whatever happened: nobody is kept waiting.
      this.#release();
      monitor.resumeHeartbeat();
      this.#lock?.release();
    }
  }

  steps(): readonly OperationStep[] {
    const { monitor } = this.#context;
    const [from, to] = [this.#from.address, this.#to.address];
    return [
      this.#lockStep(),
      ...hookSteps(this.#context, { operation: OperationKind.switchover, id: this.id, from, to }),
      this.#recordStep(),
      this.#nearStep(),
      this.#holdStep(),
      this.#heartbeatStep(),
      this.#readOnlyStep(),
      this.#catchUpStep(),
      ...promotionSteps(this.#context, this.#plan),
      followStep(this.#following, to),
      ...resetSteps(this.#plan),
      measureStep(monitor, to, () => monitor.wakeRoles([from, to])),
      ...(this.#plan.place.semiSync ? [this.#semiSyncStep()] : []),
      releaseStep(monitor, () => this.#release()),
      followedStep(monitor, this.#following),
      this.#endStep(),
    ];
  }

  #lockStep(): OperationStep {
    const { from, to } = this.#plan;
    return {
      name: 'lock',
      plan: 'take the lock of operations on both servers',
      run: async () => {
        const targets = [from.operator.link.target, to.operator.link.target];
        this.#lock = await OperationLock.take(targets, this.#context.credentials());
        if (this.#lock === null) throw new Error('another Sluice has an operation running on these servers');
        return '';
      },
      undo: async () => {
        this.#lock?.release();
        return '';
      },
    };
  }

  #recordStep(): OperationStep {
    const { link } = this.#from;
    return {
      name: 'record',
      plan: `write into sluice.operation on ${this.#from.address} what is about to happen`,
      run: async () => {
        const record = { id: this.id, kind: OperationKind.switchover };
        const names = { from: this.#from.address, to: this.#to.address };
        await beginRecord(link, { ...record, ...names }, this.#context.settings().recordDays);
        return '';
      },
      undo: async () => {
        await retrying(
          () => endRecord(link, this.id, OperationOutcome.undone, this.#failure),
          UNDO_ATTEMPTS,
          UNDO_PAUSE_MS,
        );
        return '';
      },
    };
  }

  #nearStep(): OperationStep {
    return {
      name: 'near',
      plan: `wait until ${this.#to.address} is less than ${NEAR_MS} ms behind`,
      run: async () => {
        let tookMs = 0;
        await until(async () => {
          const gtids = await this.#from.executedGtids();
          const began = performance.now();
          const hasAll = await this.#to.waitForGtids(gtids, this.#context.settings().maxLagMs);
          tookMs = performance.now() - began;
          if (!hasAll)
            throw new Error(`${this.#to.address} is lagging by more than ${Math.round(tookMs)} ms`);
          return tookMs <= NEAR_MS;
        }, NEAR_WITHIN_MS);
        return `${Math.round(tookMs)} ms behind`;
      },
    };
  }

  #holdStep(): OperationStep {
    const { gate } = this.#context;
    return {
      name: 'hold',
      plan: `hold new writes, and wait for open transactions, at most ${this.#timeoutMs} ms`,
      run: async () => {
        this.#deadline = this.#pause.begin() + this.#timeoutMs;
        const drainMs = this.#timeoutMs;
        const result = await gate.hold({ drainMs, holdMs: this.#timeoutMs + UNDO_MARGIN_MS });
        if (result.drained) return '';
        throw new Error(`not all has ended within ${drainMs} ms: ${describeBlockers(result).join('; ')}`);
      },
      undo: async () => {
        return this.#release();
      },
    };
  }

  #heartbeatStep(): OperationStep {
    const { monitor } = this.#context;
    return {
      name: 'heartbeat',
      plan: 'write no more heartbeats',
      run: async () => {
        await monitor.pauseHeartbeat();
        return '';
      },
      undo: async () => {
        monitor.resumeHeartbeat();
        return '';
      },
    };
  }

  #readOnlyStep(): OperationStep {
    return {
      name: 'read-only',
      plan: `make ${this.#from.address} read-only`,
      run: async () => {
        const refusal = this.#context.agreement.refusal();
        if (refusal !== null) throw new Error(refusal);
        await this.#from.setReadOnly(this.#remainingMs());
        return '';
      },
      undo: async () => {
        await retrying(() => this.#makeWritableAgain(), UNDO_ATTEMPTS, UNDO_PAUSE_MS);
        return '';
      },
    };
  }

  async #makeWritableAgain(): Promise<void> {
    await this.#from.setWritable();
    if (isReadOnly(await this.#from.readState())) throw new Error(`${this.#from.address} is still read-only`);
  }

  #catchUpStep(): OperationStep {
    return {
      name: 'catch-up',
      plan: `wait until ${this.#to.address} has every transaction of ${this.#from.address}`,
      run: async () => {
        const gtids = await this.#from.executedGtids();
        const hasAll = await this.#to.waitForGtids(gtids, this.#remainingMs());
        if (!hasAll || this.#remainingMs() <= 1)
          throw new Error(`${this.#to.address} has not got all within ${this.#timeoutMs} ms: ${gtids}`);
        return gtids;
      },
    };
  }

  /** The first commit would wait for a replica that is not there yet. */
  #semiSyncStep(): OperationStep {
    return {
      name: 'semi-sync',
      plan: 'wait until a replica gives acknowledgements',
      run: async () => {
        await this.#following.first(SEMI_SYNC_WITHIN_MS);
        return '';
      },
    };
  }

  #endStep(): OperationStep {
    return {
      name: 'end',
      plan: `write into sluice.operation on ${this.#to.address} that it is done`,
      run: async () => {
        const { link } = this.#to;
        await retrying(
          () => endRecord(link, this.id, OperationOutcome.done, ''),
          UNDO_ATTEMPTS,
          UNDO_PAUSE_MS,
        );
        return '';
      },
    };
  }

  get #from() {
    return this.#plan.from.operator;
  }

  get #to() {
    return this.#plan.to.operator;
  }

  #remainingMs(): number {
    return Math.max(1, Math.round(this.#deadline - performance.now()));
  }

  #release(): string {
    if (this.#pause.isOn) {
      this.#context.gate.release();
      this.#pause.end();
    }
    return this.#pause.text;
  }
}

/** Of a pair the old primary follows already. */
function followersIn({ from, others, isPair, place }: SwitchoverPlan): readonly Follower[] {
  // The old primary is read-only by then, whatever it was when it was looked at.
  const old = { operator: from.operator, state: { ...from.state, readOnly: true }, channel: null };
  return (isPair ? others : [old, ...others]).map(({ operator, state, channel }) => ({
    address: operator.address,
    follow: async () => {
      await followPrimary(operator, state, channel, place);
      return replicationProblem(operator);
    },
  }));
}
