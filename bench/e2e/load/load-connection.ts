/** A client connection that costs little: bytes out, the end of the answer found, nothing decoded. */

import { connect, type Socket } from 'node:net';
import {
  Capability,
  ClientHandshake,
  Command,
  framePacket,
  type HandshakeStep,
  hasCapability,
  PacketReader,
  uniteCapabilities,
} from '../../../protocol/index.ts';
import type { SysbenchEndpoint } from '../sysbench.ts';
import { ResultScanner } from './result-scanner.ts';

const CAPABILITIES = uniteCapabilities(
  Capability.CLIENT_LONG_PASSWORD,
  Capability.CLIENT_PROTOCOL_41,
  Capability.CLIENT_SECURE_CONNECTION,
  Capability.CLIENT_PLUGIN_AUTH,
  Capability.CLIENT_TRANSACTIONS,
  Capability.CLIENT_DEPRECATE_EOF,
);
const UTF8MB4_GENERAL_CI = 45;
const MAX_HANDSHAKE_BYTES = 65_536;
const COM_QUIT = framePacket(Buffer.from([Command.COM_QUIT]), 0);

export type StatementDone = (error: Error | null) => void;

/** A complete COM_QUERY packet, to be made once and sent often. */
export function queryPacket(sql: string): Buffer {
  return framePacket(Buffer.concat([Buffer.from([Command.COM_QUERY]), Buffer.from(sql)]), 0);
}

export class LoadConnection {
  readonly #socket: Socket;
  readonly #scanner = new ResultScanner();
  #done: StatementDone | null = null;
  #onBytes: ((count: number) => void) | null = null;
  #broken: Error | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Resolves when logged in. */
  static open(endpoint: SysbenchEndpoint): Promise<LoadConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: endpoint.host, port: endpoint.port, noDelay: true });
      const fail = (error: Error) => {
        socket.destroy();
        reject(error);
      };
      const onClose = () => fail(new Error('connection closed before the login was complete'));
      socket.once('error', fail).once('close', onClose);
      const login = logIn(endpoint, socket, fail, () => {
        socket.off('data', login).off('error', fail).off('close', onClose);
        const connection = new LoadConnection(socket);
        connection.#listen();
        resolve(connection);
      });
      socket.on('data', login);
    });
  }

  get rows(): number {
    return this.#scanner.rows;
  }

  /** Sends a packet from `queryPacket`; `done` is called once, at the end of the answer. */
  execute(packet: Buffer, done: StatementDone): void {
    if (this.#broken !== null) {
      done(this.#broken);
      return;
    }
    this.#scanner.reset();
    this.#done = done;
    this.#socket.write(packet);
  }

  query(sql: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.execute(queryPacket(sql), (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** Called with the size of every chunk of an answer. */
  onBytes(listener: (count: number) => void): void {
    this.#onBytes = listener;
  }

  /** Stops reading: the window closes, and whoever sends has to wait. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** COM_QUIT, then the end of the connection; resolves when it is closed. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) {
        resolve();
        return;
      }
      this.#socket.once('close', () => resolve());
      this.#socket.end(COM_QUIT);
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        this.#onBytes?.(chunk.length);
        if (this.#scanner.feed(chunk)) this.#finish(this.#scanner.error);
      } catch (error) {
        this.#break(error instanceof Error ? error : new Error(String(error)));
      }
    });
    this.#socket.on('error', (error) => this.#break(error));
    this.#socket.on('close', () => this.#break(new Error('connection closed by the other side')));
  }

  #finish(error: Error | null): void {
    const done = this.#done;
    this.#done = null;
    done?.(error);
  }

  #break(error: Error): void {
    this.#broken ??= error;
    this.#socket.destroy();
    this.#finish(this.#broken);
  }
}

/** Gives the listener for what the server sends while the login lasts. */
function logIn(
  endpoint: SysbenchEndpoint,
  socket: Socket,
  fail: (error: Error) => void,
  done: () => void,
): (chunk: Buffer) => void {
  const handshake = new ClientHandshake({
    username: endpoint.username,
    password: { kind: 'plain', value: endpoint.password },
    database: endpoint.database,
    capabilities: CAPABILITIES,
    collationId: UTF8MB4_GENERAL_CI,
    connectAttributes: {},
    maxPacketBytes: MAX_HANDSHAKE_BYTES,
    allowRsa: true,
    secureTransport: false,
  });
  const reader = new PacketReader((payload, sequenceId) => {
    const step: HandshakeStep = handshake.receive(payload, sequenceId);
    if (step.kind === 'send') socket.write(step.packets);
    else if (step.kind === 'done') {
      // The scanner knows no other form of the answer.
      if (hasCapability(handshake.capabilities, Capability.CLIENT_DEPRECATE_EOF)) done();
      else fail(new Error('the server does not offer CLIENT_DEPRECATE_EOF'));
    } else if (step.kind === 'failed') fail(new Error(`error ${step.errno}: ${step.message}`));
  }, MAX_HANDSHAKE_BYTES);
  return (chunk) => {
    try {
      reader.push(chunk);
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  };
}
