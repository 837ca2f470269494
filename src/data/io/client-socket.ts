/**
 * The socket of one client. All clients of a worker read into one shared buffer: a read is handed on before the
 * next one starts, and who needs the bytes later copies them. So an idle client costs no read buffer at all.
 */

import { Socket } from 'node:net';

export interface ClientSocketOwner {
  /** `buffer[0, length)` is valid until the return. */
  onBytes(buffer: Buffer, length: number): void;
  onDrain(): void;
  onClosed(error: Error | null): void;
}

/** What `net.Socket` takes but does not document: the server itself makes its sockets with it. */
interface HandleOwner {
  _handle: object | null;
}

const SHARED_READ_BYTES = 64 * 1024;
const sharedReadBuffer = Buffer.allocUnsafeSlow(SHARED_READ_BYTES);

export class ClientSocket {
  readonly #socket: Socket;
  readonly remoteAddress: string;
  readonly remotePort: number;
  #paused = false;
  #error: Error | null = null;

  /** @param accepted as a server with `pauseOnConnect` hands it out: nothing has been read from it yet. */
  constructor(accepted: Socket, owner: ClientSocketOwner) {
    this.remoteAddress = accepted.remoteAddress ?? '';
    this.remotePort = accepted.remotePort ?? 0;
    this.#socket = rewrap(accepted, (bytes) => {
      owner.onBytes(sharedReadBuffer, bytes);
      return true;
    });
    this.#socket.setNoDelay(true);
    this.#socket.on('drain', () => owner.onDrain());
    this.#socket.on('error', (error) => {
      this.#error = error;
    });
    this.#socket.on('end', () => this.#socket.destroy());
    this.#socket.on('close', () => owner.onClosed(this.#error));
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  /** Bytes that the kernel has not taken yet. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** @returns true if the bytes are still referenced: the kernel did not take them all at once. */
  write(bytes: Buffer): boolean {
    if (this.#socket.destroyed) return false;
    this.#socket.write(bytes);
    return this.#socket.writableLength > 0;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** Closes when all that was written is sent. */
  end(): void {
    this.#socket.end();
    // A client that never reads its last packet, nor closes, must not keep the descriptor.
    this.#socket.setTimeout(2000, () => this.#socket.destroy());
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** The accepted socket's handle under a socket that reads into the shared buffer. */
function rewrap(accepted: Socket, callback: (bytes: number) => boolean): Socket {
  const donor = accepted as unknown as HandleOwner;
  const handle = donor._handle;
  donor._handle = null;
  const options = { handle, onread: { buffer: sharedReadBuffer, callback } };
  const socket = new Socket(options as object);
  socket.resume();
  return socket;
}
