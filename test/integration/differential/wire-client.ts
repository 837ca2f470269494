import { createHash } from 'node:crypto';
import { Capability, Command } from './wire-constants.ts';
import { WireReader } from './wire-reader.ts';
import { decodeErr, decodeOk, type WireRecord } from './wire-record.ts';
import { WireSocket } from './wire-socket.ts';

export interface WireClientOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly schema: string | null;
  /** Sent as they are; `connectWithDb` is added where a schema is given. */
  readonly capabilities: number;
  readonly collationId: number;
  /** `plain` unless told. */
  readonly transport?: WireTransport;
}

export type WireTransport = 'plain' | 'tls' | 'compressed';

export interface WireHandshake {
  readonly serverVersion: string;
  readonly connectionId: number;
  readonly capabilities: number;
  /** MariaDB's upper half, 0 from MySQL. */
  readonly mariadbCapabilities: number;
  readonly collationId: number;
  readonly status: number;
  readonly plugin: string;
}

const MARIADB_CLIENT_EXTENDED_METADATA = 0x8;
/** A login up to the user name. */
const SSL_REQUEST_BYTES = 32;
const TRANSPORT_FLAGS: Readonly<Record<WireTransport, number>> = {
  plain: 0,
  tls: Capability.ssl,
  compressed: Capability.compress,
};
const DEFAULT_PLUGIN = 'mysql_native_password';

/** What every session of these tests asks for; DEPRECATE_EOF, SESSION_TRACK and the rest are added by the case. */
export const BASE_CAPABILITIES =
  Capability.longPassword |
  Capability.longFlag |
  Capability.protocol41 |
  Capability.transactions |
  Capability.secureConnection |
  Capability.multiResults |
  Capability.psMultiResults |
  Capability.pluginAuth;

/** A client that shows every packet as it came. Commands are sent through `socket`, answers read by `readAnswer`. */
export class WireClient {
  readonly socket: WireSocket;
  readonly handshake: WireHandshake;
  /** The packet that ended the handshake: OK or ERR. */
  readonly greeting: WireRecord;
  readonly capabilities: number;
  readonly #options: WireClientOptions;
  readonly #scramble: Buffer;

  private constructor(
    socket: WireSocket,
    options: WireClientOptions,
    handshake: WireHandshake,
    scramble: Buffer,
    greeting: WireRecord,
  ) {
    this.socket = socket;
    this.handshake = handshake;
    this.greeting = greeting;
    this.capabilities = options.capabilities;
    this.#options = options;
    this.#scramble = scramble;
  }

