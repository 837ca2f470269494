/**
 * The login of one backend connection: greeting, TLS where it is wanted, proof of who it is. What comes out of it is
 * told to its owner once; from then on the bytes are answers.
 */

import { Capability, ClientHandshake, type HandshakeStep, PacketReader } from '../../../protocol/index.ts';
import type { SnapshotServer } from '../../common/snapshot.ts';
import { TlsMode } from '../../topology/server-description.ts';
import type { BackendSocket } from '../io/backend-socket.ts';
import type { ConnectionKey } from './connection-key.ts';

export interface ConnectionFailure {
  /** Of the server's ERR packet, 0 when there was none. */
  readonly errno: number;
  readonly sqlState: string;
  readonly message: string;
}

export interface LoginTarget {
  readonly server: SnapshotServer;
  readonly key: ConnectionKey;
  readonly collationId: number;
  readonly schema: string | null;
}

export interface LoginListener {
  loggedIn(handshake: ClientHandshake, statusFlags: number): void;
  /** @param failure null where the server itself has not refused: it is as good as not there. */
  loginFailed(failure: ConnectionFailure | null, reason: string): void;
  /** Bytes that nobody expects. */
  loginBroken(): void;
}

const BASE_CAPABILITIES =
  Capability.CLIENT_LONG_PASSWORD |
  Capability.CLIENT_LONG_FLAG |
  Capability.CLIENT_PROTOCOL_41 |
  Capability.CLIENT_TRANSACTIONS |
  Capability.CLIENT_SECURE_CONNECTION |
  Capability.CLIENT_PLUGIN_AUTH |
  Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA |
  Capability.CLIENT_CONNECT_ATTRS |
  Capability.CLIENT_SESSION_TRACK |
  Capability.CLIENT_DEPRECATE_EOF;

/** The protocol library's own, where the server offers no TLS. */
const CR_SSL_CONNECTION_ERROR = 2026;
const MAX_LOGIN_PACKET_BYTES = 1 << 20;

export class BackendLogin {
  readonly #target: LoginTarget;
  readonly #socket: BackendSocket;
  readonly #listener: LoginListener;
  readonly #handshake: ClientHandshake;
  readonly #packets: PacketReader;
  #isOver = false;

  constructor(target: LoginTarget, socket: BackendSocket, listener: LoginListener) {
    this.#target = target;
    this.#socket = socket;
    this.#listener = listener;
    const { server, key, collationId, schema } = target;
    const { credentials, behaviourFlags, mariadbFlags } = key;
    const { mode } = server.backendTls;
    const tlsFlag = mode === TlsMode.DISABLED ? 0 : Capability.CLIENT_SSL;
    this.#handshake = new ClientHandshake({
      username: credentials.username,
      password: credentials.secret,
      database: schema,
      capabilities:
        BASE_CAPABILITIES |
        behaviourFlags |
        tlsFlag |
        (schema === null ? 0 : Capability.CLIENT_CONNECT_WITH_DB),
      tlsOptional: mode === TlsMode.PREFERRED,
      mariadbCapabilities: mariadbFlags,
      collationId,
      connectAttributes: { _client_name: 'sluice', program_name: 'sluice' },
      maxPacketBytes: 0x4000_0000,
      allowRsa: true,
      secureTransport: false,
    });
    this.#packets = new PacketReader(
      (payload, sequenceId) => this.#packet(payload, sequenceId),
      MAX_LOGIN_PACKET_BYTES,
    );
  }

  /** @throws MalformedPacketError */
  receive(bytes: Buffer): void {
    this.#packets.push(bytes);
    // Servers wait for the first command after their OK.
    if (this.#isOver && !this.#packets.isAtBoundary) this.#listener.loginBroken();
  }

  /** The connection is closed: nothing more happens here. */
  end(): void {
    this.#isOver = true;
  }

  #packet(payload: Buffer, sequenceId: number): void {
    if (this.#isOver) this.#listener.loginBroken();
    else this.#step(this.#handshake.receive(payload, sequenceId));
  }

  #step(step: HandshakeStep): void {
    if (step.kind === 'send') this.#socket.append(step.packets);
    else if (step.kind === 'startTls') this.#startTls(step.packets);
    else if (step.kind === 'failed') {
      // Without the TLS that it has to have, a server is as good as not there.
      const isUnfit = !step.fromServer && step.errno === CR_SSL_CONNECTION_ERROR;
      const { errno, sqlState, message } = step;
      if (isUnfit) this.#fail(null, message);
      else this.#fail({ errno, sqlState, message }, `refused by the server: ${errno} ${message}`);
    } else if (step.kind === 'wait') return;
    else if (this.#handshake.mariadbCapabilities !== this.#target.key.mariadbFlags) {
      // Its answers would not have the shape that the client was promised.
      this.#fail(null, 'the server lacks a capability of MariaDB that the primary has');
    } else {
      this.#isOver = true;
      this.#listener.loggedIn(this.#handshake, step.ok.statusFlags);
    }
  }

  #fail(failure: ConnectionFailure | null, reason: string): void {
    this.#isOver = true;
    this.#listener.loginFailed(failure, reason);
  }

  #startTls(request: Buffer): void {
    this.#socket.append(request);
    // After the read that brought the greeting, in which nothing more may have come: it would have come in clear.
    queueMicrotask(() => {
      if (this.#isOver) return;
      if (!this.#packets.isAtBoundary) {
        this.#listener.loginBroken();
        return;
      }
      this.#socket.startTls(this.#target.server.backendTls, () => {
        if (!this.#isOver) this.#step(this.#handshake.tlsEstablished());
      });
    });
  }
}
