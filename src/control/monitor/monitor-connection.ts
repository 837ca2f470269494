/**
 * A connection of the monitor to one server. Every wait ends at the caller's signal: an aborted connection is
 * destroyed, because a server that did not answer one statement in time cannot be asked another on the same line.
 *
 * | state   | meaning                                        | entered by          | left by                    |
 * |---------|------------------------------------------------|---------------------|----------------------------|
 * | login   | connecting, handshake, TLS                     | `open`              | the server's OK            |
 * | open    | commands are sent, one behind the other's answer | login             | the end                    |
 * | closing | COM_QUIT is sent, the server is to hang up     | `close`             | it has, or the time is over |
 * | closed  | for good                                       | any                 | –                          |
 */

import { connect, type Socket } from 'node:net';
import {
  Capability,
  type ClientHandshake,
  Command,
  encodeBareCommand,
  encodeComQuery,
  framePacket,
  type HandshakeStep,
  PacketReader,
  uniteCapabilities,
} from '../../../protocol/index.ts';
import type { BackendTls } from '../../common/snapshot.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import type { ServerTls } from '../../topology/server-description.ts';
import { CommandAnswer, type Row } from './command-answer.ts';
import { ServerError } from './server-error.ts';
import { loginTo, secured, tlsOf } from './server-login.ts';
import { parseServerVersion, type ServerVersion } from './server-version.ts';

export type { Row };

export interface MonitorCredentials {
  readonly username: string;
  readonly password: string;
  /** The PEM texts behind a server's settings, as they are now; without it the system's authorities are used. */
  readonly resolveTls?: (host: string, tls: ServerTls) => BackendTls;
}

export interface MonitorTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls;
}

type State = 'login' | 'open' | 'closing' | 'closed';

const move = makeTransitions<State>('monitor connection', {
  login: ['open', 'closed'],
  open: ['closing', 'closed'],
  closing: ['closed'],
  closed: [],
});

/** For a server that was told goodbye to hang up. */
const GOODBYE_MS = 1000;
const UTF8MB4_UNICODE_CI = 224;
/** What a server may send at most. */
const MAX_PACKET_BYTES = 0x4000_0000;

/** A command and who waits for its answer. */
interface Order {
  readonly packet: Buffer;
  readonly answer: CommandAnswer;
  readonly resolve: (answer: CommandAnswer) => void;
  readonly reject: (error: Error) => void;
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('the check was aborted');
}

