/**
 * Which tables the numbers in rows events mean. A server says so in front of the rows of every statement, mostly the same as
 * before: what was read once is compared by its bytes. A number holds until its transaction is over.
 */

import { decodeTableMap, rowsTableId, type TableMap } from '../../../protocol/index.ts';
import type { TableEpochs } from '../../common/table-epochs.ts';
import { tableSlot } from '../../common/table-slots.ts';
import type { RowSink } from './row-sink.ts';
import { FollowerSuspension } from './suspension.ts';

export interface RowChangeSink {
  /**
   * Rows of the table have changed; once per table and transaction.
   * @param isLookedAt all its rows in this transaction go to the `RowSink`, but for those that `rowsSkipped` names
   */
  rowsChanged(schema: string, table: string, slot: number, isLookedAt: boolean): void;
  /** Rows of an event that is too long. */
  rowsSkipped(slot: number): void;
}

interface Entry {
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  readonly slot: number;
  readonly tableMap: TableMap;
  /** Of the event that it was made of; a copy. */
  readonly bytes: Buffer;
  /** The transaction in which the number was said to mean this table. */
  saidIn: number;
  /** The one in which it has changed. */
  changedIn: number;
  /** The one for which the rows were announced to who looks at them. */
  announcedIn: number;
}

/** Forgotten all at once when there are more. */
const MAX_TABLES = 4096;
/** At the end of some statements stands an event of no table. */
const NO_TABLE = 2 ** 48 - 1;
const NO_TABLE_SHORT = 2 ** 32 - 1;
const NEVER = -1;

export class MappedTables {
  readonly #rows: RowSink;
  readonly #interest: Pick<TableEpochs, 'hasInterest'>;
  readonly #entries = new Map<number, Entry>();
  /** The one of `#entries` that was asked for last. */
  #last: Entry | undefined;
  #transaction = 0;

  constructor(rows: RowSink, interest: Pick<TableEpochs, 'hasInterest'>) {
    this.#rows = rows;
    this.#interest = interest;
  }

  reset(): void {
    this.#entries.clear();
    this.#last = undefined;
    this.#transaction += 1;
  }

  transactionEnded(): void {
    this.#transaction += 1;
  }

  /** The body is `bytes[start, end)`. */
  map(bytes: Buffer, start: number, end: number, tableIdBytes: number): void {
    const id = rowsTableId(bytes, tableIdBytes, start, end);
    const known = this.#entryOf(id);
    if (known !== undefined && isEqual(known.bytes, bytes, start, end)) {
      known.saidIn = this.#transaction;
      return;
    }
    if (this.#entries.size >= MAX_TABLES) this.#forgetOthers();
    const copy = Buffer.from(bytes.subarray(start, end));
    const tableMap = decodeTableMap(copy, tableIdBytes);
    const { schema, table } = tableMap;
    this.#last = {
      id,
      schema,
      table,
      slot: tableSlot(schema, table),
      tableMap,
      bytes: copy,
      saidIn: this.#transaction,
      changedIn: NEVER,
      announcedIn: NEVER,
    };
    this.#entries.set(id, this.#last);
  }

  /** A rows event has come, whose body is `bytes[start, end)`. @throws FollowerSuspension */
  changed(
    sink: RowChangeSink,
    eventType: number,
    bytes: Buffer,
    start: number,
    end: number,
    isWhole: boolean,
    tableIdBytes: number,
  ): void {
    const id = rowsTableId(bytes, tableIdBytes, start, end);
    if (id === NO_TABLE || (tableIdBytes === 4 && id === NO_TABLE_SHORT)) return;
    const entry = this.#entryOf(id);
    if (entry === undefined || entry.saidIn !== this.#transaction)
      throw new FollowerSuspension(
        'unknown-table',
        `rows came of table number ${id}, which nobody has named`,
      );
    const isLookedAt = this.#interest.hasInterest(entry.slot);
    if (entry.changedIn !== this.#transaction) {
      entry.changedIn = this.#transaction;
      sink.rowsChanged(entry.schema, entry.table, entry.slot, isLookedAt);
    }
    if (!isLookedAt) return;
    if (entry.announcedIn !== this.#transaction) {
      entry.announcedIn = this.#transaction;
      this.#rows.mapped(entry.tableMap, entry.slot);
    }
    if (isWhole) this.#rows.rows(eventType, bytes.subarray(start, end));
    else sink.rowsSkipped(entry.slot);
  }

  #entryOf(id: number): Entry | undefined {
    if (this.#last?.id !== id) this.#last = this.#entries.get(id);
    return this.#last;
  }

  /** Those of the transaction that is under way are still needed. */
  #forgetOthers(): void {
    this.#last = undefined;
    for (const [id, { saidIn }] of this.#entries) if (saidIn !== this.#transaction) this.#entries.delete(id);
    if (this.#entries.size >= MAX_TABLES)
      throw new FollowerSuspension('unknown-table', `a transaction has changed over ${MAX_TABLES} tables`);
  }
}

/** A loop, since table maps are mostly short, and a call that compares memory wants a view. */
function isEqual(known: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
