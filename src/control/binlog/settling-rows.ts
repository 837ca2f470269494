/**
 * What has been raised of transactions that may not be visible yet. An event may come before its transaction is visible, so
 * that somebody reads the old row with the new epoch. For writes through this Sluice flux keeps that from being used; for
 * others all is raised a second time when they are visible.
 */

import type { KeyCatalog } from '../../common/key-catalog.ts';
import type { RowKey } from '../../common/row-slots.ts';
import type { TableEpochs } from '../../common/table-epochs.ts';

/** Of a transaction with more rows than this, all rows of their keys count as changed. */
const MAX_ROWS = 4096;
/** Transactions that have raised something and wait to be visible. */
const MAX_WAITING = 16_384;

/** What a transaction has raised. */
interface Raised {
  readonly rows: Set<number>;
  readonly structures: Set<number>;
  /** Tables whose rows were looked at, and by which keys: with others now the rows may have other slots. */
  readonly seen: Set<number>;
  catalog: KeyCatalog | null;
}

interface Waiting {
  /** null: nothing. */
  raised: Raised | null;
  /** Several where they have raised nothing, or where too many wait. */
  transactions: number;
  readonly position: number;
}

export class SettlingRows {
  readonly #epochs: TableEpochs;
  readonly #keys: () => KeyCatalog;
  #current: Raised | null = null;
  /** From `#first` on. */
  #waiting: Waiting[] = [];
  #first = 0;

  constructor(epochs: TableEpochs, keys: () => KeyCatalog) {
    this.#epochs = epochs;
    this.#keys = keys;
  }

  /** A row of a table that `see` has named. */
  raise(slot: number, { keySlot }: RowKey): void {
    const { rows } = this.#now();
    const raised = rows.size < MAX_ROWS ? slot : keySlot;
    if (rows.has(raised)) return;
    rows.add(raised);
    this.#epochs.raiseRow(raised);
  }

  raiseStructure(slot: number): void {
    const { structures } = this.#now();
    if (structures.has(slot)) return;
    structures.add(slot);
    this.#epochs.raiseStructure(slot);
  }

  /** Rows of the table are read by the keys of `catalog`. */
  see(slot: number, catalog: KeyCatalog): void {
    const current = this.#now();
    current.seen.add(slot);
    if (current.catalog !== null && current.catalog !== catalog)
      for (const seen of current.seen) this.raiseStructure(seen);
    current.catalog = catalog;
  }

  ended(position: number): void {
    const raised = this.#current;
    this.#current = null;
    const count = this.#waiting.length - this.#first;
    const last = count === 0 ? undefined : this.#waiting.at(-1);
    if (last !== undefined && raised === null && last.raised === null) last.transactions += 1;
    else if (last === undefined || count < MAX_WAITING)
      this.#waiting.push({ raised, transactions: 1, position });
    else merge(last, raised);
  }

  /** The oldest of those that have ended is visible. */
  settled(): void {
    const waiting = this.#waiting[this.#first];
    if (waiting === undefined) return;
    const { transactions, position, raised } = waiting;
    const isOwn = transactions === 1 && position !== 0 && this.#epochs.isOwn(position);
    if (!isOwn && raised !== null) this.#raiseAgain(raised);
    waiting.transactions -= 1;
    if (waiting.transactions > 0) return;
    this.#first += 1;
    if (this.#first < this.#waiting.length && this.#first < MAX_WAITING) return;
    this.#waiting = this.#waiting.slice(this.#first);
    this.#first = 0;
  }

  dropped(): void {
    this.#current = null;
  }

  forget(): void {
    this.#current = null;
    this.#waiting = [];
    this.#first = 0;
  }

  #now(): Raised {
    this.#current ??= nothingRaised();
    return this.#current;
  }

  #raiseAgain({ rows, structures, seen, catalog }: Raised): void {
    const epochs = this.#epochs;
    for (const slot of structures) epochs.raiseStructure(slot);
    if (catalog === null || catalog === this.#keys()) for (const row of rows) epochs.raiseRow(row);
    else for (const slot of seen) epochs.raiseStructure(slot);
  }
}

function nothingRaised(): Raised {
  return { rows: new Set(), structures: new Set(), seen: new Set(), catalog: null };
}

/** Of several transactions the structures stand for all that they have raised. */
function merge(into: Waiting, raised: Raised | null): void {
  into.transactions += 1;
  const before = into.raised;
  into.raised = nothingRaised();
  for (const one of [before, raised]) {
    for (const slots of [one?.structures, one?.seen])
      for (const slot of slots ?? []) into.raised.structures.add(slot);
  }
}
