/** How the bytes of one operator travel: plain or in TLS, and compressed on top of either. */

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { AdminCompression } from './admin-compression.ts';
import type { AdminTls } from './admin-tls.ts';

export interface AdminTransportOwner {
  /** Packets, cut anywhere; not called while paused. */
  onBytes(chunk: Buffer): void;
  /** What came is not what the layer takes. */
  onBroken(error: unknown): void;
  /** `error`: why, where the client did not just go. */
  onClosed(error: Error | null): void;
}

/** `server.on('secureConnection')` looks at this too; without a `tls.Server` there is no public name for it. */
interface VerifyingHandle {
  verifyError(): Error | null | undefined;
}

export class AdminTransport {
  readonly #owner: AdminTransportOwner;
  /** As ER_ACCESS_DENIED_ERROR names it. */
  readonly host: string;
  /** A Unix socket: nobody can listen in. */
  readonly isLocal: boolean;
  #stream: Socket;
  #isEncrypted = false;
  #hasCertificate = false;
  #compression: AdminCompression | null = null;
  #paused = false;
  #error: Error | null = null;

  constructor(socket: Socket, owner: AdminTransportOwner) {
    this.#owner = owner;
    this.#stream = socket;
    this.isLocal = socket.remoteAddress === undefined;
    this.host = (socket.remoteAddress ?? 'localhost').replace(/^::ffff:/, '');
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    this.#listen(socket);
    socket.on('close', () => {
      if (this.#stream === socket) owner.onClosed(this.#error);
    });
  }

  get isSecure(): boolean {
    return this.#isEncrypted || this.isLocal;
  }

  get isCompressed(): boolean {
    return this.#compression !== null;
  }

  /** null for a connection without TLS. */
  get tls(): { readonly protocol: string; readonly cipher: string } | null {
    const stream = this.#stream;
    if (!(stream instanceof TLSSocket)) return null;
    return { protocol: stream.getProtocol() ?? '', cipher: stream.getCipher().name };
  }

  /** The client has shown one that the configured authority has signed. */
  get hasCertificate(): boolean {
    return this.#hasCertificate;
  }

  /** @returns false: wait for `drained` before writing more */
  write(bytes: Buffer): boolean {
    return this.#stream.write(this.#compression === null ? bytes : this.#compression.wrap(bytes));
  }

  /** Resolves when the client has taken what was written, or is gone. */
  drained(): Promise<void> {
    const stream = this.#stream;
    return new Promise((resolve) => {
      const done = (): void => {
        stream.off('drain', done);
        stream.off('close', done);
        resolve();
      };
      stream.on('drain', done);
      stream.on('close', done);
      if (stream.destroyed) done();
    });
  }

  pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#inflate();
    if (!this.#paused) this.#stream.resume();
  }

  /** @param unread what came behind the request: the beginning of the handshake, or nothing of use */
  startTls(tls: AdminTls, unread: Buffer, onSecure: () => void): void {
    const raw = this.#stream;
    raw.removeAllListeners('data');
    raw.pause();
    if (unread.length > 0) raw.unshift(unread);
    const secured = new TLSSocket(raw, {
      isServer: true,
      secureContext: tls.context,
      requestCert: tls.needsCertificate,
      rejectUnauthorized: false,
    });
    this.#stream = secured;
    this.#listen(secured);
    secured.on('close', () => this.#owner.onClosed(this.#error));
    secured.on('secure', () => {
      if (!this.#verify(secured, tls)) return;
      this.#isEncrypted = true;
      onSecure();
    });
  }

  startCompression(compression: AdminCompression): void {
    this.#compression = compression;
  }

  /** As if they had come now. */
  inject(bytes: Buffer): void {
    if (bytes.length > 0) this.#received(bytes);
  }

  end(lastBytes?: Buffer): void {
    if (lastBytes !== undefined) this.write(lastBytes);
    this.#stream.end();
    // Reads, and drops, what still comes: only so is the client's end of the connection seen.
    this.#stream.resume();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #listen(stream: Socket): void {
    stream.on('data', (chunk: Buffer) => this.#received(chunk));
    stream.on('error', (error) => {
      this.#error ??= error;
      stream.destroy();
    });
  }

  #received(chunk: Buffer): void {
    if (this.#compression === null) {
      this.#owner.onBytes(chunk);
      return;
    }
    this.#compression.append(chunk);
    this.#inflate();
  }

  /** One command at a time: the frames of the next one count from 0 again. */
  #inflate(): void {
    const compression = this.#compression;
    if (compression === null) return;
    try {
      while (!this.#paused) {
        const content = compression.next();
        if (content === null) return;
        this.#owner.onBytes(content);
      }
    } catch (error) {
      this.#owner.onBroken(error);
    }
  }

  /** No certificate at all is seen at the login, where there is an answer for it. */
  #verify(secured: TLSSocket, tls: AdminTls): boolean {
    if (!tls.needsCertificate || secured.getPeerX509Certificate() === undefined) return true;
    const handle = (secured as unknown as { readonly _handle: VerifyingHandle | null })._handle;
    const failure = handle?.verifyError();
    this.#hasCertificate = handle !== null && (failure === null || failure === undefined);
    if (!this.#hasCertificate) secured.destroy(new Error(`the client's certificate is not valid`));
    return this.#hasCertificate;
  }
}
