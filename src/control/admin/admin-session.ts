/**
 * One connection to the admin port: login, then one command after the other.
 *
 * | phase    | meaning                                              | left by                                       |
 * |----------|------------------------------------------------------|-----------------------------------------------|
 * | login    | the greeting is out, the client proves who it is     | accepted, TLS, refused, deadline, close       |
 * | securing | the client has asked for TLS                         | it is up, its failure, deadline, close        |
 * | commands | packets are commands, answered in order              | COM_CHANGE_USER, COM_QUIT, a fault, close     |
 * | changing | the client proves to be somebody else                | accepted, refused, deadline, close            |
 * | closing  | the last packet is out; what still comes is dropped  | close, or the end of the linger time          |
 * | closed   | the socket is gone                                   | never                                         |
 *
 * Nothing is read while a command runs or its answer waits for the client to take it, so that a session holds at most
 * one chunk of commands and one answer; between two slices of an answer the other work of the thread has its turn.
 */

import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type AcceptedClient,
  Capability,
  Command,
  PacketReader,
  PacketTooLargeError,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import { AdminCompression } from './admin-compression.ts';
import type { AdminLimits } from './admin-limits.ts';
import { type AdminAccount, AdminLogin, type AdminLoginOptions, type AdminLoginPeer } from './admin-login.ts';
import { AdminTransport } from './admin-transport.ts';
import { errorPacket, okPacket } from './answer-packets.ts';
import type { Condition } from './commands/command.ts';
import { PreparedStatements } from './prepared-statements.ts';
import { answerCommand, type ProtocolContext, type ProtocolSession } from './protocol-commands.ts';
import { type Awaited, SessionWatch } from './session-watch.ts';

type Phase = 'login' | 'securing' | 'commands' | 'changing' | 'closing' | 'closed';

const transition = makeTransitions<Phase>('admin session', {
  login: ['securing', 'commands', 'closing', 'closed'],
  securing: ['login', 'closing', 'closed'],
  commands: ['changing', 'closing', 'closed'],
  changing: ['commands', 'closing', 'closed'],
  closing: ['closed'],
  closed: [],
});

/** Nobody needs more to log in. */
const MAX_LOGIN_PACKET_BYTES = 64 * 1024;

export interface AdminSessionOptions extends AdminLoginOptions {
  readonly limits: AdminLimits;
  readonly context: ProtocolContext;
  /** The client has proved who it is; false when there is no place for it. */
  readonly admit: () => boolean;
  readonly closed: () => void;
}

interface QueuedCommand {
  readonly payload: Buffer;
  readonly sequenceId: number;
}

export class AdminSession {
  readonly #transport: AdminTransport;
  readonly #options: AdminSessionOptions;
  readonly #login: AdminLogin;
  readonly #watch: SessionWatch;
  #phase: Phase = 'login';
  #reader: PacketReader;
  /** What is to be done with the bytes behind the packet that was read last. */
  #whenRead: (() => void) | null = null;
  #queue: QueuedCommand[] = [];
  #answering = false;
  #session: ProtocolSession | null = null;
  /** For the audit log. */
  #endReason = 'the client has gone';

