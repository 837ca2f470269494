/**
 * One connection to the admin port: login, then one command after the other.
 *
 * | phase    | meaning                                              | left by                                  |
 * |----------|------------------------------------------------------|------------------------------------------|
 * | login    | the greeting is out, the client proves who it is     | accepted, refused, deadline, close       |
 * | commands | packets are commands, answered in order              | COM_QUIT, a fatal fault, time-out, close |
 * | closing  | the last packet is out; what still comes is dropped   | close, or the end of the linger time     |
 * | closed   | the socket is gone                                   | never                                    |
 *
 * Nothing is read while a command runs or its answer waits for the client to take it, so that a session holds at most
 * one chunk of commands and one answer; between two commands the other work of the thread has its turn.
 */

import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type AcceptedClient,
  Capability,
  createNonce,
  MYSQL_NATIVE_PASSWORD,
  PacketReader,
  PacketTooLargeError,
  type RsaKeyPair,
  type SecretCache,
  ServerHandshake,
  type ServerHandshakeStep,
  StatusFlag,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import type { AdminLimits } from './admin-limits.ts';
import { errorPacket, okPacket } from './answer-packets.ts';
import type { AdminRole, Condition } from './commands/command.ts';
import { answerCommand, type ProtocolContext, type ProtocolSession } from './protocol-commands.ts';
import { type Awaited, SessionWatch } from './session-watch.ts';

type Phase = 'login' | 'commands' | 'closing' | 'closed';

const transition = makeTransitions<Phase>('admin session', {
  login: ['commands', 'closing', 'closed'],
  commands: ['closing', 'closed'],
  closing: ['closed'],
  closed: [],
});

/** No compression, TLS, LOCAL INFILE, several statements in one or query attributes. */
const OFFERED_CAPABILITIES =
  Capability.CLIENT_LONG_PASSWORD |
  Capability.CLIENT_LONG_FLAG |
  Capability.CLIENT_CONNECT_WITH_DB |
  Capability.CLIENT_PROTOCOL_41 |
  Capability.CLIENT_INTERACTIVE |
  Capability.CLIENT_TRANSACTIONS |
  Capability.CLIENT_SECURE_CONNECTION |
  Capability.CLIENT_PLUGIN_AUTH |
  Capability.CLIENT_CONNECT_ATTRS |
  Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA |
  Capability.CLIENT_DEPRECATE_EOF;

const UTF8MB4_GENERAL_CI = 45;
/** Nobody needs more to log in. */
const MAX_LOGIN_PACKET_BYTES = 64 * 1024;
export interface AdminAccount {
  readonly password: string;
  readonly role: AdminRole;
}

export interface AdminSessionOptions {
  readonly connectionId: number;
  readonly serverVersion: string;
  readonly limits: AdminLimits;
  readonly context: ProtocolContext;
  readonly lookup: (username: string) => AdminAccount | null;
  readonly secretCache: SecretCache;
  readonly rsaKeyPair: RsaKeyPair | null;
  /** The client has proved who it is; false when there is no place for it. */
  readonly admit: () => boolean;
  readonly closed: () => void;
}

interface QueuedCommand {
  readonly payload: Buffer;
  readonly sequenceId: number;
}

export class AdminSession {
  readonly #socket: Socket;
  readonly #options: AdminSessionOptions;
  readonly #host: string;
  readonly #handshake: ServerHandshake;
  #phase: Phase = 'login';
  #reader: PacketReader;
  #queue: QueuedCommand[] = [];
  #answering = false;
  #session: ProtocolSession | null = null;
  readonly #watch: SessionWatch;

  constructor(socket: Socket, options: AdminSessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#host = (socket.remoteAddress ?? 'localhost').replace(/^::ffff:/, '');
    this.#watch = new SessionWatch(options.limits, (awaited) => this.#timedOut(awaited));
    this.#handshake = this.#makeHandshake();
    this.#reader = new PacketReader(
      (payload, sequenceId) => this.#loginStep(this.#handshake.receive(payload, sequenceId)),
      MAX_LOGIN_PACKET_BYTES,
    );
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#closed());
    this.#watch.await('login');
    socket.write(this.#handshake.greeting());
  }

