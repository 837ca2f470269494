import type { TableMap } from '../../../protocol/index.ts';

/** Who looks into rows. Asked in the order of the stream, for own writes as well. */
export interface RowSink {
  /** Rows events behind it mean this table by `tableMap.tableId`. */
  mapped(tableMap: TableMap, slot: number): void;
  /** @param body a view, whole. */
  rows(eventType: number, body: Buffer): void;
  /** The transaction is over. @param position 0 where it has none. */
  ended(position: number): void;
  /** One more of those that have ended, in their order, is visible. */
  settled(): void;
  /** Of what has come since the last `ended` nothing counts: it comes again, or never. */
  dropped(): void;
  /** Nothing is known of what has come: somebody raises everything. */
  forget(): void;
}

export const NO_ROWS: RowSink = Object.freeze({
  mapped: () => {},
  rows: () => {},
  ended: () => {},
  settled: () => {},
  dropped: () => {},
  forget: () => {},
});
