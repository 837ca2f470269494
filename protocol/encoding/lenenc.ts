/**
 * Length-encoded integers. The first byte is the value up to 0xfa, else 0xfc, 0xfd or 0xfe and 2, 3 or 8 bytes follow;
 * 0xfb (NULL in a text row) and 0xff (ERR) are no lengths.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_dt_integers.html#sect_protocol_basic_dt_int_le
 *
 * For every function here: `offset` and `end` are within `bytes`, `end` is where the packet ends (exclusive).
 * A read that would pass `end`, or meets 0xfb or 0xff, throws `MalformedPacketError`.
 */

import { MalformedPacketError } from '../errors.ts';

const WHAT = 'length-encoded integer';

/** Bytes that the integer takes on the wire: 1, 3, 4 or 9. */
export function lenencSize(value: number | bigint): number {
  if (value < 0xfb) return 1;
  if (value < 0x1_0000) return 3;
  if (value < 0x100_0000) return 4;
  return 9;
}

/** Bytes that the integer at `offset` takes, from its first byte alone. */
export function lenencSizeAt(bytes: Uint8Array, offset: number, end: number): number {
  if (offset >= end) throw new MalformedPacketError(WHAT, offset);
  const first = bytes[offset]!;
  if (first < 0xfb) return 1;
  if (first === 0xfc) return 3;
  if (first === 0xfd) return 4;
  if (first === 0xfe) return 9;
  throw new MalformedPacketError(WHAT, offset);
}

/** The value as a number while that is exact, else as a bigint. */
export function readLenenc(bytes: Uint8Array, offset: number, end: number): number | bigint {
  const size = lenencSizeAt(bytes, offset, end);
  if (offset + size > end) throw new MalformedPacketError(WHAT, offset);
  if (size === 1) return bytes[offset]!;
  if (size === 3) return bytes[offset + 1]! | (bytes[offset + 2]! << 8);
  if (size === 4) return bytes[offset + 1]! | (bytes[offset + 2]! << 8) | (bytes[offset + 3]! << 16);
  const low = readU32(bytes, offset + 1);
  const high = readU32(bytes, offset + 5);
  if (high < 0x20_0000) return high * 0x1_0000_0000 + low;
  return (BigInt(high) << 32n) | BigInt(low);
}

/** As `readLenenc`; a value that a number cannot hold exactly is malformed (right for lengths and counts). */
export function readLenencNumber(bytes: Uint8Array, offset: number, end: number): number {
  const value = readLenenc(bytes, offset, end);
  if (typeof value === 'bigint') throw new MalformedPacketError(`${WHAT} over 2^53`, offset);
  return value;
}

/** Writes at `offset`, where `lenencSize(value)` bytes must be free; returns the offset behind it. */
export function writeLenenc(bytes: Uint8Array, offset: number, value: number | bigint): number {
  if (
    value < 0 ||
    value > 0xffff_ffff_ffff_ffffn ||
    (typeof value === 'number' && !Number.isInteger(value))
  ) {
    throw new RangeError(`${value} is no length-encoded integer`);
  }
  const size = lenencSize(value);
  if (offset < 0 || offset + size > bytes.length) {
    throw new RangeError(`A length-encoded integer of ${size} bytes does not fit at offset ${offset}`);
  }
  if (size === 9) {
    const wide = BigInt(value);
    bytes[offset] = 0xfe;
    writeU32(bytes, offset + 1, Number(wide & 0xffff_ffffn));
    writeU32(bytes, offset + 5, Number(wide >> 32n));
    return offset + 9;
  }
  const narrow = Number(value);
  if (size === 1) {
    bytes[offset] = narrow;
    return offset + 1;
  }
  bytes[offset] = size === 3 ? 0xfc : 0xfd;
  bytes[offset + 1] = narrow & 0xff;
  bytes[offset + 2] = (narrow >> 8) & 0xff;
  if (size === 4) bytes[offset + 3] = narrow >> 16;
  return offset + size;
}

function readU32(bytes: Uint8Array, offset: number): number {
  return (
    (bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24)) >>>
    0
  );
}

function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value & 0xff;
  bytes[offset + 1] = (value >>> 8) & 0xff;
  bytes[offset + 2] = (value >>> 16) & 0xff;
  bytes[offset + 3] = value >>> 24;
}
