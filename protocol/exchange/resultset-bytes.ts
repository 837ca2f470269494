/**
 * One whole result set as the bytes of its packets: found out where its parts lie, without decoding any row, and brought
 * from the one shape into the other: with an EOF behind the definitions, or without it under CLIENT_DEPRECATE_EOF. Text and
 * binary rows alike.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html
 */

import { SESSION_STATUS_FLAGS, StatusFlag } from '../constants/status-flags.ts';
import { EOF_PACKET_BYTES, writeEof } from './answer-bytes.ts';

const HEADER_BYTES = 4;
/** Of a packet that another one continues. */
const MAX_PAYLOAD = 0xffffff;
const END_HEADER = 0xfe;
const ERR_HEADER = 0xff;
/** Under CLIENT_DEPRECATE_EOF: header, two zeros, status flags, warnings. */
const SHORT_OK_BYTES = 7;
/** Payload of an EOF. */
const EOF_BYTES = 5;

const FLAGS_BEHIND_DEFINITIONS = SESSION_STATUS_FLAGS | StatusFlag.SERVER_STATUS_METADATA_CHANGED;

/** There is more to come, or it is no plain result set. */
const NOT_WHOLE =
  StatusFlag.SERVER_MORE_RESULTS_EXISTS |
  StatusFlag.SERVER_STATUS_CURSOR_EXISTS |
  StatusFlag.SERVER_STATUS_LAST_ROW_SENT |
  StatusFlag.SERVER_PS_OUT_PARAMS;

export interface ResultsetLayout {
  /** The shape of CLIENT_DEPRECATE_EOF. */
  readonly deprecatesEof: boolean;
  readonly columnCount: number;
  /** Behind the last definition; an EOF packet begins there unless `deprecatesEof`. */
  readonly definitionsEnd: number;
  /** Behind the last row, where the packet begins that ends the result. */
  readonly rowsEnd: number;
  readonly rowCount: number;
  /** Of the packet at the end. */
  readonly statusFlags: number;
  readonly warnings: number;
}

/**
 * Where the parts of `bytes` lie. Null for whatever is not exactly one result set whose packets count from 1: an ERR, several
 * results, an opened cursor, rows of 16 MiB and more, bytes that are missing or too many.
 */
export function readResultset(bytes: Buffer, deprecatesEof: boolean): ResultsetLayout | null {
  const columnCount = readCount(bytes);
  if (columnCount === 0) return null;
  let at = HEADER_BYTES + payloadBytes(bytes, 0);
  let sequence = 2;
  for (let column = 0; column < columnCount; column++) {
    const next = packetEnd(bytes, at, sequence++);
    // No definition begins like an ERR or an EOF: the catalogue's name is `def`.
    if (next < 0 || bytes[at + HEADER_BYTES]! >= 0xfb) return null;
    at = next;
  }
  const definitionsEnd = at;
  if (!deprecatesEof) {
    const next = packetEnd(bytes, at, sequence++);
    if (next !== at + EOF_PACKET_BYTES || bytes[at + HEADER_BYTES] !== END_HEADER) return null;
    if ((bytes.readUInt16LE(at + 7) & NOT_WHOLE) !== 0) return null;
    at = next;
  }
  let rowCount = 0;
  for (;;) {
    const next = packetEnd(bytes, at, sequence++);
    const first = bytes[at + HEADER_BYTES];
    if (next < 0 || first === ERR_HEADER) return null;
    if (first === END_HEADER) {
      const end = next === bytes.length ? readEnd(bytes, at + HEADER_BYTES, next, deprecatesEof) : null;
      return end && { deprecatesEof, columnCount, definitionsEnd, rowsEnd: at, rowCount, ...end };
    }
    rowCount++;
    at = next;
  }
}

/**
 * The result in the shape that is asked for, with no warnings, these status flags, and nothing but them in the packet at the
 * end. The EOF behind the definitions has those flags that are the session's.
 *
 * @param allocate gives the memory for them, not filled.
 * @returns bytes of their own
 */
