/** Gives up what a session has on servers, where it begins anew: COM_RESET_CONNECTION, COM_CHANGE_USER. */

import type { Session } from './session.ts';
import { SessionPhase } from './session-phase.ts';

export class SessionCleanup {
  readonly #session: Session;
  #isRunning = false;
  #then: (() => void) | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  /** As after a login: COM_RESET_CONNECTION. */
  restart(): void {
    const session = this.#session;
    session.rules.restart();
    this.begin();
    session.state.restart(session.start.initialVariables?.afterReset ?? null);
  }

  /** Whatever the session has on a server goes. */
  begin(): void {
    const { run, state, prepared, readOnly, causality, marks } = this.#session;
    this.#isRunning = true;
    run.connections.releaseHeld({ ...state.leftBehind(), untracked: true }, () => this.#done());
    run.residue.reset();
    prepared.clear();
    readOnly.ended();
    causality.restart();
    marks.restart();
  }

  /** Calls `then` once nothing of it is left on a server: others see it gone then. */
  whenDone(then: () => void): void {
    if (this.#isRunning) this.#then = then;
    else then();
  }

  #done(): void {
    const then = this.#then;
    this.#isRunning = false;
    this.#then = null;
    if (this.#session.phase !== SessionPhase.closed) then?.();
  }
}
