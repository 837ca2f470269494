import { PacketOutOfOrderError, PacketTooLargeError } from '../errors.ts';
import { MAX_FRAGMENT_BYTES, PACKET_HEADER_BYTES } from './packet-header.ts';

const NOTHING = Buffer.alloc(0);

/**
 * Collects whole payloads out of chunks cut anywhere, and joins the fragments of payloads over 16 MiB. For handshakes,
 * checks and tests: every payload is held in memory, so the hot path uses another framer.
 *
 * `onPacket` gets the payload and the sequence id of its last fragment. The payload may be a view of the chunk:
 * to keep it, copy. Chunks themselves are not kept; their memory may be used again after `push`. `onPacket` may stop the reader (`stop`), e.g. to take over the bytes behind the packet.
 *
 * `push` throws `PacketTooLargeError` as soon as a header announces too much, before anything is allocated for it, and
 * `PacketOutOfOrderError` for a fragment out of sequence; the reader is of no use afterwards.
 */
export class PacketReader {
  readonly #onPacket: (payload: Buffer, sequenceId: number) => void;
  readonly #maxPacketBytes: number;
  /** Received and not used: at most one incomplete fragment with its header, in pieces as they came. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #fragments: Buffer[] = [];
  #fragmentBytes = 0;
  #expectedSequenceId: number | null = null;
  /** Whether the ids of the payload being joined were checked against the packet before it. */
  #checksAcross = false;
  #stopped = false;

  constructor(onPacket: (payload: Buffer, sequenceId: number) => void, maxPacketBytes: number) {
    this.#onPacket = onPacket;
    this.#maxPacketBytes = maxPacketBytes;
  }

  /** The next packet must have this id and its followers count on from it; null (the default) accepts any next one. */
  expect(sequenceId: number | null): void {
    this.#expectedSequenceId = sequenceId;
  }

  /** No more packets are given out; what is left is for `rest`. */
  stop(): void {
    this.#stopped = true;
  }

  /** The bytes behind the last packet given out, a copy. */
  rest(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  /** Whether the bytes so far end between two packets. */
  get isAtBoundary(): boolean {
    return this.#pieceBytes === 0 && this.#fragments.length === 0;
  }

  push(chunk: Buffer): void {
    if (chunk.length > 0) {
      this.#pieces.push(chunk);
      this.#pieceBytes += chunk.length;
    }
    while (!this.#stopped && this.#takeFragment());
    this.#keepRest(chunk);
  }

  /** The caller may read the next bytes into the same memory: what stays here must not be in it. */
  #keepRest(chunk: Buffer): void {
    const last = this.#pieces.at(-1);
    if (last !== undefined && last.buffer === chunk.buffer)
      this.#pieces[this.#pieces.length - 1] = Buffer.from(last);
  }

  /** Handles one complete fragment; false if there is none yet. */
  #takeFragment(): boolean {
    if (this.#pieceBytes < PACKET_HEADER_BYTES) return false;
    const header = this.#peekHeader();
    const length = header.readUIntLE(0, 3);
    const sequenceId = header[3]!;
    const total = this.#fragmentBytes + length;
    if (total > this.#maxPacketBytes) throw new PacketTooLargeError(total, this.#maxPacketBytes);
    if (this.#expectedSequenceId !== null && sequenceId !== this.#expectedSequenceId) {
      throw new PacketOutOfOrderError(this.#expectedSequenceId, sequenceId);
    }
    if (this.#pieceBytes < PACKET_HEADER_BYTES + length) return false;
    const payload = this.#take(PACKET_HEADER_BYTES + length).subarray(PACKET_HEADER_BYTES);
    const isChecked = this.#expectedSequenceId !== null;
    // Within one payload the fragments count up, whether or not packets are checked against each other.
    if (isChecked || length === MAX_FRAGMENT_BYTES) this.#expectedSequenceId = (sequenceId + 1) & 0xff;
    this.#finishFragment(payload, sequenceId, isChecked);
    return true;
  }

  #finishFragment(payload: Buffer, sequenceId: number, isChecked: boolean): void {
    const isFirst = this.#fragments.length === 0;
    if (payload.length === MAX_FRAGMENT_BYTES) {
      if (isFirst) this.#checksAcross = isChecked;
      this.#fragments.push(Buffer.from(payload));
      this.#fragmentBytes += payload.length;
      return;
    }
    if (isFirst) {
      this.#onPacket(payload, sequenceId);
      return;
    }
    const joined = Buffer.concat([...this.#fragments, payload]);
    this.#fragments = [];
    this.#fragmentBytes = 0;
    if (!this.#checksAcross) this.#expectedSequenceId = null;
    this.#onPacket(joined, sequenceId);
  }

  /** The first 4 bytes; there are as many. */
  #peekHeader(): Buffer {
    const first = this.#pieces[0]!;
    if (first.length >= PACKET_HEADER_BYTES) return first;
    return this.#joinPieces();
  }

  /** Removes `count` bytes, of which there are as many. */
  #take(count: number): Buffer {
    const first = this.#pieces[0]!;
    const bytes = first.length >= count ? first : this.#joinPieces();
    const rest = bytes.subarray(count);
    if (rest.length === 0) this.#pieces.shift();
    else this.#pieces[0] = rest;
    this.#pieceBytes -= count;
    return bytes.subarray(0, count);
  }

  #joinPieces(): Buffer {
    const joined = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#pieces = joined.length === 0 ? [] : [joined];
    return joined.length === 0 ? NOTHING : joined;
  }
}
