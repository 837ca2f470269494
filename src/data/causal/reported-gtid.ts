/**
 * The GTID in the session-state block of an OK packet, without making anything of it: MySQL has an entry of its own
 * (https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html), MariaDB reports `last_gtid` as a
 * system variable. Both report what has been committed with this statement, and nothing where it has committed nothing.
 */

import { SessionTrackType } from '../../../protocol/index.ts';
import { FOREIGN_GTID, type GtidSources, NO_GTID } from './gtid-sources.ts';

const LAST_GTID = Buffer.from('last_gtid');
const ONE_BYTE_LIMIT = 0xfb;
const TWO_BYTES = 0xfc;
const THREE_BYTES = 0xfd;

/** @returns a position, `NO_GTID` or `FOREIGN_GTID`; what is cut off says nothing. */
export function reportedGtid(block: Buffer, sources: GtidSources): number {
  let found = NO_GTID;
  let at = 0;
  while (at < block.length) {
    const type = block[at]!;
    const body = lenencEnd(block, at + 1);
    if (body < 0) return found;
    const end = body + lenencAt(block, at + 1);
    if (end > block.length) return found;
    const position = positionInEntry(block, type, body, end, sources);
    if (position === FOREIGN_GTID) return FOREIGN_GTID;
    if (position > found) found = position;
    at = end;
  }
  return found;
}

function positionInEntry(
  block: Buffer,
  type: number,
  body: number,
  end: number,
  sources: GtidSources,
): number {
  // In front of the text stands a byte that names its encoding.
  if (type === SessionTrackType.GTIDS) return textPosition(block, body + 1, end, sources);
  if (type !== SessionTrackType.SYSTEM_VARIABLES || block[body] !== LAST_GTID.length) return NO_GTID;
  const nameEnd = body + 1 + LAST_GTID.length;
  if (nameEnd > end || LAST_GTID.compare(block, body + 1, nameEnd) !== 0) return NO_GTID;
  return textPosition(block, nameEnd, end, sources);
}

/** A text with its length in front; an empty one is none. */
function textPosition(block: Buffer, at: number, end: number, sources: GtidSources): number {
  const start = lenencEnd(block, at);
  if (start < 0 || start >= end) return NO_GTID;
  const textEnd = start + lenencAt(block, at);
  return textEnd === start ? NO_GTID : sources.positionOf(block, start, Math.min(end, textEnd));
}

/** Where the length at `at` ends; -1 where there is none. */
function lenencEnd(block: Buffer, at: number): number {
  if (at >= block.length) return -1;
  const first = block[at]!;
  if (first < ONE_BYTE_LIMIT) return at + 1;
  if (first === TWO_BYTES) return at + 3 <= block.length ? at + 3 : -1;
  return first === THREE_BYTES && at + 4 <= block.length ? at + 4 : -1;
}

function lenencAt(block: Buffer, at: number): number {
  const first = block[at]!;
  if (first < ONE_BYTE_LIMIT) return first;
  return first === TWO_BYTES ? block.readUInt16LE(at + 1) : block.readUIntLE(at + 1, 3);
}
