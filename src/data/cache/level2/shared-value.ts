/**
 * A result as it lies in the second level. Whatever is read from there may be damaged, of another version, or of another
 * key: it is a value only if all of it is in order, down to the packets of the result.
 *
 * | bytes | meaning                                                                             |
 * |-------|-------------------------------------------------------------------------------------|
 * | 4     | `SLC3`                                                                               |
 * | 1     | 1 if it has the shape for CLIENT_DEPRECATE_EOF                                       |
 * | 1     | class of the read: 0 weak, 1 strong, 2 immutable                                     |
 * | 1     | length of the GTID                                                                   |
 * | 1     | 0                                                                                    |
 * | 32    | its key                                                                              |
 * | 16    | base of the record of flushes that was in force before it was read (`flush-record.ts`) |
 * | 4     | its count                                                                            |
 * | 8     | when it was read, in ms since 1970 by the clock of who has read it (a double)        |
 * | 4     | what the server took, in ms (a float)                                                |
 * | 4     | number of rows                                                                       |
 * | 4     | length of the result                                                                 |
 * | n     | GTID as text: all that was written to its tables up to there is in it; '' for none   |
 * | n     | the result's packets                                                                 |
 * | 4     | CRC-32 of everything in front of it                                                  |
 */

import { crc32 } from 'node:zlib';
import { readResultset } from '../../../../protocol/index.ts';
import { CacheClass } from '../../../common/cache-settings.ts';
import { BASE_BYTES } from './flush-record.ts';

const MAGIC = Buffer.from('SLC3', 'latin1');
const HEAD_BYTES = 80;
const CRC_BYTES = 4;
const MAX_GTID_BYTES = 255;
const SHARED_KEY_BYTES = 32;
/** Least bytes of a value that is one. */
const MIN_VALUE_BYTES = HEAD_BYTES + CRC_BYTES;

const CLASSES: readonly CacheClass[] = [CacheClass.weak, CacheClass.strong, CacheClass.immutable];

const Field = {
  shape: 4,
  class: 5,
  gtidLength: 6,
  reserved: 7,
  key: 8,
  base: 40,
  count: 56,
  readAt: 60,
  serverMs: 68,
  rows: 72,
  resultLength: 76,
} as const;

export interface SharedValue {
  readonly class: CacheClass;
  /** One whole result set, as it goes to a client with or without CLIENT_DEPRECATE_EOF; of what was read, no copy. */
  readonly packets: Buffer;
  readonly deprecatesEof: boolean;
  readonly rowCount: number;
  readonly key: Buffer;
  readonly base: Buffer;
  readonly count: number;
  /** In ms since 1970, before it was read. */
  readonly readAtMs: number;
  readonly serverMs: number;
  readonly gtid: string;
}

/** @returns null where it does not fit: that cannot be shared. */
export function encodeSharedValue(value: SharedValue, maxBytes: number): Buffer | null {
  const { packets, deprecatesEof, rowCount, key, base, count } = value;
  const gtid = Buffer.from(value.gtid, 'latin1');
  const length = HEAD_BYTES + gtid.length + packets.length + CRC_BYTES;
  if (length > maxBytes || gtid.length > MAX_GTID_BYTES) return null;
  const bytes = Buffer.allocUnsafe(length);
  MAGIC.copy(bytes);
  bytes[Field.shape] = deprecatesEof ? 1 : 0;
  bytes[Field.class] = CLASSES.indexOf(value.class);
  bytes[Field.gtidLength] = gtid.length;
  bytes[Field.reserved] = 0;
  key.copy(bytes, Field.key, 0, SHARED_KEY_BYTES);
  base.copy(bytes, Field.base, 0, BASE_BYTES);
  bytes.writeUInt32LE(count, Field.count);
  bytes.writeDoubleLE(value.readAtMs, Field.readAt);
  bytes.writeFloatLE(value.serverMs, Field.serverMs);
  bytes.writeUInt32LE(rowCount, Field.rows);
  bytes.writeUInt32LE(packets.length, Field.resultLength);
  gtid.copy(bytes, HEAD_BYTES);
  packets.copy(bytes, HEAD_BYTES + gtid.length);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, length - CRC_BYTES)), length - CRC_BYTES);
  return bytes;
}

/** @returns null for what is no value of this key. */
export function decodeSharedValue(bytes: Buffer, key: Buffer): SharedValue | null {
  const length = bytes.length;
  if (length < MIN_VALUE_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  const crcAt = length - CRC_BYTES;
  if (crc32(bytes.subarray(0, crcAt)) !== bytes.readUInt32LE(crcAt)) return null;
  if (!bytes.subarray(Field.key, Field.key + SHARED_KEY_BYTES).equals(key)) return null;
  const shape = bytes[Field.shape]!;
  const cacheClass = CLASSES[bytes[Field.class]!];
  const gtidEnd = HEAD_BYTES + bytes[Field.gtidLength]!;
  const readAtMs = bytes.readDoubleLE(Field.readAt);
  const serverMs = bytes.readFloatLE(Field.serverMs);
  if (shape > 1 || cacheClass === undefined || bytes[Field.reserved] !== 0) return null;
  if (gtidEnd + bytes.readUInt32LE(Field.resultLength) !== crcAt) return null;
  if (!(readAtMs >= 0) || !(serverMs >= 0) || !Number.isFinite(readAtMs + serverMs)) return null;
  const packets = bytes.subarray(gtidEnd, crcAt);
  const layout = readResultset(packets, shape === 1);
  if (layout === null || layout.rowCount !== bytes.readUInt32LE(Field.rows)) return null;
  return {
    class: cacheClass,
    packets,
    deprecatesEof: shape === 1,
    rowCount: layout.rowCount,
    key,
    base: Buffer.from(bytes.subarray(Field.base, Field.base + BASE_BYTES)),
    count: bytes.readUInt32LE(Field.count),
    readAtMs,
    serverMs,
    gtid: bytes.toString('latin1', HEAD_BYTES, gtidEnd),
  };
}