  /** Connects and logs in. A refusal is not thrown: it is the `greeting`. */
  static async connect(options: WireClientOptions): Promise<WireClient> {
    const socket = await WireSocket.open(options.host, options.port);
    try {
      const first = (await socket.receive()).payload;
      if (first[0] === 0xff) {
        return new WireClient(socket, options, NO_HANDSHAKE, Buffer.alloc(0), decodeErr(first));
      }
      const { handshake, scramble } = decodeHandshake(first);
      const response = handshakeResponse(options, scramble, mariadbCapabilitiesOf(options, handshake));
      const wanted = TRANSPORT_FLAGS[options.transport ?? 'plain'];
      if ((handshake.capabilities & wanted) !== wanted)
        throw new Error(`the server does not offer ${options.transport}`);
      if (options.transport === 'tls') {
        socket.send(response.subarray(0, SSL_REQUEST_BYTES));
        await socket.secure();
      }
      socket.send(response);
      const greeting = await finishAuth(socket, options);
      if (options.transport === 'compressed' && greeting.kind === 'ok') socket.compress();
      return new WireClient(socket, options, handshake, scramble, greeting);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  get sessionTrack(): boolean {
    return (this.capabilities & Capability.sessionTrack) !== 0;
  }

  get deprecateEof(): boolean {
    return (this.capabilities & Capability.deprecateEof) !== 0;
  }

  /** Column definitions name types that have no number of their own, e.g. JSON. */
  get extendedMetadata(): boolean {
    return mariadbCapabilitiesOf(this.#options, this.handshake) !== 0;
  }

  command(code: number, body: Buffer = Buffer.alloc(0)): void {
    this.socket.sendCommand(Buffer.concat([Buffer.from([code]), body]));
  }

  /** COM_CHANGE_USER up to the packet that ends it. */
  async changeUser(user: string, password: string, schema: string | null): Promise<WireRecord> {
    const proof = nativeProof(password, this.#scramble);
    this.command(
      Command.changeUser,
      Buffer.concat([
        Buffer.from(`${user}\0`),
        Buffer.from([proof.length]),
        proof,
        Buffer.from(`${schema ?? ''}\0`),
        Buffer.from([this.#options.collationId & 0xff, this.#options.collationId >> 8]),
        Buffer.from(`${DEFAULT_PLUGIN}\0`),
      ]),
    );
    return finishAuth(this.socket, { ...this.#options, password });
  }

  close(): void {
    if (!this.socket.closed) this.command(Command.quit);
    this.socket.destroy();
  }
}

const NO_HANDSHAKE: WireHandshake = {
  serverVersion: '',
  connectionId: 0,
  capabilities: 0,
  mariadbCapabilities: 0,
  collationId: 0,
  status: 0,
  plugin: '',
};

function decodeHandshake(payload: Buffer): { handshake: WireHandshake; scramble: Buffer } {
  const reader = new WireReader(payload);
  const protocolVersion = reader.int(1);
  if (protocolVersion !== 10) throw new Error(`handshake of protocol version ${protocolVersion}`);
  const serverVersion = reader.nulString();
  const connectionId = reader.int(4);
  const firstPart = reader.bytes(8);
  reader.int(1);
  const lower = reader.int(2);
  const collationId = reader.int(1);
  const status = reader.int(2);
  const upper = reader.int(2);
  const scrambleBytes = reader.int(1);
  reader.bytes(6);
  const reserved = reader.int(4);
  const secondPart = reader.bytes(Math.max(13, scrambleBytes - 8));
  const scramble = Buffer.concat([firstPart, secondPart.subarray(0, 12)]);
  const capabilities = (upper * 65536 + lower) >>> 0;
  const mariadbCapabilities = (capabilities & Capability.longPassword) === 0 ? reserved : 0;
  const plugin = reader.nulString();
  const handshake = {
    serverVersion,
    connectionId,
    capabilities,
    mariadbCapabilities,
    collationId,
    status,
    plugin,
  };
  return { handshake, scramble };
}

/** The clients that are up to date in everything else are so in this. */
function mariadbCapabilitiesOf(options: WireClientOptions, handshake: WireHandshake): number {
  const modern = Capability.deprecateEof | Capability.sessionTrack;
  const isModern = (options.capabilities & modern) === modern;
  return isModern ? handshake.mariadbCapabilities & MARIADB_CLIENT_EXTENDED_METADATA : 0;
}

function handshakeResponse(options: WireClientOptions, scramble: Buffer, mariadb: number): Buffer {
  const proof = nativeProof(options.password, scramble);
  const wanted = mariadb === 0 ? options.capabilities : options.capabilities & ~Capability.longPassword;
  const transport = TRANSPORT_FLAGS[options.transport ?? 'plain'];
  const flags = wanted | transport | (options.schema === null ? 0 : Capability.connectWithDb);
  const fixed = Buffer.alloc(32);
  fixed.writeUInt32LE(flags >>> 0, 0);
  fixed.writeUInt32LE(0x40000000, 4);
  fixed[8] = options.collationId;
  fixed.writeUInt32LE(mariadb, 28);
  return Buffer.concat([
    fixed,
    Buffer.from(`${options.user}\0`),
    Buffer.from([proof.length]),
    proof,
    options.schema === null ? Buffer.alloc(0) : Buffer.from(`${options.schema}\0`),
    Buffer.from(`${DEFAULT_PLUGIN}\0`),
  ]);
}

/** Answers any number of AuthSwitchRequests to mysql_native_password; gives the OK or the ERR at the end. */
async function finishAuth(socket: WireSocket, options: WireClientOptions): Promise<WireRecord> {
  for (;;) {
    const { payload } = await socket.receive();
    if (payload[0] === 0xff) return decodeErr(payload);
    if (payload[0] === 0) return decodeOk(payload, (options.capabilities & Capability.sessionTrack) !== 0);
    if (payload[0] !== 0xfe)
      throw new Error(`unexpected packet 0x${payload[0]?.toString(16)} while logging in`);
    const reader = new WireReader(payload.subarray(1));
    const plugin = reader.nulString();
    if (plugin !== DEFAULT_PLUGIN) throw new Error(`the server asks for ${plugin}`);
    socket.send(nativeProof(options.password, reader.bytes(20)));
  }
}

function nativeProof(password: string, scramble: Buffer): Buffer {
  if (password === '') return Buffer.alloc(0);
  const sha1 = (...parts: Buffer[]): Buffer => {
    const hash = createHash('sha1');
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const stage1 = sha1(Buffer.from(password));
  const mask = sha1(scramble, sha1(stage1));
  return Buffer.from(stage1.map((byte, index) => byte ^ (mask[index] as number)));
}
