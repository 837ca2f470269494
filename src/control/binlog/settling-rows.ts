/**
 * What has been raised of transactions that may not be visible yet. An event may come before its transaction is visible, so
 * that somebody reads the old row with the new epoch. For writes through this Sluice flux keeps that from being used; for
 * others all is raised a second time when they are visible, and of tables whose rows nobody had an interest in at
 * first, the structure.
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
  /** Tables whose rows were not looked at. */
  readonly unseen: Set<number>;
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
  readonly #waiting: Waiting[] = [];

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

  unseen(slot: number): void {
    this.#now().unseen.add(slot);
  }

  ended(position: number): void {
    const raised = this.#current;
    this.#current = null;
    const last = this.#waiting.at(-1);
    if (last === undefined) this.#waiting.push({ raised, transactions: 1, position });
    else if (raised === null && last.raised === null) last.transactions += 1;
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push({ raised, transactions: 1, position });
    else merge(last, raised);
  }

  settled(count: number): void {
    let left = count;
    let gone = 0;
    for (const waiting of this.#waiting) {
      if (left === 0) break;
      const { transactions, position, raised } = waiting;
      const isOwn = transactions === 1 && position !== 0 && this.#epochs.isOwn(position);
      if (!isOwn && raised !== null) this.#raiseAgain(raised);
      const taken = Math.min(left, transactions);
      waiting.transactions -= taken;
      left -= taken;
      if (waiting.transactions === 0) gone++;
    }
    this.#waiting.splice(0, gone);
  }

  dropped(): void {
    this.#current = null;
  }

  #now(): Raised {
    this.#current ??= nothingRaised();
    return this.#current;
  }

  #raiseAgain({ rows, structures, unseen, seen, catalog }: Raised): void {
    const epochs = this.#epochs;
    for (const slot of structures) epochs.raiseStructure(slot);
    for (const slot of unseen) if (epochs.hasInterest(slot)) epochs.raiseStructure(slot);
    if (catalog === null || catalog === this.#keys()) for (const row of rows) epochs.raiseRow(row);
    else for (const slot of seen) epochs.raiseStructure(slot);
  }
}

function nothingRaised(): Raised {
  return { rows: new Set(), structures: new Set(), seen: new Set(), unseen: new Set(), catalog: null };
}

/** Of several transactions the structures stand for all that they have raised. */
function merge(into: Waiting, raised: Raised | null): void {
  into.transactions += 1;
  const before = into.raised;
  into.raised = nothingRaised();
  for (const one of [before, raised]) {
    for (const slots of [one?.structures, one?.seen, one?.unseen])
      for (const slot of slots ?? []) into.raised.structures.add(slot);
  }
}
