/**
 * How far the primary's history has gone, as one number: the number of its GTID source in the upper 13 of 53 bits, the
 * sequence number behind the source's base in the lower 40. A number and no bigint, so that comparing two of them
 * allocates nothing; 40 bits behind a base last longer than any process.
 *
 * A source is one server's time as the primary. Later sources have higher numbers, and a server counts as being at a
 * position of a source only if it has everything that the source's server had when its time began: so "needed <= applied"
 * is one comparison, over changes of the primary too.
 */

const SOURCE_UNIT = 2 ** 40;
const MAX_OFFSET = SOURCE_UNIT - 1;

export const MAX_GTID_SOURCES = 2 ** 13 - 1;

/** What a read may need, and what a server may have, where nothing is known. */
export const NO_POSITION = 0;

/** One server's time as the primary. */
export interface GtidSource {
  /** From 1 to `MAX_GTID_SOURCES`; a later one is higher. */
  readonly index: number;
  readonly address: string;
  /** In front of the sequence number in GTIDs of its own: `uuid:`, on MariaDB `domain-server-`; '' where it makes none. */
  readonly prefix: string;
  readonly flavor: 'mysql' | 'mariadb';
  /**
   * The last sequence number of its time, as far as the next primary had it; null while the time lasts. What is beyond it
   * is lost, or of another time of the same server, which nobody knows of yet.
   */
  readonly end: bigint | null;
  /** Sequence numbers up to here are those from before: whoever is at the source at all has them. */
  readonly base: bigint;
}

export function gtidPosition({ index, base }: GtidSource, sequence: bigint): number {
  const offset = sequence <= base ? 0 : Number(sequence - base);
  return index * SOURCE_UNIT + Math.min(offset, MAX_OFFSET);
}

export function sourceIndexOf(position: number): number {
  return Math.floor(position / SOURCE_UNIT);
}

/** In the source's own numbers. */
export function sequenceOf({ base }: GtidSource, position: number): bigint {
  return base + BigInt(position % SOURCE_UNIT);
}
