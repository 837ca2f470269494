/**
 * MySQL's compressed protocol on top of another stream. Nobody waits long for somebody else's data: what is sent is
 * compressed in blocks of 64 KiB, one for each client and turn of the event loop; of what is received, frames of up to
 * 64 KiB are inflated at once and larger ones in Node's thread pool.
 */

import { inflate, zstdDecompress } from 'node:zlib';
import {
  type CompressedFrame,
  CompressedFrameReader,
  CompressionAlgorithm,
  checkInflated,
  compressedFrame,
  inflateFailure,
  inflateOptions,
  inflatePayload,
  PacketOutOfOrderError,
} from '../../../protocol/index.ts';
import { BlockPool } from '../io/block-pool.ts';
import type { ClientStream, ClientStreamOwner } from '../io/client-stream.ts';
import type { Flushable, FlushScheduler } from '../io/flush-scheduler.ts';

const BLOCK_BYTES = 64 * 1024;
const INFLATE_AT_ONCE_BYTES = 64 * 1024;
/** With more than this waiting, compressed, the rest waits uncompressed. */
const SENT_AHEAD_BYTES = 256 * 1024;
/** More than this that cannot be used now: stop reading. */
const WAITING_BYTES = 64 * 1024;
/** Beside the longest packet: the headers of its fragments, and what else is in the frame. */
const FRAME_SLACK_BYTES = 64 * 1024;

const blocks = new BlockPool(BLOCK_BYTES);

interface Block {
  readonly bytes: Buffer;
  length: number;
}

export interface CompressionSettings {
  readonly algorithm: CompressionAlgorithm;
  readonly level: number;
  readonly maxPacketBytes: number;
}

export class CompressedClientStream implements ClientStream, Flushable {
  owner: ClientStreamOwner;
  scheduled = false;
  readonly #inner: ClientStream;
  readonly #settings: CompressionSettings;
  readonly #scheduler: FlushScheduler;
  readonly #reader: CompressedFrameReader;
  /** Frames of both directions count on; a new command starts at 0. */
  #nextSequence = 0;
  readonly #waiting: Block[] = [];
  #waitingBytes = 0;
  #paused = false;
  #innerPaused = false;
  #inflating = false;
  #processing = false;
  #broken = false;
  /** Somebody was told that much waits. */
  #owesDrain = false;

  constructor(inner: ClientStream, settings: CompressionSettings, scheduler: FlushScheduler) {
    this.owner = inner.owner;
    this.#inner = inner;
    this.#settings = settings;
    this.#scheduler = scheduler;
    this.#reader = new CompressedFrameReader(settings.maxPacketBytes + FRAME_SLACK_BYTES);
    inner.owner = {
      onBytes: (buffer, length) => this.#received(buffer, length),
      onDrain: () => this.#innerDrained(),
      onClosed: (error) => this.owner.onClosed(error),
      onBroken: (error) => this.owner.onBroken(error),
      acceptsBytes: () => true,
    };
  }

  get destroyed(): boolean {
    return this.#inner.destroyed;
  }

  get unsentBytes(): number {
    return this.#inner.unsentBytes + this.#waitingBytes;
  }

