/** The payload of a command that cannot be sent yet, or may have to be sent again. One per session, grown on demand. */

/** A longer buffer than this is not kept for the next command: idle clients would keep it all the same. */
const KEPT_BYTES = 16 * 1024;
const FIRST_BYTES = 256;

export class KeptPacket {
  bytes = Buffer.alloc(0);
  length = 0;

  /** null when nothing is kept. */
  get buffer(): Buffer | null {
    return this.length > 0 ? this.bytes : null;
  }

  clear(): void {
    this.length = 0;
    if (this.bytes.length > KEPT_BYTES) this.bytes = Buffer.alloc(0);
  }

  /** Copies `buffer[start, end)`, unless it is what is kept already. */
  keep(buffer: Buffer, start: number, end: number): void {
    if (buffer === this.bytes) return;
    const length = end - start;
    if (this.bytes.length < length) this.bytes = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, length));
    buffer.copy(this.bytes, 0, start, end);
    this.length = length;
  }
}
