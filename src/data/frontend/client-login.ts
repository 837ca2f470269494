/**
 * How a client proves who it is, at login and in COM_CHANGE_USER: drives the protocol's handshake with what this
 * worker knows of accounts, and keeps the account's place in the shared count of its connections.
 */

import {
  type AcceptedClient,
  Capability,
  createNonce,
  frameErr,
  MYSQL_NATIVE_PASSWORD,
  ServerHandshake,
  type ServerHandshakeStep,
  StatusFlag,
} from '../../../protocol/index.ts';
import type { PlacedAccount } from '../../common/account.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { type ClientHost, hostText } from '../../common/host-pattern.ts';
import { ER_ACCESS_DENIED_ERROR } from '../../common/server-errno.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import { WheelTimer } from '../../common/timer-wheel.ts';
import { connectionKeyOf } from '../backend/connection-key.ts';
import { makeCredentials } from '../backend/credentials.ts';
import type { LogLevel, WorkerContext } from '../worker-context.ts';
import {
  connectionLimit,
  describeAccount,
  hasExpired,
  hostRefusal,
  isOutOfReach,
  loginRefusal,
  outOfReachRefusal,
  unreadRefusal,
} from './account-refusal.ts';
import type { SessionIdentity } from './client-identity.ts';
import { behaviourFlagsOf, type OfferedCapabilities, offeredCapabilities } from './offered-capabilities.ts';

/** utf8mb4_general_ci: known to every server and client; what counts is the collation that the client names. */
const GREETING_COLLATION = 45;
/** Logged with the reason; operators look for it. */
export const BROKEN = 'client broke the protocol';

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
  /** A refusal is about to be written; `refuse` tells of its own. */
  refused(errno: number, reason: string): void;
  /** The refusal has been written. */
  end(): void;
  /** The next packet may come: the login waited for something. */
  resumeInput(): void;
}

export class ClientLogin {
  readonly #peer: LoginPeer;
  readonly #context: WorkerContext;
  readonly #nonce = createNonce();
  /** Only while a client proves who it is. */
  #handshake: ServerHandshake | null = null;
  /** Whom the client says to be; not proven before `#accepted`. */
  #claimed: PlacedAccount | null = null;
  /** Whose place is taken. */
  #account: PlacedAccount | null = null;
  #isFirst = true;
  #username = '';
  /** Something is looked up, or a refusal is held back: no packet is due. */
  #isWaiting = false;
  #heldBack: WheelTimer | null = null;
  #released = false;

  constructor(peer: LoginPeer, context: WorkerContext) {
    this.#peer = peer;
    this.#context = context;
  }

  /** Whom the client says to be; '' while it has said nothing. */
  get username(): string {
    return this.#handshake?.username ?? this.#username;
  }

  /** Whether the client's next packet may be given to `receive`. */
  get takesPacket(): boolean {
    return !this.#isWaiting;
  }

