/**
 * A client that may break the rules: it logs in with whatever capabilities it is told, sends any bytes, and shows every
 * packet that comes back. For tests of what happens to clients like that, and of single packets.
 */

import { connect, type Socket } from 'node:net';
import {
  Capability,
  ClientHandshake,
  Command,
  decodeColumnCount,
  decodeColumnDefinition41,
  decodeEof,
  decodeErr,
  decodeLocalInfileRequest,
  decodeOk,
  decodeTextRow,
  EOF_HEADER,
  ERR_HEADER,
  type ErrPacket,
  framePacket,
  hasCapability,
  isEof,
  LOCAL_INFILE_HEADER,
  type OkPacket,
  PacketReader,
  StatusFlag,
  type TextRow,
  uniteCapabilities,
} from '../../protocol/index.ts';
import { waitUntil } from './wait-until.ts';

export interface RawLogin {
  readonly username: string;
  readonly password: string;
  readonly database?: string;
  readonly capabilities?: number;
  readonly collationId?: number;
}

export interface RawPacket {
  readonly payload: Buffer;
  /** Of its last fragment. */
  readonly sequenceId: number;
}

export type RawResult =
  | { readonly kind: 'ok'; readonly ok: OkPacket }
  | { readonly kind: 'error'; readonly error: ErrPacket }
  | {
      readonly kind: 'rows';
      readonly columns: ReadonlyArray<ReturnType<typeof decodeColumnDefinition41>>;
      /** Payloads as they came; `textRows` decodes them. */
      readonly rows: readonly Buffer[];
      readonly statusFlags: number;
      readonly warnings: number;
    }
  /** The rows before the error came without an end: they are no result. */
  | { readonly kind: 'broken'; readonly rows: readonly Buffer[]; readonly error: ErrPacket };

/** What an ordinary modern client asks for. */
export const MODERN_CAPABILITIES = uniteCapabilities(
  Capability.CLIENT_LONG_PASSWORD,
  Capability.CLIENT_LONG_FLAG,
  Capability.CLIENT_CONNECT_WITH_DB,
  Capability.CLIENT_LOCAL_FILES,
  Capability.CLIENT_PROTOCOL_41,
  Capability.CLIENT_TRANSACTIONS,
  Capability.CLIENT_SECURE_CONNECTION,
  Capability.CLIENT_MULTI_STATEMENTS,
  Capability.CLIENT_MULTI_RESULTS,
  Capability.CLIENT_PS_MULTI_RESULTS,
  Capability.CLIENT_PLUGIN_AUTH,
  Capability.CLIENT_SESSION_TRACK,
  Capability.CLIENT_DEPRECATE_EOF,
);

const UTF8MB4_GENERAL_CI = 45;
const MAX_PACKET_BYTES = 1024 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 30_000;

