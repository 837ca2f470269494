/** Asks the control plane what has become of COMMITs whose answers were lost; one for each worker. */

import { randomBytes } from 'node:crypto';
import { type CommitDoubt, CommitOutcome, type CommitTruth } from '../../common/commit-outcome.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import type { CommitResolved, FromWorker } from '../../common/thread-messages.ts';
import { type TimerWheel, WheelTimer } from '../../common/timer-wheel.ts';

/** Beyond the time that the control plane has, for the message. */
const MARGIN_MS = 1000;
/** With nobody to wait for, the survivor may still have to be asked. */
const SHORTEST_WAIT_MS = 2000;

interface OpenDoubt {
  readonly answer: (truth: CommitTruth) => void;
  readonly timer: WheelTimer;
}

export class CommitDoubts {
  /** `failover.resolveCommits`. */
  isEnabled = false;
  /** How long a client waits for the truth. */
  waitMs = SHORTEST_WAIT_MS;
  readonly #post: (message: FromWorker) => void;
  readonly #wheel: TimerWheel;
  /** Unlike that of any other worker, in any Sluice. */
  readonly #prefix = `sluice_${randomBytes(8).toString('hex')}_`;
  /** By tag. */
  readonly #open = new Map<string, OpenDoubt>();
  #tags = 0;

  constructor(wheel: TimerWheel, post: (message: FromWorker) => void) {
    this.#wheel = wheel;
    this.#post = post;
  }

  update(isEnabled: boolean, noServerWaitMs: number): void {
    this.isEnabled = isEnabled;
    this.waitMs = Math.max(noServerWaitMs, SHORTEST_WAIT_MS);
  }

  nextTag(): string {
    this.#tags++;
    return `${this.#prefix}${this.#tags}`;
  }

  /** `answer` is called once, later, unless the doubt is cancelled. */
  ask(doubt: CommitDoubt, answer: (truth: CommitTruth) => void): void {
    const { tag } = doubt;
    const reason = `nobody knew within ${doubt.waitMs} ms`;
    const timer = new WheelTimer(() => this.#settle(tag, { outcome: CommitOutcome.unknown, reason }));
    this.#open.set(tag, { answer, timer });
    this.#wheel.arm(timer, doubt.waitMs + MARGIN_MS);
    this.#post({ type: 'commitInDoubt', doubt });
  }

  /** Nobody wants to know any more. */
  cancel(tag: string): void {
    const open = this.#open.get(tag);
    if (open === undefined) return;
    this.#open.delete(tag);
    this.#wheel.cancel(open.timer);
  }

  resolved({ tag, truth }: CommitResolved): void {
    this.#settle(tag, truth);
  }

  #settle(tag: string, truth: CommitTruth): void {
    const open = this.#open.get(tag);
    this.cancel(tag);
    open?.answer(truth);
  }
}

/** What the client is told of its COMMIT; null: OK. */
export function errorOfDoubt({ address }: CommitDoubt, { outcome, reason }: CommitTruth): ClientError | null {
  if (outcome === CommitOutcome.committed) return null;
  if (outcome === CommitOutcome.rolledBack) return clientError('PROXY_COMMIT_ROLLED_BACK', { address });
  return clientError('PROXY_COMMIT_UNKNOWN', { address, reason });
}
