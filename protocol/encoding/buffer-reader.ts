import { MalformedPacketError } from '../errors.ts';
import { lenencSizeAt, readLenenc } from './lenenc.ts';

/**
 * Cursor over the bytes of one payload. Integers are little-endian. Every read is checked against the end: a short
 * packet throws `MalformedPacketError`, its offset counted from the payload's start.
 *
 * Methods that return a `Buffer` return a **view**: it lives as long as the received chunk does. To keep it, copy.
 */
export class BufferReader {
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    if (start < 0 || start > end || end > bytes.length) {
      throw new RangeError(`Range ${start}..${end} is not within ${bytes.length} bytes`);
    }
    this.#bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#start = start;
    this.#end = end;
    this.#offset = start;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset - this.#start;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** Throws unless everything has been read: for packets that must not have a tail. */
  assertEnd(what: string): void {
    if (this.#offset !== this.#end)
      throw new MalformedPacketError(`${what}: unexpected trailing bytes`, this.offset);
  }

  /** The next byte without moving on, or -1 at the end. */
  peekU8(): number {
    return this.#offset < this.#end ? this.#bytes[this.#offset]! : -1;
  }

  skip(length: number, what = 'bytes'): void {
    this.#take(length, what);
  }

  readU8(what = 'int<1>'): number {
    return this.#bytes[this.#take(1, what)]!;
  }

  readU16(what = 'int<2>'): number {
    return this.#bytes.readUInt16LE(this.#take(2, what));
  }

  readU24(what = 'int<3>'): number {
    return this.#bytes.readUIntLE(this.#take(3, what), 3);
  }

  readU32(what = 'int<4>'): number {
    return this.#bytes.readUInt32LE(this.#take(4, what));
  }

  readU64(what = 'int<8>'): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8, what));
  }

  /** A value over 2^53 - 1 is malformed. */
  readU64AsNumber(what = 'int<8>'): number {
    const offset = this.offset;
    const value = this.readU64(what);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new MalformedPacketError(`${what} over 2^53`, offset);
    return Number(value);
  }

  readI8(what = 'signed int<1>'): number {
    return this.#bytes.readInt8(this.#take(1, what));
  }

  readI16(what = 'signed int<2>'): number {
    return this.#bytes.readInt16LE(this.#take(2, what));
  }

  readI32(what = 'signed int<4>'): number {
    return this.#bytes.readInt32LE(this.#take(4, what));
  }

  readI64(what = 'signed int<8>'): bigint {
    return this.#bytes.readBigInt64LE(this.#take(8, what));
  }

  readFloat(what = 'float'): number {
    return this.#bytes.readFloatLE(this.#take(4, what));
  }

  readDouble(what = 'double'): number {
    return this.#bytes.readDoubleLE(this.#take(8, what));
  }

  /** A number while that is exact, else a bigint. */
  readLenenc(what = 'int<lenenc>'): number | bigint {
    const offset = this.#offset;
    // One byte is by far the commonest.
    if (offset < this.#end && this.#bytes[offset]! < 0xfb) {
      this.#offset = offset + 1;
      return this.#bytes[offset]!;
    }
    return this.#readWideLenenc(what);
  }

  readLenencBigint(what = 'int<lenenc>'): bigint {
    return BigInt(this.readLenenc(what));
  }

  /** For lengths and counts: a value over 2^53 - 1 is malformed. */
  readLenencNumber(what = 'int<lenenc>'): number {
    const offset = this.offset;
    const value = this.readLenenc(what);
    if (typeof value === 'bigint') throw new MalformedPacketError(`${what} over 2^53`, offset);
    return value;
  }

  /** View of a string<lenenc>. */
  readLenencBytes(what = 'string<lenenc>'): Buffer {
    const before = this.#offset;
    const length = this.readLenencNumber(what);
    if (length > this.#end - this.#offset) throw new MalformedPacketError(what, before - this.#start);
    return this.readBytes(length, what);
  }

  readLenencString(what = 'string<lenenc>'): string {
    return this.readLenencBytes(what).toString('utf8');
  }

  /** View up to the next NUL, which is consumed and left out; without a NUL the packet is malformed. */
  readNullTerminatedBytes(what = 'string<NUL>'): Buffer {
    const start = this.#offset;
    const length = this.#lengthUntilNul();
    if (length === -1) throw new MalformedPacketError(what, this.offset);
    this.#offset = start + length + 1;
    return this.#bytes.subarray(start, start + length);
  }

  readNullTerminatedString(what = 'string<NUL>'): string {
    return this.readNullTerminatedBytes(what).toString('utf8');
  }

  /** As `readNullTerminatedBytes`, but the end of the packet ends the string too (some peers forget the last NUL). */
  readNullTerminatedOrRestBytes(): Buffer {
    const start = this.#offset;
    const length = this.#lengthUntilNul();
    if (length === -1) return this.readRest();
    this.#offset = start + length + 1;
    return this.#bytes.subarray(start, start + length);
  }

  readNullTerminatedOrRestString(): string {
    return this.readNullTerminatedOrRestBytes().toString('utf8');
  }

  /** View of exactly `length` bytes. */
  readBytes(length: number, what = 'string<fix>'): Buffer {
    const start = this.#take(length, what);
    return this.#bytes.subarray(start, start + length);
  }

  /** View of everything that is left, maybe empty. */
  readRest(): Buffer {
    const start = this.#offset;
    this.#offset = this.#end;
    return this.#bytes.subarray(start, this.#end);
  }

  readRestString(): string {
    return this.readRest().toString('utf8');
  }

  /** Never looks behind the packet's end: the chunk may be megabytes long. */
  #lengthUntilNul(): number {
    return this.#bytes.subarray(this.#offset, this.#end).indexOf(0);
  }

  #readWideLenenc(what: string): number | bigint {
    const offset = this.#offset;
    try {
      const value = readLenenc(this.#bytes, offset, this.#end);
      this.#offset = offset + lenencSizeAt(this.#bytes, offset, this.#end);
      return value;
    } catch {
      throw new MalformedPacketError(what, offset - this.#start);
    }
  }

  /** Moves on and returns where it was, as an index into the underlying buffer. */
  #take(length: number, what: string): number {
    const offset = this.#offset;
    if (length < 0 || length > this.#end - offset) throw new MalformedPacketError(what, offset - this.#start);
    this.#offset = offset + length;
    return offset;
  }
}
