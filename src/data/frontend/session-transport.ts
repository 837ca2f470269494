/** What a session needs of its client's side. */

import type { TlsDescription } from '../io/tls-client-stream.ts';
import type { ClientSilence } from './client-silence.ts';
import type { ClientTransport } from './client-transport.ts';

export interface SessionTransport {
  write(bytes: Buffer): boolean;
  readonly unsentBytes: number;
  /** The session takes commands again. */
  resumeInput(): void;
  /** The session is idle from now on, for no longer than it has allowed itself by `wait_timeout`. */
  idles(): void;
  close(reason: string): void;
  /** `address:port`, as servers show it. */
  readonly host: string;
  /** Of Sluice's own that the client has connected to; '' and 0 for a Unix socket. */
  readonly localAddress: string;
  readonly localPort: number;
  /** null without TLS. */
  describeTls(): TlsDescription | null;
  /** When the client last sent something, by `performance.now()`. */
  readonly lastActivity: number;
}

/** What a client's connection does at the end of a command, and at the end of all. */
export interface SessionListener {
  resumeInput(): void;
  end(reason: string): void;
}

/** One class for all clients: objects with accessors of their own would each have a shape of their own. */
export class ClientSessionTransport implements SessionTransport {
  readonly #socket: ClientTransport;
  readonly #silence: ClientSilence;
  readonly #listener: SessionListener;
  readonly host: string;

  constructor(socket: ClientTransport, silence: ClientSilence, listener: SessionListener) {
    this.#socket = socket;
    this.#silence = silence;
    this.#listener = listener;
    this.host = socket.remoteEndpoint;
  }

  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes);
  }

  get unsentBytes(): number {
    return this.#socket.unsentBytes;
  }

  resumeInput(): void {
    this.#listener.resumeInput();
  }

  idles(): void {
    this.#silence.lastActivity = performance.now();
    this.#silence.armForCommand();
  }

  close(reason: string): void {
    this.#listener.end(reason);
  }

  get localAddress(): string {
    return this.#socket.localAddress;
  }

  get localPort(): number {
    return this.#socket.localPort;
  }

  describeTls(): TlsDescription | null {
    return this.#socket.describeTls();
  }

  get lastActivity(): number {
    return this.#silence.lastActivity;
  }
}
