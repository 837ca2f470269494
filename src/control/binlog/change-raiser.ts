/**
 * Raises what foreign transactions have changed, twice: when all of one has come, which may be before the server has made it
 * visible, and again when it certainly is. What was read and stored between the two dies with the second.
 *
 * Transactions through this Sluice are raised by their workers, before the client hears of them; here they are passed over as
 * soon as their worker has said so (`TableEpochs.isOwn`). Until then their tables are in flux, and raising them is for
 * nothing, and harmless.
 *
 * The order, for whoever reads: what a replica must have (`SharedGtids`) before the epochs, the epochs before
 * `appliedPosition`, and the second time before `settledPosition`.
 */

import type { QueryEvent } from '../../../protocol/index.ts';
import { ANY_WRITE_SLOT, type SharedGtids, UNKNOWN_TABLES_SLOT } from '../../common/shared-gtids.ts';
import { RaiseCause, type TableEpochs } from '../../common/table-epochs.ts';
import type { TableRelations } from '../../common/table-relations.ts';
import type { BinlogPlace, StreamPlace } from './binlog-place.ts';
import type { TransactionSink } from './event-reader.ts';
import type { RowSink } from './row-sink.ts';
import type { StreamGtid } from './seen-gtids.ts';
import type { StatementChanges } from './statement-changes.ts';

export interface RaiserTally {
  transactions: number;
  /** Of these, those that did not come through this Sluice. */
  foreignTransactions: number;
  /** Tables, both times counted once. */
  raises: number;
  /** Of everything. */
  everythingRaises: number;
}

export interface ChangeRaiserOptions {
  readonly epochs: TableEpochs;
  readonly gtids: SharedGtids;
  readonly place: StreamPlace;
  readonly rows: RowSink;
  readonly tally: RaiserTally;
  /** null while it is not known which tables belong together. */
  readonly relations: () => TableRelations | null;
  /** As a position; 0 where it belongs to no source that is known, or is not behind its beginning. */
  readonly positionOf: (gtid: StreamGtid | null) => number;
  readonly changesOf: (query: QueryEvent | null) => StatementChanges;
  /** To be called before what a statement has changed of the schema is raised. */
  readonly catalogChanged: () => void;
  /** Likewise of definitions of tables, which `TableEpochs.definitions` says by then. */
  readonly definitionsChanged: () => void;
  /** Something was written at no known position. */
  readonly gtidsWanted: () => void;
  /** A transaction has ended: it need not be sent again. @param position its own */
  readonly seen: (gtid: StreamGtid, position: number) => void;
}

/** A transaction that is raised and may not be visible yet; its place is behind its last event, or in it. */
export interface Unsettled extends BinlogPlace {
  readonly gtid: StreamGtid | null;
  readonly position: number;
  /** It may be executed by now, and visible a little later. */
  readonly isSeenLate: boolean;
  /** null: it came through this Sluice, or changed nothing. */
  readonly change: Change | null;
}

interface Change {
  /** null: everything. */
  readonly slots: readonly number[] | null;
  readonly structures: readonly number[];
  /** Rows of which nobody has looked at; there may be entries of single rows by now. */
  readonly unlooked: readonly number[];
  /** Not what somebody has done, but what was before anything is known. */
  readonly isBeginning: boolean;
}

/** With so many the stream is to wait. */
const MAX_UNSETTLED = 4096;
/** With more tables it is everything. */
const MAX_SLOTS = 4096;
const MYSQL_SCHEMA = 'mysql';

const NO_SLOTS: readonly number[] = Object.freeze([]);
const NO_CHANGE: Change = Object.freeze({
  slots: NO_SLOTS,
  structures: NO_SLOTS,
  unlooked: NO_SLOTS,
  isBeginning: false,
});

export class ChangeRaiser implements TransactionSink {
  readonly #options: ChangeRaiserOptions;
  /** Two tables of one slot have it twice. */
  readonly #slots: number[] = [];
  readonly #unlooked: number[] = [];
  readonly #structures = new Set<number>();
  /** Of rows that were too long to be looked at, of own transactions as well. */
  readonly #skipped = new Set<number>();
  #changedAnything = false;
  /** From `#first` on; in the order of the binlog. */
  #unsettled: Unsettled[] = [];
  #first = 0;
  #settledPosition = 0;
  /** Transactions through this Sluice up to here may have changed, by a trigger of somebody else's, more than it knew. */
  #lastDoubted = 0;
  /** Of the last transaction that has changed rows of one table and nothing else: of the next one, too, mostly. */
  #plain: Change = NO_CHANGE;
  #hasOwnRows = false;