  /** Makes room for another login. */
  drop(): void {
    this.#log('debug', 'admin login dropped: too many at once');
    this.#socket.destroy();
  }

  /** The port closes: says so, and goes at the latest when the linger time is over. */
  shutDown(): void {
    if (this.#phase === 'login' || this.#phase === 'commands')
      this.#fail(clientError('PROXY_SHUTDOWN', {}), 0);
  }

  #makeHandshake(): ServerHandshake {
    const { serverVersion, connectionId, lookup, secretCache, rsaKeyPair } = this.#options;
    return new ServerHandshake({
      serverVersion,
      threadId: connectionId,
      capabilities: OFFERED_CAPABILITIES,
      collationId: UTF8MB4_GENERAL_CI,
      statusFlags: StatusFlag.SERVER_STATUS_AUTOCOMMIT,
      defaultPlugin: MYSQL_NATIVE_PASSWORD,
      nonce: createNonce(),
      secureTransport: false,
      ...(rsaKeyPair === null ? {} : { rsaKeyPair }),
      lookup,
      secretCache,
      host: this.#host,
    });
  }

  #received(chunk: Buffer): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    try {
      const wasLogin = this.#phase === 'login';
      this.#reader.push(chunk);
      if (wasLogin && this.#isServing()) this.#beginCommands();
    } catch (error) {
      this.#broken(error);
      return;
    }
    if (!this.#isServing() || this.#answering) return;
    this.#watch.await(this.#reader.isAtBoundary ? 'idle' : 'packet');
    if (this.#queue.length > 0) void this.#answerQueue();
  }

  /** Also for the compiler, which takes the phase for unchanged by what was called in between. */
  #isServing(): boolean {
    return this.#phase === 'commands';
  }

  // ---- login

