/**
 * What the result cache is proven by (ARCHITECTURE.md, "The result cache"): numbers that all threads see at once, by table
 * slot (`table-slots.ts`) and one slot more, `EVERYTHING`, for writes whose tables are not known.
 *
 * | word         | meaning                                                                                        |
 * |--------------|------------------------------------------------------------------------------------------------|
 * | flux         | how many writes that may change the table have been sent, and are not certain to be over;       |
 * |              | those that change a single row for certain are counted apart (`row-flux.ts`)                    |
 * | epoch        | goes up when a write that may have changed the table is over, and before its flux ends          |
 * | structure    | goes up with what is no plain change of rows that somebody knows one by one                     |
 * | row epoch    | goes up with a change of a row (`row-slots.ts`), for entries that are of one row                |
 * | interest     | there may be entries of single rows of the table: its rows are worth looking at                 |
 *
 * Whoever asks whether something still holds reads flux FIRST and epochs behind it: a write that was found out of flux has
 * either raised its epoch already, or has not been sent yet. Numbers wrap around, and are compared for equality only.
 *
 * What a worker has taken of flux is kept in its ledger as well, and on which connection in its list of writers, so that
 * the main thread can take it over when it crashes: the list comes before flux, flux before the ledger, and all are given
 * up the other way round. So nothing is in flux of which nobody knows, and flux is never less than the ledgers together.
 */

import { RowFlux, type RowFluxBuffers } from './row-flux.ts';
import { ROW_SLOTS } from './row-slots.ts';
import { TABLE_SLOTS } from './table-slots.ts';

/** Of what may have changed any table. */
export const EVERYTHING = TABLE_SLOTS;
const SLOTS = TABLE_SLOTS + 1;
/** Own writes that are remembered: as many as the follower may be behind before it takes some for foreign. */
const OWN_WRITES = 2 ** 16;
/** Writes that a worker has under way at once and can tell the connections of. */
export const MAX_WRITERS = 4096;
const WRITER_WORDS = 2;

/** How the binlog follower is; what `strong` means depends on it. */
export const FollowState = {
  /** There is none: strong counts writes through this Sluice only. */
  off: 0,
  following: 1,
  /** Strong entries are not to be used. */
  suspended: 2,
} as const;
export type FollowState = (typeof FollowState)[keyof typeof FollowState];

/** Who has raised a table last: for operators, nothing is decided by it. */
export const RaiseCause = {
  /** A write through this Sluice. */
  write: 0,
  /** A write past it, seen in the binlog. */
  foreign: 1,
  /** Everything was raised: nobody could say which tables were written. */
  everything: 2,
  /** Another primary. */
  term: 3,
  /** FLUSH CACHE. */
  flush: 4,
} as const;
export type RaiseCause = (typeof RaiseCause)[keyof typeof RaiseCause];

export interface TableEpochBuffers {
  readonly workers: number;
  /** Int32. */
  readonly words: SharedArrayBuffer;
  /** Float64. */
  readonly positions: SharedArrayBuffer;
  /** Uint8, by slot: interest, then causes. */
  readonly interest: SharedArrayBuffer;
  readonly rows: RowFluxBuffers;
}

const FLUX = 0;
const EPOCH = FLUX + SLOTS;
const STRUCTURE = EPOCH + SLOTS;
const ROW = STRUCTURE + SLOTS;
const TERM = ROW + ROW_SLOTS;
const FLUSHES = TERM + 1;
const FOLLOW_STATE = FLUSHES + 1;
const DEFINITIONS = FOLLOW_STATE + 1;
const UPHEAVALS = DEFINITIONS + 1;
/** For each worker `SLOTS` numbers, then where its writers are: the server's place from 1, and the thread there. */
const LEDGERS = UPHEAVALS + 1;
const WRITERS = SLOTS;
const WORKER_WORDS = SLOTS + MAX_WRITERS * WRITER_WORDS;

/** A connection on which a write was under way. */
export interface Writer {
  /** The server's place (`SnapshotServer.slot`). */
  readonly server: number;
  readonly threadId: number;
}

/** Behind the interest. */
const CAUSES = SLOTS;

const OWN = 0;
const CONFIRMED_AT_MS = OWN + OWN_WRITES;
const APPLIED = CONFIRMED_AT_MS + 1;
const SETTLED = APPLIED + 1;
const FOLLOWED_SINCE = SETTLED + 1;
const HISTORY = FOLLOWED_SINCE + 1;
const POSITIONS = HISTORY + 1;

export class TableEpochs {
  readonly buffers: TableEpochBuffers;
  /** Writes of single rows. */
  readonly rows: RowFlux;
  readonly #words: Int32Array;
  readonly #positions: Float64Array;
  readonly #interest: Uint8Array;

