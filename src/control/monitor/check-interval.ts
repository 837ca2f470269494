/**
 * A background loop around one check of one server.
 *
 * Period: `periodMs()`, from start to start, asked again before each wait; at least `MIN_GAP_MS` after the end of
 *         the run before. `wake()` brings the next run forward.
 * Effect: each run ends in exactly one call of `report`: the check's value, its error, or a time-out.
 * Stop:   `stop()` aborts the run in flight; nothing is reported after it was called.
 *
 * Runs never overlap. At the time-out the run's signal is aborted, which must make it settle; until it has, no other
 * run starts.
 *
 * | state   | meaning                     | entered from              | left by                         |
 * |---------|-----------------------------|---------------------------|---------------------------------|
 * | idle    | not started                 | (new)                     | start, stop                     |
 * | running | the check is under way      | idle, waiting             | its end, stop                   |
 * | waiting | the timer for the next runs | running                   | the timer, wake, stop           |
 * | stopped | for good                    | any                       | -                               |
 */

import type { Clock, TimerHandle } from '../../common/clock.ts';
import { makeTransitions } from '../../common/state-machine.ts';

type LoopState = 'idle' | 'running' | 'waiting' | 'stopped';

const moveLoop = makeTransitions<LoopState>('check interval', {
  idle: ['running', 'stopped'],
  running: ['waiting', 'stopped'],
  waiting: ['running', 'stopped'],
  stopped: ['stopped'],
});

/** Between two runs, however often somebody wakes the loop. */
export const MIN_GAP_MS = 50;

export class CheckTimeoutError extends Error {
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
    this.name = 'CheckTimeoutError';
    this.timeoutMs = timeoutMs;
  }
}

export type CheckRunResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

export interface CheckIntervalOptions<T> {
  readonly periodMs: () => number;
  readonly timeoutMs: number;
  /** Must settle soon after `signal` is aborted. */
  readonly check: (signal: AbortSignal) => Promise<T>;
  readonly report: (result: CheckRunResult<T>) => void;
  readonly clock: Clock;
}

export class CheckInterval<T> {
  readonly #options: CheckIntervalOptions<T>;
  #state: LoopState = 'idle';
  #timer: TimerHandle = null;
  #endedAtMs = Number.NEGATIVE_INFINITY;
  #wakeAgain = false;
  #abort: AbortController | null = null;
  #inFlight: Promise<void> = Promise.resolve();
  /** Resolved when the run in flight has an outcome, and when the next one has. */
  #runWaiters: (() => void)[] = [];
  #waiters: (() => void)[] = [];

  constructor(options: CheckIntervalOptions<T>) {
    this.#options = options;
  }

  /** Resolves after the first run. */
  start(): Promise<void> {
    if (this.#state !== 'idle') return Promise.resolve();
    const first = this.#nextRun();
    this.#run();
    return first;
  }

  /** Runs as soon as the gap allows; resolves at the end of a run that began after this call, or on stop. */
  wake(): Promise<void> {
    if (this.#state === 'idle' || this.#state === 'stopped') return Promise.resolve();
    const next = this.#nextRun();
    if (this.#state === 'running') this.#wakeAgain = true;
    else this.#wait(0);
    return next;
  }

  /** Resolves when nothing is under way any more. */
  stop(): Promise<void> {
    if (this.#state !== 'stopped') {
      this.#state = moveLoop(this.#state, 'stopped');
      this.#options.clock.clearTimeout(this.#timer);
      this.#abort?.abort(new Error('the check was stopped'));
      this.#releaseRun();
      this.#runWaiters = this.#waiters;
      this.#releaseRun();
    }
    return this.#inFlight;
  }

  #nextRun(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #releaseRun(): void {
    const waiters = this.#runWaiters;
    this.#runWaiters = [];
    for (const resolve of waiters) resolve();
  }

  #wait(delayMs: number): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    const gapMs = this.#endedAtMs + MIN_GAP_MS - clock.monotonicMs();
    this.#timer = clock.setTimeout(() => this.#run(), Math.max(delayMs, gapMs, 0));
  }

  #run(): void {
    this.#state = moveLoop(this.#state, 'running');
    this.#wakeAgain = false;
    this.#runWaiters = this.#waiters;
    this.#waiters = [];
    const startedAtMs = this.#options.clock.monotonicMs();
    this.#inFlight = this.#runOnce().then(() => {
      if (this.#state === 'stopped') return;
      this.#state = moveLoop(this.#state, 'waiting');
      this.#endedAtMs = this.#options.clock.monotonicMs();
      this.#wait(this.#wakeAgain ? 0 : this.#options.periodMs() - (this.#endedAtMs - startedAtMs));
    });
  }

  /** Settles when the check has settled, which can be later than its outcome is known. */
  #runOnce(): Promise<void> {
    const { clock, timeoutMs, check, report } = this.#options;
    const abort = new AbortController();
    this.#abort = abort;
    return new Promise((resolve) => {
      let pending = true;
      const settle = (result: CheckRunResult<T>): void => {
        if (!pending) return;
        pending = false;
        clock.clearTimeout(timer);
        try {
          if (this.#state !== 'stopped') report(result);
        } finally {
          this.#releaseRun();
        }
      };
      const timer = clock.setTimeout(() => {
        const error = new CheckTimeoutError(timeoutMs);
        settle({ ok: false, error });
        abort.abort(error);
      }, timeoutMs);
      check(abort.signal)
        .then(
          (value) => settle({ ok: true, value }),
          (error: unknown) => settle({ ok: false, error }),
        )
        // Whatever a listener threw is a bug that shows as such; the loop goes on.
        .finally(resolve);
    });
  }
}
