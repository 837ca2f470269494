/**
 * The server's side of the connection phase, and of COM_CHANGE_USER, which repeats its second half.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
 *
 * | state      | meaning                                          | entered by                    | left by                |
 * |------------|--------------------------------------------------|-------------------------------|------------------------|
 * | response   | the greeting is out, the response is awaited      | construction                  | response, SSLRequest   |
 * | tls        | the transport is being secured                    | SSLRequest                    | tlsEstablished()       |
 * | changeUser | COM_CHANGE_USER is awaited                        | forChangeUser                 | the command            |
 * | switched   | AuthSwitchRequest sent, its answer is awaited     | response, changeUser          | the answer             |
 * | more       | AuthMoreData sent, its answer is awaited          | response, changeUser, switched| the answer             |
 * | waiting    | the caller looks something up; no packet is due   | any that takes a packet       | the caller's promise   |
 * | accepted   | the client is who it says; the caller sends OK    | any but tls                   | never                  |
 * | rejected   | refused; the step holds the ERR                   | any but tls                   | never                  |
 */

import { CLIENT_ED25519, createEd25519Challenge } from '../auth/client-ed25519.ts';
import { MYSQL_NATIVE_PASSWORD } from '../auth/mysql-native-password.ts';
import { Capability, hasCapability, intersectCapabilities } from '../constants/capability-flags.ts';
import { IllegalTransitionError, MalformedPacketError } from '../errors.ts';
import { framePacket } from '../framing/packet-header.ts';
import { encodeAuthMoreData } from '../packets/auth-more-data.ts';
import { encodeAuthSwitchRequest } from '../packets/auth-switch-request.ts';
import { decodeComChangeUser } from '../packets/com-change-user.ts';
import type { ConnectAttributes } from '../packets/connect-attributes.ts';
import { frameErr } from '../packets/err.ts';
import { decodeHandshakeResponse41 } from '../packets/handshake-response-41.ts';
import { encodeHandshakeV10 } from '../packets/handshake-v10.ts';
import { isSslRequest } from '../packets/ssl-request.ts';
import {
  type Account,
  AccountVerifier,
  checkAtOnce,
  isEmptyProof,
  type LearntSecrets,
  type PasswordCheck,
  type RsaKeyPair,
  type SecretCache,
  type Verdict,
} from './account-verifier.ts';
import { type TransitionTable, transition } from './transition.ts';

export interface ServerHandshakeOptions {
  readonly serverVersion: string;
  readonly threadId: number;
  /** Offered; with CLIENT_SSL only if the caller can start TLS. */
  readonly capabilities: number;
  /** Offered of MariaDB's upper half; needs CLIENT_LONG_PASSWORD left out of `capabilities`. */
  readonly mariadbCapabilities?: number;
  readonly collationId: number;
  readonly statusFlags: number;
  /** mysql_native_password or caching_sha2_password; preferred when the client's plugin will not do. */
  readonly defaultPlugin: string;
  /** 20 bytes without NUL, see `createNonce`. */
  readonly nonce: Buffer;
  readonly secureTransport: boolean;
  /** Needed for full caching_sha2_password authentication without TLS. */
  readonly rsaKeyPair?: RsaKeyPair;
  readonly lookup: (username: string) => Found | Promise<Found>;
  /** What an unknown user's account would look like, so that it takes as many round trips as a known one. */
  readonly decoy?: (username: string) => Account;
  readonly secretCache: SecretCache;
  /** Checks passwords in plain text; at once, unless told. */
  readonly checkPassword?: PasswordCheck;
  /** The client's host, as ER_ACCESS_DENIED_ERROR is to name it. */
  readonly host: string;
}

/** The account that opens for this user; null for none; or why nobody is let in whatever he proves. */
export type Found = Account | null | LoginRefusal;

export interface LoginRefusal {
  readonly errno: number;
  readonly sqlState: string;
  readonly message: string;
}

/** For `forChangeUser`: `capabilities` are the negotiated ones and `nonce` the one that the client last saw. */
export interface ChangeUserOptions extends ServerHandshakeOptions {
  readonly maxPacketBytes: number;
}

