/**
 * One server of the second level, as one worker sees it. Whatever it does, it costs no more than hits: what is asked is
 * answered within the time-out, what waits is bounded, and a server that fails is left alone for a while.
 *
 * | state      | meaning                                          | entered by                         | left by                     |
 * |------------|--------------------------------------------------|------------------------------------|-----------------------------|
 * | connecting | a connection is being made; it becomes a member  | construction, the end of a wait    | membership, a failure       |
 * | ready      | results are read and written                     | membership                         | a failure                   |
 * | waiting    | it has failed: nothing is asked of it            | a loss, no answers, a lie          | time: longer and longer     |
 * | closed     |                                                  | `close`                            | –                           |
 *
 * With each result the record of what was flushed is read (`flush-record.ts`). As long as a flush has not been written there, or
 * there is no record, this worker reads and writes nothing. Upkeep (`shared-upkeep.ts`) is done one step after the other.
 */

import { randomBytes } from 'node:crypto';
import { makeTransitions } from '../../../common/state-machine.ts';
import { FlushRecord, type FlushSubject } from './flush-record.ts';
import { MEMBER_ID_BYTES } from './member-list.ts';
import { PendingFlushes } from './pending-flushes.ts';
import type { MakeSharedStore, SharedStore } from './shared-store.ts';
import { recordKeyOf, SharedUpkeep } from './shared-upkeep.ts';

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
/** Steps of upkeep are several questions. */
const UPKEEP_MS = 5000;
/** Who stops has no more time for it. */
const LEAVING_MS = 1000;
/** Within a lease. */
const RENEWALS = 5;
/** Bases of records that were in force before. */
const MAX_FORMER = 64;
const MAX_READS = 1024;
/** Of values that are on their way to it. */
const MAX_WRITTEN_BYTES = 8 << 20;

export interface SharedEndpointOptions {
  readonly prefix: string;
  readonly timeoutMs: number;
  /** For how long others wait for this worker when it is not to be heard of. */
  readonly leaseMs: number;
  readonly make: MakeSharedStore;
  /** Once for each failure, until it has been ready again. @param isDown false: it is ready again. */
  readonly changed: (isDown: boolean, reason: string) => void;
  readonly timedOut: () => void;
  readonly failed: () => void;
}

/** null: there is nothing, or nobody has said so in time. */
export type SharedReadDone = (value: Buffer | null, record: FlushRecord | null) => void;

export class SharedEndpoint {
  readonly #options: SharedEndpointOptions;
  readonly #id = randomBytes(MEMBER_ID_BYTES).toString('hex');
  readonly #pending = new PendingFlushes();
  readonly #recordKey: string;
  #state: State = State.connecting;
  #store: SharedStore | null = null;
  #upkeep: SharedUpkeep | null = null;
  /** The last step; the next one begins behind it. */
  #step: Promise<void> = Promise.resolve();
  #willRepair = false;
  #renewedAtMs = 0;
  #backoffMs = FIRST_BACKOFF_MS;
  #retry: NodeJS.Timeout | null = null;
  #isTold = false;
  /** In force when it was read last; null while there is none. */
  #record: FlushRecord | null = null;
  /** As it was read. */
  #recordBytes: Buffer | null = null;
  /** Of all connections: a server that shows an earlier one has lost something. */
  #latest: FlushRecord | null = null;
  readonly #former = new Set<string>();
  #reads = 0;
  #writtenBytes = 0;
  #timeouts = 0;
  #outstanding = 0;
  /** Since when it says nothing although something was asked; 0 while nothing was. */
  #silentSinceMs = 0;

  constructor(options: SharedEndpointOptions) {
    this.#options = options;
    this.#recordKey = recordKeyOf(options.prefix);
    this.#connect();
  }

  /** Something can be asked now. */
  get isReady(): boolean {
    return this.#state === State.ready && this.record !== null && this.#reads < MAX_READS;
  }

  /** What stands in a value whose read begins now; null: it is not to be written. */
  get record(): FlushRecord | null {
    return this.#pending.isEmpty ? this.#record : null;
  }