  greet(): void {
    const { accounts, clientTls, proxyNetworks, snapshot } = this.#context;
    // Who speaks for others may still say for whom.
    const isForOthers = proxyNetworks.includes(this.#peer.transport.remoteAddress);
    if (!isForOthers && !accounts.allowsHost(this.#host)) {
      this.#refuseHost();
      return;
    }
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

  /** Before the greeting, when the client has said nothing yet that an SQLSTATE could be for. */
  #refuseHost(): void {
    const error = hostRefusal(hostText(this.#host), this.#context.accounts.state.policy);
    this.#context.counters.add(WorkerCounter.authFailures);
    this.#log('warn', 'login refused', { errno: error.errno, reason: error.message });
    this.#peer.refused(error.errno, error.message);
    this.#peer.write(frameErr(error, 0, 0));
    this.#peer.end();
  }

  /** Where the client comes from, as far as that is known by now. */
  get #host(): ClientHost {
    return this.#context.accounts.hostOf(this.#peer.transport.remoteAddress);
  }

  #log(level: LogLevel, message: string, fields: Record<string, unknown>): void {
    this.#context.log(level, message, { client: this.#peer.transport.remoteAddress, ...fields });
  }

  tlsEstablished(): void {
    this.#handshake?.tlsEstablished();
  }

  /** The client's next packet, a copy. */
  receive(payload: Buffer, sequenceId: number): void {
    const step = this.#handshake?.receive(payload, sequenceId);
    if (step !== undefined) this.#take(step);
  }

  /** The client has gone. */
  close(): void {
    this.#released = true;
    this.#releasePlace();
    if (this.#heldBack === null) return;
    this.#context.wheel.cancel(this.#heldBack);
    this.#heldBack = null;
    this.#context.loginDelays.answered();
  }

  #releasePlace(): void {
    if (this.#account !== null)
      this.#context.shared.releaseUser(this.#context.workerIndex, this.#account.slot);
    this.#account = null;
  }

  #options(offered: OfferedCapabilities): ConstructorParameters<typeof ServerHandshake>[0] {
    const { snapshot, secretCache, rsaKey, accounts, checkPassword } = this.#context;
    const { transport, connectionId } = this.#peer;
    const host = (): string => hostText(this.#host);
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
      lookup: (username) => this.#lookUp(username),
      decoy: (username) => accounts.decoyFor(username),
      secretCache,
      checkPassword,
      // A load balancer may tell it after the greeting.
      get host() {
        return host();
      },
    };
  }

  #lookUp(username: string): ReturnType<ConstructorParameters<typeof ServerHandshake>[0]['lookup']> {
    const { accounts } = this.#context;
    const host = this.#host;
    if (!accounts.allowsHost(host)) return hostRefusal(hostText(host), accounts.state.policy);
    const judge = (account: PlacedAccount | null): PlacedAccount | ClientError | null => {
      this.#claimed = account;
      if (account === null)
        return accounts.state.source === 'unread' ? unreadRefusal(accounts.state.unreadReason) : null;
      if (!isOutOfReach(account)) return account;
      this.#log('warn', 'the account has no plugin that can be used here', describeAccount(account));
      return outOfReachRefusal(account, username, hostText(host));
    };
    const found = accounts.find(username, host);
    return found instanceof Promise ? found.then(judge) : judge(found);
  }

  #take(step: ServerHandshakeStep): void {
    switch (step.kind) {
      case 'send':
        this.#peer.write(step.packets);
        return;
      case 'pending':
        this.#isWaiting = true;
        step.next.then(
          (next) => this.#takeLate(next),
          (error: Error) => this.#fail(error),
        );
        return;
      case 'rejected':
        this.#rejected(step);
        return;
      case 'accepted':
        this.#accepted(step);
        return;
      case 'startTls':
        this.#peer.startTls();
    }
  }

  #takeLate(step: ServerHandshakeStep): void {
    if (this.#released) return;
    this.#isWaiting = false;
    this.#take(step);
    this.#peer.resumeInput();
  }

  #fail(error: Error): void {
    if (this.#released) return;
    this.#log('error', 'internal error', { stack: error.stack });
    this.#peer.refuse(clientError('PROXY_INTERNAL', { reason: 'the login could not be judged' }), 1);
  }

  #rejected(step: RejectedStep): void {
    const { counters, accounts } = this.#context;
    counters.add(WorkerCounter.authFailures);
    const isRefusal = step.sqlState === '28000' || step.errno >= 3000;
    this.#log('warn', isRefusal ? 'login refused' : BROKEN, { errno: step.errno, reason: step.message });
    this.#peer.refused(step.errno, step.message);
    if (step.errno !== ER_ACCESS_DENIED_ERROR) {
      this.#answer(step.packets, 0);
      return;
    }
    accounts.refused(this.#claimed);
    const username = this.#handshake?.username ?? '';
    const { limits } = this.#context.snapshot.settings;
    const delayMs = this.#context.loginDelays.failed(this.#peer.transport.remoteAddress, username, limits);
    if (delayMs > 0) counters.add(WorkerCounter.loginsDelayed);
    // The client's own patience, and ours, is limits.handshakeTimeoutMs.
    this.#answer(step.packets, delayMs);
  }

