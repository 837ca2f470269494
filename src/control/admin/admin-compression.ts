/**
 * The compressed protocol around the packets of one admin session. A packet of an operator is short and an answer goes
 * out in slices, so that everything is done at once, here.
 */

import {
  Capability,
  CompressedFrameReader,
  CompressionAlgorithm,
  compressedFrame,
  inflatePayload,
  PacketOutOfOrderError,
} from '../../../protocol/index.ts';

const ZLIB_LEVEL = 1;
const ZSTD_LEVEL = 3;
/** Beside the longest packet: its header, and what else is in the frame. */
const FRAME_SLACK_BYTES = 64 * 1024;
const MOST_FRAME_BYTES = 64 * 1024;

export class AdminCompression {
  readonly #algorithm: CompressionAlgorithm;
  readonly #reader: CompressedFrameReader;
  /** Frames of both directions count on; a new command starts at 0. */
  #nextSequence = 0;

  private constructor(algorithm: CompressionAlgorithm, maxPacketBytes: number) {
    this.#algorithm = algorithm;
    this.#reader = new CompressedFrameReader(maxPacketBytes + FRAME_SLACK_BYTES);
  }

  /** @returns null if the client has not asked for it */
  static for(capabilities: number, maxPacketBytes: number): AdminCompression | null {
    if ((capabilities & Capability.CLIENT_COMPRESS) !== 0)
      return new AdminCompression(CompressionAlgorithm.zlib, maxPacketBytes);
    if ((capabilities & Capability.CLIENT_ZSTD_COMPRESSION_ALGORITHM) !== 0)
      return new AdminCompression(CompressionAlgorithm.zstd, maxPacketBytes);
    return null;
  }

  append(chunk: Buffer): void {
    this.#reader.append(chunk);
  }

  /**
   * What the next frame holds; null while it is not there as a whole.
   * @throws ProtocolError if it is no such frame, not the next one, or announces more than any packet may have
   */
  next(): Buffer | null {
    const frame = this.#reader.next();
    if (frame === null) return null;
    const { payload, uncompressedBytes, sequenceId } = frame;
    if (sequenceId !== this.#nextSequence && sequenceId !== 0)
      throw new PacketOutOfOrderError(this.#nextSequence, sequenceId);
    this.#nextSequence = (sequenceId + 1) & 0xff;
    if (uncompressedBytes === 0) return Buffer.from(payload);
    return inflatePayload(this.#algorithm, payload, uncompressedBytes);
  }

  /** The bytes in frames. */
  wrap(bytes: Buffer): Buffer {
    const frames: Buffer[] = [];
    const level = this.#algorithm === CompressionAlgorithm.zlib ? ZLIB_LEVEL : ZSTD_LEVEL;
    for (let from = 0; from < bytes.length; from += MOST_FRAME_BYTES) {
      const content = bytes.subarray(from, from + MOST_FRAME_BYTES);
      frames.push(compressedFrame(this.#algorithm, level, content, this.#nextSequence));
      this.#nextSequence = (this.#nextSequence + 1) & 0xff;
    }
    return Buffer.concat(frames);
  }
}
