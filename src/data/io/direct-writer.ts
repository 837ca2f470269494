/**
 * Writes to the handle of a socket without what Node's stream puts around it: an object for each write, and a round of the
 * tick queue behind it. Nearly every write is taken by the kernel at once; then nothing is left of it. What is not waits in
 * libuv's queue, in order.
 *
 * Node's own sockets write in the same way, by the same class and the same word of state. Where a version of it has them
 * elsewhere, all is written to the stream.
 */

import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';

/** One write. Node's native side is done with it at once, or keeps it until the kernel has taken all. */
interface WriteRequest {
  oncomplete: ((status: number) => void) | null;
  /** So that they live as long as it does. */
  bytes: Buffer | null;
}

interface WritableHandle {
  /** @returns 0, or an error of libuv. */
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
}

interface StreamInternals {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
}

const internals = streamInternals();

/** What Node has no public name for, as `_handle` in `socket-handle.ts`. */
function streamInternals(): StreamInternals | null {
  const { binding } = process as unknown as { binding?(name: string): Partial<StreamInternals> };
  try {
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = binding?.call(process, 'stream_wrap') ?? {};
    if (WriteWrap === undefined || streamBaseState === undefined || kLastWriteWasAsync === undefined)
      return null;
    return { WriteWrap, streamBaseState, kLastWriteWasAsync };
  } catch {
    return null;
  }
}

/** One that was done with at once serves the next write of whatever socket. */
let spare: WriteRequest | null = null;

export class DirectWriter {
  readonly #socket: Socket;
  readonly #drained: () => void;
  #waitingBytes = 0;
  #usesStream = internals === null;

  /** @param socket connected, and not in TLS. @param drained called when bytes had to wait, and none do any more. */
  constructor(socket: Socket, drained: () => void) {
    this.#socket = socket;
    this.#drained = drained;
    socket.on('drain', drained);
  }

  /** That the kernel has not taken yet: what was written before it may still be referenced as long as there are any. */
  get unsentBytes(): number {
    return this.#usesStream ? this.#waitingBytes + this.#socket.writableLength : this.#waitingBytes;
  }

  write(bytes: Buffer): void {
    const socket = this.#socket;
    const { _handle: handle } = socket as unknown as { readonly _handle: WritableHandle | null };
    if (internals === null || this.#usesStream || handle === null) {
      socket.write(bytes);
      return;
    }
    const request = spare ?? new internals.WriteWrap();
    spare = null;
    const status = handle.writeBuffer(request, bytes);
    if (status === 0 && internals.streamBaseState[internals.kLastWriteWasAsync] === 0) spare = request;
    else if (status === 0) this.#waits(request, bytes);
    else socket.destroy(writeError(status));
  }

  /** From here on the stream is written to: it is about to end, and says what comes too late. */
  end(): void {
    this.#usesStream = true;
  }

  #waits(request: WriteRequest, bytes: Buffer): void {
    this.#waitingBytes += bytes.length;
    request.bytes = bytes;
    request.oncomplete = (status) => {
      this.#waitingBytes -= bytes.length;
      if (this.#socket.destroyed) return;
      if (status < 0) this.#socket.destroy(writeError(status));
      else if (this.#waitingBytes === 0) this.#drained();
    };
  }
}

function writeError(status: number): Error {
  return new Error(`write ${getSystemErrorName(status)}`);
}
