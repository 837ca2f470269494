/** Answers that are made once for all who ask, so that many viewers cost what one does. */
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

export interface PreparedBody {
  readonly body: Buffer;
  readonly etag: string;
}

/** Of the time the making may take a twentieth. */
const INTERVAL_PER_WORK = 20;

/**
 * The same answer for everybody, made again at the earliest after `intervalMs` (later where it takes long to make), and
 * only when somebody asks.
 */
export class Precomputed {
  readonly #make: () => unknown | Promise<unknown>;
  readonly #intervalMs: number;
  #current: Promise<PreparedBody> | null = null;
  #nextAtMs = Number.NEGATIVE_INFINITY;

  constructor(intervalMs: number, make: () => unknown | Promise<unknown>) {
    this.#intervalMs = intervalMs;
    this.#make = make;
  }

  get(): Promise<PreparedBody> {
    const now = performance.now();
    if (this.#current === null || now >= this.#nextAtMs) {
      this.#nextAtMs = Number.POSITIVE_INFINITY;
      this.#current = this.#prepare();
      // A failure is told to those who wait for it, and is not kept.
      this.#current.catch(() => this.forget());
    }
    return this.#current;
  }

  /** What it tells of has just been changed. */
  forget(): void {
    this.#current = null;
  }

  async #prepare(): Promise<PreparedBody> {
    const startedAtMs = performance.now();
    const body = Buffer.from(`${JSON.stringify(await this.#make())}\n`);
    const workMs = performance.now() - startedAtMs;
    this.#nextAtMs = startedAtMs + Math.max(this.#intervalMs, INTERVAL_PER_WORK * workMs);
    return { body, etag: `"${createHash('sha1').update(body).digest('base64url')}"` };
  }
}

/** Of its time on this thread the work may take a tenth. */
const PAUSE_PER_WORK = 9;

/**
 * For answers that must not be old: who asks gets one that was begun after that. Those who ask while one is being made
 * share the next, and between two there is a pause that grows with what they cost.
 */
export class SharedWork<Result> {
  readonly #work: () => Promise<Result>;
  #next: Promise<Result> | null = null;
  #running: Promise<unknown> = Promise.resolve();
  #earliestMs = 0;

  constructor(work: () => Promise<Result>) {
    this.#work = work;
  }

  get(): Promise<Result> {
    this.#next ??= this.#begin();
    return this.#next;
  }

  async #begin(): Promise<Result> {
    await this.#running.catch(() => undefined);
    const pauseMs = this.#earliestMs - performance.now();
    if (pauseMs > 0) await setTimeout(pauseMs, undefined, { ref: false });
    this.#next = null;
    const startedAtMs = performance.now();
    const work = this.#work();
    this.#running = work;
    try {
      return await work;
    } finally {
      const now = performance.now();
      this.#earliestMs = now + PAUSE_PER_WORK * (now - startedAtMs);
    }
  }
}
