/**
 * How one client's bytes travel: plain, in TLS, compressed; and who the client is, as far as the transport tells.
 * Begins plain, looks at the first bytes for a PROXY header, and puts layers on when the login asks for them.
 */

import type { Socket } from 'node:net';
import { Capability, CompressionAlgorithm } from '../../../protocol/index.ts';
import { ClientSocket } from '../io/client-socket.ts';
import type { ClientStream, ClientStreamOwner } from '../io/client-stream.ts';
import { TlsClientStream, type TlsDescription } from '../io/tls-client-stream.ts';
import type { WorkerContext } from '../worker-context.ts';
import { CompressedClientStream } from './compressed-client-stream.ts';
import { watchFirstBytes } from './first-bytes.ts';

/** The first step of zlib finds most of what the sixth one does, in a third of the time. */
const ZLIB_LEVEL = 1;
/** A client may ask for up to 22; the time for that would be everybody's. */
const MOST_ZSTD_LEVEL = 3;

export interface ClientTransportOwner extends ClientStreamOwner {
  /** A PROXY header came from a network that is not listed. */
  onUntrustedHeader(): void;
}

export class ClientTransport {
  readonly #context: WorkerContext;
  readonly #plain: ClientSocket;
  #stream: ClientStream;
  #tls: TlsClientStream | null = null;
  #address: string;
  #port: number;
  isCompressed = false;

  constructor(accepted: Socket, context: WorkerContext, owner: ClientTransportOwner) {
    this.#context = context;
    this.#plain = new ClientSocket(accepted, owner);
    this.#stream = this.#plain;
    this.#address = this.#plain.remoteAddress;
    this.#port = this.#plain.remotePort;
    watchFirstBytes(this.#plain, {
      isTrusted: () => context.proxyNetworks.includes(this.#plain.remoteAddress),
      sourceTold: (address, port) => {
        this.#address = address.replace(/^::ffff:/, '');
        this.#port = port;
      },
      untrusted: () => owner.onUntrustedHeader(),
    });
  }

  /** The client's own, or the one that a load balancer told; empty for a Unix socket. */
  get remoteAddress(): string {
    return this.#address;
  }

  /** `host:port`, as servers show it; `localhost` for a Unix socket. */
  get remoteEndpoint(): string {
    const address = this.#address;
    return address === '' ? 'localhost' : `${address}:${this.#port}`;
  }

  /** Of Sluice's own that the client has connected to; empty for a Unix socket. */
  get localAddress(): string {
    return this.#plain.localAddress;
  }

  /** 0 for a Unix socket. */
  get localPort(): number {
    return this.#plain.localPort;
  }

  /** Nobody can listen in; not so if another machine's client may be behind a Unix socket. */
  get isLocal(): boolean {
    return this.#plain.remoteAddress === '' && !this.#context.proxyNetworks.includes('');
  }

  get isEncrypted(): boolean {
    return this.#tls !== null;
  }

  /** null for a connection without TLS. */
  describeTls(): TlsDescription | null {
    return this.#tls?.describe() ?? null;
  }

  /** The client has shown a certificate that is signed by `tls.ca`. */
  get hasCertificate(): boolean {
    return this.#tls?.hasCertificate ?? false;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  get unsentBytes(): number {
    return this.#stream.unsentBytes;
  }

  /** See `ClientStream.write`. */
  write(bytes: Buffer): boolean {
    return this.#stream.write(bytes);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  end(): void {
    this.#stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  /** @param unread what came behind the request. @returns false if there is no certificate any more. */
  startTls(unread: Buffer, onSecure: () => void): boolean {
    const { accept } = this.#context.clientTls;
    if (accept === null) return false;
    const { owner } = this.#plain;
    const raw = this.#plain.detach(unread);
    this.#tls = new TlsClientStream(raw, accept, this.#context.scheduler, owner, onSecure);
    this.#stream = this.#tls;
    return true;
  }

  /** From here on, if the client has asked for it. */
  startCompression(capabilities: number, zstdLevel: number | null, maxPacketBytes: number): void {
    const wantsZlib = (capabilities & Capability.CLIENT_COMPRESS) !== 0;
    const wantsZstd = (capabilities & Capability.CLIENT_ZSTD_COMPRESSION_ALGORITHM) !== 0;
    if (this.isCompressed || !(wantsZlib || wantsZstd)) return;
    const settings = wantsZlib
      ? { algorithm: CompressionAlgorithm.zlib, level: ZLIB_LEVEL, maxPacketBytes }
      : {
          algorithm: CompressionAlgorithm.zstd,
          level: Math.min(zstdLevel ?? MOST_ZSTD_LEVEL, MOST_ZSTD_LEVEL),
          maxPacketBytes,
        };
    this.#stream = new CompressedClientStream(this.#stream, settings, this.#context.scheduler);
    this.isCompressed = true;
  }
}
