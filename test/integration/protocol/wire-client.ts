/** A client made of nothing but `protocol/` and a socket: what it says to a real server is what the library says. */

import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  Capability,
  ClientHandshake,
  type ClientHandshakeOptions,
  type ComStmtPrepareOk,
  decodeColumnCount,
  decodeColumnDefinition41,
  decodeComStmtPrepareOk,
  decodeErr,
  decodeOk,
  EOF_HEADER,
  ERR_HEADER,
  encodeComStmtPrepare,
  framePacket,
  type HandshakeFailure,
  hasCapability,
  intersectCapabilities,
  isEof,
  type OkPacket,
  PacketReader,
  uniteCapabilities,
  withoutCapabilities,
} from '../../../protocol/index.ts';

export interface WireAddress {
  readonly host: string;
  readonly port: number;
}

export interface WireResultset {
  readonly columns: ReturnType<typeof decodeColumnDefinition41>[];
  readonly rows: Buffer[];
  /** The OK that ends it, or null where an EOF did. */
  readonly end: OkPacket | null;
}

/** Everything that the library can handle, apart from compression, TLS and what changes the command phase's bytes. */
export const ORDINARY_CAPABILITIES = withoutCapabilities(
  uniteCapabilities(...Object.values(Capability)),
  uniteCapabilities(
    Capability.CLIENT_NO_SCHEMA,
    Capability.CLIENT_COMPRESS,
    Capability.CLIENT_ODBC,
    Capability.CLIENT_IGNORE_SPACE,
    Capability.CLIENT_INTERACTIVE,
    Capability.CLIENT_SSL,
    Capability.CLIENT_OPTIONAL_RESULTSET_METADATA,
    Capability.CLIENT_ZSTD_COMPRESSION_ALGORITHM,
    Capability.CLIENT_MULTI_FACTOR_AUTHENTICATION,
    Capability.CLIENT_CAPABILITY_EXTENSION,
    Capability.CLIENT_SSL_VERIFY_SERVER_CERT,
    Capability.CLIENT_REMEMBER_OPTIONS,
  ),
);

const MAX_PACKET_BYTES = 64 * 1024 * 1024;

export class WireClient {
  readonly handshake: ClientHandshake;
  #socket: Socket;
  readonly #reader: PacketReader;
  readonly #packets: { payload: Buffer; sequenceId: number }[] = [];
  #wake: (() => void) | null = null;
  #failure: Error | null = null;

  private constructor(socket: Socket, handshake: ClientHandshake) {
    this.handshake = handshake;
    this.#socket = socket;
    this.#reader = new PacketReader((payload, sequenceId) => {
      this.#packets.push({ payload: Buffer.from(payload), sequenceId });
    }, MAX_PACKET_BYTES);
    this.#attach(socket);
  }

  /** Logs in; gives the failure instead of a client where the handshake ends with one. */
  static async login(
    address: WireAddress,
    options: Partial<ClientHandshakeOptions> & Pick<ClientHandshakeOptions, 'username' | 'password'>,
  ): Promise<WireClient | HandshakeFailure> {
    const socket = createConnection(address);
    await once(socket, 'connect');
    const handshake = new ClientHandshake({
      database: null,
      capabilities: ORDINARY_CAPABILITIES,
      collationId: 45,
      connectAttributes: { _client_name: 'wire-client' },
      maxPacketBytes: MAX_PACKET_BYTES,
      allowRsa: false,
      secureTransport: false,
      ...options,
    });
    const client = new WireClient(socket, handshake);
    for (;;) {
      const { payload, sequenceId } = await client.#next();
      const step = handshake.receive(payload, sequenceId);
      if (step.kind === 'done') return client;
      if (step.kind === 'send') client.#socket.write(step.packets);
      if (step.kind === 'startTls') {
        await client.#startTls(step.packets);
        const next = handshake.tlsEstablished();
        if (next.kind === 'send') client.#socket.write(next.packets);
      }
      if (step.kind === 'failed') {
        client.close();
        return step;
      }
    }
  }

  get capabilities(): number {
    return this.handshake.capabilities;
  }

  send(payload: Uint8Array, sequenceId = 0): void {
    this.#socket.write(framePacket(payload, sequenceId));
  }

  async packet(): Promise<Buffer> {
    return (await this.#next()).payload;
  }

  /** Sends a command and reads one OK; an ERR is thrown. */
  async ok(payload: Uint8Array): Promise<OkPacket> {
    this.send(payload);
    return decodeOk(this.#notErr(await this.packet()), this.capabilities);
  }

  /** Sends a command and reads one result set. */
  async resultset(payload: Uint8Array): Promise<WireResultset> {
    this.send(payload);
    const deprecateEof = hasCapability(this.capabilities, Capability.CLIENT_DEPRECATE_EOF);
    const head = this.#notErr(await this.packet());
    const { columnCount } = decodeColumnCount(head, this.capabilities);
    const columns = [];
    for (let column = 0; column < columnCount; column += 1) {
      columns.push(decodeColumnDefinition41(await this.packet()));
    }
    if (!deprecateEof) await this.packet();
    const rows: Buffer[] = [];
    for (;;) {
      const packet = this.#notErr(await this.packet());
      if (deprecateEof && packet[0] === EOF_HEADER && packet.length < 0xff_ffff) {
        return { columns, rows, end: decodeOk(packet, this.capabilities) };
      }
      if (!deprecateEof && isEof(packet)) return { columns, rows, end: null };
      rows.push(packet);
    }
  }

  /** COM_STMT_PREPARE; its definitions are read and forgotten. */
  async prepare(sql: string): Promise<ComStmtPrepareOk> {
    this.send(encodeComStmtPrepare({ query: sql }));
    const head = decodeComStmtPrepareOk(this.#notErr(await this.packet()), this.capabilities);
    const eofs = hasCapability(this.capabilities, Capability.CLIENT_DEPRECATE_EOF) ? 0 : 1;
    for (const count of [head.parameterCount, head.columnCount])
      for (let left = count === 0 ? 0 : count + eofs; left > 0; left--) await this.packet();
    return head;
  }

  close(): void {
    this.#socket.destroy();
  }

  #attach(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      this.#wake?.();
    });
    socket.on('error', (error) => {
      this.#failure = error;
      this.#wake?.();
    });
    socket.on('close', () => {
      this.#failure ??= new Error('The server closed the connection');
      this.#wake?.();
    });
  }

  async #startTls(sslRequest: Buffer): Promise<void> {
    this.#socket.removeAllListeners('data');
    this.#socket.write(sslRequest);
    // The server made its certificate itself, when it was initialised.
    const secure = connectTls({ socket: this.#socket, rejectUnauthorized: false });
    await once(secure, 'secureConnect');
    this.#socket = secure;
    this.#attach(secure);
  }

  #notErr(packet: Buffer): Buffer {
    if (packet[0] !== ERR_HEADER) return packet;
    const { errno, sqlState, message } = decodeErr(packet);
    throw new Error(`${errno} (${sqlState}): ${message}`);
  }

  async #next(): Promise<{ payload: Buffer; sequenceId: number }> {
    for (;;) {
      const packet = this.#packets.shift();
      if (packet !== undefined) return packet;
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}

/** Without one of the ordinary capabilities. */
export function ordinaryWithout(...flags: number[]): number {
  return intersectCapabilities(
    ORDINARY_CAPABILITIES,
    withoutCapabilities(0xffff_ffff, uniteCapabilities(...flags)),
  );
}