export type ServerHandshakeStep =
  /** Write these complete packets and go on reading. */
  | { readonly kind: 'send'; readonly packets: Buffer }
  /** Start TLS on the transport, then call `tlsEstablished`. */
  | { readonly kind: 'startTls' }
  /** Nothing to write yet, and no packet may be given to `receive` before it is there. */
  | { readonly kind: 'pending'; readonly next: Promise<ServerHandshakeStep> }
  | AcceptedClient
  /** Write the packets (the ERR), then close. */
  | {
      readonly kind: 'rejected';
      readonly errno: number;
      readonly sqlState: string;
      readonly message: string;
      readonly packets: Buffer;
    };

/** Authenticated. The caller checks schema and limits, and answers `packets` + OK or ERR, with `nextSequenceId`. */
export interface AcceptedClient extends LearntSecrets {
  readonly kind: 'accepted';
  readonly username: string;
  readonly database: string | null;
  /** Negotiated. */
  readonly capabilities: number;
  readonly mariadbCapabilities: number;
  /** null only after a COM_CHANGE_USER that names none. */
  readonly collationId: number | null;
  readonly connectAttributes: ConnectAttributes;
  readonly maxPacketBytes: number;
  /** Asked for with CLIENT_ZSTD_COMPRESSION_ALGORITHM; null without. */
  readonly zstdLevel: number | null;
  readonly plugin: string;
  /** Not by an empty proof. */
  readonly usedPassword: boolean;
  /** Must be written in front of the OK or ERR; often empty. */
  readonly packets: Buffer;
  /** For the OK or ERR. */
  readonly nextSequenceId: number;
}

type State = 'response' | 'tls' | 'changeUser' | 'switched' | 'more' | 'waiting' | 'accepted' | 'rejected';

const TRANSITIONS: TransitionTable<State> = {
  response: ['tls', 'switched', 'more', 'waiting', 'accepted', 'rejected'],
  tls: ['response'],
  changeUser: ['switched', 'more', 'waiting', 'accepted', 'rejected'],
  switched: ['more', 'waiting', 'accepted', 'rejected'],
  more: ['more', 'waiting', 'accepted', 'rejected'],
  waiting: ['switched', 'more', 'waiting', 'accepted', 'rejected'],
  accepted: [],
  rejected: [],
};

/** The fields that HandshakeResponse41 and COM_CHANGE_USER share. */
interface LoginRequest {
  readonly username: string;
  readonly authResponse: Buffer;
  readonly database: string | null;
  readonly collationId: number | null;
  readonly authPluginName: string | null;
  readonly connectAttributes: ConnectAttributes;
}

const NO_PACKETS = Buffer.alloc(0);
const OLD_CLIENT_MESSAGE =
  'Client does not support authentication protocol requested by server; consider upgrading MySQL client';

export class ServerHandshake {
  readonly #options: ServerHandshakeOptions;
  #state: State;
  #secure: boolean;
  /** A Unix socket is secure without, and some clients want it all the same. */
  #hasTls = false;
  #expectedSequenceId: number;
  #capabilities = 0;
  #mariadbCapabilities = 0;
  #maxPacketBytes = 0;
  #zstdLevel: number | null = null;
  #login: LoginRequest | null = null;
  #verifier: AccountVerifier | null = null;
  #plugin = '';
  #usedPassword = false;
  /** A client so old that its ERR packets have no SQLSTATE. */
  #isPre41 = false;

  constructor(options: ServerHandshakeOptions) {
    this.#options = options;
    this.#secure = options.secureTransport;
    this.#state = 'response';
    this.#expectedSequenceId = 1;
  }

  /** For COM_CHANGE_USER on a connection that is in its command phase; `receive` takes the whole command. */
  static forChangeUser(options: ChangeUserOptions): ServerHandshake {
    const handshake = new ServerHandshake(options);
    handshake.#state = 'changeUser';
    handshake.#expectedSequenceId = 0;
    handshake.#capabilities = options.capabilities;
    handshake.#mariadbCapabilities = options.mariadbCapabilities ?? 0;
    handshake.#maxPacketBytes = options.maxPacketBytes;
    return handshake;
  }

  get state(): State {
    return this.#state;
  }

  /** The client's user name as soon as it is known, for logs; null before. */
  get username(): string | null {
    return this.#login?.username ?? null;
  }

  /** The greeting, framed, with sequence id 0. */
  greeting(): Buffer {
    const { serverVersion, threadId, capabilities, collationId, statusFlags, nonce } = this.#options;
    const payload = encodeHandshakeV10({
      serverVersion,
      threadId,
      authPluginData: nonce,
      capabilities,
      mariadbCapabilities: this.#options.mariadbCapabilities ?? 0,
      collationId,
      statusFlags,
      authPluginName: this.#options.defaultPlugin,
    });
    return framePacket(payload, 0);
  }

