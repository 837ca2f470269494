/** The socket to one server: reads into its own retaining buffer, writes once per turn of the event loop. */

import { connect, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import { copyBytes } from '../../common/copy-bytes.ts';
import type { BackendTls } from '../../common/snapshot.ts';
import { DirectWriter } from './direct-writer.ts';
import type { FlushScheduler } from './flush-scheduler.ts';
import { RetainingReadBuffer } from './retaining-read-buffer.ts';
import { ordinarySocket } from './socket-handle.ts';
import { backendContext } from './tls-contexts.ts';

export interface BackendSocketOwner {
  onConnected(): void;
  /**
   * `buffer[start, end)` are the bytes not yet taken; `floor` and up to `start` may be overwritten.
   * @returns the index of the first byte that is still needed.
   */
  onBytes(buffer: Buffer, start: number, end: number): number;
  onDrain(): void;
  onClosed(error: Error | null): void;
}

const READ_BYTES = 64 * 1024;
const OUTPUT_BYTES = 16 * 1024;

export class BackendSocket {
  #socket: Socket;
  /** null while it connects, and in TLS. */
  #direct: DirectWriter | null = null;
  #isEncrypted = false;
  readonly #owner: BackendSocketOwner;
  readonly #scheduler: FlushScheduler;
  readonly #input = new RetainingReadBuffer(READ_BYTES);
  #output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  #outputLength = 0;
  #paused = false;
  #error: Error | null = null;
  #firstView = true;
  /** In the flush scheduler's list. */
  scheduled = false;
  /** Set while bytes of the read buffer are handed out and not yet sent. */
  retained = false;

  constructor(
    target: { readonly host: string; readonly port: number },
    scheduler: FlushScheduler,
    owner: BackendSocketOwner,
  ) {
    this.#owner = owner;
    this.#scheduler = scheduler;
    const onread = {
      // Node asks after each read where the next one goes; null means "where it was", which its types do not say.
      buffer: () => this.#nextView() as Uint8Array,
      callback: (bytes: number) => {
        this.#receive(bytes);
        return true;
      },
    };
    this.#socket = connect({
      host: target.host,
      port: target.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      onread,
    });
    this.#socket.on('connect', () => {
      this.#direct = new DirectWriter(this.#socket, () => owner.onDrain());
      owner.onConnected();
    });
    this.#listen();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#owner.onClosed(this.#error));
  }

  /**
   * From here on everything is inside TLS; a handshake that fails closes the connection. What was appended before
   * goes out in clear. `onSecure` is called once.
   */
  startTls(tls: BackendTls, onSecure: () => void): void {
    this.flush();
    this.#direct = null;
    const verifies = tls.mode === 'VERIFY_CA' || tls.mode === 'VERIFY_IDENTITY';
    const raw = ordinarySocket(this.#socket, Buffer.alloc(0));
    const socket = connectTls({
      socket: raw,
      secureContext: backendContext(tls),
      rejectUnauthorized: verifies,
      // An address is no name that could be sent.
      ...(isIP(tls.serverName) === 0 ? { servername: tls.serverName } : {}),
      checkServerIdentity: (_, certificate) =>
        tls.mode === 'VERIFY_IDENTITY' ? checkServerIdentity(tls.serverName, certificate) : undefined,
    });
    this.#socket = socket;
    this.#isEncrypted = true;
    socket.on('drain', () => this.#owner.onDrain());
    let isSecure = false;
    const failed = (error: Error): void => {
      this.#error ??= isSecure
        ? error
        : new Error(`TLS handshake failed: ${error.message}`, { cause: error });
    };
    socket.on('error', failed);
    raw.on('error', failed);
    socket.on('secureConnect', () => {
      isSecure = true;
      onSecure();
    });
    // Node fills its own buffers here, whatever it is told.
    socket.on('data', (bytes: Buffer) => this.#receiveCopied(bytes));
    this.#listen();
  }

  #nextView(): Buffer | null {
    if (!this.#firstView) return this.#input.takeChangedView();
    this.#firstView = false;
    return this.#input.view;
  }

  #receive(bytes: number): void {
    const input = this.#input;
    const end = input.received(bytes);
    this.retained = false;
    const consumed = this.#owner.onBytes(input.buffer, input.start, end);
    if (this.#socket.destroyed) return;
    try {
      input.settle(consumed, end, this.retained);
    } catch (error) {
      this.#socket.destroy(error as Error);
    }
  }

  #receiveCopied(bytes: Buffer): void {
    let from = 0;
    while (from < bytes.length && !this.#socket.destroyed) {
      const count = bytes.copy(this.#input.view, 0, from);
      from += count;
      this.#receive(count);
    }
  }

  get isEncrypted(): boolean {
    return this.#isEncrypted;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  get unsentBytes(): number {
    return this.#referencedBytes + this.#outputLength;
  }

  /** Bytes are copied: statements are short, and many go out in one write. */
  append(bytes: Buffer, start = 0, end = bytes.length): void {
    const length = end - start;
    if (this.#outputLength + length > this.#output.length) {
      this.flush();
      if (length > OUTPUT_BYTES) {
        this.#write(Buffer.from(bytes.subarray(start, end)));
        return;
      }
    }
    this.#outputLength = copyBytes(this.#output, this.#outputLength, bytes, start, end);
    this.#scheduler.schedule(this);
  }

  flush(): void {
    if (this.#outputLength === 0 || this.#socket.destroyed) return;
    const bytes = this.#output.subarray(0, this.#outputLength);
    this.#outputLength = 0;
    const wasBusy = this.#referencedBytes > 0;
    this.#write(bytes);
    // What the kernel did not take at once still refers to this memory; TLS makes a copy unless it has to wait.
    const isReferenced = this.#isEncrypted ? wasBusy : this.#referencedBytes > 0;
    if (isReferenced) this.#output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  }

  /** Of what was written. */
  get #referencedBytes(): number {
    return this.#direct === null ? this.#socket.writableLength : this.#direct.unsentBytes;
  }

  #write(bytes: Buffer): void {
    if (this.#direct === null) this.#socket.write(bytes);
    else this.#direct.write(bytes);
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

  destroy(error?: Error): void {
    this.#socket.destroy(error);
  }

  /** Sends what is left, then closes. */
  end(): void {
    this.flush();
    this.#direct?.end();
    this.#socket.end();
    this.#socket.setTimeout(1000, () => this.#socket.destroy());
  }
}
