/** How an operator proves who he is, when he connects and with COM_CHANGE_USER. */

import {
  type AcceptedClient,
  Capability,
  createNonce,
  MYSQL_NATIVE_PASSWORD,
  type RsaKeyPair,
  type SecretCache,
  ServerHandshake,
  type ServerHandshakeStep,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import type { AdminTls } from './admin-tls.ts';
import { STATUS_FLAGS } from './answer-packets.ts';
import type { AdminRole } from './commands/command.ts';

export interface AdminAccount {
  readonly password: string;
  readonly role: AdminRole;
}

export interface AdminLoginOptions {
  readonly connectionId: number;
  readonly serverVersion: string;
  readonly lookup: (username: string) => AdminAccount | null;
  readonly secretCache: SecretCache;
  readonly rsaKeyPair: RsaKeyPair | null;
  /** null: TLS is not offered. */
  readonly tls: AdminTls | null;
}

/** The connection, as a login sees it. */
export interface AdminLoginPeer {
  readonly host: string;
  readonly isLocal: boolean;
  readonly isSecure: boolean;
  readonly hasCertificate: boolean;
  write(packets: Buffer): void;
  /** `tlsEstablished` is called when it is up. */
  startTls(): void;
  /** The OK is still to be sent. */
  accepted(client: AcceptedClient, account: AdminAccount): void;
  /** Write the ERR, then close. */
  rejected(packets: Buffer, error: ClientError): void;
  /** Says why, and closes. */
  refuse(error: ClientError, sequenceId: number): void;
}

/** No LOCAL INFILE, several statements in one, session tracking or query attributes. */
const OFFERED_CAPABILITIES =
  Capability.CLIENT_LONG_PASSWORD |
  Capability.CLIENT_LONG_FLAG |
  Capability.CLIENT_CONNECT_WITH_DB |
  Capability.CLIENT_COMPRESS |
  Capability.CLIENT_PROTOCOL_41 |
  Capability.CLIENT_INTERACTIVE |
  Capability.CLIENT_TRANSACTIONS |
  Capability.CLIENT_SECURE_CONNECTION |
  Capability.CLIENT_PLUGIN_AUTH |
  Capability.CLIENT_CONNECT_ATTRS |
  Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA |
  Capability.CLIENT_ZSTD_COMPRESSION_ALGORITHM |
  Capability.CLIENT_DEPRECATE_EOF;

const UTF8MB4_GENERAL_CI = 45;

export class AdminLogin {
  readonly #peer: AdminLoginPeer;
  readonly #options: AdminLoginOptions;
  readonly #nonce = createNonce();
  #handshake: ServerHandshake;

  constructor(peer: AdminLoginPeer, options: AdminLoginOptions) {
    this.#peer = peer;
    this.#options = options;
    const tls = options.tls === null ? 0 : Capability.CLIENT_SSL;
    this.#handshake = new ServerHandshake(this.#settings(OFFERED_CAPABILITIES | tls));
  }

  greeting(): Buffer {
    return this.#handshake.greeting();
  }

  /** `command` is the whole COM_CHANGE_USER. */
  changeUser(command: Buffer, capabilities: number, maxPacketBytes: number): void {
    this.#handshake = ServerHandshake.forChangeUser({ ...this.#settings(capabilities), maxPacketBytes });
    this.receive(command, 0);
  }

  /** Whom the client says to be. */
  get username(): string {
    return this.#handshake.username ?? '';
  }

  receive(payload: Buffer, sequenceId: number): void {
    this.#take(this.#handshake.receive(payload, sequenceId));
  }

  tlsEstablished(): void {
    this.#handshake.tlsEstablished();
  }

  #settings(capabilities: number): ConstructorParameters<typeof ServerHandshake>[0] {
    const { serverVersion, connectionId, lookup, secretCache, rsaKeyPair } = this.#options;
    return {
      serverVersion,
      threadId: connectionId,
      capabilities,
      collationId: UTF8MB4_GENERAL_CI,
      statusFlags: STATUS_FLAGS,
      defaultPlugin: MYSQL_NATIVE_PASSWORD,
      nonce: this.#nonce,
      secureTransport: this.#peer.isSecure,
      ...(rsaKeyPair === null ? {} : { rsaKeyPair }),
      lookup,
      secretCache,
      host: this.#peer.host,
    };
  }

  #take(step: ServerHandshakeStep): void {
    switch (step.kind) {
      case 'send':
        this.#peer.write(step.packets);
        return;
      case 'startTls':
        this.#peer.startTls();
        return;
      case 'accepted':
        this.#accepted(step);
        return;
      case 'rejected':
        this.#peer.rejected(step.packets, step);
        return;
      case 'pending':
        // Nothing is looked up elsewhere.
        this.#peer.refuse(clientError('PROXY_BAD_HANDSHAKE', {}), 1);
    }
  }

  #accepted(client: AcceptedClient): void {
    const account = this.#options.lookup(client.username);
    if (client.packets.length > 0) this.#peer.write(client.packets);
    const refusal = this.#refusal(client, account);
    if (refusal !== null) this.#peer.refuse(refusal, client.nextSequenceId);
    else if (account !== null) this.#peer.accepted(client, account);
  }

  #refusal({ username }: AcceptedClient, account: AdminAccount | null): ClientError | null {
    const { tls } = this.#options;
    const { host, isLocal, isSecure, hasCertificate } = this.#peer;
    if (tls?.required === true && !isSecure) return clientError('PROXY_SECURE_TRANSPORT_REQUIRED', {});
    // Taken out of the configuration while it was logging in; or there is no certificate, which only MySQL's X509 asks for.
    const lacksCertificate = tls?.needsCertificate === true && !isLocal && !hasCertificate;
    if (account !== null && !lacksCertificate) return null;
    return clientError('PROXY_ACCESS_DENIED', { user: username, host, usingPassword: 'YES' });
  }
}