  /** Takes the client's next payload. Nonsense gives a `rejected` step, never an exception. */
  receive(payload: Buffer, sequenceId: number): ServerHandshakeStep {
    const expected = this.#expectedSequenceId;
    this.#expectedSequenceId = (sequenceId + 1) & 0xff;
    if (sequenceId !== expected) return this.#reject(1156, '08S01', 'Got packets out of order');
    try {
      return this.#step(payload);
    } catch (error) {
      if (!(error instanceof MalformedPacketError)) throw error;
      return this.#reject(1043, '08S01', 'Bad handshake');
    }
  }

  /** The transport is secure now; the response is still to come. */
  tlsEstablished(): void {
    this.#move('response');
    this.#hasTls = true;
    this.#secure = true;
  }

  #step(payload: Buffer): ServerHandshakeStep {
    switch (this.#state) {
      case 'response':
        return this.#receiveResponse(payload);
      case 'changeUser':
        return this.#authenticate(decodeComChangeUser(payload, this.#capabilities));
      case 'switched':
        this.#usedPassword = !isEmptyProof(this.#plugin, payload);
        return this.#judge(this.#verifier!.start(this.#plugin, Buffer.from(payload)));
      case 'more':
        return this.#judge(this.#verifier!.proceed(payload));
      default:
        throw new IllegalTransitionError('ServerHandshake', this.#state, 'receive', TRANSITIONS[this.#state]);
    }
  }