export class RawClient {
  readonly socket: Socket;
  /** Packets that nobody has read yet. */
  readonly #packets: RawPacket[] = [];
  readonly #reader: PacketReader;
  #keepsPackets = true;
  #capabilities = 0;
  #threadId = 0;
  #error: NodeJS.ErrnoException | null = null;
  #closed = false;
  #receivedBytes = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.#reader = new PacketReader((payload, sequenceId) => {
      this.#packets.push({ payload: Buffer.from(payload), sequenceId });
    }, MAX_PACKET_BYTES);
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#receivedBytes += chunk.length;
      if (this.#keepsPackets) this.#reader.push(chunk);
    });
    socket.on('error', (error) => {
      this.#error = error;
    });
    // The server's end of the stream is the end: a client would not go on sending.
    socket.on('end', () => {
      this.#closed = true;
    });
    socket.on('close', () => {
      this.#closed = true;
    });
  }

  /** Connects and does nothing more: the server's greeting is the first packet. */
  static async connect(address: { readonly host: string; readonly port: number }): Promise<RawClient> {
    const client = new RawClient(connect(address.port, address.host));
    await waitUntil(`connected to port ${address.port}`, () => !client.socket.connecting || client.#closed, {
      intervalMs: 1,
    });
    return client;
  }

  /** Connects and logs in; throws the server's error when it refuses. */
  static async login(
    address: { readonly host: string; readonly port: number },
    login: RawLogin,
  ): Promise<RawClient> {
    const client = await RawClient.connect(address);
    const error = await client.logIn(login);
    if (error === null) return client;
    client.destroy();
    throw Object.assign(new Error(error.message), { errno: error.errno, sqlState: error.sqlState });
  }

  /** Negotiated; 0 before the login. */
  get capabilities(): number {
    return this.#capabilities;
  }

  get threadId(): number {
    return this.#threadId;
  }

  /** The other side has ended or reset the connection. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Of the socket, e.g. `ECONNRESET`; null when it was closed in order. */
  get errorCode(): string | null {
    return this.#error?.code ?? null;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Runs the connection phase. Gives the refusal, or null when logged in. */
  async logIn(login: RawLogin): Promise<ErrPacket | null> {
    const handshake = new ClientHandshake({
      username: login.username,
      password: { kind: 'plain', value: login.password },
      database: login.database ?? null,
      capabilities: login.capabilities ?? MODERN_CAPABILITIES,
      collationId: login.collationId ?? UTF8MB4_GENERAL_CI,
      connectAttributes: {},
      maxPacketBytes: MAX_PACKET_BYTES,
      allowRsa: true,
      secureTransport: false,
    });
    for (;;) {
      const { payload, sequenceId } = await this.readPacket();
      const step = handshake.receive(payload, sequenceId);
      if (step.kind === 'send') this.sendBytes(step.packets);
      else if (step.kind === 'failed') return step;
      else if (step.kind === 'done') {
        this.#capabilities = handshake.capabilities;
        this.#threadId = handshake.threadId;
        return null;
      }
    }
  }

  /** From now on what comes is only counted. */
  keepNothing(): void {
    this.#keepsPackets = false;
  }

  /** Bytes as they are, without a header. */
  sendBytes(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  sendPacket(payload: Uint8Array, sequenceId = 0): void {
    this.socket.write(framePacket(payload, sequenceId));
  }

  sendCommand(command: number, body: string | Uint8Array = ''): void {
    this.sendPacket(Buffer.concat([Buffer.from([command]), Buffer.from(body as string)]));
  }

  /** The next packet; throws when the connection ends first, or none comes in time. */
  async readPacket(timeoutMs = DEFAULT_TIMEOUT_MS): Promise<RawPacket> {
    const packet = await waitUntil<RawPacket | 'closed' | undefined>(
      'a packet from the server',
      () => this.#packets.shift() ?? (this.#closed ? 'closed' : undefined),
      { timeoutMs, intervalMs: 1 },
    );
    if (packet === 'closed') throw new Error(`the connection was closed (${this.errorCode ?? 'in order'})`);
    return packet;
  }

  /** Waits until the other side has closed the connection, whatever it says before. */
  async waitUntilClosed(timeoutMs = DEFAULT_TIMEOUT_MS): Promise<void> {
    await waitUntil('the server closes the connection', () => this.#closed, { timeoutMs });
  }

  /** Sends COM_QUERY and reads the whole answer. */
  async query(sql: string | Uint8Array, options: ReadOptions = {}): Promise<RawResult[]> {
    this.sendCommand(Command.COM_QUERY, sql);
    return this.readResults(options);
  }

  /** The answer to a COM_QUERY: one result per statement. */
  async readResults(options: ReadOptions = {}): Promise<RawResult[]> {
    const results: RawResult[] = [];
    for (;;) {
      const result = await this.#readResult(options);
      results.push(result);
      if (result.kind === 'error' || result.kind === 'broken') return results;
      const { statusFlags } = result.kind === 'ok' ? result.ok : result;
      if ((statusFlags & StatusFlag.SERVER_MORE_RESULTS_EXISTS) === 0) return results;
    }
  }

  /** COM_QUIT and the end of the connection. */
  async quit(): Promise<void> {
    this.sendCommand(Command.COM_QUIT);
    await this.waitUntilClosed();
    this.destroy();
  }

  /** Resets the connection, as a client that dies. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  async #readResult(options: ReadOptions): Promise<RawResult> {
    const { payload, sequenceId } = await this.readPacket(options.timeoutMs);
    const header = payload[0];
    if (header === ERR_HEADER) return { kind: 'error', error: decodeErr(payload) };
    if (header === 0x00) return { kind: 'ok', ok: decodeOk(payload, this.#capabilities) };
    if (header === LOCAL_INFILE_HEADER) {
      const { filename } = decodeLocalInfileRequest(payload);
      const content = options.localFile?.(filename) ?? null;
      if (content !== null && content.length > 0) this.sendPacket(content, sequenceId + 1);
      this.sendPacket(Buffer.alloc(0), sequenceId + (content === null || content.length === 0 ? 1 : 2));
      return this.#readResult(options);
    }
    return this.#readRows(decodeColumnCount(payload, this.#capabilities).columnCount, options);
  }

  async #readRows(columnCount: number, { timeoutMs }: ReadOptions): Promise<RawResult> {
    const deprecatesEof = hasCapability(this.#capabilities, Capability.CLIENT_DEPRECATE_EOF);
    const columns = [];
    for (let column = 0; column < columnCount; column++) {
      columns.push(decodeColumnDefinition41((await this.readPacket(timeoutMs)).payload));
    }
    if (!deprecatesEof) decodeEof((await this.readPacket(timeoutMs)).payload, this.#capabilities);
    const rows: Buffer[] = [];
    for (;;) {
      const { payload } = await this.readPacket(timeoutMs);
      if (payload[0] === ERR_HEADER) return { kind: 'broken', rows, error: decodeErr(payload) };
      const isEnd = deprecatesEof ? payload[0] === EOF_HEADER && payload.length < 0xff_ffff : isEof(payload);
      if (isEnd) {
        const end = deprecatesEof
          ? decodeOk(payload, this.#capabilities)
          : decodeEof(payload, this.#capabilities);
        return { kind: 'rows', columns, rows, statusFlags: end.statusFlags, warnings: end.warnings };
      }
      rows.push(payload);
    }
  }
}

export interface ReadOptions {
  /** Between two packets. */
  readonly timeoutMs?: number;
  /** What LOAD DATA LOCAL gets; null refuses, with an empty packet. */
  readonly localFile?: (filename: string) => Buffer | null;
}

/** The rows of a text result, decoded as UTF-8. */
export function textRows(result: RawResult): (string | null)[][] {
  if (result.kind !== 'rows') throw new Error(`no rows but ${JSON.stringify(result)}`);
  const { columns, rows } = result;
  return rows.map((row) =>
    decodeTextRow(row, columns.length).map((value: TextRow[number]) => value?.toString() ?? null),
  );
}
