/**
 * The compressed protocol's outer layer: frames with a 7-byte header around a stream of packets. A frame may hold
 * several packets, or a part of one; what is not worth compressing is in it as it is.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression_packet.html
 */

import {
  deflateSync,
  inflateSync,
  constants as zlibConstants,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import { MalformedPacketError, PacketTooLargeError } from '../errors.ts';

export const COMPRESSED_HEADER_BYTES = 7;
/** Below this many bytes servers and clients do not compress: the result would hardly be shorter. */
export const MIN_COMPRESS_BYTES = 50;
const MAX_FRAME_BYTES = 0xff_ffff;
/** No frame needs a larger window; a decoder takes its memory before it has seen a byte of the content. */
const ZSTD_WINDOW_LOG_MAX = 24;

export const CompressionAlgorithm = { zlib: 'zlib', zstd: 'zstd' } as const;
export type CompressionAlgorithm = (typeof CompressionAlgorithm)[keyof typeof CompressionAlgorithm];

export interface CompressedFrame {
  /** A view, valid until the next `append`. */
  readonly payload: Buffer;
  /** After inflating; 0 if the payload is not compressed. */
  readonly uncompressedBytes: number;
  readonly sequenceId: number;
}

/** Cuts frames out of chunks cut anywhere. Memory follows the bytes that have come, not those that were announced. */
export class CompressedFrameReader {
  readonly #maxFrameBytes: number;
  #bytes: Buffer | null = null;
  #start = 0;
  #end = 0;
  /** Of the header that was read last, also if it was refused: an answer to it counts on from there. */
  sequenceId = 0;

  /** @param maxFrameBytes of one frame, compressed and not; what announces more is refused by its header alone. */
  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Bytes that no frame given out has used. */
  get bufferedBytes(): number {
    return this.#end - this.#start;
  }

  /** `chunk[0, length)` is copied. */
  append(chunk: Buffer, length = chunk.length): void {
    const kept = this.#end - this.#start;
    const needed = kept + length;
    if (this.#bytes === null || this.#bytes.length < needed) {
      const grown = Buffer.allocUnsafe(Math.max(needed, Math.min(needed * 2, 1 << 20)));
      this.#bytes?.copy(grown, 0, this.#start, this.#end);
      this.#bytes = grown;
    } else if (this.#bytes.length < this.#end + length) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
    } else {
      chunk.copy(this.#bytes, this.#end, 0, length);
      this.#end += length;
      return;
    }
    this.#start = 0;
    chunk.copy(this.#bytes, kept, 0, length);
    this.#end = needed;
  }

  /**
   * The next complete frame, or null.
   * @throws PacketTooLargeError as soon as a header announces more than the limit, before anything is inflated.
   * @throws MalformedPacketError for a frame of nothing.
   */
  next(): CompressedFrame | null {
    const bytes = this.#bytes;
    if (bytes === null || this.#end - this.#start < COMPRESSED_HEADER_BYTES) return null;
    const at = this.#start;
    const compressedBytes = bytes.readUIntLE(at, 3);
    const uncompressedBytes = bytes.readUIntLE(at + 4, 3);
    this.sequenceId = bytes[at + 3]!;
    const larger = Math.max(compressedBytes, uncompressedBytes);
    if (larger > this.#maxFrameBytes) throw new PacketTooLargeError(larger, this.#maxFrameBytes);
    if (compressedBytes === 0) throw new MalformedPacketError('compressed frame of nothing', 0);
    const payloadStart = at + COMPRESSED_HEADER_BYTES;
    if (this.#end < payloadStart + compressedBytes) return null;
    this.#start = payloadStart + compressedBytes;
    const payload = bytes.subarray(payloadStart, this.#start);
    if (this.#start === this.#end) {
      // Nobody waits with memory for what comes next.
      this.#bytes = null;
      this.#start = 0;
      this.#end = 0;
    }
    return { payload, uncompressedBytes, sequenceId: this.sequenceId };
  }
}

/**
 * What a compressed payload holds.
 * @throws MalformedPacketError if it is not what the algorithm makes, or its length is not the announced one. No more
 * than that is ever inflated.
 */
export function inflatePayload(
  algorithm: CompressionAlgorithm,
  payload: Buffer,
  uncompressedBytes: number,
): Buffer {
  const options = inflateOptions(uncompressedBytes);
  let inflated: Buffer;
  try {
    inflated =
      algorithm === CompressionAlgorithm.zlib
        ? inflateSync(payload, options)
        : zstdDecompressSync(payload, options);
  } catch (error) {
    throw inflateFailure(error as NodeJS.ErrnoException);
  }
  return checkInflated(inflated, uncompressedBytes);
}

/** For whoever inflates by itself, in a thread for example: for both algorithms. */
export function inflateOptions(uncompressedBytes: number): {
  maxOutputLength: number;
  params: Record<number, number>;
} {
  return {
    maxOutputLength: uncompressedBytes,
    params: { [zlibConstants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
  };
}

/** @throws MalformedPacketError if there are fewer bytes than were announced. */
export function checkInflated(inflated: Buffer, uncompressedBytes: number): Buffer {
  if (inflated.length !== uncompressedBytes)
    throw new MalformedPacketError(
      `compressed frame of ${inflated.length} bytes that announced ${uncompressedBytes}`,
      0,
    );
  return inflated;
}

export function inflateFailure(error: NodeJS.ErrnoException): MalformedPacketError {
  return new MalformedPacketError(
    error.code === 'ERR_BUFFER_TOO_LARGE'
      ? 'compressed frame of more bytes than it announced'
      : `compressed frame (${error.code ?? 'not decodable'})`,
    0,
  );
}

/** A complete frame with the bytes of `content`, at most 16 MiB - 1; compressed if that makes it shorter. */
export function compressedFrame(
  algorithm: CompressionAlgorithm,
  level: number,
  content: Buffer,
  sequenceId: number,
): Buffer {
  if (content.length > MAX_FRAME_BYTES)
    throw new RangeError(`a compressed frame holds ${MAX_FRAME_BYTES} bytes, not ${content.length}`);
  const compressed = content.length < MIN_COMPRESS_BYTES ? null : deflate(algorithm, level, content);
  const isShorter = compressed !== null && compressed.length < content.length;
  const payload = isShorter ? compressed : content;
  const frame = Buffer.allocUnsafe(COMPRESSED_HEADER_BYTES + payload.length);
  frame.writeUIntLE(payload.length, 0, 3);
  frame[3] = sequenceId & 0xff;
  frame.writeUIntLE(isShorter ? content.length : 0, 4, 3);
  payload.copy(frame, COMPRESSED_HEADER_BYTES);
  return frame;
}

function deflate(algorithm: CompressionAlgorithm, level: number, content: Buffer): Buffer {
  if (algorithm === CompressionAlgorithm.zlib) return deflateSync(content, { level });
  return zstdCompressSync(content, { params: { [zlibConstants.ZSTD_c_compressionLevel]: level } });
}