  constructor(options: ChangeRaiserOptions) {
    this.#options = options;
  }

  /** The first that may not be visible yet. */
  get unsettled(): Unsettled | null {
    return this.#unsettled[this.#first] ?? null;
  }

  /** Of the last transaction that was settled, of those that have one. */
  get settledPosition(): number {
    return this.#settledPosition;
  }

  /** Nothing more is to be read before some have been settled. */
  get isFull(): boolean {
    return this.#unsettled.length - this.#first >= MAX_UNSETTLED;
  }

  /**
   * Whether rows of tables with entries of single rows were written through this Sluice, of what has become known since it was
   * asked last: hits wait for such ones.
   */
  takeOwnRows(): boolean {
    const has = this.#hasOwnRows;
    this.#hasOwnRows = false;
    return has;
  }

  // ---- what a transaction does

  rowsChanged(schema: string, _table: string, slot: number, isLookedAt: boolean): void {
    // Accounts and their rights.
    if (schema === MYSQL_SCHEMA) this.#changedAnything = true;
    this.#slots.push(slot);
    if (!isLookedAt) this.#unlooked.push(slot);
    // What triggers change has rows of its own.
    if (this.#options.relations()?.addUnlogged(slot, this.#structures) !== true) this.#changedAnything = true;
  }

  rowsSkipped(slot: number): void {
    this.#skipped.add(slot);
    this.#structures.add(slot);
  }

  statement(query: QueryEvent | null): void {
    const { slots, changesCatalog, changesDefinitions } = this.#options.changesOf(query);
    if (changesDefinitions) this.#options.epochs.redefine();
    if (changesCatalog) {
      this.#options.catalogChanged();
      // Those that are acknowledged later find that their schema was not up to date, and have raised everything.
      this.#lastDoubted = this.#options.gtids.written(ANY_WRITE_SLOT);
    } else if (changesDefinitions) this.#options.definitionsChanged();
    if (slots === null) this.#changedAnything = true;
    for (const slot of slots ?? []) {
      this.#structures.add(slot);
      if (!this.#addRelated(slot, this.#structures)) this.#changedAnything = true;
    }
  }

  changedAnything(): void {
    this.#changedAnything = true;
  }

  ended(gtid: StreamGtid | null, isSeenLate: boolean): void {
    const { positionOf, place, tally, rows, seen } = this.#options;
    const position = positionOf(gtid);
    const isOwn = this.#isOwn(position);
    const change = this.#takeChange();
    tally.transactions += 1;
    if (isSeenLate) this.#options.gtids.lateWritten();
    if (this.#skipped.size > 0) this.#raiseSkipped();
    if (!isOwn && change !== null) {
      tally.foreignTransactions += 1;
      // On a replica its rows are certainly visible when the one behind it is executed.
      this.#noteWritten(change, isSeenLate && position !== 0 ? position + 1 : position);
      this.#raise(change, true);
    } else if (change !== null) this.#passOver(change);
    rows.ended(position);
    if (gtid !== null) seen(gtid, position);
    if (isOwn && this.unsettled === null) this.#settled(position);
    else
      this.#unsettled.push({
        gtid,
        file: place.file,
        offset: place.offset,
        position,
        isSeenLate,
        change: isOwn ? null : change,
      });
  }

  dropped(): void {
    this.#forgetChange();
    this.#skipped.clear();
    this.#options.rows.dropped();
  }

  // ---- from outside

  /** What is in front of this place, where no transaction is open, may not be visible, and was not raised. */
  beginUnsettled({ file, offset }: BinlogPlace): void {
    const change = { slots: null, structures: NO_SLOTS, unlooked: NO_SLOTS, isBeginning: true };
    this.#options.rows.ended(0);
    const place = { file, offset: offset - 1 };
    this.#unsettled.push({ gtid: null, ...place, position: 0, isSeenLate: true, change });
  }

  /**
   * Raises those again, in their order, that are visible by now. Own ones are: their worker says so when they are
   * acknowledged, and has raised them then. @returns whether there were any.
   */
  settle(isVisible: (one: Unsettled) => boolean): boolean {
    const before = this.#first;
    for (let one = this.unsettled; one !== null; one = this.unsettled) {
      const { change, position } = one;
      const isOwn = this.#isOwn(position);
      if (!isOwn && !isVisible(one)) break;
      if (!isOwn && change !== null) this.#raise(change, false);
      else if (change !== null && hasLookedAt(change)) this.#hasOwnRows = true;
      this.#first += 1;
      this.#settled(position);
    }
    if (this.#first === before) return false;
    if (this.#first === this.#unsettled.length || this.#first > MAX_UNSETTLED) {
      this.#unsettled = this.#unsettled.slice(this.#first);
      this.#first = 0;
    }
    return true;
  }

  /** Everything is raised by somebody else, who begins anew. */
  forget(): void {
    this.dropped();
    this.#options.rows.forget();
    this.#unsettled = [];
    this.#first = 0;
    this.#settledPosition = 0;
  }

  #isOwn(position: number): boolean {
    return position > this.#lastDoubted && this.#options.epochs.isOwn(position);
  }

  #settled(position: number): void {
    this.#options.rows.settled();
    if (position !== 0) this.#settledPosition = position;
  }

