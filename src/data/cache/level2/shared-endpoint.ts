/**
 * One server of the second level, as one worker sees it. Whatever it does, it costs no more than hits: what is asked is
 * answered within the time-out, what waits is bounded, and a server that fails is left alone for a while.
 *
 * | state      | meaning                                          | entered by                         | left by                     |
 * |------------|--------------------------------------------------|------------------------------------|-----------------------------|
 * | connecting | a connection is being made, and tried            | construction, the end of a wait    | its first answer, a failure |
 * | ready      | results are read and written                     | the first answer                   | a failure                   |
 * | waiting    | it has failed: nothing is asked of it            | a loss, no answers, a lie          | time: longer and longer     |
 * | closed     |                                                  | `close`                            | –                           |
 *
 * Each value names the **generation** that was in force before it was read, which is a key of the server as well: to flush
 * is to write another one, of random bytes, so that none comes twice. A flush that could not be written yet keeps this
 * worker from reading anything.
 */

import { randomBytes } from 'node:crypto';
import { makeTransitions } from '../../../common/state-machine.ts';
import type { Done, MakeSharedStore, SharedStore } from './shared-store.ts';
import { GENERATION_BYTES } from './shared-value.ts';

const State = { connecting: 'connecting', ready: 'ready', waiting: 'waiting', closed: 'closed' } as const;
type State = (typeof State)[keyof typeof State];

const move = makeTransitions<State>('server of the second level', {
  connecting: [State.ready, State.waiting, State.closed],
  ready: [State.waiting, State.closed],
  waiting: [State.connecting, State.closed],
  closed: [],
});

const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 15_000;
/** So many questions in a row without an answer in time. */
const MAX_TIMEOUTS = 5;
/** A server that has been asked something and has said nothing for so long. */
const SILENCE_MS = 1000;
const MAX_READS = 1024;
/** Of values that are on their way to it. */
const MAX_WRITTEN_BYTES = 8 << 20;

export interface SharedEndpointOptions {
  readonly address: string;
  readonly prefix: string;
  readonly timeoutMs: number;
  readonly make: MakeSharedStore;
  /** Once for each failure, until it has been ready again. @param isDown false: it is ready again. */
  readonly changed: (isDown: boolean, reason: string) => void;
  readonly timedOut: () => void;
  readonly failed: () => void;
}

/** null: there is nothing, or nobody has said so in time. */
export type SharedReadDone = (value: Buffer | null, generation: Buffer | null) => void;

export class SharedEndpoint {
  readonly #options: SharedEndpointOptions;
  readonly #generationKey: string;
  #state: State = State.connecting;
  #store: SharedStore | null = null;
  #backoffMs = FIRST_BACKOFF_MS;
  #retry: NodeJS.Timeout | null = null;
  #isTold = false;
  /** As it was when it was read last; null while a flush has not been written. */
  #generation: Buffer | null = null;
  /** Not written yet. */
  #newGeneration: Buffer | null = null;
  #reads = 0;
  #writtenBytes = 0;
  #timeouts = 0;
  #outstanding = 0;
  /** Since when it says nothing although something was asked; 0 while nothing was. */
  #silentSinceMs = 0;

  constructor(options: SharedEndpointOptions) {
    this.#options = options;
    this.#generationKey = `${options.prefix}:generation`;
    this.#connect();
  }

  /** Something can be asked now. */
  get isReady(): boolean {
    return this.#state === State.ready && this.#newGeneration === null && this.#reads < MAX_READS;
  }

  /** What is to stand in a value whose read begins now; null: it is not to be written. */
  get generation(): Buffer | null {
    return this.#newGeneration === null ? this.#generation : null;
  }

