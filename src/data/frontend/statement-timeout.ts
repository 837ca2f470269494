/** How long a statement may take, and the error of one that takes longer: in the words of its servers. */

import { type ClientError, clientError } from '../../common/errors.ts';
import { type TimerWheel, WheelTimer } from '../../common/timer-wheel.ts';
import type { Dialect } from '../backend/backends.ts';

export class StatementTimeout {
  readonly #wheel: TimerWheel;
  readonly #timer: WheelTimer;
  #timeoutMs = 0;
  #source = '';
  #isArmed = false;

  /** @param expired gets the error for the client. */
  constructor(wheel: TimerWheel, dialect: () => Dialect, expired: (error: ClientError) => void) {
    this.#wheel = wheel;
    this.#timer = new WheelTimer(() => {
      this.#isArmed = false;
      const code = dialect().flavor === 'mariadb' ? 'PROXY_QUERY_TIMEOUT_MARIADB' : 'PROXY_QUERY_TIMEOUT';
      expired(clientError(code, { timeoutMs: this.#timeoutMs, source: this.#source }));
    });
  }

  /** From now on. @param source what has set the limit. */
  begin(timeoutMs: number, source: string): void {
    this.#timeoutMs = timeoutMs;
    this.#source = source;
    this.#isArmed = true;
    this.#wheel.arm(this.#timer, timeoutMs);
  }

  end(): void {
    if (!this.#isArmed) return;
    this.#isArmed = false;
    this.#wheel.cancel(this.#timer);
  }
}
