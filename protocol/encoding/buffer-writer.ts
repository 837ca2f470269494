import {
  fragmentCount,
  MAX_FRAGMENT_BYTES,
  nextSequenceId,
  PACKET_HEADER_BYTES,
  writePacketHeader,
} from '../framing/packet-header.ts';
import { lenencSize, writeLenenc } from './lenenc.ts';

const DEFAULT_CAPACITY_BYTES = 256;
const MIN_CAPACITY_BYTES = 16;
const NO_PACKET = -1;
const NOTHING = Buffer.alloc(0);

/**
 * Growing buffer, the mirror of `BufferReader`: integers are little-endian, strings are written as UTF-8. Values out
 * of an integer's range throw `RangeError`. Between `beginPacket` and `endPacket` the bytes written are one payload,
 * and `endPacket` fills in the header.
 */
export class BufferWriter {
  #bytes: Buffer;
  #length = 0;
  #packetStart = NO_PACKET;
  #packetSequenceId = 0;

  constructor(capacityBytes = DEFAULT_CAPACITY_BYTES) {
    this.#bytes = Buffer.allocUnsafe(Math.max(capacityBytes, MIN_CAPACITY_BYTES));
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  writeU8(value: number): this {
    const offset = this.#grow(1);
    this.#bytes.writeUInt8(value, offset);
    return this;
  }

  writeU16(value: number): this {
    const offset = this.#grow(2);
    this.#bytes.writeUInt16LE(value, offset);
    return this;
  }

  writeU24(value: number): this {
    const offset = this.#grow(3);
    this.#bytes.writeUIntLE(value, offset, 3);
    return this;
  }

  writeU32(value: number): this {
    const offset = this.#grow(4);
    this.#bytes.writeUInt32LE(value, offset);
    return this;
  }

  writeU64(value: number | bigint): this {
    const offset = this.#grow(8);
    this.#bytes.writeBigUInt64LE(BigInt(value), offset);
    return this;
  }

  writeI8(value: number): this {
    const offset = this.#grow(1);
    this.#bytes.writeInt8(value, offset);
    return this;
  }

  writeI16(value: number): this {
    const offset = this.#grow(2);
    this.#bytes.writeInt16LE(value, offset);
    return this;
  }

  writeI32(value: number): this {
    const offset = this.#grow(4);
    this.#bytes.writeInt32LE(value, offset);
    return this;
  }

  writeI64(value: number | bigint): this {
    const offset = this.#grow(8);
    this.#bytes.writeBigInt64LE(BigInt(value), offset);
    return this;
  }

  writeFloat(value: number): this {
    const offset = this.#grow(4);
    this.#bytes.writeFloatLE(value, offset);
    return this;
  }

  writeDouble(value: number): this {
    const offset = this.#grow(8);
    this.#bytes.writeDoubleLE(value, offset);
    return this;
  }

  writeLenenc(value: number | bigint): this {
    const offset = this.#grow(lenencSize(value));
    writeLenenc(this.#bytes, offset, value);
    return this;
  }

  writeBytes(bytes: Uint8Array): this {
    const offset = this.#grow(bytes.length);
    this.#bytes.set(bytes, offset);
    return this;
  }

  writeString(text: string): this {
    const size = Buffer.byteLength(text, 'utf8');
    const offset = this.#grow(size);
    this.#bytes.write(text, offset, size, 'utf8');
    return this;
  }

  writeLenencBytes(bytes: Uint8Array): this {
    return this.writeLenenc(bytes.length).writeBytes(bytes);
  }

  writeLenencString(text: string): this {
    return this.writeLenenc(Buffer.byteLength(text, 'utf8')).writeString(text);
  }

  /** The text must hold no NUL, or its reader would end it there: `RangeError`. */
  writeNullTerminatedString(text: string): this {
    if (text.includes('\0')) throw new RangeError('A NUL-terminated string cannot hold a NUL');
    return this.writeString(text).writeU8(0);
  }

  writeNullTerminatedBytes(bytes: Uint8Array): this {
    if (bytes.includes(0)) throw new RangeError('A NUL-terminated string cannot hold a NUL');
    return this.writeBytes(bytes).writeU8(0);
  }

  writeZeros(count: number): this {
    const offset = this.#grow(count);
    this.#bytes.fill(0, offset, offset + count);
    return this;
  }

  /** Starts a packet: what is written until `endPacket` is its payload. */
  beginPacket(sequenceId: number): this {
    if (this.#packetStart !== NO_PACKET) throw new RangeError('beginPacket within a packet');
    this.#packetStart = this.#grow(PACKET_HEADER_BYTES);
    this.#packetSequenceId = sequenceId;
    return this;
  }

  /** Writes the header, cutting a payload of 2^24 - 1 bytes or more into fragments. Returns the next sequence id. */
  endPacket(): number {
    const start = this.#packetStart;
    if (start === NO_PACKET) throw new RangeError('endPacket without beginPacket');
    this.#packetStart = NO_PACKET;
    const sequenceId = this.#packetSequenceId;
    const payloadBytes = this.#length - start - PACKET_HEADER_BYTES;
    if (payloadBytes >= MAX_FRAGMENT_BYTES) this.#spreadFragments(start, payloadBytes);
    writePacketHeader(this.#bytes, start, Math.min(payloadBytes, MAX_FRAGMENT_BYTES), sequenceId);
    return nextSequenceId(sequenceId, payloadBytes);
  }

  /** View of what was written; valid until the next write. */
  asView(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What was written, in a buffer of its own. */
  asCopy(): Buffer {
    return Buffer.from(this.asView());
  }

  /** What was written, without a copy; the writer is empty afterwards and has given up its buffer. */
  take(): Buffer {
    if (this.#packetStart !== NO_PACKET) throw new RangeError('take within a packet');
    const taken = this.asView();
    // Most writers make one packet and are dropped: the next buffer is allocated when it is written to.
    this.#bytes = NOTHING;
    this.#length = 0;
    return taken;
  }

  /** Makes room between the fragments, last one first, so that no byte is overwritten before it has moved. */
  #spreadFragments(start: number, payloadBytes: number): void {
    const fragments = fragmentCount(payloadBytes);
    this.#grow((fragments - 1) * PACKET_HEADER_BYTES);
    const payloadStart = start + PACKET_HEADER_BYTES;
    for (let fragment = fragments - 1; fragment > 0; fragment -= 1) {
      const from = payloadStart + fragment * MAX_FRAGMENT_BYTES;
      const length = Math.min(MAX_FRAGMENT_BYTES, payloadBytes - fragment * MAX_FRAGMENT_BYTES);
      const to = from + fragment * PACKET_HEADER_BYTES;
      this.#bytes.copyWithin(to, from, from + length);
      writePacketHeader(this.#bytes, to - PACKET_HEADER_BYTES, length, this.#packetSequenceId + fragment);
    }
  }

  /** Makes room for `count` more bytes and returns where they begin. */
  #grow(count: number): number {
    const offset = this.#length;
    const needed = offset + count;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2, MIN_CAPACITY_BYTES));
      this.#bytes.copy(grown, 0, 0, offset);
      this.#bytes = grown;
    }
    this.#length = needed;
    return offset;
  }
}