  /** @param done called once, within the time-out, and not before this returns. Only while it is ready. */
  read(name: string, done: SharedReadDone): void {
    const { timeoutMs, timedOut } = this.#options;
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      timedOut();
      done(null, null);
      if (++this.#timeouts >= MAX_TIMEOUTS) this.#fail(`${MAX_TIMEOUTS} answers in a row took too long`);
    }, timeoutMs);
    this.#reads++;
    const store = this.#sent();
    store.readPair(this.#generationKey, this.#keyOf(name), (error, [generation, value]) => {
      this.#reads--;
      this.#answered(store, error);
      const isOf = error === null && this.#newGeneration === null && this.#isCurrent(store);
      if (isOf) this.#generationRead(generation);
      if (isOver) return;
      clearTimeout(timer);
      if (error === null) this.#timeouts = 0;
      if (isOf) done(value, this.#generation);
      else done(null, null);
    });
  }

  /** In the background. @returns false if too much is on its way already */
  write(name: string, value: Buffer, ttlMs: number): boolean {
    if (this.#state !== State.ready || this.#writtenBytes + value.length > MAX_WRITTEN_BYTES) return false;
    this.#writtenBytes += value.length;
    const store = this.#sent();
    store.write(this.#keyOf(name), value, ttlMs, (error) => {
      this.#writtenBytes -= value.length;
      this.#answered(store, error);
    });
    return true;
  }

  /** Nothing that is there now is to be taken any more, by anybody who reads it from now on. */
  flush(): void {
    this.#generation = null;
    this.#newGeneration = randomBytes(GENERATION_BYTES);
    if (this.#state === State.ready) this.#writeGeneration();
  }

  /** To be called about once a second. */
  tick(nowMs: number = performance.now()): void {
    const isSilent = this.#silentSinceMs > 0 && nowMs - this.#silentSinceMs > SILENCE_MS;
    if (this.#state === State.ready && isSilent) this.#fail(`it has said nothing for ${SILENCE_MS} ms`);
  }

  close(): void {
    if (this.#state === State.closed) return;
    this.#state = move(this.#state, State.closed);
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#drop();
  }

  // ---- the connection

  #connect(): void {
    const lost = (error: Error): void => {
      if (this.#isCurrent(store)) this.#fail(error.message);
    };
    const store = this.#options.make({ lost });
    this.#store = store;
    // A server that takes connections and says nothing is none.
    const limit = setTimeout(() => lost(new Error('it does not answer')), SILENCE_MS * 2);
    const tried: Done<readonly [Buffer | null, Buffer | null]> = (error, [generation]) => {
      clearTimeout(limit);
      if (!this.#isCurrent(store)) return;
      if (error !== null) this.#fail(error.message);
      else this.#tried(generation);
    };
    store.connect().then(
      () => store.readPair(this.#generationKey, this.#generationKey, tried),
      (error: Error) => tried(error, [null, null]),
    );
  }

  #tried(generation: Buffer | null): void {
    this.#state = move(this.#state, State.ready);
    this.#backoffMs = FIRST_BACKOFF_MS;
    this.#timeouts = 0;
    if (this.#isTold) this.#options.changed(false, '');
    this.#isTold = false;
    if (this.#newGeneration === null) this.#generationRead(generation);
    else this.#writeGeneration();
  }

  #fail(reason: string): void {
    if (this.#state !== State.connecting && this.#state !== State.ready) return;
    this.#state = move(this.#state, State.waiting);
    this.#options.failed();
    this.#generation = null;
    this.#drop();
    if (!this.#isTold) this.#options.changed(true, reason);
    this.#isTold = true;
    this.#retry = setTimeout(() => {
      this.#state = move(this.#state, State.connecting);
      this.#connect();
    }, this.#backoffMs);
    this.#retry.unref();
    this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
  }

  #drop(): void {
    const store = this.#store;
    this.#store = null;
    this.#outstanding = 0;
    this.#silentSinceMs = 0;
    store?.close();
  }

  #isCurrent(store: SharedStore): boolean {
    return this.#store === store;
  }

  // ---- what is asked

  #sent(): SharedStore {
    if (this.#outstanding++ === 0) this.#silentSinceMs = performance.now();
    return this.#store!;
  }

  #answered(store: SharedStore, error: Error | null): void {
    if (!this.#isCurrent(store)) return;
    if (error !== null) this.#options.failed();
    this.#outstanding--;
    this.#silentSinceMs = this.#outstanding === 0 ? 0 : performance.now();
  }

  #keyOf(name: string): string {
    return `${this.#options.prefix}:${name}`;
  }

  // ---- generations

  #generationRead(generation: Buffer | null): void {
    if (generation !== null && generation.length === GENERATION_BYTES) {
      if (this.#generation?.equals(generation) !== true) this.#generation = Buffer.from(generation);
      return;
    }
    this.#generation = null;
    const store = this.#sent();
    const made = randomBytes(GENERATION_BYTES);
    const answered = (error: Error | null): void => this.#answered(store, error);
    // What has another length is nobody's.
    if (generation === null) store.add(this.#generationKey, made, answered);
    else store.put(this.#generationKey, made, answered);
  }

  #writeGeneration(): void {
    const wanted = this.#newGeneration;
    if (wanted === null) return;
    const store = this.#sent();
    store.put(this.#generationKey, wanted, (error) => {
      this.#answered(store, error);
      if (!this.#isCurrent(store) || this.#newGeneration !== wanted) return;
      if (error !== null) this.#fail(error.message);
      else {
        this.#newGeneration = null;
        this.#generation = wanted;
      }
    });
  }
}
