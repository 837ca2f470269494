/**
 * Where the proxy is between its start and its end.
 *
 * | phase    | meaning                                                                    | left by                  |
 * |----------|----------------------------------------------------------------------------|--------------------------|
 * | starting | not everything runs yet                                                    | the last step, a failure |
 * | serving  | clients are wanted                                                         | the order to stop        |
 * | leaving  | `/readyz` sends clients elsewhere; whoever comes all the same is served     | `limits.shutdownDelayMs` |
 * | closing  | no new clients, the others finish; nothing comes into force any more       | nothing                  |
 */

import { setTimeout } from 'node:timers/promises';
import { makeTransitions } from '../common/state-machine.ts';

const Phase = {
  starting: 'starting',
  serving: 'serving',
  leaving: 'leaving',
  closing: 'closing',
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

const transition = makeTransitions<Phase>('service', {
  starting: ['serving', 'closing'],
  serving: ['leaving'],
  leaving: ['closing'],
  closing: [],
});

export class ServicePhase {
  #phase: Phase = Phase.starting;

  /** Told to stop, whatever it still does. */
  get isStopping(): boolean {
    return this.#phase === Phase.leaving || this.#phase === Phase.closing;
  }

  get isClosing(): boolean {
    return this.#phase === Phase.closing;
  }

  started(): void {
    this.#phase = transition(this.#phase, Phase.serving);
  }

  /** Resolves when it is time to close: at once if nobody can have been sent here yet. */
  async leave(delayMs: number): Promise<void> {
    if (this.#phase === Phase.serving) {
      this.#phase = transition(this.#phase, Phase.leaving);
      if (delayMs > 0) await setTimeout(delayMs);
    }
    this.#phase = transition(this.#phase, Phase.closing);
  }
}
