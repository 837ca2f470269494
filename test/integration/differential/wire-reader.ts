/** Reads the protocol's integers and strings from one payload; a read past the end throws a RangeError. */
export class WireReader {
  readonly #payload: Buffer;
  #offset = 0;

  constructor(payload: Buffer) {
    this.#payload = payload;
  }

  get remaining(): number {
    return this.#payload.length - this.#offset;
  }

  int(bytes: 1 | 2 | 3 | 4 | 6): number {
    const value = this.#payload.readUIntLE(this.#offset, bytes);
    this.#offset += bytes;
    return value;
  }

  /** As a decimal string, for it may be over 2^53; null for the NULL marker. */
  lenencInt(): string | null {
    const first = this.int(1);
    if (first < 0xfb) return String(first);
    if (first === 0xfb) return null;
    if (first === 0xfc) return String(this.int(2));
    if (first === 0xfd) return String(this.int(3));
    const value = this.#payload.readBigUInt64LE(this.#offset);
    this.#offset += 8;
    return String(value);
  }

  bytes(count: number): Buffer {
    if (count > this.remaining) throw new RangeError(`${count} bytes wanted, ${this.remaining} left`);
    const value = this.#payload.subarray(this.#offset, this.#offset + count);
    this.#offset += count;
    return value;
  }

  lenencBytes(): Buffer {
    return this.bytes(Number(this.lenencInt() ?? 0));
  }

  /** Up to the next zero byte, or to the end where there is none. */
  nulString(): string {
    const end = this.#payload.indexOf(0, this.#offset);
    const stop = end === -1 ? this.#payload.length : end;
    const value = this.#payload.toString('latin1', this.#offset, stop);
    this.#offset = Math.min(stop + 1, this.#payload.length);
    return value;
  }

  rest(): Buffer {
    return this.bytes(this.remaining);
  }
}
