/** A client that costs little, of both protocols, whose connection can be broken at any moment. */

import { connect, type Socket } from 'node:net';
import {
  Capability,
  ClientHandshake,
  framePacket,
  PacketReader,
  uniteCapabilities,
} from '../../../protocol/index.ts';
import type { Account } from '../../support/replication-set.ts';
import { type Answer, AnswerReader, ServerError } from './answer-reader.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly account: Account;
  readonly database: string;
}

export interface ConnectionOptions {
  readonly deprecatesEof?: boolean;
  /** OKs say what has changed in the session; GTIDs are asked for by the statements that need them. */
  readonly tracksSession?: boolean;
}

/** The connection is gone; what was under way may have happened. */
export class ConnectionLost extends Error {}

const BASE = uniteCapabilities(
  Capability.CLIENT_LONG_PASSWORD,
  Capability.CLIENT_PROTOCOL_41,
  Capability.CLIENT_CONNECT_WITH_DB,
  Capability.CLIENT_SECURE_CONNECTION,
  Capability.CLIENT_PLUGIN_AUTH,
  Capability.CLIENT_TRANSACTIONS,
  Capability.CLIENT_MULTI_STATEMENTS,
  Capability.CLIENT_MULTI_RESULTS,
  Capability.CLIENT_PS_MULTI_RESULTS,
  Capability.CLIENT_LOCAL_FILES,
);
const COM_QUERY = 0x03;
const COM_STMT_PREPARE = 0x16;
const COM_STMT_EXECUTE = 0x17;
const COM_RESET_CONNECTION = 0x1f;
const LONGLONG = 8;
const VAR_STRING = 0xfd;
const UTF8MB4_GENERAL_CI = 45;
const MAX_PACKET_BYTES = 1 << 24;

export type Parameter = number | string;

interface Waiting {
  readonly take: (payload: Buffer) => boolean;
  readonly fail: (error: Error) => void;
}

export class CheckerConnection {
  readonly #socket: Socket;
  readonly #statements = new Map<string, Promise<number>>();
  #deprecatesEof = false;
  #threadId = 0;
  #waiting: Waiting | null = null;
  #lost: ConnectionLost | null = null;
  #sequenceId = 0;

