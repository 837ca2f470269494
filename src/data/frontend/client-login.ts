/**
 * How a client proves who it is, at login and in COM_CHANGE_USER: drives the protocol's handshake with what this
 * worker knows of accounts, and keeps the account's place in the shared count of its connections.
 */

import {
  type AcceptedClient,
  Capability,
  createNonce,
  MYSQL_NATIVE_PASSWORD,
  ServerHandshake,
  type ServerHandshakeStep,
  StatusFlag,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import { type SnapshotUser, TlsRequirement } from '../../common/snapshot.ts';
import { connectionKeyOf } from '../backend/connection-key.ts';
import { makeCredentials } from '../backend/credentials.ts';
import type { WorkerContext } from '../worker-context.ts';
import { behaviourFlagsOf, type OfferedCapabilities, offeredCapabilities } from './offered-capabilities.ts';
import type { SessionIdentity } from './session.ts';

/** utf8mb4_general_ci: known to every server and client; what counts is the collation that the client names. */
const GREETING_COLLATION = 45;
/** Logged with the reason; operators look for it. */
export const BROKEN = 'client broke the protocol';
const ER_ACCESS_DENIED_ERROR = 1045;

/** Somebody has been let in; the OK is still to be sent. */
export interface AcceptedLogin {
  readonly client: AcceptedClient;
  readonly identity: SessionIdentity;
  /** To be entered before the OK; null for none. */
  readonly schema: string | null;
}

/** What the way that the packets take says about their safety and their sender. */
export interface LoginTransport {
  /** Empty for a Unix socket. */
  readonly remoteAddress: string;
  readonly isEncrypted: boolean;
  readonly isLocal: boolean;
  readonly hasCertificate: boolean;
}

/** The connection, as a login sees it. */
export interface LoginPeer {
  readonly connectionId: number;
  readonly transport: LoginTransport;
  write(packets: Buffer): void;
  /** `tlsEstablished` is called when it is up. */
  startTls(): void;
  accepted(login: AcceptedLogin): void;
  /** Says why, and closes. */
  refuse(error: ClientError, sequenceId: number): void;
  /** The refusal has been written. */
  end(): void;
}

export class ClientLogin {
  readonly #peer: LoginPeer;
  readonly #context: WorkerContext;
  readonly #nonce = createNonce();
  /** Only while a client proves who it is. */
  #handshake: ServerHandshake | null = null;
  /** Whose place is taken. */
  #user: SnapshotUser | null = null;
  #isFirst = true;

  constructor(peer: LoginPeer, context: WorkerContext) {
    this.#peer = peer;
    this.#context = context;
  }

  greet(): void {
    const { clientTls, snapshot } = this.#context;
    const offered = offeredCapabilities(snapshot.serverVersion, {
      tls: clientTls.accept !== null,
      compression: snapshot.settings.compression,
    });
    this.#handshake = new ServerHandshake(this.#options(offered));
    this.#peer.write(this.#handshake.greeting());
  }

  /** `command` is the whole COM_CHANGE_USER, and a copy. */
  changeUser(command: Buffer, negotiated: OfferedCapabilities, maxPacketBytes: number): void {
    this.#handshake = ServerHandshake.forChangeUser({ ...this.#options(negotiated), maxPacketBytes });
    this.receive(command, 0);
  }

  tlsEstablished(): void {
    this.#handshake?.tlsEstablished();
  }

  /** The client's next packet, a copy. */
  receive(payload: Buffer, sequenceId: number): void {
    const step = this.#handshake?.receive(payload, sequenceId);
    if (step !== undefined) this.#take(step);
  }

  /** Gives the account's place back. */
  release(): void {
    if (this.#user !== null) this.#context.shared.releaseUser(this.#context.workerIndex, this.#user.slot);
    this.#user = null;
  }

  #options(offered: OfferedCapabilities): ConstructorParameters<typeof ServerHandshake>[0] {
    const { snapshot, sha2Cache, rsaKey } = this.#context;
    const { transport, connectionId } = this.#peer;
    const host = (): string => this.#host;
    return {
      serverVersion: snapshot.serverVersion,
      threadId: connectionId,
      ...offered,
      collationId: GREETING_COLLATION,
      statusFlags: StatusFlag.SERVER_STATUS_AUTOCOMMIT,
      defaultPlugin: MYSQL_NATIVE_PASSWORD,
      nonce: this.#nonce,
      secureTransport: transport.isEncrypted || transport.isLocal,
      rsaKeyPair: rsaKey,
      lookup: (username) => this.#findUser(username),
      decoy: { password: 'no account has this one' },
      sha2Cache,
      // A load balancer may tell it after the greeting.
      get host() {
        return host();
      },
    };
  }

  /** As error messages name it. */
  get #host(): string {
    const { remoteAddress } = this.#peer.transport;
    return remoteAddress === '' ? 'localhost' : remoteAddress;
  }

  #findUser(username: string): SnapshotUser | null {
    return this.#context.usersByName.get(username) ?? null;
  }

  #take(step: ServerHandshakeStep): void {
    if (step.kind === 'send') this.#peer.write(step.packets);
    else if (step.kind === 'rejected') {
      this.#context.counters.add(WorkerCounter.authFailures);
      const message = step.errno === ER_ACCESS_DENIED_ERROR ? 'login refused' : BROKEN;
      this.#context.log('warn', message, {
        client: this.#peer.transport.remoteAddress,
        errno: step.errno,
        reason: step.message,
      });
      this.#peer.write(step.packets);
      this.#peer.end();
    } else if (step.kind === 'accepted') this.#accepted(step);
    else this.#peer.startTls();
  }

  #accepted(client: AcceptedClient): void {
    const { shared } = this.#context;
    const user = this.#findUser(client.username);
    if (user === null) {
      this.#peer.refuse(clientError('PROXY_BAD_HANDSHAKE', {}), client.nextSequenceId);
      return;
    }
    this.#handshake = null;
    const insecure = this.#insecure(user);
    if (insecure !== null) {
      this.#context.counters.add(WorkerCounter.authFailures);
      this.#peer.refuse(insecure, client.nextSequenceId);
      return;
    }
    if (client.packets.length > 0) this.#peer.write(client.packets);
    this.release();
    if (!shared.acquireUser(this.#context.workerIndex, user.slot, user.maxConnections)) {
      const error = clientError('PROXY_USER_CONNECTIONS', { user: user.username });
      this.#peer.refuse(error, client.nextSequenceId);
      return;
    }
    this.#user = user;
    const identity = this.#identityOf(user, client);
    this.#isFirst = false;
    this.#peer.accepted({ client, identity, schema: client.database ?? user.defaultSchema });
  }

  /** What the account, or the configuration, demands of the transport and it does not have. */
  #insecure(user: SnapshotUser): ClientError | null {
    const { isEncrypted, isLocal, hasCertificate } = this.#peer.transport;
    if (this.#context.snapshot.clientTls?.required === true && !isEncrypted && !isLocal)
      return clientError('PROXY_SECURE_TRANSPORT_REQUIRED', {});
    const isMet =
      user.requireTls === TlsRequirement.NONE ||
      (isEncrypted && (user.requireTls === TlsRequirement.SSL || hasCertificate));
    if (isMet) return null;
    const usingPassword = user.password === null ? 'NO' : 'YES';
    return clientError('PROXY_ACCESS_DENIED', { user: user.username, host: this.#host, usingPassword });
  }

  #identityOf(user: SnapshotUser, client: AcceptedClient): SessionIdentity {
    // The flag sets a bit of sql_mode at login, which COM_CHANGE_USER takes back on MariaDB.
    const isMariadb = this.#context.backends.dialect.flavor === 'mariadb';
    const notAgain = !this.#isFirst && isMariadb ? Capability.CLIENT_IGNORE_SPACE : 0;
    return {
      connectionId: this.#peer.connectionId,
      username: client.username,
      clientCapabilities: client.capabilities,
      collationId: (client.collationId ?? GREETING_COLLATION) & 0xff,
      connectionKey: connectionKeyOf(
        makeCredentials(client.username, secretOf(user, client)),
        behaviourFlagsOf(client.capabilities) & ~notAgain,
        client.mariadbCapabilities,
      ),
    };
  }
}

type Secret = Parameters<typeof makeCredentials>[1];

/** What opens the servers for this user: the configured password, else what the client's own proof has told. */
function secretOf(user: SnapshotUser, client: AcceptedClient): Secret {
  const { password } = user;
  if (password === null || password === '') return { kind: 'none' };
  const isHash = /^\*[0-9A-F]{40}$/i.test(password) || password.startsWith('$A$');
  if (!isHash) return { kind: 'plain', value: password };
  if (client.clearPassword !== null) return { kind: 'plain', value: client.clearPassword };
  if (client.sha1Stage1 !== null) return { kind: 'nativeSha1', sha1Stage1: client.sha1Stage1 };
  if (client.sha256Stage1 !== null) return { kind: 'sha2Stage1', sha256Stage1: client.sha256Stage1 };
  return { kind: 'none' };
}