  write(bytes: Buffer): boolean {
    if (this.#inner.destroyed) return false;
    let from = 0;
    while (from < bytes.length) {
      const block = this.#blockWithRoom();
      const count = bytes.copy(block.bytes, block.length, from);
      block.length += count;
      from += count;
    }
    this.#waitingBytes += bytes.length;
    this.#scheduler.schedule(this);
    this.#owesDrain ||= this.unsentBytes > BLOCK_BYTES;
    return this.#owesDrain;
  }

  /** Compresses and sends one block. */
  flush(): void {
    if (this.#inner.unsentBytes <= SENT_AHEAD_BYTES) this.#sendBlock();
    if (this.#waiting.length === 0) this.#tellDrained();
    // Else `#innerDrained` goes on.
    else if (this.#inner.unsentBytes <= SENT_AHEAD_BYTES) this.#scheduler.schedule(this);
  }

  pause(): void {
    this.#paused = true;
    this.#pauseInner();
  }

  resume(): void {
    this.#paused = false;
    this.#process();
  }

  end(): void {
    this.#flushAll();
    this.#inner.end();
  }

  destroy(): void {
    this.#inner.destroy();
  }

  // ---- sending

  #blockWithRoom(): Block {
    const last = this.#waiting.at(-1);
    if (last !== undefined && last.length < BLOCK_BYTES) return last;
    const block = { bytes: blocks.take(), length: 0 };
    this.#waiting.push(block);
    return block;
  }

  #sendBlock(): void {
    const block = this.#waiting.shift();
    if (block === undefined) return;
    const { algorithm, level } = this.#settings;
    const content = block.bytes.subarray(0, block.length);
    this.#waitingBytes -= block.length;
    const frame = compressedFrame(algorithm, level, content, this.#nextSequence);
    this.#nextSequence = (this.#nextSequence + 1) & 0xff;
    // A frame that is not compressed holds a copy.
    blocks.giveBack(block.bytes);
    this.#inner.write(frame);
  }

  #flushAll(): void {
    while (this.#waiting.length > 0) this.#sendBlock();
  }

  #innerDrained(): void {
    if (this.#waiting.length > 0) this.#scheduler.schedule(this);
    else this.#tellDrained();
  }

  #tellDrained(): void {
    // What the stream below has too much of it tells about itself.
    if (!this.#owesDrain || this.#inner.unsentBytes > SENT_AHEAD_BYTES) return;
    this.#owesDrain = false;
    this.owner.onDrain();
  }

  // ---- receiving

  #received(buffer: Buffer, length: number): void {
    if (this.#broken) return;
    this.#reader.append(buffer, length);
    this.#process();
  }

  /** Hands on what can be used now. */
  #process(): void {
    if (this.#processing) return;
    this.#processing = true;
    try {
      while (this.#mayTake()) {
        const frame = this.#reader.next();
        if (frame === null) break;
        this.#take(frame);
      }
    } catch (error) {
      this.#fail(error as Error);
    }
    this.#processing = false;
    if (!this.#mayTake() && this.#reader.bufferedBytes > WAITING_BYTES) this.#pauseInner();
    else if (!this.#paused && !this.#inflating) this.#resumeInner();
  }

  #mayTake(): boolean {
    // A command that came early would begin to count while the answer before it does.
    return !this.#paused && !this.#inflating && !this.#broken && this.owner.acceptsBytes();
  }

  #take({ payload, uncompressedBytes, sequenceId }: CompressedFrame): void {
    if (sequenceId !== this.#nextSequence && sequenceId !== 0)
      throw new PacketOutOfOrderError(this.#nextSequence, sequenceId);
    if (sequenceId === 0) this.#flushAll();
    this.#nextSequence = (sequenceId + 1) & 0xff;
    if (uncompressedBytes === 0) this.owner.onBytes(payload, payload.length);
    else if (uncompressedBytes <= INFLATE_AT_ONCE_BYTES)
      this.owner.onBytes(
        inflatePayload(this.#settings.algorithm, payload, uncompressedBytes),
        uncompressedBytes,
      );
    else this.#inflateElsewhere(Buffer.from(payload), uncompressedBytes);
  }

  #inflateElsewhere(payload: Buffer, uncompressedBytes: number): void {
    this.#inflating = true;
    this.#pauseInner();
    const done = (error: Error | null, inflated: Buffer): void => {
      this.#inflating = false;
      if (this.#inner.destroyed || this.#broken) return;
      try {
        if (error !== null) throw inflateFailure(error);
        this.owner.onBytes(checkInflated(inflated, uncompressedBytes), uncompressedBytes);
      } catch (failure) {
        this.#fail(failure as Error);
      }
      this.#process();
    };
    const options = inflateOptions(uncompressedBytes);
    if (this.#settings.algorithm === CompressionAlgorithm.zlib) inflate(payload, options, done);
    else zstdDecompress(payload, options, done);
  }

  #fail(error: Error): void {
    this.#broken = true;
    this.#nextSequence = (this.#reader.sequenceId + 1) & 0xff;
    this.owner.onBroken(error);
  }

  #pauseInner(): void {
    if (this.#innerPaused) return;
    this.#innerPaused = true;
    this.#inner.pause();
  }

  #resumeInner(): void {
    if (!this.#innerPaused) return;
    this.#innerPaused = false;
    this.#inner.resume();
  }
}
