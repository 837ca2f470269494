/**
 * Whether a read of a single row is still true although other rows of its table have changed.
 *
 * Of a write through this Sluice only its tables are known when it is answered; which rows it was, the binlog follower tells a
 * moment later. So an entry of one row may be used when nothing is in flux, the follower has come to the last write to
 * the table that was answered, and neither the row nor the structure of the table has been raised since it was noted.
 */

import type { SharedGtids } from '../../common/shared-gtids.ts';
import { EVERYTHING, type TableEpochs } from '../../common/table-epochs.ts';
import type { RowPin } from './row-pin.ts';

export interface RowProof extends RowPin {
  readonly everything: number;
  readonly structure: number;
  readonly rowEpoch: number;
  readonly keyEpoch: number;
}

export class RowProofs {
  readonly #epochs: TableEpochs;
  readonly #gtids: Pick<SharedGtids, 'written' | 'isUnknown'>;

  constructor(epochs: TableEpochs, gtids: Pick<SharedGtids, 'written' | 'isUnknown'>) {
    this.#epochs = epochs;
    this.#gtids = gtids;
  }

  /**
   * When nothing is in flux and before the read is sent, as for the proof of its tables, which has to be noted as well: it
   * tells whether a write came in between.
   */
  note({ table, row, key, definitions }: RowPin): RowProof | null {
    const epochs = this.#epochs;
    // Rows that came before this are no matter: they are raised, or visible, or raised again when they are.
    epochs.setInterest(table);
    const everything = epochs.structure(EVERYTHING);
    const structure = epochs.structure(table);
    const rowEpoch = epochs.rowEpoch(row);
    const keyEpoch = epochs.rowEpoch(key);
    // Behind the structure: whoever changes a definition raises this first.
    if (epochs.definitions !== definitions) return null;
    return { table, row, key, definitions, everything, structure, rowEpoch, keyEpoch };
  }

  /** Of the follower the caller knows that it is within its bound, and of the primary that it is the same. */
  holds(proof: RowProof): boolean {
    const { table } = proof;
    const epochs = this.#epochs;
    if (epochs.flux(EVERYTHING) !== 0 || epochs.flux(table) !== 0) return false;
    if (!this.#isSameTable(proof)) return false;
    // Behind flux, and in front of the rows: all that was answered has come.
    if (this.#gtids.isUnknown(table) || epochs.appliedPosition < this.#gtids.written(table)) return false;
    return this.#isSameRow(proof);
  }

  /** It will never hold again. */
  isOutdated(proof: RowProof): boolean {
    return !this.#isSameTable(proof) || !this.#isSameRow(proof);
  }

  #isSameTable({ table, everything, structure }: RowProof): boolean {
    const epochs = this.#epochs;
    return epochs.structure(EVERYTHING) === everything && epochs.structure(table) === structure;
  }

  #isSameRow({ row, key, rowEpoch, keyEpoch }: RowProof): boolean {
    return this.#epochs.rowEpoch(row) === rowEpoch && this.#epochs.rowEpoch(key) === keyEpoch;
  }
}