  /** What was flushed here is not taken by this worker any more, and may be taken by others. */
  get hasPending(): boolean {
    return !this.#pending.isEmpty;
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
    store.readPair(this.#recordKey, this.#keyOf(name), (error, [record, value]) => {
      this.#reads--;
      this.#answered(store, error);
      const isOf = error === null && this.#isCurrent(store);
      if (isOf) this.#recordRead(record);
      if (isOver) return;
      clearTimeout(timer);
      if (error === null) this.#timeouts = 0;
      done(isOf ? value : null, isOf ? this.record : null);
    });
  }

  /** In the background. @returns false if too much is on its way already */
  write(name: string, value: Buffer, ttlMs: number): boolean {
    if (this.#state !== State.ready || this.#writtenBytes + value.length > MAX_WRITTEN_BYTES) return false;
    if (ttlMs < 1) return true;
    this.#writtenBytes += value.length;
    const store = this.#sent();
    store.write(this.#keyOf(name), value, ttlMs, (error) => {
      this.#writtenBytes -= value.length;
      this.#answered(store, error);
    });
    return true;
  }

  /**
   * Nothing that is there now is to be taken any more, by anybody who reads it from now on.
   * @param subjects null: of whatever it is
   */
  flush(subjects: readonly FlushSubject[] | null): void {
    this.#pending.add(subjects);
    if (this.#state === State.ready) this.#repair();
  }

  /** To be called about once a second. */
  tick(nowMs: number = performance.now()): void {
    if (this.#state !== State.ready) return;
    if (this.#silentSinceMs > 0 && nowMs - this.#silentSinceMs > SILENCE_MS) {
      this.#fail(`it has said nothing for ${SILENCE_MS} ms`);
    } else if (nowMs - this.#renewedAtMs >= this.#options.leaseMs / RENEWALS) {
      this.#renewedAtMs = nowMs;
      this.#do((upkeep) => upkeep.renew());
    }
  }

  /** Nothing is asked from now on. Resolves when the server knows that it is not used any more, or cannot be told. */
  async close(): Promise<void> {
    if (this.#state === State.closed) return;
    const wasReady = this.#state === State.ready;
    this.#state = move(this.#state, State.closed);
    if (this.#retry !== null) clearTimeout(this.#retry);
    const upkeep = this.#upkeep;
    if (wasReady && upkeep !== null) {
      this.#step = this.#step.then(() => upkeep.leave()).catch(() => {});
      await inTime(this.#step, LEAVING_MS).catch(() => {});
    }
    this.#drop();
  }

  // ---- the connection

  #connect(): void {
    const lost = (error: Error): void => {
      if (this.#isCurrent(store)) this.#fail(error.message);
    };
    const store = this.#options.make({ lost });
    this.#store = store;
    const upkeep = new SharedUpkeep({
      store,
      id: this.#id,
      prefix: this.#options.prefix,
      leaseMs: this.#options.leaseMs,
      recordKey: this.#recordKey,
      pending: this.#pending,
      isOutdated: (record) => this.#isOutdated(record),
      learned: (record) => {
        if (this.#isCurrent(store)) this.#learned(record);
      },
    });
    this.#upkeep = upkeep;
    // A server that takes connections and says nothing is none.
    inTime(store.connect().then(() => upkeep.join())).then(
      () => {
        if (this.#isCurrent(store) && this.#state === State.connecting) this.#joined();
      },
      (error: Error) => lost(error),
    );
  }

  #joined(): void {
    this.#state = move(this.#state, State.ready);
    this.#backoffMs = FIRST_BACKOFF_MS;
    this.#timeouts = 0;
    this.#renewedAtMs = performance.now();
    if (this.#isTold) this.#options.changed(false, '');
    this.#isTold = false;
    if (!this.#pending.isEmpty) this.#repair();
  }

  #fail(reason: string): void {
    if (this.#state !== State.connecting && this.#state !== State.ready) return;
    this.#state = move(this.#state, State.waiting);
    this.#options.failed();
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
    this.#upkeep = null;
    this.#step = Promise.resolve();
    this.#willRepair = false;
    this.#record = null;
    this.#recordBytes = null;
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

  /** Behind the steps that are being done. */
  #do(step: (upkeep: SharedUpkeep) => Promise<void>): void {
    const upkeep = this.#upkeep;
    const store = this.#store;
    if (upkeep === null || store === null) return;
    this.#step = this.#step
      .then(() => (this.#isCurrent(store) ? inTime(step(upkeep)) : undefined))
      .catch((error: Error) => {
        if (this.#isCurrent(store)) this.#fail(error.message);
      });
  }

  // ---- the record

  /** What was flushed is written; and there is a record. */
  #repair(): void {
    if (this.#willRepair) return;
    this.#willRepair = true;
    this.#do((upkeep) => {
      this.#willRepair = false;
      return upkeep.repair();
    });
  }

  #recordRead(bytes: Buffer | null): void {
    if (bytes !== null && this.#recordBytes?.equals(bytes) === true) return;
    this.#recordBytes = bytes === null ? null : Buffer.from(bytes);
    const record = bytes === null ? null : FlushRecord.decode(bytes);
    const isGood = record?.incarnation.equals(this.#store!.incarnation) === true && !this.#isOutdated(record);
    this.#learned(isGood ? record : null);
    if (!isGood) this.#repair();
  }

  #isOutdated(record: FlushRecord): boolean {
    return this.#former.has(record.base.toString('hex')) || this.#latest?.isAfter(record) === true;
  }

  #learned(record: FlushRecord | null): void {
    if (record !== null && this.#isOutdated(record)) return;
    this.#record = record;
    if (record === null) {
      this.#recordBytes = null;
      return;
    }
    const before = this.#latest;
    this.#latest = record;
    if (before === null || before.base.equals(record.base)) return;
    this.#former.add(before.base.toString('hex'));
    for (const oldest of this.#former) {
      if (this.#former.size <= MAX_FORMER) break;
      this.#former.delete(oldest);
    }
  }
}

/** @throws where it takes too long; it goes on then, and nobody listens. */
function inTime(step: Promise<void>, limitMs = UPKEEP_MS): Promise<void> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error('it does not answer')), limitMs);
    step.then(resolve, reject).finally(() => clearTimeout(limit));
  });
}
