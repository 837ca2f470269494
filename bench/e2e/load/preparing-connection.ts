/** A client that prepares, executes and closes statements without parameters, one after the other. */

import { connect, type Socket } from 'node:net';
import {
  Capability,
  ClientHandshake,
  Command,
  framePacket,
  PacketReader,
  uniteCapabilities,
} from '../../../protocol/index.ts';
import type { SysbenchEndpoint } from '../sysbench.ts';

const CAPABILITIES = uniteCapabilities(
  Capability.CLIENT_LONG_PASSWORD,
  Capability.CLIENT_PROTOCOL_41,
  Capability.CLIENT_SECURE_CONNECTION,
  Capability.CLIENT_PLUGIN_AUTH,
  Capability.CLIENT_TRANSACTIONS,
  Capability.CLIENT_DEPRECATE_EOF,
);
const UTF8MB4_GENERAL_CI = 45;
const MAX_PACKET_BYTES = 1 << 20;
const ERR = 0xff;
const END_OF_ROWS = 0xfe;

export class PreparingConnection {
  readonly #socket: Socket;
  /** Takes the next packet; null while none is expected. */
  #receive: ((payload: Buffer, sequenceId: number) => void) | null = null;
  #fail: (error: Error) => void = () => undefined;

  private constructor(endpoint: SysbenchEndpoint) {
    this.#socket = connect({ host: endpoint.host, port: endpoint.port, noDelay: true });
    const reader = new PacketReader(
      (payload, sequenceId) => this.#receive?.(payload, sequenceId),
      MAX_PACKET_BYTES,
    );
    this.#socket.on('data', (chunk) => reader.push(chunk));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('connection closed by the other side')));
  }

  static async open(endpoint: SysbenchEndpoint): Promise<PreparingConnection> {
    const connection = new PreparingConnection(endpoint);
    await connection.#logIn(endpoint);
    return connection;
  }

  #logIn(endpoint: SysbenchEndpoint): Promise<void> {
    const handshake = new ClientHandshake({
      username: endpoint.username,
      password: { kind: 'plain', value: endpoint.password },
      database: endpoint.database,
      capabilities: CAPABILITIES | Capability.CLIENT_CONNECT_WITH_DB,
      collationId: UTF8MB4_GENERAL_CI,
      connectAttributes: {},
      maxPacketBytes: MAX_PACKET_BYTES,
      allowRsa: true,
      secureTransport: false,
    });
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#receive = (payload, sequenceId) => {
        const step = handshake.receive(Buffer.from(payload), sequenceId);
        if (step.kind === 'send') this.#socket.write(step.packets);
        else if (step.kind === 'done') resolve();
        else if (step.kind === 'failed') reject(new Error(`error ${step.errno}: ${step.message}`));
      };
    });
  }

  /** Resolves when the rows have come; the statement is closed then. */
  once(sql: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      const statementId = Buffer.alloc(4);
      let definitions = -1;
      this.#receive = (payload) => {
        if (payload[0] === ERR) reject(new Error(payload.toString('latin1', 9)));
        else if (definitions < 0) {
          payload.copy(statementId, 0, 1, 5);
          definitions = payload.readUInt16LE(5) + payload.readUInt16LE(7);
        } else if (--definitions === 0) this.#execute(statementId, resolve, reject);
      };
      this.#send(Command.COM_STMT_PREPARE, Buffer.from(sql));
    });
  }

  #execute(statementId: Buffer, resolve: () => void, reject: (error: Error) => void): void {
    let packets = 0;
    this.#receive = (payload) => {
      packets++;
      if (payload[0] === ERR) reject(new Error(payload.toString('latin1', 9)));
      // The column count and one definition come first.
      if (packets < 3 || payload[0] !== END_OF_ROWS) return;
      this.#receive = null;
      this.#send(Command.COM_STMT_CLOSE, statementId);
      resolve();
    };
    this.#send(Command.COM_STMT_EXECUTE, Buffer.concat([statementId, Buffer.from([0, 1, 0, 0, 0])]));
  }

  #send(command: number, body: Buffer): void {
    this.#socket.write(framePacket(Buffer.concat([Buffer.from([command]), body]), 0));
  }

  destroy(): void {
    this.#fail = () => undefined;
    this.#socket.destroy();
  }
}
