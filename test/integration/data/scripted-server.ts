/** A server that logs everybody in, sets connections up as Sluice asks it, and then does what the test says. */

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  Command,
  createNonce,
  encodeTextResultset,
  frameOk,
  PacketReader,
  ServerHandshake,
} from '../../../protocol/index.ts';

const AUTOCOMMIT = 2;
/** As the handshake leaves it; the rest of the variables is of no interest here. */
const VARIABLES: readonly (readonly [string, string])[] = [
  ['autocommit', 'ON'],
  ['character_set_client', 'utf8mb4'],
  ['collation_connection', 'utf8mb4_general_ci'],
  ['sql_mode', ''],
];

export class ScriptedServer {
  readonly #server: Server;
  readonly sockets: Socket[] = [];
  /** Statements that were not part of a set-up. */
  readonly statements: string[] = [];
  /** Sent in one piece with the OK of the login. */
  behindLogin = Buffer.alloc(0);
  /** What COM_RESET_CONNECTION is answered with; null for an OK. */
  resetAnswer: Buffer | null = null;
  capabilities = 0;

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The only connection. */
  get socket(): Socket {
    return this.sockets[0]!;
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** A result of one column and one row. */
  row(value: string): Buffer {
    return this.#rows([{ name: 'value' }], [[value]]);
  }

  get ok(): Buffer {
    return frameOk({ statusFlags: AUTOCOMMIT }, this.capabilities, 1);
  }

  #rows(columns: { name: string }[], rows: (string | null)[][]): Buffer {
    const { capabilities } = this;
    return encodeTextResultset(columns, rows, {
      capabilities,
      statusFlags: AUTOCOMMIT,
      warnings: 0,
      sequenceId: 1,
    });
  }

  #serve(socket: Socket): void {
    this.sockets.push(socket);
    socket.on('error', () => socket.destroy());
    const handshake = new ServerHandshake({
      serverVersion: '10.11.19-MariaDB',
      threadId: 7,
      // What Sluice asks for.
      capabilities: 0x01ff_f7df,
      collationId: 45,
      statusFlags: AUTOCOMMIT,
      defaultPlugin: 'mysql_native_password',
      nonce: createNonce(),
      secureTransport: false,
      host: 'localhost',
      lookup: () => ({ password: 'secret' }),
      secretCache: new Map(),
    });
    let loggedIn = false;
    const reader = new PacketReader((payload, sequenceId) => {
      if (loggedIn) {
        this.#command(socket, payload);
        return;
      }
      const step = handshake.receive(payload, sequenceId);
      if (step.kind === 'startTls' || step.kind === 'pending')
        throw new Error('TLS is not part of this test server');
      if (step.packets.length > 0) socket.write(step.packets);
      if (step.kind === 'rejected') socket.end();
      if (step.kind !== 'accepted') return;
      loggedIn = true;
      this.capabilities = step.capabilities;
      const ok = frameOk({ statusFlags: AUTOCOMMIT }, step.capabilities, step.nextSequenceId);
      socket.write(Buffer.concat([ok, this.behindLogin]));
    }, 1 << 24);
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    socket.write(handshake.greeting());
  }

  #command(socket: Socket, payload: Buffer): void {
    const text = payload.subarray(1).toString();
    if (payload[0] === Command.COM_QUIT) socket.end();
    else if (payload[0] === Command.COM_RESET_CONNECTION) socket.write(this.resetAnswer ?? this.ok);
    else if (text.startsWith('SET session_track')) socket.write(this.ok);
    else if (text === 'SELECT DATABASE()') socket.write(this.#rows([{ name: 'd' }], [[null]]));
    else if (/^SHOW (SESSION|GLOBAL) VARIABLES/.test(text))
      socket.write(
        this.#rows(
          [{ name: 'Variable_name' }, { name: 'Value' }],
          VARIABLES.map((entry) => [...entry]),
        ),
      );
    else this.statements.push(text);
  }
}
