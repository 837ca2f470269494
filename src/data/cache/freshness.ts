/**
 * Whether what was read once is still what the primary would answer. A proof is noted before a read is sent, kept with its
 * answer, and asked again before it is stored and at each hit. Why that suffices is in ARCHITECTURE.md, "The result cache".
 */

import { NO_POSITION } from '../../common/gtid-position.ts';
import { monotonicMs } from '../../common/monotonic-ms.ts';
import { EVERYTHING, FollowState, RaiseCause, type TableEpochs } from '../../common/table-epochs.ts';
import type { RowPin } from './row-pin.ts';
import type { RowProof, RowProofs } from './row-proof.ts';

const NO_MORE: Int32Array = new Int32Array(0);

/** What was noted of the tables of one read. Most reads are of one table: its epoch is a field. */
export interface FreshnessProof {
  /** Of its tables, in the memory of their plan. */
  readonly slots: Int32Array;
  readonly term: number;
  readonly everything: number;
  readonly first: number;
  /** Of all slots but the first. */
  readonly others: Int32Array;
  /** Where it is of a single row: true for longer. */
  readonly row: RowProof | null;
}

export interface FreshnessTerms {
  /** Of the snapshot that the worker goes by. */
  readonly term: number;
  /** How old the follower's last word may be. */
  readonly maxLagMs: number;
}

/** One for each worker. */
export class Freshness {
  readonly #epochs: TableEpochs;
  readonly #now: () => number;
  readonly #rows: RowProofs | null;
  #term = -1;
  #maxLagMs = 0;

  /** @param rows null: it is told of tables only. */
  constructor(epochs: TableEpochs, now: () => number = monotonicMs, rows: RowProofs | null = null) {
    this.#epochs = epochs;
    this.#now = now;
    this.#rows = rows;
  }

  /** Another snapshot is in force. */
  apply({ term, maxLagMs }: FreshnessTerms): void {
    this.#term = term;
    this.#maxLagMs = maxLagMs;
  }

  /**
   * To be called before the read is sent, and for a read from a replica before it is found out what that must have.
   * @param slots of all tables that it reads, not to be changed any more (`Plan.readSlots`).
   * @param pin the row that it is of; null: not of a single one.
   * @returns null while something that it reads is in flux: what is read now may be old by the time that it comes.
   */
  note(slots: Int32Array, pin: RowPin | null = null): FreshnessProof | null {
    const epochs = this.#epochs;
    const term = this.#term;
    if (epochs.term !== term) return null;
    const isOfRow = pin !== null && slots.length === 1 && slots[0] === pin.table;
    const rows = isOfRow && epochs.followState === FollowState.following ? this.#rows : null;
    // Other rows may be in flux.
    const isLone = rows !== null && pin !== null && rows.isAlone(pin);
    if (!isLone && this.#inFlux(slots)) return null;
    const everything = epochs.epoch(EVERYTHING);
    const first = slots.length === 0 ? 0 : epochs.epoch(slots[0]!);
    const others = slots.length < 2 ? NO_MORE : slots.slice(1);
    for (let i = 0; i < others.length; i++) others[i] = epochs.epoch(others[i]!);
    const row = rows === null || pin === null ? null : rows.note(pin, isLone);
    return isLone && row === null ? null : { slots, term, everything, first, others, row };
  }

  /** What came since is no reason not to store the answer: what comes later a hit will find. */
  mayBeStored(proof: FreshnessProof): boolean {
    if (this.isUnchanged(proof)) return true;
    const { row, term } = proof;
    if (row === null || this.#rows === null || term !== this.#term || this.#epochs.term !== term)
      return false;
    return this.#rows.mayBeStored(row);
  }

  /** As what is stored has it. @param rowCount of the answer */
  answered(proof: FreshnessProof, rowCount: number): FreshnessProof {
    if (proof.row === null || this.#rows === null) return proof;
    const row = this.#rows.answered(proof.row, rowCount);
    return row === proof.row ? proof : { ...proof, row };
  }

  /** Nothing of what was noted has changed through this Sluice, nor is about to. */
  isUnchanged(proof: FreshnessProof): boolean {
    const { slots, term, others } = proof;
    const epochs = this.#epochs;
    if (term !== this.#term || epochs.term !== term) return false;
    // Before the epochs: a write that is out of flux has raised its epoch, or has not been sent.
    if (this.#inFlux(slots)) return false;
    if (epochs.epoch(EVERYTHING) !== proof.everything) return false;
    if (slots.length === 0) return true;
    if (epochs.epoch(slots[0]!) !== proof.first) return false;
    for (let i = 0; i < others.length; i++) if (epochs.epoch(slots[i + 1]!) !== others[i]) return false;
    return true;
  }

  /** It will never hold again: not only as long as something is in flux. */
  isOutdated({ slots, term, everything, first, others, row }: FreshnessProof): boolean {
    const epochs = this.#epochs;
    if (term !== this.#term || epochs.term !== term) return true;
    // Its row outlives what is said of its table, as long as somebody tells of rows.
    if (row !== null && this.#rows !== null && epochs.followState === FollowState.following)
      return this.#rows.isOutdated(row);
    if (epochs.epoch(EVERYTHING) !== everything) return true;
    if (slots.length > 0 && epochs.epoch(slots[0]!) !== first) return true;
    for (let i = 0; i < others.length; i++) if (epochs.epoch(slots[i + 1]!) !== others[i]) return true;
    return false;
  }

  /** At a hit: what has changed since may have been other rows of the table. */
  isTrue(proof: FreshnessProof): boolean {
    return this.isUnchanged(proof) || this.#isSameRow(proof);
  }

  #isSameRow({ row, term }: FreshnessProof): boolean {
    if (row === null || this.#rows === null) return false;
    const epochs = this.#epochs;
    if (term !== this.#term || epochs.term !== term) return false;
    return epochs.followState === FollowState.following && this.#rows.holds(row);
  }

  /** What has made a proof outdated, as far as one word for each table tells. */
  causeOf({ slots, term, everything, first, others }: FreshnessProof): RaiseCause {
    const epochs = this.#epochs;
    if (term !== epochs.term) return RaiseCause.term;
    if (epochs.epoch(EVERYTHING) !== everything) return epochs.cause(EVERYTHING);
    if (slots.length > 0 && epochs.epoch(slots[0]!) !== first) return epochs.cause(slots[0]!);
    for (let i = 0; i < others.length; i++)
      if (epochs.epoch(slots[i + 1]!) !== others[i]) return epochs.cause(slots[i + 1]!);
    return RaiseCause.write;
  }

  /**
   * It may be served: true, and the follower vouches for what was written past this Sluice, up to its bound.
   * @param token a position that the reader has been told of by others; `NO_POSITION` for none.
   */
  holds(proof: FreshnessProof, token: number = NO_POSITION): boolean {
    return this.followerHolds(token) && this.isTrue(proof);
  }

  /** Where there is no follower, nothing is promised of writes past this Sluice, but for a token. */
  followerHolds(token: number = NO_POSITION): boolean {
    const epochs = this.#epochs;
    const state = epochs.followState;
    if (state === FollowState.off) return token === NO_POSITION;
    if (state !== FollowState.following || epochs.settledPosition < token) return false;
    return this.#now() - epochs.confirmedAtMs <= this.#maxLagMs;
  }

  #inFlux(slots: Int32Array): boolean {
    const epochs = this.#epochs;
    if (epochs.flux(EVERYTHING) !== 0) return true;
    for (let i = 0; i < slots.length; i++) if (epochs.isInFlux(slots[i]!)) return true;
    return false;
  }
}
