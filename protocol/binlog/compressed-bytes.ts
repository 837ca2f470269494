import { inflateSync } from 'node:zlib';
import { MalformedPacketError } from '../errors.ts';

/** MariaDB's packing of statements and rows (`log_bin_compress`): a byte, the length unpacked (highest byte first), zlib. */
const MARK = 0x80;
const MARK_BITS = 0xe0;
const LENGTH_BITS = 0x07;

/** How many bytes there are unpacked. */
export function inflatedBinlogBytes(packed: Buffer): number {
  const first = packed[0];
  if (first === undefined || (first & MARK_BITS) !== MARK)
    throw new MalformedPacketError('compressed bytes', 0);
  const lengthBytes = first & LENGTH_BITS;
  if (lengthBytes === 0 || lengthBytes > 4 || packed.length <= lengthBytes)
    throw new MalformedPacketError('length of compressed bytes', 0);
  return packed.readUIntBE(1, lengthBytes);
}

/** A copy. Bytes that announce more than `maxBytes` are malformed. */
export function inflateBinlogBytes(packed: Buffer, maxBytes: number): Buffer {
  const bytes = inflatedBinlogBytes(packed);
  if (bytes > maxBytes) throw new MalformedPacketError(`${bytes} compressed bytes`, 0);
  const start = 1 + (packed[0]! & LENGTH_BITS);
  let inflated: Buffer;
  try {
    inflated = inflateSync(packed.subarray(start), { maxOutputLength: Math.max(bytes, 1) });
  } catch {
    throw new MalformedPacketError('compressed bytes', start);
  }
  if (inflated.length !== bytes) throw new MalformedPacketError('length of compressed bytes', 1);
  return inflated;
}
