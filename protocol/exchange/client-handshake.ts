/**
 * The client's side of the connection phase: payloads in, packets to send out.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
 *
 * | state      | meaning                                             | entered by                 | left by                   |
 * |------------|-----------------------------------------------------|----------------------------|---------------------------|
 * | greeting   | the server speaks first                             | construction               | the greeting, an ERR      |
 * | tls        | SSLRequest sent, the transport is being secured     | greeting, TLS wanted       | tlsEstablished()          |
 * | answer     | response or proof sent                              | greeting, tls, switch      | OK, ERR, switch, more data|
 * | publicKey  | the server's RSA key was asked for                  | answer (full auth)         | the key                   |
 * | done       | logged in; command phase                            | answer                     | never                     |
 * | failed     | refused, or nonsense received                       | any                        | never                     |
 */

import { CACHING_SHA2_PASSWORD, CachingSha2, encryptPassword } from '../auth/caching-sha2-password.ts';
import { encodeClearPassword } from '../auth/clear-password.ts';
import { Capability, hasCapability } from '../constants/capability-flags.ts';
import { IllegalTransitionError, MalformedPacketError } from '../errors.ts';
import { framePacket } from '../framing/packet-header.ts';
import { AUTH_MORE_DATA_HEADER, decodeAuthMoreData } from '../packets/auth-more-data.ts';
import { AUTH_SWITCH_HEADER, challengeOf, decodeAuthSwitchRequest } from '../packets/auth-switch-request.ts';
import { decodeErr, ERR_HEADER } from '../packets/err.ts';
import { encodeHandshakeResponse41 } from '../packets/handshake-response-41.ts';
import { decodeHandshakeV10, type HandshakeV10 } from '../packets/handshake-v10.ts';
import { decodeOk, type OkPacket } from '../packets/ok.ts';
import { encodeSslRequest } from '../packets/ssl-request.ts';
import { firstPlugin, proofFor } from './client-credential.ts';
import {
  type ClientHandshakeOptions,
  type NegotiatedCapabilities,
  negotiateCapabilities,
  responseHead,
} from './client-negotiation.ts';
import { parseServerVersion } from './server-version.ts';
import { type TransitionTable, transition } from './transition.ts';

export type HandshakeStep =
  /** Write these complete packets. */
  | { readonly kind: 'send'; readonly packets: Buffer }
  /** Write these, then start TLS on the transport, then call `tlsEstablished`. */
  | { readonly kind: 'startTls'; readonly packets: Buffer }
  /** Nothing to do until the next packet. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'done'; readonly ok: OkPacket }
  | HandshakeFailure;

export interface HandshakeFailure {
  readonly kind: 'failed';
  readonly errno: number;
  readonly sqlState: string;
  readonly message: string;
  /** True if the server said so itself; false if this side gave up (client error numbers, 2000 and up). */
  readonly fromServer: boolean;
}

/** What the client library of MySQL reports in the same cases. */
const ClientError = {
  CR_SERVER_HANDSHAKE_ERR: 2012,
  CR_SSL_CONNECTION_ERROR: 2026,
  CR_MALFORMED_PACKET: 2027,
  CR_AUTH_PLUGIN_ERR: 2061,
} as const;

type State = 'greeting' | 'tls' | 'answer' | 'publicKey' | 'done' | 'failed';

const TRANSITIONS: TransitionTable<State> = {
  greeting: ['tls', 'answer', 'failed'],
  tls: ['answer', 'failed'],
  answer: ['answer', 'publicKey', 'done', 'failed'],
  publicKey: ['answer', 'failed'],
  done: [],
  failed: [],
};

/** MariaDB from 10.4 on. */
const MULTIPLE_PLUGINS = 100_400;

export class ClientHandshake {
  readonly #options: ClientHandshakeOptions;
  #state: State = 'greeting';
  #secure: boolean;
  #expectedSequenceId = 0;
  #plugin = '';
  #nonce: Buffer = Buffer.alloc(0);
  #greeting: HandshakeV10 | null = null;
  #version = parseServerVersion('');
  #negotiated: NegotiatedCapabilities = { capabilities: 0, mariadbCapabilities: 0 };
  #serverStatus = 0;
  /** Why a plugin was answered with nothing, in the hope that the account has another one. */
  #passed: string | null = null;

  constructor(options: ClientHandshakeOptions) {
    this.#options = options;
    this.#secure = options.secureTransport;
  }

  get state(): State {
    return this.#state;
  }

  /** Negotiated; 0 before the greeting. */
  get capabilities(): number {
    return this.#negotiated.capabilities;
  }

