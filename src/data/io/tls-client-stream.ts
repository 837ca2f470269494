/**
 * A client's connection inside TLS. Small writes of one turn of the event loop leave as one record and one system
 * call; Node's socket encrypts what it is given at once, unless a write before is still under way, and then keeps a
 * reference.
 */

import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { BlockPool } from './block-pool.ts';
import { type ClientStream, type ClientStreamOwner, GOODBYE_MS } from './client-stream.ts';
import type { Flushable, FlushScheduler } from './flush-scheduler.ts';

/** The most that a TLS record holds. */
const blocks = new BlockPool(16 * 1024);

/** `server.on('secureConnection')` looks at this too; without a `tls.Server` there is no public name for it. */
interface VerifyingHandle {
  verifyError(): NodeJS.ErrnoException | null | undefined;
}

export interface TlsAccept {
  readonly context: SecureContext;
  /** Ask for a certificate; one that is shown must be valid. */
  readonly requestCertificate: boolean;
}

/** What servers tell of such a connection in SHOW STATUS. */
export interface TlsDescription {
  /** e.g. `TLSv1.3` */
  readonly protocol: string;
  /** OpenSSL's name, e.g. `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** The client came back with a ticket. */
  readonly isReused: boolean;
  /** OpenSSL's: 0 or SSL_VERIFY_PEER. */
  readonly verifyMode: number;
  /** Of the certificate that the client was shown, e.g. `Nov 23 04:37:26 2026 GMT`. */
  readonly validFrom: string;
  readonly validTo: string;
}

const SSL_VERIFY_PEER = 1;

export class TlsClientStream implements ClientStream, Flushable {
  owner: ClientStreamOwner;
  scheduled = false;
  readonly #tls: TLSSocket;
  readonly #scheduler: FlushScheduler;
  readonly #verifyMode: number;
  #isSecure = false;
  #hasCertificate = false;
  #block: Buffer | null = null;
  #blockLength = 0;
  #paused = false;
  #error: Error | null = null;

  /** @param raw see `ClientSocket.detach`. `onSecure` is called once, when the handshake is done. */
  constructor(
    raw: Socket,
    accept: TlsAccept,
    scheduler: FlushScheduler,
    owner: ClientStreamOwner,
    onSecure: () => void,
  ) {
    this.owner = owner;
    this.#scheduler = scheduler;
    const { context, requestCertificate } = accept;
    this.#verifyMode = requestCertificate ? SSL_VERIFY_PEER : 0;
    this.#tls = new TLSSocket(raw, {
      isServer: true,
      secureContext: context,
      requestCert: requestCertificate,
      rejectUnauthorized: false,
    });
    this.#tls.on('secure', () => {
      if (!this.#verify(requestCertificate)) return;
      this.#isSecure = true;
      onSecure();
    });
    this.#tls.on('data', (bytes: Buffer) => this.owner.onBytes(bytes, bytes.length));
    this.#tls.on('drain', () => this.owner.onDrain());
    this.#tls.on('error', (error) => {
      this.#error ??= error;
    });
    raw.on('error', (error) => {
      this.#error ??= error;
    });
    this.#tls.on('end', () => this.#tls.destroy());
    this.#tls.on('close', () => this.owner.onClosed(this.#error));
  }

  /** The client has shown a certificate, and it is signed by the configured authority. */
  get hasCertificate(): boolean {
    return this.#hasCertificate;
  }

  describe(): TlsDescription {
    const certificate = this.#tls.getX509Certificate();
    return {
      protocol: this.#tls.getProtocol() ?? '',
      cipher: this.#tls.getCipher().name,
      isReused: this.#tls.isSessionReused(),
      verifyMode: this.#verifyMode,
      validFrom: certificate?.validFrom ?? '',
      validTo: certificate?.validTo ?? '',
    };
  }

  get destroyed(): boolean {
    return this.#tls.destroyed;
  }

  get unsentBytes(): number {
    return this.#tls.writableLength + this.#blockLength;
  }

  write(bytes: Buffer): boolean {
    // Nothing of ours may be sent before the client can read it.
    if (this.#tls.destroyed || !this.#isSecure) return false;
    if (this.#blockLength + bytes.length > blocks.blockBytes) {
      this.flush();
      if (bytes.length > blocks.blockBytes) return this.#send(bytes);
    }
    this.#block ??= blocks.take();
    bytes.copy(this.#block, this.#blockLength);
    this.#blockLength += bytes.length;
    this.#scheduler.schedule(this);
    return false;
  }

  flush(): void {
    const block = this.#block;
    if (block === null) return;
    const length = this.#blockLength;
    this.#block = null;
    this.#blockLength = 0;
    if (this.#tls.destroyed || !this.#send(block.subarray(0, length))) blocks.giveBack(block);
  }

  /** @returns true if the bytes are still referenced. */
  #send(bytes: Buffer): boolean {
    const isBusy = this.#tls.writableLength > 0;
    this.#tls.write(bytes);
    return isBusy;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#tls.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#tls.resume();
  }

  end(): void {
    if (!this.#isSecure) {
      this.#tls.destroy();
      return;
    }
    this.flush();
    this.#tls.end();
    this.#tls.setTimeout(GOODBYE_MS, () => this.#tls.destroy());
  }

  destroy(): void {
    this.#tls.destroy();
  }

  /** No certificate is fine here: whether the account needs one is seen at the login. */
  #verify(requested: boolean): boolean {
    if (!requested) return true;
    const certificate = this.#tls.getPeerX509Certificate();
    if (certificate === undefined) return true;
    const handle = (this.#tls as unknown as { readonly _handle: VerifyingHandle | null })._handle;
    const failure = handle?.verifyError();
    if (handle !== null && (failure === null || failure === undefined)) {
      this.#hasCertificate = true;
      return true;
    }
    this.#tls.destroy(new Error(`the client's certificate is not valid: ${failure?.code ?? 'not verified'}`));
    return false;
  }
}
