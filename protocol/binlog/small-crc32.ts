import { crc32 } from 'node:zlib';

/** Up to here a loop takes less time than to call zlib, with a view made for it. */
const SMALL_BYTES = 192;
const POLYNOMIAL = 0xedb8_8320;
const BYTES_AT_ONCE = 8;

/** For each byte and for each place within eight of them, the last one first: what it adds. */
const TABLE = new Int32Array(256 * BYTES_AT_ONCE);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
  TABLE[byte] = crc;
}
for (let at = 256; at < TABLE.length; at++)
  TABLE[at] = (TABLE[at - 256]! >>> 8) ^ TABLE[TABLE[at - 256]! & 0xff]!;

/** zlib's `crc32` of `bytes[start, end)`, made for pieces of a few dozen bytes. */
export function smallCrc32(bytes: Buffer, start: number, end: number): number {
  if (end - start > SMALL_BYTES) return crc32(bytes.subarray(start, end));
  let crc = -1;
  let at = start;
  for (; at + BYTES_AT_ONCE <= end; at += BYTES_AT_ONCE) {
    const first =
      crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    crc =
      TABLE[1792 + (first & 0xff)]! ^
      TABLE[1536 + ((first >>> 8) & 0xff)]! ^
      TABLE[1280 + ((first >>> 16) & 0xff)]! ^
      TABLE[1024 + (first >>> 24)]! ^
      TABLE[768 + bytes[at + 4]!]! ^
      TABLE[512 + bytes[at + 5]!]! ^
      TABLE[256 + bytes[at + 6]!]! ^
      TABLE[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}
