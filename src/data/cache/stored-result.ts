/**
 * The answer to a read as it is kept: its packets as they went to a client, in one or both of the shapes that clients have
 * agreed on. Never changed once made, so that it can be sent without being copied.
 */

import {
  hasStatus,
  type ResultsetLayout,
  readResultset,
  reshapeResultset,
  StatusFlag,
} from '../../../protocol/index.ts';

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

  /** @param bytes of `layout`, with `statusFlags` in them; not changed any more. */
  private constructor(bytes: Buffer, layout: ResultsetLayout, statusFlags: number) {
    if (layout.deprecatesEof) this.#modern = bytes;
    else this.#legacy = bytes;
    this.#layout = layout;
    this.statusFlags = statusFlags;
  }

  /**
   * @param bytes all that has gone to a client with or without CLIENT_DEPRECATE_EOF; copied.
   * @param dropsWarnings the result of a statement with warnings is kept as one without.
   * @returns null for what must not be shown to another client: anything but one whole result set, read outside of a
   * transaction.
   */
  static of(bytes: Buffer, deprecatesEof: boolean, dropsWarnings = false): StoredResult | null {
    const layout = readResultset(bytes, deprecatesEof);
    if (layout === null || hasStatus(layout.statusFlags, NOT_FOR_OTHERS)) return null;
    if (layout.warnings > 0 && !dropsWarnings) return null;
    if (!hasStatus(layout.statusFlags, StatusFlag.SERVER_STATUS_AUTOCOMMIT)) return null;
    const statusFlags = layout.statusFlags & ~OF_THE_FILL;
    return new StoredResult(reshapeResultset(bytes, layout, deprecatesEof, statusFlags), layout, statusFlags);
  }

  get rowCount(): number {
    return this.#layout.rowCount;
  }

  /** Of all shapes that it has by now. */
  get byteLength(): number {
    return (this.#modern?.length ?? 0) + (this.#legacy?.length ?? 0);
  }

  hasShape(deprecatesEof: boolean): boolean {
    return (deprecatesEof ? this.#modern : this.#legacy) !== null;
  }

  /** The whole answer; a shape that was not asked for before is made now, and kept. */
  bytesFor(deprecatesEof: boolean): Buffer {
    return (deprecatesEof ? this.#modern : this.#legacy) ?? this.#shape(deprecatesEof);
  }

  #shape(deprecatesEof: boolean): Buffer {
    const known = this.#modern ?? this.#legacy!;
    const made = reshapeResultset(known, this.#layout, deprecatesEof, this.statusFlags);
    if (deprecatesEof) this.#modern = made;
    else this.#legacy = made;
    return made;
  }
}
