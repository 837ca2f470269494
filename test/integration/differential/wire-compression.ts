import { deflateSync, inflateSync } from 'node:zlib';

const HEADER_BYTES = 7;
const MAX_FRAME_BYTES = 0xffffff;
/** Shorter ones go as they are, as every client does it. */
const MIN_COMPRESSED_BYTES = 50;

/** The compressed protocol (zlib) from the client's side: frames around the packets, counted on their own. */
export class WireCompression {
  readonly #deliver: (bytes: Buffer) => void;
  readonly #complain: (text: string) => void;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #sequenceId = 0;

  constructor(deliver: (bytes: Buffer) => void, complain: (text: string) => void) {
    this.#deliver = deliver;
    this.#complain = complain;
  }

  startCommand(): void {
    this.#sequenceId = 0;
  }

  /** @returns the frames that carry the bytes. */
  wrap(bytes: Buffer): Buffer {
    const frames: Buffer[] = [];
    for (let offset = 0; offset < bytes.length; offset += MAX_FRAME_BYTES) {
      const plain = bytes.subarray(offset, offset + MAX_FRAME_BYTES);
      const isCompressed = plain.length >= MIN_COMPRESSED_BYTES;
      const body = isCompressed ? deflateSync(plain, { level: 1 }) : plain;
      const header = Buffer.alloc(HEADER_BYTES);
      header.writeUIntLE(body.length, 0, 3);
      header[3] = this.#sequenceId;
      header.writeUIntLE(isCompressed ? plain.length : 0, 4, 3);
      this.#sequenceId = (this.#sequenceId + 1) & 0xff;
      frames.push(header, body);
    }
    return Buffer.concat(frames);
  }

  receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    while (this.#buffered >= HEADER_BYTES) {
      const head = (this.#chunks[0] as Buffer).length >= HEADER_BYTES ? this.#chunks[0] : this.#join();
      const bodyBytes = (head as Buffer).readUIntLE(0, 3);
      if (this.#buffered < HEADER_BYTES + bodyBytes) return;
      const joined = this.#join();
      const frame = joined.subarray(0, HEADER_BYTES + bodyBytes);
      const rest = joined.subarray(frame.length);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#buffered = rest.length;
      this.#takeFrame(frame);
    }
  }

  #join(): Buffer {
    const joined = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #takeFrame(frame: Buffer): void {
    const sequenceId = frame[3] as number;
    if (sequenceId !== this.#sequenceId)
      this.#complain(`compressed frame ${sequenceId} where ${this.#sequenceId} was due`);
    this.#sequenceId = (sequenceId + 1) & 0xff;
    const announced = frame.readUIntLE(4, 3);
    const body = frame.subarray(HEADER_BYTES);
    if (announced === 0) {
      this.#deliver(body);
      return;
    }
    const plain = inflateSync(body);
    if (plain.length !== announced) this.#complain(`a frame of ${plain.length} bytes announces ${announced}`);
    this.#deliver(plain);
  }
}
