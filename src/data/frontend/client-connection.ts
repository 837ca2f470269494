/**
 * The socket side of one client: login, then commands for its session.
 *
 * | phase     | meaning                                                | left by                             |
 * |-----------|--------------------------------------------------------|-------------------------------------|
 * | login     | greeting sent, the client proves who it is             | accepted, refused, deadline         |
 * | entering  | the schema named at login is being tried on a server   | its OK, its ERR                     |
 * | commands  | packets are commands (or a file) for the session       | close                               |
 * | change    | COM_CHANGE_USER: proving again                         | accepted, refused                   |
 * | closed    | gone                                                   | nothing                             |
 */

import type { Socket } from 'node:net';
import {
  type AcceptedClient,
  Capability,
  Command,
  createNonce,
  encodeSessionState,
  frameErr,
  frameOk,
  MYSQL_NATIVE_PASSWORD,
  ProtocolError,
  ServerHandshake,
  type ServerHandshakeStep,
  SessionTrackType,
  StatusFlag,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { Gauge, WorkerCounter } from '../../common/shared-counters.ts';
import type { SnapshotUser } from '../../common/snapshot.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import { WheelTimer } from '../../common/timer-wheel.ts';
import { connectionKeyOf } from '../backend/connection-key.ts';
import { makeCredentials } from '../backend/credentials.ts';
import { ClientSocket } from '../io/client-socket.ts';
import type { WorkerContext } from '../worker-context.ts';
import { behaviourFlagsOf, OFFERED_CAPABILITIES } from './offered-capabilities.ts';
import { PacketInput } from './packet-input.ts';
import { Session } from './session.ts';
import { SessionPhase } from './session-phase.ts';

const Phase = {
  login: 'login',
  entering: 'entering',
  commands: 'commands',
  change: 'change',
  closed: 'closed',
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

const transition = makeTransitions<Phase>('client connection', {
  login: ['entering', 'closed'],
  entering: ['commands', 'closed'],
  commands: ['change', 'closed'],
  change: ['entering', 'closed'],
  closed: [],
});

/** utf8mb4_general_ci: known to every server and client; what counts is the collation that the client names. */
const GREETING_COLLATION = 45;
/** Logged with the reason; operators look for it. */
const BROKEN = 'client broke the protocol';
const ER_ACCESS_DENIED_ERROR = 1045;
/** While this much of a client's file waits for its server, no more of it is read. */
const INFILE_BACKLOG_BYTES = 1 << 20;

export class ClientConnection {
  readonly connectionId: number;
  readonly #context: WorkerContext;
  readonly #socket: ClientSocket;
  readonly #input: PacketInput;
  readonly #timer: WheelTimer;
  readonly #nonce = createNonce();
  #phase: Phase = Phase.login;
  /** Only while a client proves who it is. */
  #handshake: ServerHandshake | null;
  #session: Session | null = null;
  #user: SnapshotUser | null = null;
  /** The clock ticks from the last byte; compared lazily, so that a byte costs no timer operation. */
  #lastActivity = performance.now();

  constructor(accepted: Socket, context: WorkerContext) {
    this.#context = context;
    this.connectionId = context.shared.nextConnectionId();
    this.#input = new PacketInput(
      {
        packet: (buffer, start, end, sequenceId) => this.#packet(buffer, start, end, sequenceId),
        packetTooLarge: (sequenceId) => this.#packetTooLarge(sequenceId),
        acceptsPacket: () => this.#acceptsPacket(),
      },
      // Nobody needs more than this to log in.
      64 * 1024,
    );
    this.#socket = new ClientSocket(accepted, {
      onBytes: (buffer, length) => this.#bytes(buffer, length),
      onDrain: () => this.#session?.run.clientDrained(),
      onClosed: () => this.#closed(),
    });
    this.#handshake = new ServerHandshake(this.#handshakeOptions(OFFERED_CAPABILITIES));
    this.#timer = new WheelTimer(() => this.#timedOut());
    context.wheel.arm(this.#timer, context.snapshot.settings.limits.handshakeTimeoutMs);
    this.#socket.write(this.#handshake.greeting());
  }

  get session(): Session | null {
    return this.#session;
  }

  /** A stop of the worker: nobody logs in any more. */
  endForShutdown(): void {
    if (this.#session !== null && this.#phase === Phase.commands) this.#session.endForShutdown();
    else this.#refuse(clientError('PROXY_SHUTDOWN', {}), 0);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #handshakeOptions(capabilities: number): ConstructorParameters<typeof ServerHandshake>[0] {
    const { snapshot, sha2Cache, rsaKey } = this.#context;
    return {
      serverVersion: snapshot.serverVersion,
      threadId: this.connectionId,
      capabilities,
      collationId: GREETING_COLLATION,
      statusFlags: StatusFlag.SERVER_STATUS_AUTOCOMMIT,
      defaultPlugin: MYSQL_NATIVE_PASSWORD,
      nonce: this.#nonce,
      secureTransport: false,
      rsaKeyPair: rsaKey,
      lookup: (username) => this.#findUser(username),
      decoy: { password: 'no account has this one' },
      sha2Cache,
      host:
        this.#socket.remoteAddress === '' ? 'localhost' : this.#socket.remoteAddress.replace(/^::ffff:/, ''),
    };
  }

  #findUser(username: string): SnapshotUser | null {
    return this.#context.usersByName.get(username) ?? null;
  }

  #acceptsPacket(): boolean {
    switch (this.#phase) {
      case Phase.commands: {
        const phase = this.#session!.phase;
        if (phase === SessionPhase.infile) return this.#infileBacklog() < INFILE_BACKLOG_BYTES;
        return phase === SessionPhase.idle;
      }
      case Phase.login:
      case Phase.change:
        return true;
      default:
        return false;
    }
  }

  /** How much of a client's file the server has not taken yet. */
  #infileBacklog(): number {
    return this.#session?.run.connection?.socket.unsentBytes ?? 0;
  }

  #bytes(buffer: Buffer, length: number): void {
    this.#lastActivity = performance.now();
    try {
      this.#input.push(buffer, length);
    } catch (error) {
      this.#broken(error as Error);
      return;
    }
    if (this.#input.wantsPause) this.#socket.pause();
  }

  #resumeInput(): void {
    if (this.#phase === Phase.closed) return;
    try {
      this.#input.resume();
    } catch (error) {
      this.#broken(error as Error);
      return;
    }
    if (!this.#input.wantsPause) this.#socket.resume();
  }

  #packet(buffer: Buffer, start: number, end: number, sequenceId: number): void {
    if (this.#phase === Phase.commands) {
      const session = this.#session!;
      if (session.phase === SessionPhase.infile) {
        session.infilePacket(buffer, start, end, sequenceId);
        const { connection } = session.run;
        if (connection !== null && this.#infileBacklog() >= INFILE_BACKLOG_BYTES) {
          this.#socket.pause();
          connection.holderDrained = () => this.#resumeInput();
        }
        return;
      }
      if (sequenceId !== this.#firstSequenceOf(end - start)) {
        const reason = `sequence id ${sequenceId} where ${this.#firstSequenceOf(end - start)} was due`;
        this.#refuse(clientError('PROXY_PACKET_OUT_OF_ORDER', {}), 1, BROKEN, reason);
        return;
      }
      if (buffer[start] === Command.COM_CHANGE_USER) this.#changeUser(buffer, start, end);
      else session.command(buffer, start, end);
      return;
    }
    const step = this.#handshake?.receive(Buffer.from(buffer.subarray(start, end)), sequenceId);
    if (step !== undefined) this.#handshakeStep(step);
  }

  /** The last frame of a long packet has a higher number; whether it is the right one the framing has told. */
  #firstSequenceOf(length: number): number {
    return Math.floor(length / 0xffffff) & 0xff;
  }

  #handshakeStep(step: ServerHandshakeStep): void {
    if (step.kind === 'send') this.#socket.write(step.packets);
    else if (step.kind === 'rejected') {
      this.#context.counters.add(WorkerCounter.authFailures);
      const message = step.errno === ER_ACCESS_DENIED_ERROR ? 'login refused' : BROKEN;
      this.#context.log('warn', message, {
        client: this.#socket.remoteAddress,
        errno: step.errno,
        reason: step.message,
      });
      this.#socket.write(step.packets);
      this.#end('login refused');
    } else if (step.kind === 'accepted') this.#accepted(step);
    else this.#refuse(clientError('PROXY_BAD_HANDSHAKE', {}), 1);
  }

  #accepted(client: AcceptedClient): void {
    const { snapshot, shared } = this.#context;
    const user = this.#findUser(client.username);
    if (user === null) {
      this.#refuse(clientError('PROXY_BAD_HANDSHAKE', {}), client.nextSequenceId);
      return;
    }
    this.#handshake = null;
    if (client.packets.length > 0) this.#socket.write(client.packets);
    this.#releaseUser();
    if (!shared.acquireUser(this.#context.workerIndex, user.slot, user.maxConnections)) {
      this.#refuse(clientError('PROXY_USER_CONNECTIONS', { user: user.username }), client.nextSequenceId);
      return;
    }
    this.#user = user;
    this.#input.maxPacketBytes = snapshot.settings.limits.maxPacketBytes;
    const collationId = client.collationId ?? GREETING_COLLATION;
    // The flag sets a bit of sql_mode at login, which COM_CHANGE_USER takes back on MariaDB.
    const isMariadb = this.#context.backends.dialect.flavor === 'mariadb';
    const notAgain = this.#session !== null && isMariadb ? Capability.CLIENT_IGNORE_SPACE : 0;
    const identity = {
      connectionId: this.connectionId,
      username: client.username,
      clientCapabilities: client.capabilities,
      collationId: collationId & 0xff,
      connectionKey: connectionKeyOf(
        makeCredentials(client.username, secretOf(user, client)),
        behaviourFlagsOf(client.capabilities) & ~notAgain,
      ),
    };
    if (this.#session === null) {
      this.#session = new Session(identity, this.#transport(), this.#context);
      this.#context.sessions.add(this.connectionId, this.#session);
    } else {
      this.#session.identity = identity;
    }
    this.#phase = transition(this.#phase, Phase.entering);
    const schema = client.database ?? user.defaultSchema;
    this.#session.start.enterSchema(schema, (error) => this.#entered(client, schema, error));
  }

  #entered(client: AcceptedClient, schema: string | null, error: ClientError | null): void {
    if (this.#phase !== Phase.entering) return;
    if (error !== null) {
      this.#context.log('info', 'login refused', {
        user: client.username,
        errno: error.errno,
        reason: error.message,
      });
      this.#refuse(error, client.nextSequenceId);
      return;
    }
    const tracks = (client.capabilities & Capability.CLIENT_SESSION_TRACK) !== 0;
    const sessionState =
      tracks && schema !== null ? encodeSessionState([{ type: SessionTrackType.SCHEMA, schema }]) : null;
    const { statusFlags } = this.#session!.state;
    this.#socket.write(frameOk({ statusFlags, sessionState }, client.capabilities, client.nextSequenceId));
    this.#phase = transition(this.#phase, Phase.commands);
    this.#armIdleTimer();
    this.#resumeInput();
  }

  #changeUser(buffer: Buffer, start: number, end: number): void {
    const session = this.#session!;
    session.forgetServerState();
    session.state.restart(null);
    session.state.schema = null;
    this.#phase = transition(this.#phase, Phase.change);
    this.#handshake = ServerHandshake.forChangeUser({
      ...this.#handshakeOptions(session.clientCapabilities),
      maxPacketBytes: this.#input.maxPacketBytes,
    });
    this.#handshakeStep(this.#handshake.receive(Buffer.from(buffer.subarray(start, end)), 0));
  }

  #transport(): ConstructorParameters<typeof Session>[1] {
    const socket = this.#socket;
    return {
      write: (bytes) => socket.write(bytes),
      get unsentBytes() {
        return socket.unsentBytes;
      },
      resumeInput: () => this.#resumeInput(),
      close: (reason) => this.#end(reason),
      host: socket.remoteAddress,
    };
  }

  // ---- the end

  #packetTooLarge(sequenceId: number): void {
    this.#refuse(clientError('PROXY_PACKET_TOO_LARGE', {}), (sequenceId + 1) & 0xff);
  }

  /** Says why, and closes. */
  #refuse(
    error: ClientError,
    sequenceId: number,
    message = 'client is disconnected',
    reason = error.message,
  ): void {
    if (this.#phase === Phase.closed) return;
    const capabilities = this.#session?.clientCapabilities ?? Capability.CLIENT_PROTOCOL_41;
    this.#context.counters.add(WorkerCounter.errorsSent);
    const { remoteAddress: client } = this.#socket;
    const user = this.#session?.username;
    this.#context.log(message === BROKEN ? 'warn' : 'info', message, {
      client,
      user,
      errno: error.errno,
      reason,
    });
    this.#socket.write(frameErr(error, capabilities, sequenceId));
    this.#end(error.message);
  }

  #broken(error: Error): void {
    this.#context.counters.add(WorkerCounter.protocolErrors);
    // Not the client's fault, then: a bug, which must leave a trace.
    if (!(error instanceof ProtocolError))
      this.#context.log('error', 'internal error', { stack: error.stack });
    this.#refuse(clientError('PROXY_MALFORMED_PACKET', {}), 1, BROKEN, error.message);
  }

  #timedOut(): void {
    const { limits } = this.#context.snapshot.settings;
    if (this.#phase === Phase.login || this.#phase === Phase.change) {
      const error = clientError('PROXY_HANDSHAKE_TIMEOUT', { timeoutMs: limits.handshakeTimeoutMs });
      this.#refuse(error, 1, 'login not finished in time');
      return;
    }
    const idleMs = performance.now() - this.#lastActivity;
    const busy = this.#session !== null && this.#session.phase !== SessionPhase.idle;
    if (!busy && idleMs >= limits.idleTimeoutMs) this.#refuse(clientError('PROXY_READ_TIMEOUT', {}), 0);
    else this.#armIdleTimer();
  }

  #armIdleTimer(): void {
    const { idleTimeoutMs } = this.#context.snapshot.settings.limits;
    if (idleTimeoutMs <= 0) {
      this.#context.wheel.cancel(this.#timer);
      return;
    }
    const rest = idleTimeoutMs - (performance.now() - this.#lastActivity);
    this.#context.wheel.arm(this.#timer, Math.max(1000, rest));
  }

  #end(_reason: string): void {
    this.#finish();
    this.#socket.end();
  }

  #closed(): void {
    this.#finish();
  }

  #finish(): void {
    if (this.#phase === Phase.closed) return;
    this.#phase = transition(this.#phase, Phase.closed);
    this.#context.wheel.cancel(this.#timer);
    const session = this.#session;
    if (session !== null) {
      session.close('the client has gone');
      this.#context.sessions.remove(this.connectionId);
    }
    this.#releaseUser();
    this.#context.shared.addGauge(Gauge.frontendConnections, -1);
    this.#context.counters.add(WorkerCounter.sessions, -1);
    this.#context.clients.delete(this);
  }

  #releaseUser(): void {
    if (this.#user !== null) this.#context.shared.releaseUser(this.#context.workerIndex, this.#user.slot);
    this.#user = null;
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