  #loginStep(step: ServerHandshakeStep): void {
    switch (step.kind) {
      case 'send':
        this.#socket.write(step.packets);
        return;
      case 'accepted':
        this.#accepted(step);
        return;
      case 'rejected':
        this.#log('warn', 'admin login refused', { errno: step.errno, reason: step.message });
        this.#reader.stop();
        this.#close(step.packets);
        return;
      case 'startTls':
      case 'pending':
        // Neither offered, nor is anything looked up elsewhere.
        this.#fail(clientError('PROXY_BAD_HANDSHAKE', {}), 1);
    }
  }

  #accepted(client: AcceptedClient): void {
    this.#reader.stop();
    const account = this.#options.lookup(client.username);
    if (account === null) {
      // Taken out of the configuration while it was logging in.
      const fields = { user: client.username, host: this.#host, usingPassword: 'YES' };
      this.#fail(clientError('PROXY_ACCESS_DENIED', fields), client.nextSequenceId);
      return;
    }
    this.#socket.write(client.packets);
    if (!this.#options.admit()) {
      const { maxSessions } = this.#options.limits;
      this.#log('warn', 'admin login refused: too many sessions', { username: client.username, maxSessions });
      this.#fail(clientError('PROXY_TOO_MANY_CONNECTIONS', {}), client.nextSequenceId);
      return;
    }
    this.#log('debug', 'admin login', { username: client.username, role: account.role });
    this.#session = this.#makeSession(client, account.role);
    this.#phase = transition(this.#phase, 'commands');
    this.#socket.write(okPacket(client.capabilities, client.nextSequenceId));
  }

  #makeSession(client: AcceptedClient, role: AdminRole): ProtocolSession {
    const session = {
      connectionId: this.#options.connectionId,
      username: client.username,
      role,
      host: this.#host,
      schema: client.database === '' ? null : client.database,
      capabilities: client.capabilities,
      enterSchema: (schema: string) => {
        session.schema = schema;
      },
      conditions: [] as readonly Condition[],
      conclude: (conditions: readonly Condition[]) => {
        session.conditions = conditions;
      },
    };
    return session;
  }

  /** From the small packets of a login to those of commands; what came behind the login is a command already. */
  #beginCommands(): void {
    const rest = this.#reader.rest();
    this.#reader = new PacketReader((payload, sequenceId) => {
      // A copy: a view would hold, and change with, the chunk.
      this.#queue.push({ payload: Buffer.from(payload), sequenceId });
    }, this.#options.limits.maxPacketBytes);
    this.#reader.push(rest);
  }

  // ---- commands

  async #answerQueue(): Promise<void> {
    this.#answering = true;
    this.#watch.stop();
    this.#socket.pause();
    try {
      await this.#answerAll();
    } catch (error) {
      this.#log('error', 'admin session failed', { err: error });
      this.#socket.destroy();
    }
    this.#answering = false;
    if (!this.#isServing()) return;
    this.#watch.await(this.#reader.isAtBoundary ? 'idle' : 'packet');
    this.#socket.resume();
  }

  async #answerAll(): Promise<void> {
    const { context } = this.#options;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { payload, sequenceId } = next;
      if (sequenceId !== 0) {
        this.#fail(clientError('PROXY_PACKET_OUT_OF_ORDER', {}), (sequenceId + 1) & 0xff);
        return;
      }
      const packets = await answerCommand(payload, this.#session!, context);
      if (!this.#isServing()) return;
      if (packets === null) {
        this.#close();
        return;
      }
      if (!this.#socket.write(packets)) await this.#drained();
      await nextTurn();
    }
  }

  /** Resolves when the client has taken what was written, or is gone. */
  async #drained(): Promise<void> {
    this.#watch.await('write');
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.on('drain', done);
      this.#socket.on('close', done);
    });
    if (this.#isServing()) this.#watch.stop();
  }

  // ---- time

  #timedOut(awaited: Awaited): void {
    switch (awaited) {
      case 'login': {
        const { loginTimeoutMs } = this.#options.limits;
        this.#fail(clientError('PROXY_HANDSHAKE_TIMEOUT', { timeoutMs: loginTimeoutMs }), 1);
        return;
      }
      case 'packet':
      case 'idle':
        this.#fail(clientError('PROXY_READ_TIMEOUT', {}), 0);
        return;
      case 'write':
        this.#log('warn', 'admin client does not read its answer');
        this.#socket.destroy();
        return;
      case 'linger':
        this.#socket.destroy();
    }
  }

  // ---- the end

  #broken(error: unknown): void {
    if (error instanceof PacketTooLargeError) {
      this.#log('warn', 'admin client sent too large a packet', { bytes: error.packetBytes });
      this.#fail(clientError('PROXY_PACKET_TOO_LARGE', {}), 1);
      return;
    }
    this.#log('warn', 'admin client broke the protocol', { err: error });
    this.#fail(clientError('PROXY_MALFORMED_PACKET', {}), 1);
  }

  /** Says why, and closes. */
  #fail(error: ClientError, sequenceId: number): void {
    const capabilities = this.#session?.capabilities ?? Capability.CLIENT_PROTOCOL_41;
    this.#log('debug', 'admin session ended', { errno: error.errno, reason: error.message });
    this.#close(errorPacket(error, capabilities, sequenceId));
  }

  #close(lastPackets?: Buffer): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    this.#phase = transition(this.#phase, 'closing');
    this.#queue = [];
    this.#watch.await('linger');
    if (lastPackets === undefined) this.#socket.end();
    else this.#socket.end(lastPackets);
    // Reads, and drops, what still comes: only so is the client's end of the connection seen.
    this.#socket.resume();
  }

  #closed(): void {
    if (this.#phase === 'closed') return;
    this.#phase = transition(this.#phase, 'closed');
    this.#watch.stop();
    this.#options.closed();
  }

  #log(level: 'debug' | 'warn' | 'error', message: string, fields: Record<string, unknown> = {}): void {
    this.#options.context.logger[level](message, { host: this.#host, ...fields });
  }
}
