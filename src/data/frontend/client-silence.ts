/**
 * For how long a client may be silent: to log in, and between its commands.
 *
 * Period: one timer of the wheel, armed again when it has gone off too early.
 * Effect: the listener is told; what the client does meanwhile costs a note of the time and no timer operation.
 * Stop:   `stop()`.
 */

import { WheelTimer } from '../../common/timer-wheel.ts';
import type { WorkerContext } from '../worker-context.ts';

export interface SilenceListener {
  /** It logs in, or changes its user. */
  readonly isLoggingIn: boolean;
  /** A command runs, which may take as long as it likes. */
  readonly isBusy: boolean;
  /** Of the session itself, by its `wait_timeout`; null for none. */
  readonly idleTimeoutMs: number | null;
  loginTimedOut(timeoutMs: number): void;
  /** @param bySession its own time-out is over, at which servers say nothing. */
  idleTimedOut(bySession: boolean): void;
}

export class ClientSilence {
  readonly #context: WorkerContext;
  readonly #listener: SilenceListener;
  readonly #timer = new WheelTimer(() => this.#timedOut());
  /** The clock ticks from the last byte; compared lazily. */
  lastActivity = performance.now();

  constructor(context: WorkerContext, listener: SilenceListener) {
    this.#context = context;
    this.#listener = listener;
  }

  armForLogin(): void {
    this.#context.wheel.arm(this.#timer, this.#context.snapshot.settings.limits.handshakeTimeoutMs);
  }

  armForCommand(): void {
    const rest = this.#idleTimeoutMs - (performance.now() - this.lastActivity);
    this.#context.wheel.arm(this.#timer, Math.max(1000, rest));
  }

  stop(): void {
    this.#context.wheel.cancel(this.#timer);
  }

  get #idleTimeoutMs(): number {
    const { idleTimeoutMs } = this.#context.snapshot.settings.limits;
    return Math.min(idleTimeoutMs, this.#listener.idleTimeoutMs ?? Number.POSITIVE_INFINITY);
  }

  #timedOut(): void {
    const { limits } = this.#context.snapshot.settings;
    if (this.#listener.isLoggingIn) {
      this.#listener.loginTimedOut(limits.handshakeTimeoutMs);
      return;
    }
    const idleMs = performance.now() - this.lastActivity;
    if (this.#listener.isBusy || idleMs < this.#idleTimeoutMs) this.armForCommand();
    else this.#listener.idleTimedOut(idleMs < limits.idleTimeoutMs);
  }
}
