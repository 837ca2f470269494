/**
 * Puts a client's packets together. A packet that lies whole in the read buffer is handed on where it lies; only
 * one that does not is copied. What comes while the session is busy waits here, and a client that sends too much
 * meanwhile is not read from.
 */

import { PacketOutOfOrderError } from '../../../protocol/index.ts';

const MAX_PAYLOAD = 0xffffff;
/** More than this from a client whose statement still runs: stop reading. */
const WAITING_BYTES = 64 * 1024;

export interface PacketConsumer {
  /** Whether the next packet may be handed on. */
  acceptsPacket(): boolean;
  /**
   * One packet. `buffer[start, end)` is its payload, `buffer[start - 4, start)` its header, unless `joined`: then
   * the payload was put together from several frames, and there is no header.
   */
  packet(buffer: Buffer, start: number, end: number, sequenceId: number, joined: boolean): void;
  /** More than `maxPacketBytes` was announced. */
  packetTooLarge(sequenceId: number): void;
}

export class PacketInput {
  readonly #consumer: PacketConsumer;
  maxPacketBytes: number;
  /** Whether the frames of a long packet must count on; inside of compression nobody counts them. */
  countsFrames = true;
  #waiting: Buffer | null = null;
  #waitingLength = 0;
  /** Frames of a packet of 16 MiB or more. */
  #parts: Buffer[] = [];
  #partsBytes = 0;
  /** Of the frame that must come next, while a packet is being joined. */
  #nextPart = 0;
  #busy = false;

  constructor(consumer: PacketConsumer, maxPacketBytes: number) {
    this.#consumer = consumer;
    this.maxPacketBytes = maxPacketBytes;
  }

  get waitingBytes(): number {
    return this.#waitingLength;
  }

  get wantsPause(): boolean {
    return this.#waitingLength > WAITING_BYTES && !this.#consumer.acceptsPacket();
  }

  /**
   * `buffer[0, length)` is the reader's own and not kept.
   * @throws PacketOutOfOrderError when the frames of a long packet do not count on; nothing more is to be pushed.
   */
  push(buffer: Buffer, length: number): void {
    if (this.#waitingLength > 0 || this.#busy) {
      this.#append(buffer, 0, length);
      this.resume();
      return;
    }
    this.#busy = true;
    const used = this.#walk(buffer, 0, length);
    this.#busy = false;
    if (used < length) this.#append(buffer, used, length);
    else if (this.#waitingLength > 0) this.resume();
  }

  /** The consumer accepts packets again. */
  resume(): void {
    if (this.#busy) return;
    while (this.#waitingLength > 0 && this.#consumer.acceptsPacket()) {
      const buffer = this.#waiting!;
      const length = this.#waitingLength;
      // Given away for the walk: what is pushed meanwhile goes to a new one.
      this.#waiting = null;
      this.#waitingLength = 0;
      this.#busy = true;
      const used = this.#walk(buffer, 0, length);
      this.#busy = false;
      this.#putBack(buffer, used, length);
      if (used === 0) return;
    }
  }

  /** What was not used goes in front of what has come meanwhile. */
  #putBack(buffer: Buffer, used: number, length: number): void {
    const left = length - used;
    const meanwhile = this.#waitingLength > 0 ? this.#waiting!.subarray(0, this.#waitingLength) : null;
    if (meanwhile !== null) {
      this.#waiting = Buffer.concat([buffer.subarray(used, length), meanwhile]);
      this.#waitingLength += left;
      return;
    }
    this.#waitingLength = left;
    if (left === 0) return;
    // A long packet grows in place, chunk by chunk; a short rest does not keep a long packet's memory.
    if (used === 0) this.#waiting = buffer;
    else
      this.#waiting =
        left * 2 < buffer.length ? Buffer.from(buffer.subarray(used, length)) : buffer.subarray(used);
  }

  /** Everything that has not been handed on, raw; for a stream of bytes that are no commands. */
  takeWaiting(): Buffer {
    const bytes = this.#waiting === null ? Buffer.alloc(0) : this.#waiting.subarray(0, this.#waitingLength);
    this.#waiting = null;
    this.#waitingLength = 0;
    return bytes;
  }

  #walk(buffer: Buffer, start: number, end: number): number {
    let position = start;
    while (end - position >= 4 && this.#consumer.acceptsPacket()) {
      const length = buffer[position]! | (buffer[position + 1]! << 8) | (buffer[position + 2]! << 16);
      const sequenceId = buffer[position + 3]!;
      if (this.#partsBytes + length > this.maxPacketBytes) {
        this.#consumer.packetTooLarge(sequenceId);
        return end;
      }
      if (end - position < 4 + length) break;
      if (this.#partsBytes > 0 && sequenceId !== this.#nextPart && this.countsFrames)
        throw new PacketOutOfOrderError(this.#nextPart, sequenceId);
      const payload = position + 4;
      position = payload + length;
      if (length === MAX_PAYLOAD) {
        this.#parts.push(Buffer.from(buffer.subarray(payload, position)));
        this.#partsBytes += length;
        this.#nextPart = (sequenceId + 1) & 0xff;
      } else if (this.#partsBytes > 0) {
        const joined = Buffer.concat([...this.#parts, buffer.subarray(payload, position)]);
        this.#parts = [];
        this.#partsBytes = 0;
        this.#consumer.packet(joined, 0, joined.length, sequenceId, true);
      } else {
        this.#consumer.packet(buffer, payload, position, sequenceId, false);
      }
    }
    return position;
  }

  #append(buffer: Buffer, start: number, end: number): void {
    const needed = this.#waitingLength + end - start;
    if (this.#waiting === null || this.#waiting.length < needed) {
      const grown = Buffer.allocUnsafe(this.#capacityFor(needed));
      this.#waiting?.copy(grown, 0, 0, this.#waitingLength);
      this.#waiting = grown;
    }
    buffer.copy(this.#waiting, this.#waitingLength, start, end);
    this.#waitingLength = needed;
  }

  /** For a long packet whose length is known, in few steps; else doubling. */
  #capacityFor(needed: number): number {
    const waiting = this.#waiting;
    let announced = 0;
    if (waiting !== null && this.#waitingLength >= 3) {
      announced = 4 + (waiting[0]! | (waiting[1]! << 8) | (waiting[2]! << 16));
    }
    // What is announced may never come: memory follows what has.
    return Math.max(needed, Math.min(announced, needed * 8), Math.min(needed * 2, 1 << 20), 512);
  }
}