  private constructor({ host, port }: Endpoint) {
    this.#socket = connect({ host, port, noDelay: true });
    const reader = new PacketReader((payload, sequenceId) => {
      this.#sequenceId = sequenceId;
      const waiting = this.#waiting;
      if (waiting === null) this.#lose('a packet that nobody has asked for');
      else if (waiting.take(payload)) this.#waiting = null;
    }, MAX_PACKET_BYTES);
    this.#socket.on('data', (chunk) => {
      try {
        reader.push(chunk);
      } catch (error) {
        // A bug here or there; the run must not go on as if it had read nothing.
        this.#socket.destroy(error as Error);
      }
    });
    this.#socket.on('error', (error) => this.#lose(error.message));
    this.#socket.on('close', () => this.#lose('closed'));
  }

  static async open(endpoint: Endpoint, options: ConnectionOptions = {}): Promise<CheckerConnection> {
    const connection = new CheckerConnection(endpoint);
    await connection.#logIn(endpoint, options);
    return connection;
  }

  get threadId(): number {
    return this.#threadId;
  }

  get isLost(): boolean {
    return this.#lost !== null;
  }

  /** @param file what a LOAD DATA LOCAL in it gets */
  query(sql: string, file: string | null = null): Promise<Answer> {
    return this.#run(COM_QUERY, Buffer.from(sql), false, file);
  }

  async execute(sql: string, parameters: readonly Parameter[]): Promise<Answer> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#prepare(sql);
      this.#statements.set(sql, statement);
    }
    const id = await statement;
    return this.#run(COM_STMT_EXECUTE, executeBody(id, parameters), true, null);
  }

  /** As new, but for what it has been told of a schema. */
  async reset(): Promise<void> {
    this.#statements.clear();
    await this.#run(COM_RESET_CONNECTION, Buffer.alloc(0), false, null);
  }

  /** In the middle of whatever it does. */
  destroy(): void {
    this.#lose('destroyed');
    this.#socket.resetAndDestroy();
  }

  end(): void {
    this.#lose('ended');
    this.#socket.end(framePacket(Buffer.from([0x01]), 0));
  }

  #run(command: number, body: Buffer, isBinary: boolean, file: string | null): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const reader = new AnswerReader(this.#deprecatesEof, isBinary);
      const take = (payload: Buffer): boolean => {
        const step = reader.take(payload);
        if (step === 'wants-file') this.#sendFile(file ?? '');
        if (step !== 'done') return false;
        try {
          resolve(reader.answer);
        } catch (error) {
          reject(error);
        }
        return true;
      };
      this.#send(command, body, { take, fail: reject });
    });
  }

  #prepare(sql: string): Promise<number> {
    return new Promise((resolve, reject) => {
      let left = -1;
      let id = 0;
      const take = (payload: Buffer): boolean => {
        if (left < 0) {
          if (payload[0] === 0xff) {
            this.#statements.delete(sql);
            reject(new ServerError(payload.readUInt16LE(1), payload.toString('utf8', 9)));
            return true;
          }
          id = payload.readUInt32LE(1);
          const eofs = this.#deprecatesEof ? 0 : 1;
          const [columns, parameters] = [payload.readUInt16LE(5), payload.readUInt16LE(7)];
          left = (columns > 0 ? columns + eofs : 0) + (parameters > 0 ? parameters + eofs : 0);
        } else left--;
        if (left > 0) return false;
        resolve(id);
        return true;
      };
      this.#send(COM_STMT_PREPARE, Buffer.from(sql), { take, fail: reject });
    });
  }

  #send(command: number, body: Buffer, waiting: Waiting): void {
    if (this.#lost !== null) {
      waiting.fail(this.#lost);
      return;
    }
    if (this.#waiting !== null) throw new Error('a statement is under way on this connection');
    this.#waiting = waiting;
    this.#socket.write(framePacket(Buffer.concat([Buffer.from([command]), body]), 0));
  }

  #sendFile(content: string): void {
    const first = content === '' ? [] : [framePacket(Buffer.from(content), this.#sequenceId + 1)];
    this.#socket.write(
      Buffer.concat([...first, framePacket(Buffer.alloc(0), this.#sequenceId + first.length + 1)]),
    );
  }

  #lose(reason: string): void {
    this.#lost ??= new ConnectionLost(reason);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.fail(this.#lost);
  }

  #logIn({ account, database }: Endpoint, options: ConnectionOptions): Promise<void> {
    let capabilities = BASE;
    if (options.deprecatesEof === true) capabilities |= Capability.CLIENT_DEPRECATE_EOF;
    if (options.tracksSession === true) capabilities |= Capability.CLIENT_SESSION_TRACK;
    const handshake = new ClientHandshake({
      username: account.username,
      password: { kind: 'plain', value: account.password },
      database,
      capabilities,
      collationId: UTF8MB4_GENERAL_CI,
      connectAttributes: {},
      maxPacketBytes: MAX_PACKET_BYTES,
      allowRsa: true,
      secureTransport: false,
    });
    return new Promise((resolve, reject) => {
      const take = (payload: Buffer): boolean => {
        const step = handshake.receive(Buffer.from(payload), this.#sequenceId);
        if (step.kind === 'send') this.#socket.write(step.packets);
        else if (step.kind === 'failed') reject(new Error(`${step.errno}: ${step.message}`));
        else if (step.kind === 'done') {
          this.#deprecatesEof = (handshake.capabilities & Capability.CLIENT_DEPRECATE_EOF) !== 0;
          this.#threadId = handshake.threadId;
          resolve();
          return true;
        }
        return step.kind === 'failed';
      };
      this.#waiting = { take, fail: reject };
    });
  }
}

function executeBody(id: number, parameters: readonly Parameter[]): Buffer {
  const head = Buffer.alloc(9);
  head.writeUInt32LE(id, 0);
  head.writeUInt32LE(1, 5);
  if (parameters.length === 0) return head;
  const nulls = Buffer.alloc((parameters.length + 7) >> 3);
  const types = parameters.flatMap((value) => [typeof value === 'number' ? LONGLONG : VAR_STRING, 0]);
  const values = parameters.map((value) => {
    if (typeof value === 'string') return Buffer.from([Buffer.byteLength(value), ...Buffer.from(value)]);
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  });
  return Buffer.concat([head, nulls, Buffer.from([1, ...types]), ...values]);
}
