/** KILL of what a session's run has under way, and the end of its time. */

import type { ClientError } from '../../common/errors.ts';
import type { ReplyOwner } from '../backend/expected-reply.ts';
import { killConnection } from '../backend/kill-on-server.ts';
import { Orphan } from '../backend/orphan.ts';
import { RunPhase } from './run-phase.ts';
import type { RunParts, RunSteps } from './run-state.ts';
import { ApproachStep } from './statement-approach.ts';
import { StatementKill } from './statement-kill.ts';

export class RunInterruption {
  readonly #run: RunParts;
  readonly #steps: RunSteps;
  readonly #owner: ReplyOwner;

  /** @param owner of the replies that are awaited. */
  constructor(run: RunParts, steps: RunSteps, owner: ReplyOwner) {
    this.#run = run;
    this.#steps = steps;
    this.#owner = owner;
  }

  /** KILL QUERY, or the end of the statement's time. */
  interrupt(error: ClientError): void {
    if (this.#run.now.replay?.isRunning === true) {
      this.#run.now.replay.interrupt(error);
      return;
    }
    if (this.#run.approach.step === ApproachStep.searching) {
      this.#run.approach.cancel();
      this.#steps.fail(error);
      return;
    }
    const connection = this.#run.now.connection;
    // Behind its answer a statement has ended: what is asked for then is Sluice's own.
    if (connection === null || this.#run.now.interrupted || this.#run.now.phase === RunPhase.settling) return;
    const isSent = this.#run.now.phase === RunPhase.running;
    if (!isSent && this.#run.now.held !== connection) {
      this.#run.approach.cancel();
      this.#run.now.connection = null;
      connection.close('killed before the statement was sent');
      this.#steps.fail(error);
      return;
    }
    if (this.#run.now.shared) {
      // Nothing may stand in the middle of an answer; a short one ends soon.
      if (this.#run.passage.bytes > 0) return;
      // The server would hit whoever's turn it is: the short read is left to end, its answer is thrown away.
      if (this.#run.client.marks.isInFlux) connection.close('killed, and it may not be a read');
      else connection.replies.abandon(this.#owner, new Orphan(this.#run.context.backends, connection));
      this.#run.now.connection = null;
      this.#steps.fail(error);
      return;
    }
    this.#run.now.interrupted = true;
    // A KILL that comes late hits the next statement on MySQL: this connection gets none.
    connection.tainted = true;
    this.#run.now.interruption = error;
    this.#run.passage.interruption = error;
    this.#run.now.kill = new StatementKill(this.#run.context.backends, connection);
  }

  /** The session is about to end: what runs for it ends on the server too, as a KILL there does. */
  endOnServer(): void {
    const connection = this.#run.now.connection;
    if (connection === null || this.#run.now.shared || connection.owed === 0) return;
    connection.tainted = true;
    killConnection(this.#run.context.backends, connection);
  }
}
