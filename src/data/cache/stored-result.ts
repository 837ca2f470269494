/**
 * The answer to a read as it is kept: its packets as they went to a client, in one or both of the shapes that clients have
 * agreed on. Not changed as long as it is stored, so that it can be sent without being copied; then its memory is another's.
 */

import {
  hasStatus,
  type ResultsetLayout,
  readResultset,
  reshapeResultset,
  StatusFlag,
  withStatusFlags,
} from '../../../protocol/index.ts';
import { ResultBlocks } from './result-blocks.ts';

/** True of the statement that filled the cache, and of no other. */
const OF_THE_FILL = StatusFlag.SERVER_QUERY_WAS_SLOW | StatusFlag.SERVER_SESSION_STATE_CHANGED;
/** Of a transaction, or of a statement that its client should prepare again: no other client's business. */
const NOT_FOR_OTHERS =
  StatusFlag.SERVER_STATUS_IN_TRANS |
  StatusFlag.SERVER_STATUS_IN_TRANS_READONLY |
  StatusFlag.SERVER_STATUS_METADATA_CHANGED |
  StatusFlag.SERVER_STATUS_DB_DROPPED;

export class StoredResult {
  /** For clients with CLIENT_DEPRECATE_EOF, and for those without. */
  #modern: Buffer | null = null;
  #legacy: Buffer | null = null;
  readonly #layout: ResultsetLayout;
  /**
   * As its session has them behind it. Those that belong to a session are the same in all sessions that share a key: outside
   * of transactions, in autocommit, under one `sql_mode`.
   */
  readonly statusFlags: number;
  readonly #blocks: ResultBlocks;
  /** Somebody has been sent it, and has not taken all of it yet. */
  #isReferenced = false;
  #isReleased = false;

  /** @param bytes of `layout`, with `statusFlags` in them; from `blocks`. */
  private constructor(bytes: Buffer, layout: ResultsetLayout, statusFlags: number, blocks: ResultBlocks) {
    this.#blocks = blocks;
    if (layout.deprecatesEof) this.#modern = bytes;
    else this.#legacy = bytes;
    this.#layout = layout;
    this.statusFlags = statusFlags;
  }

  /**
   * @param bytes all that has gone to a client with or without CLIENT_DEPRECATE_EOF; copied.
   * @param blocks the memory that it is copied to.
   * @param dropsWarnings the result of a statement with warnings is kept as one without.
   * @returns null for what must not be shown to another client: anything but one whole result set, read outside of a
   * transaction.
   */
  static of(
    bytes: Buffer,
    deprecatesEof: boolean,
    blocks: ResultBlocks,
    dropsWarnings = false,
  ): StoredResult | null {
    const layout = readResultset(bytes, deprecatesEof);
    if (layout === null || hasStatus(layout.statusFlags, NOT_FOR_OTHERS)) return null;
    if (layout.warnings > 0 && !dropsWarnings) return null;
    if (!hasStatus(layout.statusFlags, StatusFlag.SERVER_STATUS_AUTOCOMMIT)) return null;
    const statusFlags = layout.statusFlags & ~OF_THE_FILL;
    const kept = reshapeResultset(bytes, layout, deprecatesEof, statusFlags, blocks.take);
    return new StoredResult(kept, layout, statusFlags, blocks);
  }

  get rowCount(): number {
    return this.#layout.rowCount;
  }

  get columnCount(): number {
    return this.#layout.columnCount;
  }

  /** What all shapes that it has by now take. */
  get byteLength(): number {
    const modern = this.#modern === null ? 0 : ResultBlocks.bytesFor(this.#modern.length);
    return this.#legacy === null ? modern : modern + ResultBlocks.bytesFor(this.#legacy.length);
  }

  hasShape(deprecatesEof: boolean): boolean {
    return (deprecatesEof ? this.#modern : this.#legacy) !== null;
  }

  /** Its memory has been given back: there is nothing to be sent any more. */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /**
   * The whole answer, to be sent before anything else can happen; a shape that was not asked for before is made now, and kept.
   * Who goes on to reference the bytes behind that calls `referenced`.
   */
  bytesFor(deprecatesEof: boolean): Buffer {
    if (this.#isReleased) throw new Error('the memory of this result has been given back');
    return (deprecatesEof ? this.#modern : this.#legacy) ?? this.#shape(deprecatesEof);
  }

  /** A copy for the client of a prepared statement whose number of columns it did not know. */
  bytesWithNewColumns(deprecatesEof: boolean): Buffer {
    const statusFlags = this.statusFlags | StatusFlag.SERVER_STATUS_METADATA_CHANGED;
    const bytes = Buffer.from(this.bytesFor(deprecatesEof));
    return withStatusFlags(bytes, this.#layout.definitionsEnd, deprecatesEof, statusFlags);
  }

  referenced(): void {
    this.#isReferenced = true;
  }

  /** It is not stored any more. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    if (this.#modern !== null) this.#blocks.give(this.#modern, this.#isReferenced);
    if (this.#legacy !== null) this.#blocks.give(this.#legacy, this.#isReferenced);
    this.#modern = null;
    this.#legacy = null;
  }

  #shape(deprecatesEof: boolean): Buffer {
    const known = this.#modern ?? this.#legacy!;
    const made = reshapeResultset(known, this.#layout, deprecatesEof, this.statusFlags, this.#blocks.take);
    if (deprecatesEof) this.#modern = made;
    else this.#legacy = made;
    return made;
  }
}