export class MonitorConnection {
  #state: State = 'login';
  #socket: Socket;
  readonly #handshake: ClientHandshake;
  readonly #tls: BackendTls | null;
  readonly #packets = new PacketReader(
    (payload, sequenceId) => this.#packet(payload, sequenceId),
    MAX_PACKET_BYTES,
  );
  #version: ServerVersion = parseServerVersion('');
  /** Of the login. */
  #opened: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;
  /** The first one is sent. */
  readonly #orders: Order[] = [];
  #end: Error | null = null;
  #onLost: () => void = () => {};

  private constructor(target: MonitorTarget, credentials: MonitorCredentials) {
    this.#tls = tlsOf(target, credentials);
    this.#handshake = loginTo(target, credentials, {
      programName: 'sluice-monitor',
      collationId: UTF8MB4_UNICODE_CI,
      // Rows that are found count as changed. Behind a CALL several answers come.
      capabilities: uniteCapabilities(
        Capability.CLIENT_FOUND_ROWS,
        Capability.CLIENT_IGNORE_SPACE,
        Capability.CLIENT_MULTI_RESULTS,
      ),
    });
    this.#socket = connect({ host: target.host, port: target.port, noDelay: true });
    this.#listen(this.#socket);
  }

  /** Rejects with the server's or the socket's error, or with the signal's reason. */
  static async open(
    target: MonitorTarget,
    credentials: MonitorCredentials,
    signal: AbortSignal,
  ): Promise<MonitorConnection> {
    if (signal.aborted) throw reasonOf(signal);
    const connection = new MonitorConnection(target, credentials);
    await connection.#until(signal, (resolve, reject) => {
      connection.#opened = { resolve: () => resolve(null), reject };
    });
    return connection;
  }

  /** As the server has announced it in its greeting, hence what Sluice shows to its own clients. */
  get version(): ServerVersion {
    return this.#version;
  }

  /** Called once, when the connection breaks while nobody waits for an answer, and nobody has closed it. */
  set onLost(callback: () => void) {
    this.#onLost = callback;
  }

  get usable(): boolean {
    return this.#state === 'open';
  }

  async query(sql: string, signal: AbortSignal): Promise<readonly Row[]> {
    return (await this.#ask(encodeComQuery({ query: sql }, 0), signal)).rows;
  }

  /** @returns how many rows were inserted, or found and changed (an upsert that updates counts as two) */
  async execute(sql: string, signal: AbortSignal): Promise<number> {
    return (await this.#ask(encodeComQuery({ query: sql }, 0), signal)).affectedRows;
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#ask(encodeBareCommand(Command.COM_PING), signal);
  }

  /** Says goodbye to the server, so that it does not count an aborted client. */
  close(): void {
    if (this.#state !== 'open') return;
    this.#state = move(this.#state, 'closing');
    this.#end = new Error('the connection was closed');
    this.#socket.end(framePacket(encodeBareCommand(Command.COM_QUIT), 0));
    const timer = setTimeout(() => this.#socket.destroy(), GOODBYE_MS);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  destroy(reason = new Error('the connection was destroyed')): void {
    if (this.#state === 'closed') return;
    this.#state = move(this.#state, 'closed');
    this.#end ??= reason;
    this.#socket.destroy();
    this.#opened?.reject(reason);
    for (const order of this.#orders.splice(0)) order.reject(reason);
  }

  #ask(command: Buffer, signal: AbortSignal): Promise<CommandAnswer> {
    return this.#until(signal, (resolve, reject) => {
      if (this.#end !== null) {
        reject(this.#end);
        return;
      }
      this.#orders.push({ packet: framePacket(command, 0), answer: new CommandAnswer(), resolve, reject });
      if (this.#orders.length === 1) this.#sendFirst();
    });
  }

  #until<T>(
    signal: AbortSignal,
    begin: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = (): void => this.destroy(reasonOf(signal));
      const settled = (): void => signal.removeEventListener('abort', abort);
      signal.addEventListener('abort', abort, { once: true });
      begin(
        (value) => {
          settled();
          resolve(value);
        },
        (error) => {
          settled();
          reject(error);
        },
      );
      if (signal.aborted) abort();
    });
  }

  #sendFirst(): void {
    const [order] = this.#orders;
    if (order === undefined) return;
    this.#packets.expect(1);
    this.#socket.write(order.packet);
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('end', () => socket.destroy());
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  /** Not by us. */
  #fail(error: Error): void {
    const wasIdle = this.#state === 'open' && this.#orders.length === 0;
    this.destroy(error);
    if (wasIdle) this.#onLost();
  }

  #received(chunk: Buffer): void {
    if (this.#state === 'closed') return;
    try {
      this.#packets.push(chunk);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #packet(payload: Buffer, sequenceId: number): void {
    if (this.#state === 'login') {
      // What the server has said is needed again for its next question.
      this.#step(this.#handshake.receive(Buffer.from(payload), sequenceId));
      return;
    }
    const [order] = this.#orders;
    try {
      if (order === undefined) {
        // Such as the reason of its end.
        new CommandAnswer().take(payload);
        throw new Error('the server sent what nobody had asked for');
      }
      if (!order.answer.take(payload)) return;
    } catch (error) {
      if (order === undefined || !(error instanceof ServerError)) throw error;
      this.#next();
      order.reject(error);
      return;
    }
    this.#next();
    order.resolve(order.answer);
  }

  #next(): void {
    this.#orders.shift();
    this.#sendFirst();
  }

  #step(step: HandshakeStep): void {
    if (step.kind === 'send') this.#socket.write(step.packets);
    else if (step.kind === 'startTls') this.#startTls(step.packets);
    else if (step.kind === 'failed')
      this.#fail(step.fromServer ? new ServerError(step) : new Error(step.message));
    else if (step.kind === 'done') {
      this.#version = parseServerVersion(this.#handshake.serverVersion);
      this.#state = move(this.#state, 'open');
      this.#opened?.resolve();
      this.#opened = null;
    }
  }

  #startTls(packets: Buffer): void {
    if (this.#tls === null) {
      this.#fail(new Error('TLS is not configured'));
      return;
    }
    // Nobody has vouched for that.
    if (!this.#packets.isAtBoundary) {
      this.#fail(new Error('the server sent more in clear than its greeting'));
      return;
    }
    this.#socket.write(packets);
    const socket = secured(this.#socket, this.#tls);
    this.#socket = socket;
    this.#listen(socket);
    socket.once('secureConnect', () => {
      if (this.#state === 'login') this.#step(this.#handshake.tlsEstablished());
    });
  }
}
