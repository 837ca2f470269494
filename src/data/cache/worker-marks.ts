/** What the sessions of a worker share to mark their writes in shared memory. */

import type { SnapshotKeys } from '../../common/snapshot.ts';
import { EVERYTHING, FollowState, MAX_WRITERS, type TableEpochs } from '../../common/table-epochs.ts';
import type { FromWorker } from '../../common/thread-messages.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';

/** More than `MAX_WRITERS` at once: the worker's crash would leave writes of which nobody knows where they run. */
export const UNLISTED = -1;

export class WorkerMarks {
  readonly epochs: TableEpochs;
  /** False: there is no cache, and never will be. */
  readonly isEnabled: boolean;
  readonly #worker: number;
  readonly #post: (message: FromWorker) => void;
  /** Places in the list of writers that nobody has. */
  readonly #free = Int16Array.from({ length: MAX_WRITERS }, (_, index) => MAX_WRITERS - 1 - index);
  #freeCount = MAX_WRITERS;

  constructor(epochs: TableEpochs, worker: number, isEnabled: boolean, post: (message: FromWorker) => void) {
    this.epochs = epochs;
    this.#worker = worker;
    this.isEnabled = isEnabled;
    this.#post = post;
  }

  /** @returns its place, for `leaves`. */
  begins({ server, threadId }: BackendConnection): number {
    if (this.#freeCount === 0) return UNLISTED;
    const place = this.#free[--this.#freeCount]!;
    this.epochs.beginWriter(this.#worker, place, server.slot, threadId);
    return place;
  }

  ends(place: number): void {
    if (place === UNLISTED) return;
    this.epochs.endWriter(this.#worker, place);
    this.#free[this.#freeCount++] = place;
  }

  /** @param slots null: of everything. */
  enter(slots: Int32Array | null): void {
    if (slots === null) this.epochs.enter(this.#worker, EVERYTHING);
    else for (let i = 0; i < slots.length; i++) this.epochs.enter(this.#worker, slots[i]!);
  }

  leave(slots: Int32Array | null): void {
    if (slots === null) this.epochs.leave(this.#worker, EVERYTHING);
    else for (let i = 0; i < slots.length; i++) this.epochs.leave(this.#worker, slots[i]!);
  }

  // ---- writes of single rows

  /** There may be entries of single rows. */
  get looksForRows(): boolean {
    return this.isEnabled && this.epochs.followState === FollowState.following;
  }

  /** Entries of single rows are asked for: only then it is worth finding out which row a write is of. */
  wantsRow(slots: Int32Array | null): slots is Int32Array {
    if (slots?.length !== 1 || slots[0] === EVERYTHING) return false;
    return this.epochs.rows.isWanted(slots[0]!);
  }

  /** All workers tell rows apart in this way, and nobody knows of another one. */
  isInForce({ version, definitions }: Pick<SnapshotKeys, 'version' | 'definitions'>): boolean {
    const { epochs } = this;
    return epochs.rows.keysInForce === version && epochs.definitions === definitions;
  }

  enterTable(table: number): void {
    this.epochs.enter(this.#worker, table);
  }

  leaveTable(table: number): void {
    this.epochs.leave(this.#worker, table);
  }

  /** Whatever its rows are, nobody tells them. */
  raiseTable(table: number): void {
    this.epochs.raiseStructure(table);
  }

  enterRow(table: number, row: number): void {
    this.epochs.rows.enter(this.#worker, table, row);
  }

  leaveRow(table: number, row: number): void {
    this.epochs.rows.leave(this.#worker, table, row);
  }

  raiseRow(table: number, row: number): void {
    this.epochs.raiseRow(row);
    this.epochs.raise(table);
  }

  /**
   * What a write whose tables are in flux as a whole has done is told by the binlog, at this position.
   * @param isRows and nothing else: where there are no entries of single rows there will be none that knows less than this write.
   */
  toldAt(slots: Int32Array | null, position: number, isRows: boolean): void {
    const { epochs } = this;
    for (let i = 0; slots !== null && i < slots.length; i++)
      if (!isRows || epochs.hasInterest(slots[i]!)) epochs.rows.raiseUntold(slots[i]!, position);
  }

  /** @param isRows nothing but rows has changed, which the binlog tells one by one. */
  raise(slots: Int32Array | null, isRows: boolean): void {
    const { epochs } = this;
    if (slots === null) epochs.raiseEverything();
    else if (isRows) for (let i = 0; i < slots.length; i++) epochs.raise(slots[i]!);
    else for (let i = 0; i < slots.length; i++) epochs.raiseStructure(slots[i]!);
  }

  /** @param position of a commit of what is in flux: the binlog follower need not raise it once more. */
  noteOwn(position: number): void {
    this.epochs.noteOwn(position);
  }

  named(slots: Int32Array | null): number[] {
    return slots === null ? [EVERYTHING] : [...slots];
  }

  /** A statement is about to be sent that may change which tables belong together. */
  schemaChanges(): void {
    if (this.isEnabled) this.enter(null);
  }

  /** It has ended, or is given up; `Gauge.viewsEpoch` and the like say so already. */
  schemaChanged(): void {
    if (this.isEnabled) this.#post({ type: 'schemaInFlux' });
  }

  /** The server may carry a write out that nobody will hear of: the main thread takes it over, with what it has taken. */
  inDoubt({ server, threadId }: BackendConnection, slots: readonly number[], isSchema: boolean): void {
    this.#post({ type: 'writeInDoubt', address: server.address, threadId, slots, isSchema });
  }

  /** Likewise, and its client has heard the end of it. */
  deferred({ server }: BackendConnection, slots: readonly number[]): void {
    this.#post({ type: 'writeInDoubt', address: server.address, threadId: null, slots, isSchema: false });
  }
}
