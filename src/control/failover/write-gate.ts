/**
 * Holds writes in all workers while the primary changes: nothing new begins there, what has begun goes on to its end.
 *
 * | state | meaning                                                            | left by                          |
 * |-------|--------------------------------------------------------------------|----------------------------------|
 * | open  | nothing is held                                                    | `hold`                           |
 * | held  | new transactions and writes wait in the workers, open ones drain   | `release`, the end of `holdMs`   |
 */

import { setTimeout as delay } from 'node:timers/promises';
import { type SnapshotWrites, WritesState } from '../../common/snapshot.ts';
import type { DrainingSession, DrainReport } from '../../common/thread-messages.ts';

/** For workers to say who is in the way. */
const WHO_MS = 1000;

/** The workers, as far as the gate needs them. */
export interface GateHost {
  /** Brings `snapshot()` to the workers. */
  publish(): void;
  /** The same. @returns whether all workers have applied it within the time */
  publishedTo(timeoutMs: number): Promise<boolean>;
  /** Those that have clients. */
  running(): readonly number[];
  tellAll(message: { readonly type: 'whoDrains'; readonly hold: number }): void;
}

export interface HoldOptions {
  /** How long open transactions, running writes and pinned sessions are waited for. */
  readonly drainMs: number;
  /** How long all may wait at most, from now on: workers go on by themselves then. */
  readonly holdMs: number;
}

export interface FenceOptions {
  readonly timeoutMs: number;
  /** As for a hold. */
  readonly holdMs: number;
}

export type HoldResult =
  | { readonly drained: true; readonly tookMs: number }
  | {
      readonly drained: false;
      readonly tookMs: number;
      /** In all workers. */
      readonly left: number;
      /** The first ones of them. */
      readonly sessions: readonly DrainingSession[];
      /** Workers that have not answered. */
      readonly silent: readonly number[];
    };

export class WriteGate {
  readonly #host: GateHost;
  #term = 0;
  #primary: string | null = null;
  #hold = 0;
  #state: WritesState = WritesState.open;
  #holdUntil = 0;
  #fenced: string | null = null;
  /** Of the current hold, by worker. */
  readonly #reports = new Map<number, DrainReport>();
  #reported: (() => void) | null = null;

  constructor(host: GateHost) {
    this.#host = host;
  }

  get term(): number {
    return this.#term;
  }

  get isHeld(): boolean {
    return this.#state === WritesState.held && Date.now() < this.#holdUntil;
  }

  /** @param primary as it is measured now; while there is none the last one counts. */
  snapshot(primary: string | null): SnapshotWrites {
    if (primary !== null && primary !== this.#primary && primary !== this.#fenced) {
      // The fence has begun the term already.
      if (this.#primary !== null || this.#fenced === null) this.#term++;
      this.#primary = primary;
    }
    const [term, state, hold, fenced] = [this.#term, this.#state, this.#hold, this.#fenced];
    return { term, state, hold, holdUntil: this.#holdUntil, fenced };
  }

  /**
   * Gives up a primary: a new term begins without one, writes are held, and workers drop every connection to it,
   * whatever runs there. It stays so until `unfence`, also when another one is primary.
   * @returns whether all workers have done so within `timeoutMs`
   */
  async fence(address: string, { timeoutMs, holdMs }: FenceOptions): Promise<boolean> {
    if (this.#fenced !== address) this.#term++;
    this.#fenced = address;
    this.#primary = null;
    if (!this.isHeld) this.#hold++;
    this.#state = WritesState.held;
    this.#holdUntil = Date.now() + holdMs;
    return this.#host.publishedTo(timeoutMs);
  }

  /** It is harmless: a replica by now, or known to be read-only. */
  unfence(address: string): void {
    if (this.#fenced !== address) return;
    this.#fenced = null;
    this.#host.publish();
  }

  get fenced(): string | null {
    return this.#fenced;
  }

  /** The fencing epoch of an agreement with others: the next primary has at least this term. */
  raiseTerm(atLeast: number): void {
    this.#term = Math.max(this.#term, atLeast - 1);
  }

  /**
   * Resolves when nothing is left on the primary that could write, or when `drainMs` are over. Writes stay held in
   * both cases, until `release`.
   * @throws Error if they are held already
   */
  async hold({ drainMs, holdMs }: HoldOptions): Promise<HoldResult> {
    if (this.isHeld) throw new Error('writes are held already');
    const began = performance.now();
    this.#hold++;
    this.#state = WritesState.held;
    this.#holdUntil = Date.now() + holdMs;
    this.#reports.clear();
    this.#host.publish();
    await this.#until(() => this.#isDrained(), Math.min(drainMs, holdMs));
    const tookMs = performance.now() - began;
    if (this.#isDrained()) return { drained: true, tookMs };
    return { drained: false, tookMs, ...(await this.#whoIsLeft()) };
  }

  /** The hold may go on until so long from now. */
  extend(holdMs: number): void {
    if (!this.isHeld) return;
    this.#holdUntil = Date.now() + holdMs;
    this.#host.publish();
  }

  release(): void {
    if (this.#state === WritesState.open) return;
    this.#state = WritesState.open;
    this.#holdUntil = 0;
    this.#host.publish();
    this.#reported?.();
  }

  /** What a worker says while it drains. */
  received(worker: number, report: DrainReport): void {
    if (report.hold !== this.#hold) return;
    this.#reports.set(worker, report);
    this.#reported?.();
  }

  #isDrained(): boolean {
    return this.#host.running().every((worker) => this.#reports.get(worker)?.left === 0);
  }

  async #whoIsLeft(): Promise<{ left: number; sessions: DrainingSession[]; silent: number[] }> {
    const asked = this.#host.running().filter((worker) => this.#reports.get(worker)?.left !== 0);
    for (const worker of asked) this.#reports.delete(worker);
    this.#host.tellAll({ type: 'whoDrains', hold: this.#hold });
    await this.#until(() => asked.every((worker) => this.#reports.has(worker)), WHO_MS);
    const reports = [...this.#reports.values()];
    return {
      left: reports.reduce((sum, { left }) => sum + left, 0),
      sessions: reports.flatMap(({ sessions }) => sessions),
      silent: asked.filter((worker) => !this.#reports.has(worker)),
    };
  }

  async #until(isSo: () => boolean, timeoutMs: number): Promise<void> {
    const end = new AbortController();
    const timeout = delay(timeoutMs, undefined, { signal: end.signal }).catch(() => undefined);
    let over = false;
    void timeout.then(() => {
      over = true;
    });
    while (!over && !isSo() && this.#state === WritesState.held) {
      const reported = new Promise<void>((resolve) => {
        this.#reported = resolve;
      });
      await Promise.race([reported, timeout]);
    }
    this.#reported = null;
    end.abort();
  }
}
