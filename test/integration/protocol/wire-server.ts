/** A server made of nothing but `protocol/` and a socket, for foreign clients to log in to. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  type AcceptedClient,
  Command,
  comQueryTextOffset,
  createNonce,
  encodeTextResultset,
  frameErr,
  frameOk,
  PacketReader,
  ServerHandshake,
  type ServerHandshakeOptions,
} from '../../../protocol/index.ts';

const MAX_PACKET_BYTES = 16 * 1024 * 1024;
const STATUS_AUTOCOMMIT = 2;

export type WireServerSettings = Pick<
  ServerHandshakeOptions,
  'capabilities' | 'defaultPlugin' | 'lookup' | 'serverVersion' | 'secretCache'
> &
  Partial<ServerHandshakeOptions>;

/** Answers every COM_QUERY with one row: user, schema, plugin, and the statement itself. */
export class WireServer {
  readonly accepted: AcceptedClient[] = [];
  readonly #settings: WireServerSettings;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(settings: WireServerSettings) {
    this.#settings = settings;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const options: ServerHandshakeOptions = {
      threadId: 42,
      collationId: 45,
      statusFlags: STATUS_AUTOCOMMIT,
      nonce: createNonce(),
      secureTransport: false,
      host: 'localhost',
      ...this.#settings,
    };
    let handshake: ServerHandshake | null = new ServerHandshake(options);
    let client: AcceptedClient | null = null;
    const reader = new PacketReader((payload, sequenceId) => {
      if (handshake === null && client !== null && payload[0] === Command.COM_CHANGE_USER) {
        const { capabilities, maxPacketBytes } = client;
        handshake = ServerHandshake.forChangeUser({ ...options, capabilities, maxPacketBytes });
      }
      if (handshake === null) {
        this.#command(socket, client!, payload);
        return;
      }
      const step = handshake.receive(payload, sequenceId);
      if (step.kind === 'startTls' || step.kind === 'pending')
        throw new Error('TLS is not part of this test server');
      socket.write(step.packets);
      if (step.kind === 'rejected') socket.end();
      if (step.kind !== 'accepted') return;
      handshake = null;
      client = step;
      this.accepted.push(step);
      socket.write(frameOk({ statusFlags: STATUS_AUTOCOMMIT }, step.capabilities, step.nextSequenceId));
    }, MAX_PACKET_BYTES);
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    socket.write(handshake.greeting());
  }

  #command(socket: Socket, client: AcceptedClient, payload: Buffer): void {
    const { capabilities } = client;
    switch (payload[0]) {
      case Command.COM_QUIT:
        socket.end();
        return;
      case Command.COM_PING:
      case Command.COM_INIT_DB:
      case Command.COM_RESET_CONNECTION:
        socket.write(frameOk({ statusFlags: STATUS_AUTOCOMMIT }, capabilities, 1));
        return;
      case Command.COM_QUERY: {
        const text = payload.subarray(comQueryTextOffset(payload, capabilities)).toString();
        socket.write(
          encodeTextResultset(
            ['user', 'schema', 'plugin', 'query'].map((name) => ({ name })),
            [[client.username, client.database, client.plugin, text]],
            { capabilities, statusFlags: STATUS_AUTOCOMMIT, warnings: 0, sequenceId: 1 },
          ),
        );
        return;
      }
      default:
        socket.write(
          frameErr({ errno: 1047, sqlState: '08S01', message: 'Unknown command' }, capabilities, 1),
        );
    }
  }
}