  #takeChange(): Change | null {
    const hasNothing = this.#slots.length === 0 && this.#structures.size === 0 && !this.#changedAnything;
    if (hasNothing) return null;
    const isPlain = this.#slots.length === 1 && this.#structures.size === 0 && !this.#changedAnything;
    const change = isPlain ? this.#plainChange(this.#slots[0]!) : this.#wholeChange();
    this.#forgetChange();
    return change;
  }

  #plainChange(slot: number): Change {
    const unlooked = this.#unlooked.length;
    const before = this.#plain;
    if (before.slots?.[0] === slot && before.unlooked.length === unlooked) return before;
    this.#plain = this.#wholeChange();
    return this.#plain;
  }

  #wholeChange(): Change {
    const isEverything = this.#changedAnything || this.#slots.length + this.#structures.size > MAX_SLOTS;
    return {
      slots: isEverything ? null : [...this.#slots],
      structures: isEverything || this.#structures.size === 0 ? NO_SLOTS : [...this.#structures],
      unlooked: isEverything || this.#unlooked.length === 0 ? NO_SLOTS : [...this.#unlooked],
      isBeginning: false,
    };
  }

  /** What is empty is left as it is: to empty it makes a new memory for it. */
  #forgetChange(): void {
    while (this.#slots.length > 0) this.#slots.pop();
    while (this.#unlooked.length > 0) this.#unlooked.pop();
    if (this.#structures.size > 0) this.#structures.clear();
    this.#changedAnything = false;
  }

  #raiseSkipped(): void {
    for (const slot of this.#skipped) this.#options.epochs.raiseStructure(slot, RaiseCause.foreign);
    this.#skipped.clear();
  }

  /** From here on a read of a replica waits for it. */
  #noteWritten({ slots, structures }: Change, position: number): void {
    if (slots === null) this.#note(UNKNOWN_TABLES_SLOT, position);
    else for (const slot of slots) this.#note(slot, position);
    for (const slot of structures) this.#note(slot, position);
    if (position === 0) this.#options.gtidsWanted();
  }

  #note(slot: number, position: number): void {
    const { gtids } = this.#options;
    if (position === 0) gtids.setUnknown(slot);
    else gtids.raise(slot, position);
  }

  #raise({ slots, structures, unlooked, isBeginning }: Change, isFirst: boolean): void {
    const { epochs, tally } = this.#options;
    if (slots === null) {
      if (isBeginning) epochs.beginFollowing();
      else epochs.raiseEverything();
      if (isFirst) tally.everythingRaises += 1;
      return;
    }
    for (const slot of slots) epochs.raise(slot, RaiseCause.foreign);
    for (const slot of structures) epochs.raiseStructure(slot, RaiseCause.foreign);
    for (const slot of unlooked)
      if (epochs.hasInterest(slot)) epochs.raiseStructure(slot, RaiseCause.foreign);
    if (isFirst) tally.raises += slots.length + structures.length;
  }

  /** Of a transaction through this Sluice: what entries of single rows do not learn from rows. */
  #passOver(change: Change): void {
    const { epochs } = this.#options;
    const { slots, structures } = change;
    if (hasLookedAt(change)) this.#hasOwnRows = true;
    if (slots === null) epochs.raiseEverything();
    for (const slot of structures) if (epochs.hasInterest(slot)) epochs.raiseStructure(slot);
  }

  /** @returns false if that may be anything. */
  #addRelated(slot: number, into: Set<number>): boolean {
    return this.#options.relations()?.addWritten(slot, into) ?? false;
  }
}

function hasLookedAt({ slots, unlooked }: Change): boolean {
  return slots !== null && slots.length > unlooked.length;
}
