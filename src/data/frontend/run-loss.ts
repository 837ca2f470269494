/** What a session's run does when its connection is lost under a command: repeats it, does its transaction again, finds out
 * about its COMMIT, or tells the client. What is decided by facts alone is in lost-statement.ts. */

import { type CommitDoubt, CommitOutcome, type CommitTruth } from '../../common/commit-outcome.ts';
import type { ClientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import { errorOfDoubt } from '../replay/commit-doubts.ts';
import { DEFAULT_RETRIES, LossAction, verdictOfLoss } from './lost-statement.ts';
import { moveRun, RunPhase } from './run-phase.ts';
import type { RunParts, RunSteps } from './run-state.ts';

export class RunLoss {
  readonly #run: RunParts;
  readonly #steps: RunSteps;

  constructor(run: RunParts, steps: RunSteps) {
    this.#run = run;
    this.#steps = steps;
  }

  lost(reason: string, started: boolean, sent: boolean): void {
    const connection = this.#run.now.connection;
    if (this.#run.now.abandoned || this.#run.now.phase === RunPhase.idle || connection === null) return;
    this.#run.context.counters.add(WorkerCounter.backendLost);
    const replay = this.#run.now.replay;
    if (replay?.isRunning === true) {
      replay.lost(reason);
      return;
    }
    if (sent && this.#run.passage.bytes === 0 && this.#isInDoubt(connection, reason)) return;
    if (
      replay !== null &&
      replay.log.pending !== null &&
      !this.#run.now.interrupted &&
      replay.mayReplay(started, sent)
    ) {
      replay.begin(connection.server.address, reason, false);
      return;
    }
    const wasHeld = this.#run.now.held === connection;
    if (this.#run.now.interrupted && !wasHeld && !started && (this.#run.now.repeatable || !sent)) {
      this.#run.now.connection = null;
      this.#steps.fail(this.#run.now.interruption);
      return;
    }
    const retries = this.#run.client.routing.verdict.retries ?? DEFAULT_RETRIES;
    this.#run.client.causality.lost(sent);
    const verdict = verdictOfLoss({
      address: connection.server.address,
      reason,
      started,
      sent,
      repeatable: this.#run.now.repeatable || this.#run.now.isHarmless,
      attempts: this.#run.now.attempts,
      retries,
      wasHeld,
      isProvenRead: this.#run.now.plan?.statement.provenRead === true,
      onReplica: connection.server.role !== 'primary',
      brokeProtocol: connection.brokeProtocol,
      stateError: this.#run.approach.takeError(),
    });
    this.#run.now.connection = null;
    if (wasHeld) this.#run.now.held = null;
    if (verdict.action === LossAction.repeat)
      this.#run.approach.search.choice.lostOn(connection.server.address, this.#run.now.attempts >= retries);
    if (verdict.action === LossAction.repeatOnPrimary) this.#run.approach.search.choice.primaryOnly();
    if (verdict.action === LossAction.failInAnswer) this.#failInAnswer(connection, verdict.error, wasHeld);
    else if (verdict.action === LossAction.fail) {
      this.#steps.fail(verdict.error);
      if (wasHeld) this.#run.client.heldConnectionLost(reason);
    } else this.#steps.repeat(reason);
  }

  /** A COMMIT that can be looked for: its client waits until it is known what has become of it. */
  #isInDoubt(connection: BackendConnection, reason: string): boolean {
    const doubt = this.#run.commitTag.doubt();
    if (doubt === null) return false;
    this.#run.now.connection = null;
    this.#run.now.held = null;
    this.#run.now.doubt = doubt;
    this.#run.timeout.end();
    this.#run.now.kill = null;
    this.#run.context.log('info', 'a COMMIT is in doubt', { server: connection.server.address, reason });
    this.#run.context.commits.ask(doubt, (truth) => this.#resolved(doubt, truth, reason));
    return true;
  }

  #resolved(doubt: CommitDoubt, truth: CommitTruth, reason: string): void {
    const { state, causality } = this.#run.client;
    const replay = this.#run.now.replay;
    this.#run.now.doubt = null;
    // Who has interrupted it does not want it done again.
    const isLost = truth.outcome === CommitOutcome.rolledBack && !this.#run.now.interrupted;
    if (isLost && replay !== null && replay.log.pending !== null && replay.log.obstacle === null) {
      replay.begin(doubt.address, reason, false);
      return;
    }
    replay?.clear();
    causality.lost(true);
    state.transactionLost();
    const error = errorOfDoubt(doubt, truth);
    if (error === null) this.#answerOk();
    else this.#steps.fail(error);
    // Whatever else it had there is gone.
    if (state.pinned) this.#run.client.heldConnectionLost(reason);
  }

  /** In the name of a server that could not say it any more. */
  #answerOk(): void {
    if (!this.#run.passage.silent) this.#run.client.sendOk();
    this.#run.aftermath.settled(this.#run.now.plan?.statement, 0);
    this.#run.trace.ends(0, this.#run.now.attempts, this.#run.passage.bytes);
    this.#run.now.phase = moveRun(this.#run.now.phase, RunPhase.idle);
    this.#run.now.statement = null;
    this.#run.client.runFinished();
  }

  /** Part of an answer has gone out: only an ERR at a packet's border, or the end of the connection, is honest. */
  #failInAnswer(connection: BackendConnection, error: ClientError, wasHeld: boolean): void {
    this.#run.context.log('warn', 'a server was lost during an answer', {
      server: connection.server.address,
      user: this.#run.client.username,
      reason: connection.closeReason,
    });
    const sequence = connection.replies.nextClientSequence;
    if (sequence === null || this.#run.passage.silent) {
      this.#run.aftermath.settled(undefined, 0);
      this.#run.trace.ends(error.errno, this.#run.now.attempts, this.#run.passage.bytes);
      this.#run.now.phase = moveRun(this.#run.now.phase, RunPhase.idle);
      this.#run.approach.search.ended();
      this.#run.client.heldConnectionLost(error.message);
      return;
    }
    this.#run.client.errorSequence = sequence;
    this.#steps.fail(error);
    if (wasHeld) this.#run.client.heldConnectionLost(error.message);
  }
}
