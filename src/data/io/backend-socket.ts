/** The socket to one server: reads into its own retaining buffer, writes once per turn of the event loop. */

import { connect, type Socket } from 'node:net';
import type { FlushScheduler } from './flush-scheduler.ts';
import { RetainingReadBuffer } from './retaining-read-buffer.ts';

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
  readonly #socket: Socket;
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
    this.#socket.on('connect', () => owner.onConnected());
    this.#socket.on('drain', () => owner.onDrain());
    this.#socket.on('error', (error) => {
      this.#error = error;
    });
    this.#socket.on('end', () => this.#socket.destroy());
    this.#socket.on('close', () => owner.onClosed(this.#error));
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

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  get unsentBytes(): number {
    return this.#socket.writableLength + this.#outputLength;
  }

  /** Bytes are copied: statements are short, and many go out in one write. */
  append(bytes: Buffer, start = 0, end = bytes.length): void {
    const length = end - start;
    if (this.#outputLength + length > this.#output.length) {
      this.flush();
      if (length > OUTPUT_BYTES) {
        this.#socket.write(Buffer.from(bytes.subarray(start, end)));
        return;
      }
    }
    bytes.copy(this.#output, this.#outputLength, start, end);
    this.#outputLength += length;
    this.#scheduler.schedule(this);
  }

  flush(): void {
    if (this.#outputLength === 0 || this.#socket.destroyed) return;
    const bytes = this.#output.subarray(0, this.#outputLength);
    this.#outputLength = 0;
    this.#socket.write(bytes);
    // What the kernel did not take at once still refers to this memory.
    if (this.#socket.writableLength > 0) this.#output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
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
    this.#socket.end();
    this.#socket.setTimeout(1000, () => this.#socket.destroy());
  }
}