export function reshapeResultset(
  bytes: Buffer,
  layout: ResultsetLayout,
  deprecatesEof: boolean,
  statusFlags: number,
  allocate: (byteLength: number) => Buffer = Buffer.allocUnsafeSlow,
): Buffer {
  const { definitionsEnd, rowsEnd, columnCount, rowCount } = layout;
  const rowsStart = definitionsEnd + (layout.deprecatesEof ? 0 : EOF_PACKET_BYTES);
  const rowsBytes = rowsEnd - rowsStart;
  const eofBytes = deprecatesEof ? 0 : EOF_PACKET_BYTES;
  const endBytes = deprecatesEof ? HEADER_BYTES + SHORT_OK_BYTES : EOF_PACKET_BYTES;
  const out = allocate(definitionsEnd + eofBytes + rowsBytes + endBytes);
  bytes.copy(out, 0, 0, definitionsEnd);
  let sequence = columnCount + 2;
  if (!deprecatesEof) writeEof(out, definitionsEnd, sequence++ & 0xff, statusFlags & SESSION_STATUS_FLAGS, 0);
  const start = definitionsEnd + eofBytes;
  bytes.copy(out, start, rowsStart, rowsEnd);
  const end = start + rowsBytes;
  if (deprecatesEof !== layout.deprecatesEof) countRows(out, start, end, sequence);
  sequence += rowCount;
  if (deprecatesEof) writeShortOk(out, end, sequence & 0xff, statusFlags);
  else writeEof(out, end, sequence & 0xff, statusFlags, 0);
  return out;
}

/**
 * Puts status flags into a result that `reshapeResultset` has made.
 * @param definitionsEnd of its layout.
 * @returns `bytes`, changed
 */
export function withStatusFlags(
  bytes: Buffer,
  definitionsEnd: number,
  deprecatesEof: boolean,
  statusFlags: number,
): Buffer {
  if (!deprecatesEof) bytes.writeUInt16LE(statusFlags & FLAGS_BEHIND_DEFINITIONS, definitionsEnd + 7);
  bytes.writeUInt16LE(statusFlags, bytes.length - (deprecatesEof ? 4 : 2));
  return bytes;
}

/** Sequence ids of the packets in `[start, end)`. */
function countRows(bytes: Buffer, start: number, end: number, first: number): void {
  let sequence = first;
  for (let at = start; at < end; at += HEADER_BYTES + payloadBytes(bytes, at))
    bytes[at + 3] = sequence++ & 0xff;
}

function payloadBytes(bytes: Buffer, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
}

/** @returns -1 for a packet that is not whole, empty, continued, or out of its order. */
function packetEnd(bytes: Buffer, at: number, sequence: number): number {
  if (at + HEADER_BYTES > bytes.length) return -1;
  const length = payloadBytes(bytes, at);
  const end = at + HEADER_BYTES + length;
  if (length === 0 || length === MAX_PAYLOAD || end > bytes.length) return -1;
  return bytes[at + 3] === (sequence & 0xff) ? end : -1;
}

/** Columns by the first packet, 0 if that is none that begins a result set. */
function readCount(bytes: Buffer): number {
  const end = packetEnd(bytes, 0, 1);
  if (end < 0) return 0;
  const first = bytes[HEADER_BYTES]!;
  if (first < 0xfb) return end === HEADER_BYTES + 1 ? first : 0;
  return first === 0xfc && end === HEADER_BYTES + 3 ? bytes.readUInt16LE(HEADER_BYTES + 1) : 0;
}

function readEnd(
  bytes: Buffer,
  payload: number,
  end: number,
  deprecatesEof: boolean,
): { statusFlags: number; warnings: number } | null {
  const length = end - payload;
  if (!deprecatesEof) {
    if (length !== EOF_BYTES) return null;
    const statusFlags = bytes.readUInt16LE(payload + 3);
    return (statusFlags & NOT_WHOLE) !== 0
      ? null
      : { statusFlags, warnings: bytes.readUInt16LE(payload + 1) };
  }
  // What counts rows or names an id is more than the end of a result.
  if (length < SHORT_OK_BYTES || bytes[payload + 1] !== 0 || bytes[payload + 2] !== 0) return null;
  const statusFlags = bytes.readUInt16LE(payload + 3);
  return (statusFlags & NOT_WHOLE) !== 0 ? null : { statusFlags, warnings: bytes.readUInt16LE(payload + 5) };
}

function writeShortOk(bytes: Buffer, at: number, sequence: number, statusFlags: number): void {
  bytes[at] = SHORT_OK_BYTES;
  bytes[at + 1] = 0;
  bytes[at + 2] = 0;
  bytes[at + 3] = sequence;
  bytes[at + 4] = END_HEADER;
  bytes[at + 5] = 0;
  bytes[at + 6] = 0;
  bytes.writeUInt16LE(statusFlags, at + 7);
  bytes[at + 9] = 0;
  bytes[at + 10] = 0;
}
