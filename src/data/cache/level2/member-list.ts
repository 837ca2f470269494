/**
 * Who uses a server of the second level, as it lies there: an id for each worker, which also holds a lease as long as it
 * reaches the server. Who is listed without a lease may have had something to flush and was not heard.
 *
 * | bytes | meaning                                                          |
 * |-------|------------------------------------------------------------------|
 * | 4     | `SLM1`                                                           |
 * | 8     | the server's time without a loss (`SharedStore.incarnation`)       |
 * | 8 ·   | ids                                                              |
 * | 4     | CRC-32 of everything in front of it                               |
 */

import { crc32 } from 'node:zlib';
import { INCARNATION_BYTES } from './flush-record.ts';

const MAGIC = Buffer.from('SLM1', 'latin1');
const HEAD_BYTES = MAGIC.length + INCARNATION_BYTES;
export const MEMBER_ID_BYTES = 8;
const CRC_BYTES = 4;

/** Ids are hexadecimal digits. */
export function encodeMembers(incarnation: Buffer, ids: readonly string[]): Buffer {
  const body = Buffer.concat([MAGIC, incarnation, ...ids.map((id) => Buffer.from(id, 'hex'))]);
  const crc = Buffer.alloc(CRC_BYTES);
  crc.writeUInt32LE(crc32(body));
  return Buffer.concat([body, crc]);
}

/** @returns null where nobody can say who uses it: there is none, a damaged one, or one of another time of the server. */
export function decodeMembers(bytes: Buffer | null, incarnation: Buffer): string[] | null {
  if (bytes === null) return null;
  const crcAt = bytes.length - CRC_BYTES;
  if (crcAt < HEAD_BYTES || (crcAt - HEAD_BYTES) % MEMBER_ID_BYTES !== 0) return null;
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  if (crc32(bytes.subarray(0, crcAt)) !== bytes.readUInt32LE(crcAt)) return null;
  if (!bytes.subarray(MAGIC.length, HEAD_BYTES).equals(incarnation)) return null;
  const ids: string[] = [];
  for (let at = HEAD_BYTES; at < crcAt; at += MEMBER_ID_BYTES)
    ids.push(bytes.toString('hex', at, at + MEMBER_ID_BYTES));
  return ids;
}
