/**
 * The place of one worker thread.
 *
 * | state    | meaning                                     | left by                          |
 * |----------|---------------------------------------------|----------------------------------|
 * | starting | the thread loads                            | listening, crash                 |
 * | running  | it listens                                  | crash, stop                      |
 * | waiting  | it crashed; the next start is due           | its delay                        |
 * | stopping | drains its clients                          | drained, crash                   |
 * | stopped  | gone on request                             | nothing                          |
 */

import type { Worker } from 'node:worker_threads';
import { makeTransitions } from '../common/state-machine.ts';

export const SlotState = {
  starting: 'starting',
  running: 'running',
  waiting: 'waiting',
  stopping: 'stopping',
  stopped: 'stopped',
} as const;
export type SlotState = (typeof SlotState)[keyof typeof SlotState];

export const moveSlot = makeTransitions<SlotState>('worker', {
  starting: ['running', 'waiting', 'stopping', 'stopped'],
  running: ['waiting', 'stopping', 'stopped'],
  waiting: ['starting', 'stopped'],
  stopping: ['stopped'],
  stopped: [],
});

export class WorkerSlot {
  readonly index: number;
  state: SlotState = SlotState.waiting;
  worker: Worker | null = null;
  restarts = 0;
  /** Without a stable run in between: they make the delay of the next start. */
  crashesInARow = 0;
  startedAt = 0;
  appliedVersion = 0;
  onListening: (() => void) | null = null;
  #onStopped: (() => void)[] = [];

  constructor(index: number) {
    this.index = index;
  }

  /** It is `stopping`; resolves when it is gone. */
  stopped(): Promise<void> {
    return new Promise((resolve) => this.#onStopped.push(resolve));
  }

  /** It has gone, and does not come again. */
  end(): void {
    this.state = SlotState.stopped;
    for (const resolve of this.#onStopped.splice(0)) resolve();
  }
}
