/**
 * The socket of one client. All clients of a worker read into one shared buffer: a read is handed on before the
 * next one starts, and who needs the bytes later copies them. So an idle client costs no read buffer at all.
 */

import { Socket } from 'node:net';
import { type ClientStream, type ClientStreamOwner, GOODBYE_MS } from './client-stream.ts';
import { DirectWriter } from './direct-writer.ts';
import { ordinarySocket, takeHandle } from './socket-handle.ts';

const SHARED_READ_BYTES = 64 * 1024;
const sharedReadBuffer = Buffer.allocUnsafeSlow(SHARED_READ_BYTES);

export class ClientSocket implements ClientStream {
  readonly #socket: Socket;
  readonly #writer: DirectWriter;
  owner: ClientStreamOwner;
  /** Empty for a Unix socket. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Asked for at the first need: few want to know. */
  #local: { readonly address: string; readonly port: number } | null = null;
  #paused = false;
  #error: Error | null = null;

  /** @param accepted as a server with `pauseOnConnect` hands it out: nothing has been read from it yet. */
  constructor(accepted: Socket, owner: ClientStreamOwner) {
    this.owner = owner;
    this.remoteAddress = (accepted.remoteAddress ?? '').replace(/^::ffff:/, '');
    this.remotePort = accepted.remotePort ?? 0;
    this.#socket = rewrap(accepted, (bytes) => {
      this.owner.onBytes(sharedReadBuffer, bytes);
      return true;
    });
    this.#socket.setNoDelay(true);
    this.#writer = new DirectWriter(this.#socket, () => this.owner.onDrain());
    this.#socket.on('error', (error) => {
      this.#error = error;
    });
    this.#socket.on('end', () => this.#socket.destroy());
    this.#socket.on('close', () => this.owner.onClosed(this.#error));
  }

  /** Of Sluice's own; empty for a Unix socket. */
  get localAddress(): string {
    return this.#localEndpoint.address;
  }

  get localPort(): number {
    return this.#localEndpoint.port;
  }

  get #localEndpoint(): { readonly address: string; readonly port: number } {
    const { localAddress = '', localPort = 0 } = this.#socket;
    this.#local ??= { address: localAddress.replace(/^::ffff:/, ''), port: localPort };
    return this.#local;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  get unsentBytes(): number {
    return this.#writer.unsentBytes;
  }

  write(bytes: Buffer): boolean {
    if (this.#socket.destroyed) return false;
    this.#writer.write(bytes);
    return this.#writer.unsentBytes > 0;
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

  end(): void {
    this.#writer.end();
    this.#socket.end();
    this.#socket.setTimeout(GOODBYE_MS, () => this.#socket.destroy());
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /**
   * Gives the connection away as a socket of Node's ordinary kind, which reads `unread` first; this one is of no use
   * afterwards, and its owner is told nothing more.
   */
  detach(unread: Buffer): Socket {
    // The handle knows it, and goes.
    void this.#localEndpoint;
    return ordinarySocket(this.#socket, unread);
  }
}

/** The accepted socket's handle under a socket that reads into the shared buffer. */
function rewrap(accepted: Socket, callback: (bytes: number) => boolean): Socket {
  const options = { handle: takeHandle(accepted), onread: { buffer: sharedReadBuffer, callback } };
  const socket = new Socket(options as object);
  socket.resume();
  return socket;
}
