/**
 * The GTID in the session-state block of an OK packet, without making anything of it: MySQL has an entry of its own
 * (https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html), MariaDB reports `last_gtid` as a
 * system variable. Both report what has been committed with this statement, and nothing where it has committed nothing.
 */

import { SessionTrackType } from '../../../protocol/index.ts';
import { FOREIGN_GTID, type GtidSources, NO_GTID, startsWith } from './gtid-sources.ts';

const LAST_GTID = Buffer.from('last_gtid');
const ONE_BYTE_LIMIT = 0xfb;
const TWO_BYTES = 0xfc;
const THREE_BYTES = 0xfd;

/** @param block is in `block[start, blockEnd)`. @returns a position, `NO_GTID` or `FOREIGN_GTID`; what is cut off says nothing. */
export function reportedGtid(block: Buffer, start: number, blockEnd: number, sources: GtidSources): number {
  let found = NO_GTID;
  let at = start;
  while (at < blockEnd) {
    const type = block[at]!;
    const body = lenencEnd(block, at + 1, blockEnd);
    if (body < 0) return found;
    const end = body + lenencAt(block, at + 1);
    if (end > blockEnd) return found;
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
  if (type !== SessionTrackType.SYSTEM_VARIABLES || !namesLastGtid(block, body, end)) return NO_GTID;
  return textPosition(block, body + 1 + LAST_GTID.length, end, sources);
}

/** Whether the entry of a system variable in `block[start, end)` is of this one only. */
export function isLastGtid(block: Uint8Array, start: number, end: number): boolean {
  const valueAt = start + 1 + LAST_GTID.length;
  return valueAt < end && namesLastGtid(block, start, end) && valueAt + 1 + block[valueAt]! === end;
}

function namesLastGtid(block: Uint8Array, start: number, end: number): boolean {
  const { length } = LAST_GTID;
  return block[start] === length && start + 1 + length <= end && startsWith(block, start + 1, LAST_GTID);
}

/** A text with its length in front; an empty one is none. */
function textPosition(block: Buffer, at: number, end: number, sources: GtidSources): number {
  const start = lenencEnd(block, at, end);
  if (start < 0 || start >= end) return NO_GTID;
  const textEnd = start + lenencAt(block, at);
  return textEnd === start ? NO_GTID : sources.positionOf(block, start, Math.min(end, textEnd));
}

/** Where the length at `at` ends; -1 where there is none. */
function lenencEnd(block: Buffer, at: number, end: number): number {
  if (at >= end) return -1;
  const first = block[at]!;
  if (first < ONE_BYTE_LIMIT) return at + 1;
  if (first === TWO_BYTES) return at + 3 <= end ? at + 3 : -1;
  return first === THREE_BYTES && at + 4 <= end ? at + 4 : -1;
}

function lenencAt(block: Buffer, at: number): number {
  const first = block[at]!;
  if (first < ONE_BYTE_LIMIT) return first;
  return first === TWO_BYTES ? block.readUInt16LE(at + 1) : block.readUIntLE(at + 1, 3);
}