  constructor(socket: Socket, options: AdminSessionOptions) {
    this.#options = options;
    this.#transport = new AdminTransport(socket, {
      onBytes: (chunk) => this.#received(chunk),
      onBroken: (error) => this.#broken(error),
      onClosed: (error) => this.#closed(error),
    });
    this.#watch = new SessionWatch(options.limits, (awaited) => this.#timedOut(awaited));
    this.#login = new AdminLogin(this.#loginPeer(), options);
    this.#reader = this.#loginReader();
    this.#watch.await('login');
    this.#transport.write(this.#login.greeting());
  }

  /** Makes room for another login. */
  drop(): void {
    this.#log('debug', 'admin login dropped: too many at once');
    this.#transport.destroy();
  }

  /** The port closes: says so, and goes at the latest when the linger time is over. */
  shutDown(): void {
    this.#fail(clientError('PROXY_SHUTDOWN', {}), 0);
  }

  #received(chunk: Buffer): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    try {
      this.#reader.push(chunk);
      const whenRead = this.#whenRead;
      this.#whenRead = null;
      whenRead?.();
    } catch (error) {
      this.#broken(error);
      return;
    }
    if (!this.#takesCommands() || this.#answering) return;
    this.#awaitMore();
    if (this.#queue.length > 0) void this.#answerQueue();
  }

  #takesCommands(): boolean {
    return this.#phase === 'commands' || this.#phase === 'changing';
  }

  #awaitMore(): void {
    if (this.#phase === 'changing') this.#watch.await('login');
    else this.#watch.await(this.#reader.isAtBoundary ? 'idle' : 'packet');
  }

  // ---- login

  #loginReader(): PacketReader {
    return new PacketReader(
      (payload, sequenceId) => this.#login.receive(payload, sequenceId),
      MAX_LOGIN_PACKET_BYTES,
    );
  }

  #loginPeer(): AdminLoginPeer {
    const transport = this.#transport;
    return {
      host: transport.host,
      isLocal: transport.isLocal,
      get isSecure() {
        return transport.isSecure;
      },
      get hasCertificate() {
        return transport.hasCertificate;
      },
      write: (packets) => transport.write(packets),
      startTls: () => {
        this.#reader.stop();
        this.#whenRead = () => this.#secure();
      },
      accepted: (client, account) => {
        if (this.#phase === 'changing') this.#changed(client, account);
        else this.#accepted(client, account);
      },
      rejected: (packets, { errno, message }) => {
        this.#refused(errno, message);
        this.#reader.stop();
        this.#close(packets);
      },
      refuse: (error, sequenceId) => {
        this.#refused(error.errno, error.message);
        this.#reader.stop();
        this.#fail(error, sequenceId);
      },
    };
  }

  #secure(): void {
    const { tls } = this.#options;
    if (tls === null) return;
    this.#phase = transition(this.#phase, 'securing');
    const rest = this.#reader.rest();
    this.#reader = this.#loginReader();
    this.#transport.startTls(tls, rest, () => {
      if (this.#phase !== 'securing') return;
      this.#phase = transition(this.#phase, 'login');
      this.#login.tlsEstablished();
    });
  }

  #accepted(client: AcceptedClient, account: AdminAccount): void {
    this.#reader.stop();
    if (!this.#options.admit()) {
      const error = clientError('PROXY_TOO_MANY_CONNECTIONS', {});
      this.#refused(error.errno, error.message);
      this.#fail(error, client.nextSequenceId);
      return;
    }
    this.#enter(client, account);
    this.#whenRead = () => this.#beginCommands(client);
  }

  #enter(client: AcceptedClient, account: AdminAccount): void {
    this.#session = this.#makeSession(client, account);
    const { audit, port } = this.#options.context;
    audit.loggedIn({ ...this.#session, port });
    this.#phase = transition(this.#phase, 'commands');
    this.#transport.write(okPacket(client.capabilities, client.nextSequenceId));
  }

  #makeSession(client: AcceptedClient, { role }: AdminAccount): ProtocolSession {
    const { limits, connectionId } = this.#options;
    const session = {
      connectionId,
      username: client.username,
      role,
      host: this.#transport.host,
      schema: client.database === '' ? null : client.database,
      capabilities: client.capabilities,
      tls: this.#transport.tls,
      prepared: new PreparedStatements(limits.maxPacketBytes),
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
  #beginCommands({ capabilities }: AcceptedClient): void {
    const { maxPacketBytes } = this.#options.limits;
    const rest = this.#reader.rest();
    this.#reader = new PacketReader((payload, sequenceId) => {
      // A copy: a view would hold, and change with, the chunk.
      this.#queue.push({ payload: Buffer.from(payload), sequenceId });
    }, maxPacketBytes);
    const compression = AdminCompression.for(capabilities, maxPacketBytes);
    if (compression !== null) this.#transport.startCompression(compression);
    this.#transport.inject(rest);
  }

  #changeUser(command: Buffer): void {
    const { capabilities } = this.#session!;
    this.#phase = transition(this.#phase, 'changing');
    this.#login.changeUser(command, capabilities, this.#options.limits.maxPacketBytes);
  }

  #changed(client: AcceptedClient, account: AdminAccount): void {
    this.#enter(client, account);
  }

  #refused(errno: number, reason: string): void {
    const { context, connectionId } = this.#options;
    this.#log('debug', 'admin login refused', { errno, reason });
    const operator = { username: this.#login.username, host: this.#transport.host, connectionId };
    context.audit.loginRefused({ ...operator, port: context.port }, reason);
  }

  // ---- commands

  async #answerQueue(): Promise<void> {
    this.#answering = true;
    this.#watch.stop();
    this.#transport.pause();
    try {
      await this.#answerAll();
    } catch (error) {
      this.#log('error', 'admin session failed', { err: error });
      this.#transport.destroy();
    }
    this.#answering = false;
    if (!this.#takesCommands()) return;
    this.#awaitMore();
    this.#transport.resume();
  }

  async #answerAll(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { payload, sequenceId } = next;
      if (this.#phase === 'changing') this.#login.receive(payload, sequenceId);
      // In the compressed protocol the ids of frames count; clients differ in those of the packets within.
      else if (sequenceId !== 0 && !this.#transport.isCompressed) {
        this.#fail(clientError('PROXY_PACKET_OUT_OF_ORDER', {}), (sequenceId + 1) & 0xff);
        return;
      } else if (payload[0] === Command.COM_CHANGE_USER) this.#changeUser(payload);
      else if (!(await this.#answer(payload))) return;
      await nextTurn();
    }
  }

  /** False when there is nobody any more to answer to. */
  async #answer(payload: Buffer): Promise<boolean> {
    const { context } = this.#options;
    const slices = await answerCommand(payload, this.#session!, context);
    if (!this.#takesCommands()) return false;
    if (slices === null) {
      this.#endReason = 'quit';
      this.#close();
      return false;
    }
    for (const slice of slices) {
      if (!this.#transport.write(slice)) await this.#drained();
      await nextTurn();
      if (!this.#takesCommands()) return false;
    }
    return true;
  }

  async #drained(): Promise<void> {
    this.#watch.await('write');
    await this.#transport.drained();
    if (this.#takesCommands()) this.#watch.stop();
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
        this.#transport.destroy();
        return;
      case 'linger':
        this.#transport.destroy();
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
    if (this.#phase === 'securing') {
      // There is no way to say it: the client waits for TLS, and TLS for the client.
      this.#log('debug', 'admin session ended', { errno: error.errno, reason: error.message });
      this.#transport.destroy();
      return;
    }
    const capabilities = this.#session?.capabilities ?? Capability.CLIENT_PROTOCOL_41;
    this.#endReason = error.message;
    this.#log('debug', 'admin session ended', { errno: error.errno, reason: error.message });
    this.#close(errorPacket(error, capabilities, sequenceId));
  }

  #close(lastPackets?: Buffer): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return;
    this.#phase = transition(this.#phase, 'closing');
    this.#queue = [];
    this.#watch.await('linger');
    this.#transport.end(lastPackets);
  }

  #closed(error: Error | null): void {
    if (this.#phase === 'closed') return;
    if (this.#phase === 'securing')
      this.#log('warn', 'admin client did not get TLS up', { reason: error?.message ?? 'it has gone' });
    this.#phase = transition(this.#phase, 'closed');
    this.#watch.stop();
    const { audit, port } = this.#options.context;
    if (this.#session !== null) audit.left({ ...this.#session, port }, this.#endReason);
    this.#options.closed();
  }

  #log(level: 'debug' | 'warn' | 'error', message: string, fields: Record<string, unknown> = {}): void {
    this.#options.context.logger[level](message, { host: this.#transport.host, ...fields });
  }
}
