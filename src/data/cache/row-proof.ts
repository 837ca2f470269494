/**
 * Whether a read of a single row is still true although other rows of its table have changed.
 *
 * | own write                             | in flux         | its row is told by                                              |
 * |---------------------------------------|-----------------|-----------------------------------------------------------------|
 * | of one row, by the primary key        | that row        | the worker itself: the slot of this key, and no other one's       |
 * | that puts rows there, whose keys the server makes | these rows   | the worker itself, for answers that have no row: the others are of rows that are there |
 * | of whatever rows of the table         | the whole table | the binlog follower, a moment after it is answered: until it has come to the last such write nothing is proven |
 *
 * A read that is pinned by the primary key, too, asks for its row; by another key, or while not all workers tell rows apart by
 * the same keys, every write is one of whatever rows.
 */

import { type SharedGtids, UNKNOWN_TABLES_SLOT } from '../../common/shared-gtids.ts';
import { EVERYTHING, FollowState, type TableEpochs } from '../../common/table-epochs.ts';
import type { RowPin } from './row-pin.ts';

export interface RowProof extends RowPin {
  readonly everything: number;
  readonly structure: number;
  readonly rowEpoch: number;
  readonly keyEpoch: number;
  /** `NaN`: some were on their way. */
  readonly newRowsEpoch: number;
}

/** `RowPin.newRows` of what no new row can change. */
const NO_NEW_ROWS = -1;

export class RowProofs {
  readonly #epochs: TableEpochs;
  readonly #gtids: Pick<SharedGtids, 'written' | 'isUnknown'>;

  constructor(epochs: TableEpochs, gtids: Pick<SharedGtids, 'written' | 'isUnknown'>) {
    this.#epochs = epochs;
    this.#gtids = gtids;
  }

  /**
   * By the primary key, and nothing that may change it is in flux, if other rows of its table are. To be asked in front of
   * everything that is noted.
   */
  isAlone(pin: RowPin): boolean {
    // In front of flux: who tells rows apart in another way has the whole table in flux from here on.
    const epochs = this.#epochs;
    if (!pin.isLone || epochs.rows.keysInForce !== pin.keysVersion) return false;
    if (epochs.definitions !== pin.definitions) return false;
    // In front of flux as well: a write that does not see it is over, if it is in flux no more.
    epochs.setInterest(pin.table);
    epochs.rows.want(pin.table);
    return !this.#isInFlux(pin, true);
  }

  /**
   * When nothing is in flux and before the read is sent, as for the proof of its tables, which has to be noted as well: it
   * tells whether a write came in between.
   * @param isLone what `isAlone` has said.
   */
  note(pin: RowPin, isLone: boolean): RowProof | null {
    const { table, row, key, definitions, newRows } = pin;
    const epochs = this.#epochs;
    // Rows that came before this are no matter: they are raised, or visible, or raised again when they are.
    epochs.setInterest(table);
    const everything = epochs.structure(EVERYTHING);
    const structure = epochs.structure(table);
    const rowEpoch = epochs.rowEpoch(row);
    const keyEpoch = epochs.rowEpoch(key);
    // An answer that has a row does without.
    const newRowsEpoch = isLone && epochs.rows.row(newRows) === 0 ? epochs.rowEpoch(newRows) : Number.NaN;
    // Behind the structure: whoever changes a definition raises this first.
    if (epochs.definitions !== definitions) return null;
    const noted = { ...pin, isLone, everything, structure, rowEpoch, keyEpoch, newRowsEpoch };
    return isLone ? noted : { ...noted, newRows: NO_NEW_ROWS };
  }

  /** As it is once there is an answer: a row that is there is not put there. @param rowCount that it has */
  answered(proof: RowProof, rowCount: number): RowProof {
    const hasRow = rowCount > 0 && proof.needsRow;
    return hasRow && proof.newRows !== NO_NEW_ROWS ? { ...proof, newRows: NO_NEW_ROWS } : proof;
  }

  /** Of the follower the caller knows that it is within its bound, and of the primary that it is the same. */
  holds(proof: RowProof): boolean {
    const { table, isLone } = proof;
    const epochs = this.#epochs;
    if (isLone) epochs.rows.want(table);
    if (this.#isInFlux(proof, isLone) || this.#hasNewInFlux(proof) || !this.#isSameTable(proof)) return false;
    // Behind flux, and in front of the rows: all that was answered has come.
    const gtids = this.#gtids;
    if (gtids.isUnknown(table) || gtids.isUnknown(UNKNOWN_TABLES_SLOT)) return false;
    const last = isLone ? epochs.rows.untold(table) : gtids.written(table);
    const isTold = epochs.appliedPosition >= Math.max(last, gtids.written(UNKNOWN_TABLES_SLOT));
    return isTold && this.#isSameRow(proof);
  }

  /** Other rows of its table have changed meanwhile, as far as that is known yet. */
  mayBeStored(proof: RowProof): boolean {
    if (!proof.isLone || this.#epochs.followState !== FollowState.following) return false;
    return !this.#isInFlux(proof, true) && !this.#hasNewInFlux(proof) && !this.isOutdated(proof);
  }

  #isInFlux({ table, row }: RowPin, isLone: boolean): boolean {
    const epochs = this.#epochs;
    if (epochs.flux(EVERYTHING) !== 0 || epochs.flux(table) !== 0) return true;
    return isLone ? epochs.rows.row(row) !== 0 : epochs.rows.table(table) !== 0;
  }

  #hasNewInFlux({ newRows }: RowProof): boolean {
    return newRows !== NO_NEW_ROWS && this.#epochs.rows.row(newRows) !== 0;
  }

  /** It will never hold again. */
  isOutdated(proof: RowProof): boolean {
    return !this.#isSameTable(proof) || !this.#isSameRow(proof);
  }

  #isSameTable({ table, everything, structure }: RowProof): boolean {
    const epochs = this.#epochs;
    return epochs.structure(EVERYTHING) === everything && epochs.structure(table) === structure;
  }

  #isSameRow({ row, key, rowEpoch, keyEpoch, newRows, newRowsEpoch }: RowProof): boolean {
    const epochs = this.#epochs;
    if (newRows !== NO_NEW_ROWS && epochs.rowEpoch(newRows) !== newRowsEpoch) return false;
    return epochs.rowEpoch(row) === rowEpoch && epochs.rowEpoch(key) === keyEpoch;
  }
}