  #receiveResponse(payload: Buffer): ServerHandshakeStep {
    const offered = this.#options.capabilities;
    if (payload.length < 4) throw new MalformedPacketError('handshake response', 0);
    if (!hasCapability(payload.readUInt32LE(0), Capability.CLIENT_PROTOCOL_41)) {
      this.#isPre41 = true;
      return this.#reject(1251, '08004', OLD_CLIENT_MESSAGE);
    }
    if (isSslRequest(payload) && hasCapability(offered, Capability.CLIENT_SSL) && !this.#hasTls) {
      this.#move('tls');
      return { kind: 'startTls' };
    }
    const response = decodeHandshakeResponse41(payload, offered);
    this.#capabilities = intersectCapabilities(response.capabilities, offered);
    this.#mariadbCapabilities = intersectCapabilities(
      response.mariadbCapabilities,
      this.#options.mariadbCapabilities ?? 0,
    );
    this.#maxPacketBytes = response.maxPacketBytes;
    this.#zstdLevel = response.zstdLevel;
    if (!hasCapability(this.#capabilities, Capability.CLIENT_SECURE_CONNECTION)) {
      return this.#reject(1251, '08004', OLD_CLIENT_MESSAGE);
    }
    return this.#authenticate(response);
  }

  #authenticate(login: LoginRequest): ServerHandshakeStep {
    // MySQL and MariaDB answer COM_CHANGE_USER with a request for another proof, whatever came with the command, and
    // the same challenge; so there may be clients whose proof in the command itself is of no use.
    const asksAgain = this.#state === 'changeUser' && this.#canSwitch;
    // The challenge of the greeting is the announced plugin's: for another one MariaDB's client library shows no proof,
    // and waits for a challenge. That of client_ed25519 is longer, so that no proof for it can have come yet.
    const { authPluginName, authResponse } = login;
    const isOther = authPluginName !== null && authPluginName !== this.#options.defaultPlugin;
    const isUnasked = (isOther && authResponse.length === 0) || authPluginName === CLIENT_ED25519;
    const mustAsk = asksAgain || (isUnasked && this.#canSwitch);
    // Views into the received chunk would change under a later packet.
    const proof = Buffer.from(login.authResponse);
    this.#login = { ...login, authResponse: NO_PACKETS };
    const found = this.#options.lookup(login.username);
    if (!(found instanceof Promise)) return this.#choosePlugin(found, proof, mustAsk);
    return this.#wait(found, (account) => this.#choosePlugin(account, proof, mustAsk));
  }

  get #canSwitch(): boolean {
    return hasCapability(this.#capabilities, Capability.CLIENT_PLUGIN_AUTH);
  }

  #wait<T>(promise: Promise<T>, then: (value: T) => ServerHandshakeStep): ServerHandshakeStep {
    this.#move('waiting');
    return { kind: 'pending', next: promise.then(then) };
  }

  #choosePlugin(found: Found, proof: Buffer, mustAsk: boolean): ServerHandshakeStep {
    const { username, authPluginName } = this.#login!;
    if (found !== null && 'errno' in found) return this.#reject(found.errno, found.sqlState, found.message);
    const { decoy, nonce, secretCache, rsaKeyPair, checkPassword, defaultPlugin } = this.#options;
    const verifier = new AccountVerifier({
      username,
      account: found,
      decoy: decoy?.(username) ?? null,
      nonce,
      secureTransport: this.#secure,
      rsaKeyPair: rsaKeyPair ?? null,
      secretCache,
      checkPassword: checkPassword ?? checkAtOnce,
    });
    this.#verifier = verifier;
    const clientPlugin = (this.#canSwitch ? authPluginName : null) ?? MYSQL_NATIVE_PASSWORD;
    const usable = verifier.usablePlugins();
    const fits = usable.includes(clientPlugin);
    if (fits && !mustAsk) {
      this.#plugin = clientPlugin;
      this.#usedPassword = !isEmptyProof(clientPlugin, proof);
      return this.#judge(verifier.start(clientPlugin, proof));
    }
    if (!this.#canSwitch) return this.#reject(1251, '08004', OLD_CLIENT_MESSAGE);
    if (fits) this.#plugin = clientPlugin;
    else this.#plugin = usable.includes(defaultPlugin) ? defaultPlugin : usable[0]!;
    return this.#requestSwitch(verifier);
  }

  #requestSwitch(verifier: AccountVerifier): ServerHandshakeStep {
    this.#move('switched');
    let pluginData: Buffer = Buffer.concat([this.#options.nonce, Buffer.alloc(1)]);
    if (this.#plugin === CLIENT_ED25519) {
      pluginData = createEd25519Challenge();
      verifier.nonce = pluginData;
    }
    return this.#send(encodeAuthSwitchRequest({ pluginName: this.#plugin, pluginData }));
  }

  #judge(verdict: Verdict | Promise<Verdict>): ServerHandshakeStep {
    if (verdict instanceof Promise) return this.#wait(verdict, (settled) => this.#judge(settled));
    switch (verdict.kind) {
      case 'accepted':
        return this.#accept(verdict.secrets, verdict.moreData);
      case 'more':
        this.#move('more');
        return this.#send(encodeAuthMoreData({ data: verdict.data }));
      case 'rejected':
        return this.#reject(
          1045,
          '28000',
          `Access denied for user '${this.#login?.username ?? ''}'@'${this.#options.host}' ` +
            `(using password: ${this.#usedPassword ? 'YES' : 'NO'})`,
        );
    }
  }

  #accept(secrets: LearntSecrets, moreData: Buffer | null): AcceptedClient {
    const { username, database, collationId, connectAttributes } = this.#login!;
    this.#move('accepted');
    const packets = moreData === null ? NO_PACKETS : this.#frame(encodeAuthMoreData({ data: moreData }));
    return {
      kind: 'accepted',
      username,
      database,
      capabilities: this.#capabilities,
      mariadbCapabilities: this.#mariadbCapabilities,
      collationId,
      connectAttributes,
      maxPacketBytes: this.#maxPacketBytes,
      zstdLevel: this.#zstdLevel,
      plugin: this.#plugin,
      usedPassword: this.#usedPassword,
      ...secrets,
      packets,
      nextSequenceId: this.#expectedSequenceId,
    };
  }

  #reject(errno: number, sqlState: string, message: string): ServerHandshakeStep {
    this.#move('rejected');
    const capabilities = this.#isPre41 ? 0 : Capability.CLIENT_PROTOCOL_41;
    const packets = frameErr({ errno, sqlState, message }, capabilities, this.#expectedSequenceId);
    return { kind: 'rejected', errno, sqlState, message, packets };
  }

  #send(payload: Buffer): ServerHandshakeStep {
    return { kind: 'send', packets: this.#frame(payload) };
  }

  /** Takes the next sequence id for us; the one after it is whoever's turn it is. */
  #frame(payload: Buffer): Buffer {
    const packets = framePacket(payload, this.#expectedSequenceId);
    this.#expectedSequenceId = (this.#expectedSequenceId + 1) & 0xff;
    return packets;
  }

  #move(to: State): void {
    this.#state = transition('ServerHandshake', TRANSITIONS, this.#state, to);
  }
}