  #answer(packets: Buffer, delayMs: number): void {
    const send = (): void => {
      this.#peer.write(packets);
      this.#peer.end();
    };
    if (delayMs === 0) {
      send();
      return;
    }
    this.#isWaiting = true;
    this.#heldBack = new WheelTimer(send);
    this.#context.wheel.arm(this.#heldBack, delayMs);
  }

  #accepted(client: AcceptedClient): void {
    const { loginDelays, accounts, counters, snapshot } = this.#context;
    const account = this.#claimed;
    if (account === null) {
      this.#peer.refuse(clientError('PROXY_BAD_HANDSHAKE', {}), client.nextSequenceId);
      return;
    }
    this.#handshake = null;
    this.#username = client.username;
    loginDelays.succeeded(this.#peer.transport.remoteAddress, client.username);
    if (client.packets.length > 0) this.#peer.write(client.packets);
    const refusal = loginRefusal(account, client, {
      policy: accounts.state.policy,
      transport: this.#peer.transport,
      requiresTls: snapshot.clientTls?.required === true,
      host: hostText(this.#host),
      nowMs: Date.now(),
    });
    if (refusal !== null) {
      counters.add(WorkerCounter.authFailures);
      this.#peer.refuse(refusal, client.nextSequenceId);
      return;
    }
    if (!this.#takePlace(account, client)) return;
    const identity = this.#identityOf(account, client);
    this.#isFirst = false;
    this.#peer.accepted({ client, identity, schema: client.database ?? account.defaultSchema });
  }

  /** False when there is none left; the client has been told then. */
  #takePlace(account: PlacedAccount, client: AcceptedClient): boolean {
    const { shared, workerIndex, accounts } = this.#context;
    const limit = connectionLimit(account, accounts.state);
    const before = this.#account;
    this.#releasePlace();
    if (shared.acquireUser(workerIndex, account.slot, limit.connections)) {
      this.#account = account;
      return true;
    }
    // It was there a moment ago.
    if (before !== null && shared.acquireUser(workerIndex, before.slot, 0)) this.#account = before;
    this.#context.counters.add(WorkerCounter.userLimitReached);
    this.#peer.refuse(limit.error(client.username), client.nextSequenceId);
    return false;
  }

  #identityOf(account: PlacedAccount, client: AcceptedClient): SessionIdentity {
    // The flag sets a bit of sql_mode at login, which COM_CHANGE_USER takes back on MariaDB.
    const isMariadb = this.#context.backends.dialect.flavor === 'mariadb';
    const isExpired = hasExpired(account, Date.now());
    const mayBeExpired = isExpired ? Capability.CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS : 0;
    const notAgain = !this.#isFirst && isMariadb ? Capability.CLIENT_IGNORE_SPACE : 0;
    const credentials = makeCredentials(client.username, secretOf(client));
    return {
      connectionId: this.#peer.connectionId,
      username: client.username,
      defaultHostgroup: account.defaultHostgroup,
      causalReads: account.causalReads,
      fastForward: account.fastForward,
      clientCapabilities: client.capabilities,
      collationId: (client.collationId ?? GREETING_COLLATION) & 0xff,
      connectionKey: connectionKeyOf(
        credentials,
        (behaviourFlagsOf(client.capabilities) & ~notAgain) | (client.capabilities & mayBeExpired),
        client.mariadbCapabilities,
        isExpired ? this.#peer.connectionId : null,
      ),
      credentials: this.#context.credentials.join(account, credentials),
    };
  }
}

type RejectedStep = Extract<ServerHandshakeStep, { readonly kind: 'rejected' }>;
type Secret = Parameters<typeof makeCredentials>[1];

/** What opens the servers for this user: the password if it is known, else what the client's own proof has told. */
function secretOf({ clearPassword, sha1Stage1, sha256Stage1 }: AcceptedClient): Secret {
  if (clearPassword !== null) return { kind: 'plain', value: clearPassword };
  if (sha1Stage1 !== null) return { kind: 'nativeSha1', sha1Stage1 };
  if (sha256Stage1 !== null) return { kind: 'sha2Stage1', sha256Stage1 };
  return { kind: 'none' };
}
