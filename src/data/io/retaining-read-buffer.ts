/**
 * Where one backend socket reads into. The kernel writes behind the bytes that are kept from the last read (the
 * start of a packet whose end has not come), so that every packet to be looked into is in one piece; and there is
 * always some room in front, which lets the response tracker put an EOF packet into an answer without moving rows.
 */

/** Free bytes in front of what is read: as many as the tracker may put in, and some. */
export const HEADROOM_BYTES = 64;
const MAX_BYTES = 8 << 20;

export class RetainingReadBuffer {
  buffer: Buffer;
  #readAt = HEADROOM_BYTES;
  #start = HEADROOM_BYTES;
  #view: Buffer;
  #viewChanged = false;

  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(HEADROOM_BYTES + bytes);
    this.#view = this.buffer.subarray(this.#readAt);
  }

  /** The memory for the next read. */
  get view(): Buffer {
    return this.#view;
  }

  /** The same if it is another one than at the last call, else null (which keeps Node from setting it again). */
  takeChangedView(): Buffer | null {
    if (!this.#viewChanged) return null;
    this.#viewChanged = false;
    return this.#view;
  }

  /** Where the unread bytes begin: kept ones first, then new ones. */
  get start(): number {
    return this.#start;
  }

  /** @returns the end of the unread bytes after `count` more have come. */
  received(count: number): number {
    return this.#readAt + count;
  }

  /**
   * Bytes before `consumed` are done with.
   * @param retained somebody still refers to bytes of this buffer: it is left to them.
   * @throws RangeError when a packet that must be seen as a whole is larger than any such packet is.
   */
  settle(consumed: number, end: number, retained: boolean): void {
    const kept = end - consumed;
    const capacity = this.buffer.length - HEADROOM_BYTES;
    if (retained || kept > capacity / 2) {
      const wanted = kept > capacity / 2 ? capacity * 2 : capacity;
      if (wanted > MAX_BYTES) throw new RangeError(`control packet of over ${MAX_BYTES / 2} bytes`);
      const old = this.buffer;
      this.buffer = Buffer.allocUnsafeSlow(HEADROOM_BYTES + wanted);
      old.copy(this.buffer, HEADROOM_BYTES, consumed, end);
      this.#moveTo(HEADROOM_BYTES + kept, true);
      return;
    }
    if (kept > 0) this.buffer.copyWithin(HEADROOM_BYTES, consumed, end);
    this.#moveTo(HEADROOM_BYTES + kept, false);
  }

  #moveTo(readAt: number, otherBuffer: boolean): void {
    if (readAt === this.#readAt && !otherBuffer) return;
    this.#readAt = readAt;
    this.#view = this.buffer.subarray(readAt);
    this.#viewChanged = true;
  }
}