  /** @param from how many workers there are, or the memory of another thread. */
  constructor(from: number | TableEpochBuffers) {
    this.buffers = typeof from === 'number' ? allocate(from) : from;
    this.rows = new RowFlux(this.buffers.rows);
    this.#words = new Int32Array(this.buffers.words);
    this.#positions = new Float64Array(this.buffers.positions);
    this.#interest = new Uint8Array(this.buffers.interest);
  }

  // ---- read by whoever has an entry; flux first

  /** Of writes that may be of any row. */
  flux(slot: number): number {
    return Atomics.load(this.#words, FLUX + slot);
  }

  /** A write of whatever rows. @param table not `EVERYTHING` */
  isInFlux(table: number): boolean {
    return this.flux(table) !== 0 || this.rows.table(table) !== 0;
  }

  epoch(slot: number): number {
    return Atomics.load(this.#words, EPOCH + slot);
  }

  structure(slot: number): number {
    return Atomics.load(this.#words, STRUCTURE + slot);
  }

  rowEpoch(row: number): number {
    return Atomics.load(this.#words, ROW + row);
  }

  // ---- raised when something has changed, by any thread

  /** Rows of the table have changed. */
  raise(slot: number, cause: RaiseCause = RaiseCause.write): void {
    this.#interest[CAUSES + slot] = cause;
    Atomics.add(this.#words, EPOCH + slot, 1);
  }

  /** More than rows that somebody tells one by one. */
  raiseStructure(slot: number, cause: RaiseCause = RaiseCause.write): void {
    this.#interest[CAUSES + slot] = cause;
    Atomics.add(this.#words, STRUCTURE + slot, 1);
    Atomics.add(this.#words, EPOCH + slot, 1);
  }

  raiseEverything(cause: RaiseCause = RaiseCause.everything): void {
    if (cause === RaiseCause.everything) Atomics.add(this.#words, UPHEAVALS, 1);
    this.raiseStructure(EVERYTHING, cause);
  }

  /** FOLLOWER. It has no word of what was before: nobody says that anything has changed. */
  beginFollowing(): void {
    this.raiseStructure(EVERYTHING, RaiseCause.everything);
  }

  /** How often something was done that may have changed any table's definition, or who may read it. */
  get upheavals(): number {
    return Atomics.load(this.#words, UPHEAVALS);
  }

  /** Of the last time that it was raised. */
  cause(slot: number): RaiseCause {
    return this.#interest[CAUSES + slot]! as RaiseCause;
  }

  raiseRow(row: number): void {
    Atomics.add(this.#words, ROW + row, 1);
  }

  /** For as long as the process lives: it is asked for every row, and taken back for none. */
  setInterest(slot: number): void {
    Atomics.store(this.#interest, slot, 1);
  }

  hasInterest(slot: number): boolean {
    return Atomics.load(this.#interest, slot) !== 0;
  }

  // ---- flux

  /** WORKER. What it takes is in its ledger. */
  enter(worker: number, slot: number): void {
    Atomics.add(this.#words, FLUX + slot, 1);
    Atomics.add(this.#words, LEDGERS + worker * WORKER_WORDS + slot, 1);
  }

  /** WORKER. The epoch has been raised, if need be. */
  leave(worker: number, slot: number): void {
    Atomics.sub(this.#words, LEDGERS + worker * WORKER_WORDS + slot, 1);
    Atomics.sub(this.#words, FLUX + slot, 1);
  }

  /** WORKER. Before it takes anything for a write: where that runs. @param index below `MAX_WRITERS`, nobody else's */
  beginWriter(worker: number, index: number, server: number, threadId: number): void {
    const at = LEDGERS + worker * WORKER_WORDS + WRITERS + index * WRITER_WORDS;
    Atomics.store(this.#words, at + 1, threadId | 0);
    Atomics.store(this.#words, at, server + 1);
  }

  /** WORKER. It has given everything up. */
  endWriter(worker: number, index: number): void {
    Atomics.store(this.#words, LEDGERS + worker * WORKER_WORDS + WRITERS + index * WRITER_WORDS, 0);
  }

  /** MAIN THREAD. Of a worker that has ended. */
  takeWriters(worker: number): Writer[] {
    const from = LEDGERS + worker * WORKER_WORDS + WRITERS;
    const writers: Writer[] = [];
    for (let at = from; at < from + MAX_WRITERS * WRITER_WORDS; at += WRITER_WORDS) {
      const server = Atomics.exchange(this.#words, at, 0) - 1;
      if (server >= 0) writers.push({ server, threadId: Atomics.load(this.#words, at + 1) >>> 0 });
    }
    return writers;
  }

  /** MAIN THREAD. What a worker has taken is the main thread's from now on, which gives it up by `release`. */
  takeOver(worker: number, slot: number): void {
    Atomics.sub(this.#words, LEDGERS + worker * WORKER_WORDS + slot, 1);
  }

  /** MAIN THREAD. All that a worker that has ended had taken: each slot as often as it had. */
  takeOverAll(worker: number): number[] {
    const from = LEDGERS + worker * WORKER_WORDS;
    const taken: number[] = [];
    for (let slot = 0; slot < SLOTS; slot++) {
      const count = Atomics.exchange(this.#words, from + slot, 0);
      for (let i = 0; i < count; i++) taken.push(slot);
    }
    return [...taken, ...this.rows.takeOverAll(worker, (table) => this.hold(table))];
  }

  /** MAIN THREAD. Something is under way that no session does. */
  hold(slot: number): void {
    Atomics.add(this.#words, FLUX + slot, 1);
  }

  /** MAIN THREAD. What it has held, or taken over, is over. */
  release(slot: number): void {
    Atomics.sub(this.#words, FLUX + slot, 1);
  }

  // ---- the primary's term, and what operators order

  /** That of the last snapshot, or of one that is about to be published. */
  get term(): number {
    return Atomics.load(this.#words, TERM);
  }

  /** MAIN THREAD, before it publishes: nothing that was read of another primary holds any more. */
  beginTerm(term: number): void {
    if (term === this.term) return;
    Atomics.store(this.#words, TERM, term);
    this.raiseEverything(RaiseCause.term);
  }

  /** How often everything was thrown away: entries of all classes are of one of them. */
  get flushes(): number {
    return Atomics.load(this.#words, FLUSHES);
  }

  flush(): void {
    Atomics.add(this.#words, FLUSHES, 1);
    this.raiseEverything(RaiseCause.flush);
  }

  // ---- the binlog follower

  get followState(): FollowState {
    return Atomics.load(this.#words, FOLLOW_STATE) as FollowState;
  }

  set followState(state: FollowState) {
    Atomics.store(this.#words, FOLLOW_STATE, state);
  }

  /** How often definitions of tables may have changed: what was read of them before is out of date. */
  get definitions(): number {
    return Atomics.load(this.#words, DEFINITIONS);
  }

  /** FOLLOWER. Before it raises what the change makes invalid, and whenever it may have missed one. */
  redefine(): void {
    Atomics.add(this.#words, DEFINITIONS, 1);
  }

  /** By `monotonicMs()`: what was written anywhere before has been raised, and is visible. */
  get confirmedAtMs(): number {
    return this.#positions[CONFIRMED_AT_MS]!;
  }

  set confirmedAtMs(ms: number) {
    this.#positions[CONFIRMED_AT_MS] = ms;
  }

  /** Everything up to it has been raised. */
  get appliedPosition(): number {
    return this.#positions[APPLIED]!;
  }

  set appliedPosition(position: number) {
    this.#positions[APPLIED] = position;
  }

  /** Everything up to it was visible on the primary when it was raised (last). */
  get settledPosition(): number {
    return this.#positions[SETTLED]!;
  }

  set settledPosition(position: number) {
    this.#positions[SETTLED] = position;
  }

  /**
   * What was written behind it, by anybody, has been noted in `SharedGtids` if it is settled; `NO_POSITION` while that is true
   * of nothing. Of what was written before nobody here knows.
   */
  get followedSince(): number {
    return this.#positions[FOLLOWED_SINCE]!;
  }

  set followedSince(position: number) {
    this.#positions[FOLLOWED_SINCE] = position;
  }

  /** Which history of the server's the numbers of its GTIDs are of (`binlog-history.ts`); 0: nobody knows. */
  get history(): number {
    return this.#positions[HISTORY]!;
  }

  set history(history: number) {
    this.#positions[HISTORY] = history;
  }

  /** A write through this Sluice, whose tables are in flux still or have been raised. */
  noteOwn(position: number): void {
    this.#positions[OWN + (position % OWN_WRITES)] = position;
  }

  /** False for those that are long past as well. */
  isOwn(position: number): boolean {
    return this.#positions[OWN + (position % OWN_WRITES)] === position;
  }
}

function allocate(workers: number): TableEpochBuffers {
  const words = LEDGERS + workers * WORKER_WORDS;
  return {
    workers,
    words: new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT),
    positions: new SharedArrayBuffer(POSITIONS * Float64Array.BYTES_PER_ELEMENT),
    interest: new SharedArrayBuffer(2 * SLOTS),
    rows: new RowFlux(workers).buffers,
  };
}