  get mariadbCapabilities(): number {
    return this.#negotiated.mariadbCapabilities;
  }

  /** Everything that the server offered. */
  get serverCapabilities(): number {
    return this.#greeting?.capabilities ?? 0;
  }

  /** As the greeting has it; MariaDB's may begin with `5.5.5-`. */
  get serverVersion(): string {
    return this.#greeting?.serverVersion ?? '';
  }

  get threadId(): number {
    return this.#greeting?.threadId ?? 0;
  }

  /** Status flags, from the greeting and then from the final OK. */
  get serverStatus(): number {
    return this.#serverStatus;
  }

  get serverCollationId(): number {
    return this.#greeting?.collationId ?? 0;
  }

  get isMariadb(): boolean {
    return this.#version.isMariadb;
  }

  /** e.g. 101119 for 10.11.19, 50729 for 5.7.29 */
  get versionId(): number {
    return this.#version.versionId;
  }

  /** The plugin that is, or was, used in the end. */
  get authPlugin(): string {
    return this.#plugin;
  }

  /** The latest challenge: COM_CHANGE_USER's proof answers it. A copy. */
  get nonce(): Buffer {
    return this.#nonce;
  }

  /** Takes the server's next payload. A server that answers nonsense gives a `failed` step, never an exception. */
  receive(payload: Buffer, sequenceId: number): HandshakeStep {
    if (sequenceId !== this.#expectedSequenceId) {
      return this.#fail(
        ClientError.CR_MALFORMED_PACKET,
        `Got packets out of order: expected sequence id ${this.#expectedSequenceId}, received ${sequenceId}`,
      );
    }
    this.#expectedSequenceId = (sequenceId + 1) & 0xff;
    try {
      return this.#step(payload);
    } catch (error) {
      if (!(error instanceof MalformedPacketError)) throw error;
      return this.#fail(ClientError.CR_MALFORMED_PACKET, error.message);
    }
  }

  /** The transport is secure now: gives the response to send inside it. */
  tlsEstablished(): HandshakeStep {
    if (this.#state !== 'tls') {
      throw new IllegalTransitionError(
        'ClientHandshake',
        this.#state,
        'answer by TLS',
        TRANSITIONS[this.#state],
      );
    }
    this.#secure = true;
    return this.#respond();
  }

  #step(payload: Buffer): HandshakeStep {
    const isOver = this.#state === 'done' || this.#state === 'failed';
    if (payload[0] === ERR_HEADER && !isOver) {
      if (this.#passed !== null) return this.#failPlugin(this.#passed);
      const { errno, sqlState, message } = decodeErr(payload);
      this.#move('failed');
      return { kind: 'failed', errno, sqlState, message, fromServer: true };
    }
    switch (this.#state) {
      case 'greeting':
        return this.#greet(payload);
      case 'answer':
        return this.#answer(payload);
      case 'publicKey':
        return this.#receivePublicKey(payload);
      default:
        return this.#fail(
          ClientError.CR_SERVER_HANDSHAKE_ERR,
          `The server sent a packet that nobody expects (state ${this.#state})`,
        );
    }
  }

  #greet(payload: Buffer): HandshakeStep {
    const greeting = decodeHandshakeV10(payload);
    this.#greeting = greeting;
    this.#version = parseServerVersion(greeting.serverVersion);
    this.#serverStatus = greeting.statusFlags;
    this.#nonce = greeting.authPluginData;
    const negotiated = negotiateCapabilities(this.#options, greeting);
    if (negotiated === null) {
      return this.#fail(
        ClientError.CR_SERVER_HANDSHAKE_ERR,
        `The server ${greeting.serverVersion} does not speak protocol 4.1 with 20-byte challenges`,
      );
    }
    this.#negotiated = negotiated;
    const wantsTls = hasCapability(this.#options.capabilities, Capability.CLIENT_SSL);
    if (!wantsTls) return this.#respond();
    if (!hasCapability(greeting.capabilities, Capability.CLIENT_SSL)) {
      if (this.#options.tlsOptional === true) return this.#respond();
      return this.#fail(
        ClientError.CR_SSL_CONNECTION_ERROR,
        'TLS is required but the server does not support it',
      );
    }
    this.#move('tls');
    return {
      kind: 'startTls',
      packets: this.#frame(encodeSslRequest(responseHead(this.#options, negotiated))),
    };
  }

  #respond(): HandshakeStep {
    const { password, username, database, connectAttributes } = this.#options;
    this.#plugin = firstPlugin(this.#greeting?.authPluginName ?? null, password, this.#nonce, this.#secure);
    const proof = proofFor(this.#plugin, password, this.#nonce, this.#secure);
    this.#move('answer');
    const response = encodeHandshakeResponse41(
      {
        ...responseHead(this.#options, this.#negotiated),
        username,
        database,
        connectAttributes,
        // No proof for any plugin so far: the server will name the account's own in a switch request.
        authResponse: proof.ok ? proof.data : Buffer.alloc(0),
        authPluginName: this.#plugin,
        zstdLevel: null,
      },
      this.serverCapabilities,
    );
    return this.#send(response);
  }

  #answer(payload: Buffer): HandshakeStep {
    switch (payload[0]) {
      case 0x00: {
        const ok = decodeOk(payload, this.capabilities);
        this.#move('done');
        this.#serverStatus = ok.statusFlags;
        return { kind: 'done', ok };
      }
      case AUTH_SWITCH_HEADER:
        return this.#switchPlugin(payload);
      case AUTH_MORE_DATA_HEADER:
        return this.#moreData(decodeAuthMoreData(payload).data);
      default:
        return this.#fail(
          ClientError.CR_MALFORMED_PACKET,
          'The server answered the login with an unknown packet',
        );
    }
  }

  #switchPlugin(payload: Buffer): HandshakeStep {
    const { pluginName, pluginData } = decodeAuthSwitchRequest(payload);
    if (pluginName === null) {
      return this.#fail(
        ClientError.CR_AUTH_PLUGIN_ERR,
        'The account uses mysql_old_password, which is not supported',
      );
    }
    this.#plugin = pluginName;
    this.#nonce = Buffer.from(challengeOf(pluginData));
    const proof = proofFor(pluginName, this.#options.password, this.#nonce, this.#secure);
    // An account of MariaDB may have several plugins, which are asked for one after the other until one is satisfied.
    const mayHaveOthers = this.#version.isMariadb && this.#version.versionId >= MULTIPLE_PLUGINS;
    if (!proof.ok && !mayHaveOthers) return this.#failPlugin(proof.reason);
    this.#passed = proof.ok ? null : proof.reason;
    this.#move('answer');
    return this.#send(proof.ok ? proof.data : Buffer.alloc(0));
  }

  #moreData(data: Buffer): HandshakeStep {
    if (this.#plugin !== CACHING_SHA2_PASSWORD || data.length !== 1) {
      return this.#failPlugin('the server sent data that the plugin does not know');
    }
    if (data[0] === CachingSha2.fastAuthSuccess) return { kind: 'wait' };
    if (data[0] !== CachingSha2.performFullAuthentication) {
      return this.#failPlugin('the server sent a request that the plugin does not know');
    }
    const { password, allowRsa } = this.#options;
    if (password.kind !== 'plain')
      return this.#failPlugin('the server asks for the password, which is not known here');
    if (this.#secure) {
      this.#move('answer');
      return this.#send(encodeClearPassword(password.value));
    }
    if (!allowRsa) return this.#failPlugin('Authentication requires secure connection');
    this.#move('publicKey');
    return this.#send(Buffer.from([CachingSha2.requestPublicKey]));
  }

  #receivePublicKey(payload: Buffer): HandshakeStep {
    const { password } = this.#options;
    const { data } = decodeAuthMoreData(payload);
    if (password.kind !== 'plain') return this.#failPlugin('the password is not known here');
    let encrypted: Buffer;
    try {
      encrypted = encryptPassword(password.value, this.#nonce, data);
    } catch {
      return this.#failPlugin('the server sent a public key that cannot be used');
    }
    this.#move('answer');
    return this.#send(encrypted);
  }

  #send(payload: Buffer): HandshakeStep {
    return { kind: 'send', packets: this.#frame(payload) };
  }

  #frame(payload: Buffer): Buffer {
    const packets = framePacket(payload, this.#expectedSequenceId);
    this.#expectedSequenceId = (this.#expectedSequenceId + 1) & 0xff;
    return packets;
  }

  #failPlugin(reason: string): HandshakeFailure {
    return this.#fail(
      ClientError.CR_AUTH_PLUGIN_ERR,
      `Authentication plugin '${this.#plugin}' reported error: ${reason}`,
    );
  }

  #fail(errno: number, message: string): HandshakeFailure {
    // A peer may go on talking after the end; that is its fault, and no illegal move of ours.
    if (this.#state !== 'failed' && this.#state !== 'done') this.#move('failed');
    return { kind: 'failed', errno, sqlState: 'HY000', message, fromServer: false };
  }

  #move(to: State): void {
    this.#state = transition('ClientHandshake', TRANSITIONS, this.#state, to);
  }
}
