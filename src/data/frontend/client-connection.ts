/**
 * The socket side of one client: login, then commands for its session.
 *
 * | phase     | meaning                                                | left by                             |
 * |-----------|--------------------------------------------------------|-------------------------------------|
 * | login     | greeting sent, the client proves who it is             | accepted, refused, deadline         |
 * | securing  | the client has asked for TLS, which is being set up    | TLS is up, deadline, close          |
 * | entering  | the schema named at login is being tried on a server   | its OK, its ERR                     |
 * | commands  | packets are commands (or a file) for the session       | close                               |
 * | change    | COM_CHANGE_USER: proving again                         | accepted, refused (or as before)    |
 * | closed    | gone                                                   | nothing                             |
 */

import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import {
  Capability,
  Command,
  encodeSessionState,
  frameErr,
  frameOk,
  SessionTrackType,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { Gauge, WorkerCounter } from '../../common/shared-counters.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import type { WorkerContext } from '../worker-context.ts';
import { packetDuringStream } from './binlog-acknowledgement.ts';
import { ClientAudit } from './client-audit.ts';
import { type AcceptedLogin, ClientLogin } from './client-login.ts';
import { ClientRefusal, type RefusedClient } from './client-refusal.ts';
import { ClientSilence, type SilenceListener } from './client-silence.ts';
import { ClientTransport } from './client-transport.ts';
import { PacketInput } from './packet-input.ts';
import { Session } from './session.ts';
import { SessionPhase } from './session-phase.ts';
import { ClientSessionTransport, type SessionListener } from './session-transport.ts';

const Phase = {
  login: 'login',
  securing: 'securing',
  entering: 'entering',
  commands: 'commands',
  change: 'change',
  closed: 'closed',
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

const transition = makeTransitions<Phase>('client connection', {
  login: ['securing', 'entering', 'closed'],
  securing: ['login', 'closed'],
  entering: ['commands', 'closed'],
  commands: ['change', 'closed'],
  change: ['entering', 'commands', 'closed'],
  closed: [],
});

/** Of COM_CHANGE_USER, on a connection that outlives them (MariaDB); then it is an unknown command. */
const MOST_FAILED_CHANGES = 3;
/** While this much of a client's file waits for its server, no more of it is read. */
const INFILE_BACKLOG_BYTES = 1 << 20;
/** A stream that has more than this waiting, of whatever kind, will tell when it has drained. */
const LEAST_BACKLOG_BYTES = 512 * 1024;

export class ClientConnection implements RefusedClient, SilenceListener, SessionListener {
  readonly connectionId: number;
  readonly #context: WorkerContext;
  readonly #socket: ClientTransport;
  readonly #input: PacketInput;
  readonly #silence: ClientSilence;
  readonly #refusal: ClientRefusal;
  readonly #login: ClientLogin;
  readonly #audit: ClientAudit;
  #phase: Phase = Phase.login;
  #session: Session | null = null;
  /** Before the COM_CHANGE_USER that is under way. */
  #schemaBefore: string | null = null;
  #failedChanges = 0;

  constructor(accepted: Socket, context: WorkerContext) {
    this.#context = context;
    this.connectionId = context.shared.nextConnectionId();
    this.#input = new PacketInput(
      {
        packet: (buffer, start, end, sequenceId) => this.#packet(buffer, start, end, sequenceId),
        packetTooLarge: (sequenceId) => this.#refusal.packetTooLarge(sequenceId),
        acceptsPacket: () => this.#acceptsPacket(),
      },
      // Nobody needs more than this to log in.
      64 * 1024,
    );
    this.#socket = new ClientTransport(accepted, context, {
      onBytes: (buffer, length) => this.#bytes(buffer, length),
      onDrain: () => this.#drained(),
      onClosed: (error) => this.#closed(error),
      onBroken: (error) => this.#refusal.transportBroken(error),
      acceptsBytes: () => this.#acceptsPacket(),
      onUntrustedHeader: () => this.#refusal.untrustedHeader(),
    });
    this.#audit = new ClientAudit(context, this.#socket, this.connectionId);
    this.#login = new ClientLogin(this.#loginPeer(), context);
    this.#refusal = new ClientRefusal(this, this.#socket, context);
    this.#silence = new ClientSilence(context, this);
    this.#silence.armForLogin();
  }

  /** Says hello, or that nobody is let in from there. */
  start(): void {
    this.#login.greet();
  }

  get session(): Session | null {
    return this.#session;
  }

  /** A stop of the worker: nobody logs in any more. */
  endForShutdown(): void {
    if (this.#session !== null && this.#phase === Phase.commands) this.#session.endForShutdown();
    else this.#refusal.refuse(clientError('PROXY_SHUTDOWN', {}), 0);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #loginPeer(): ConstructorParameters<typeof ClientLogin>[0] {
    return {
      connectionId: this.connectionId,
      transport: this.#socket,
      write: (packets) => {
        this.#socket.write(packets);
      },
      startTls: () => this.#startTls(),
      accepted: (login) => this.#accepted(login),
      refused: (errno, reason) => this.#audit.refused(this.#login.username, reason, errno),
      refuse: (error, sequenceId) => {
        this.#audit.refused(this.#login.username, error.message, error.errno);
        if (!this.#keepsUser) this.#refusal.refuse(error, sequenceId);
        else {
          this.#socket.write(frameErr(error, this.#session!.clientCapabilities, sequenceId));
          this.#keepUser();
        }
      },
      end: () => {
        if (this.#keepsUser) this.#keepUser();
        else this.end('login refused');
      },
      resumeInput: () => this.resumeInput(),
    };
  }

  #acceptsPacket(): boolean {
    switch (this.#phase) {
      case Phase.commands: {
        const session = this.#session!;
        if (session.phase === SessionPhase.infile) return this.#infileBacklog() < INFILE_BACKLOG_BYTES;
        return (session.phase === SessionPhase.idle && this.#hasRoom) || session.run.streams;
      }
      case Phase.login:
      case Phase.change:
        return this.#login.takesPacket;
      default:
        return false;
    }
  }

  /** Who reads no answers is asked to do so before the next command: they would pile up here. */
  get #hasRoom(): boolean {
    const { writeBufferBytes } = this.#context.snapshot.settings.limits;
    return this.#socket.unsentBytes <= Math.max(writeBufferBytes, LEAST_BACKLOG_BYTES);
  }

  #drained(): void {
    this.#session?.run.clientDrained();
    if (this.#phase === Phase.commands) this.resumeInput();
  }

  /** How much of a client's file the server has not taken yet. */
  #infileBacklog(): number {
    return this.#session?.run.connection?.socket.unsentBytes ?? 0;
  }

  #bytes(buffer: Buffer, length: number): void {
    this.#silence.lastActivity = performance.now();
    try {
      this.#input.push(buffer, length);
    } catch (error) {
      this.#refusal.broken(error as Error);
      return;
    }
    if (this.#input.wantsPause) this.#socket.pause();
  }

  /** The session takes commands again, or may. */
  resumeInput(): void {
    if (this.#phase === Phase.closed) return;
    try {
      this.#input.resume();
    } catch (error) {
      this.#refusal.broken(error as Error);
      return;
    }
    if (!this.#input.wantsPause) this.#socket.resume();
  }

  #packet(buffer: Buffer, start: number, end: number, sequenceId: number): void {
    if (this.#phase === Phase.commands) {
      const session = this.#session!;
      if (session.phase === SessionPhase.infile) {
        session.infilePacket(buffer, start, end, this.#socket.isCompressed ? null : sequenceId);
        const { connection } = session.run;
        if (connection !== null && this.#infileBacklog() >= INFILE_BACKLOG_BYTES) {
          this.#socket.pause();
          connection.holderDrained = () => this.resumeInput();
        }
        return;
      }
      if (session.phase === SessionPhase.busy) {
        packetDuringStream(session, buffer, start, end);
        return;
      }
      // Inside of compression the frames are counted, and packets just as the client likes.
      if (sequenceId !== this.#firstSequenceOf(end - start) && !this.#socket.isCompressed) {
        this.#refusal.outOfOrder(sequenceId, this.#firstSequenceOf(end - start));
        return;
      }
      if (buffer[start] === Command.COM_CHANGE_USER) this.#changeUser(buffer, start, end);
      else session.command(buffer, start, end);
      return;
    }
    this.#login.receive(Buffer.from(buffer.subarray(start, end)), sequenceId);
  }

  /** The last frame of a long packet has a higher number; whether it is the right one the framing has told. */
  #firstSequenceOf(length: number): number {
    return Math.floor(length / 0xffffff) & 0xff;
  }

  /** What the client has sent behind its request is not read by us: it belongs to TLS, or is an injection. */
  #startTls(): void {
    this.#phase = transition(this.#phase, Phase.securing);
    // The read that brought the request is still being walked through.
    queueMicrotask(() => {
      if (this.#phase !== Phase.securing) return;
      const started = this.#socket.startTls(this.#input.takeWaiting(), () => {
        if (this.#phase !== Phase.securing) return;
        this.#phase = transition(this.#phase, Phase.login);
        this.#login.tlsEstablished();
      });
      if (!started) this.#refusal.refuse(clientError('PROXY_BAD_HANDSHAKE', {}), 2);
    });
  }

  #accepted(login: AcceptedLogin): void {
    const { identity, schema } = login;
    this.#input.maxPacketBytes = this.#context.snapshot.settings.limits.maxPacketBytes;
    if (this.#session === null) {
      const transport = new ClientSessionTransport(this.#socket, this.#silence, this);
      this.#session = new Session(identity, transport, this.#context);
      this.#context.sessions.add(this.connectionId, this.#session);
    } else {
      this.#session.changeIdentity(identity);
    }
    this.#failedChanges = 0;
    this.#phase = transition(this.#phase, Phase.entering);
    const session = this.#session;
    session.cleanup.whenDone(() => session.start.enterSchema(schema, (error) => this.#entered(login, error)));
  }

  #entered({ client, schema }: AcceptedLogin, error: ClientError | null): void {
    if (this.#phase !== Phase.entering) return;
    if (error !== null) {
      this.#context.log('info', 'login refused', {
        user: client.username,
        errno: error.errno,
        reason: error.message,
      });
      this.#audit.refused(client.username, error.message, error.errno);
      this.#refusal.refuse(error, client.nextSequenceId);
      return;
    }
    this.#audit.entered(client.username, schema);
    const tracks = (client.capabilities & Capability.CLIENT_SESSION_TRACK) !== 0;
    const sessionState =
      tracks && schema !== null ? encodeSessionState([{ type: SessionTrackType.SCHEMA, schema }]) : null;
    const { statusFlags } = this.#session!.state;
    this.#socket.write(frameOk({ statusFlags, sessionState }, client.capabilities, client.nextSequenceId));
    this.#phase = transition(this.#phase, Phase.commands);
    this.#socket.startCompression(client.capabilities, client.zstdLevel, this.#input.maxPacketBytes);
    this.#input.countsFrames = !this.#socket.isCompressed;
    this.#silence.armForCommand();
    this.resumeInput();
  }

  #changeUser(buffer: Buffer, start: number, end: number): void {
    const session = this.#session!;
    if (this.#failedChanges >= MOST_FAILED_CHANGES) {
      this.#socket.write(frameErr(clientError('PROXY_UNKNOWN_COMMAND', {}), session.clientCapabilities, 1));
      return;
    }
    this.#schemaBefore = session.state.schema;
    session.cleanup.begin();
    session.state.restart(null);
    session.state.schema = null;
    this.#phase = transition(this.#phase, Phase.change);
    // The idle timer may be about to run out.
    this.#silence.armForLogin();
    const command = Buffer.from(buffer.subarray(start, end));
    const negotiated = {
      capabilities: session.clientCapabilities,
      mariadbCapabilities: session.connectionKey.mariadbFlags,
    };
    this.#login.changeUser(command, negotiated, this.#input.maxPacketBytes);
  }

  /** Where a MySQL server closes the connection, MariaDB goes on with the user from before, but with a new session. */
  get #keepsUser(): boolean {
    return this.#phase === Phase.change && this.#context.backends.dialect.flavor === 'mariadb';
  }

  #keepUser(): void {
    this.#failedChanges++;
    this.#session!.state.schema = this.#schemaBefore;
    this.#phase = transition(this.#phase, Phase.commands);
    this.#silence.armForCommand();
    this.resumeInput();
  }

  // ---- the end

  get isClosed(): boolean {
    return this.#phase === Phase.closed;
  }

  end(reason: string): void {
    this.#finish(reason);
    this.#socket.end();
  }

  // ---- SilenceListener

  get isLoggingIn(): boolean {
    return this.#phase === Phase.login || this.#phase === Phase.securing || this.#phase === Phase.change;
  }

  get isBusy(): boolean {
    return this.#session !== null && this.#session.phase !== SessionPhase.idle;
  }

  get idleTimeoutMs(): number | null {
    return this.#session?.state.idleTimeoutMs ?? null;
  }

  loginTimedOut(timeoutMs: number): void {
    const error = clientError('PROXY_HANDSHAKE_TIMEOUT', { timeoutMs });
    this.#refusal.refuse(error, 1, 'login not finished in time');
  }

  idleTimedOut(bySession: boolean): void {
    // Servers say nothing at the end of `wait_timeout`: the client would take it for the answer to its next command.
    if (bySession) this.end('wait_timeout');
    else this.#refusal.refuse(clientError('PROXY_READ_TIMEOUT', {}), 0);
  }

  #closed(error: Error | null): void {
    if (this.#phase === Phase.securing) {
      this.#context.counters.add(WorkerCounter.protocolErrors);
      const reason = error?.message ?? 'the client has gone';
      const { remoteAddress: client } = this.#socket;
      this.#context.log('info', 'TLS handshake with a client failed', { client, reason });
    }
    this.#finish(error?.message ?? 'the client has gone');
  }

  #finish(reason: string): void {
    if (this.#phase === Phase.closed) return;
    this.#phase = transition(this.#phase, Phase.closed);
    this.#silence.stop();
    const session = this.#session;
    if (session !== null) {
      session.close('the client has gone');
      this.#context.sessions.remove(this.connectionId);
    }
    this.#login.close();
    this.#audit.ended(reason);
    this.#context.shared.addGauge(Gauge.frontendConnections, -1);
    this.#context.counters.add(WorkerCounter.sessions, -1);
    this.#context.clients.delete(this);
  }
}
