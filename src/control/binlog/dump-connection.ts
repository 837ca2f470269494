/**
 * The connection on which a server sends its binlog: the login, some statements that prepare it, then events for as long as
 * it lasts. What it reads is handed out at once and kept nowhere; `pause` stops reading, and then the server waits.
 *
 * | state   | meaning                             | entered by           | left by                                   |
 * |---------|-------------------------------------|----------------------|-------------------------------------------|
 * | login   | connecting, handshake, TLS          | `open`               | the server's OK                           |
 * | idle    | a command may be sent               | login, asking        | `run`, `dump`                             |
 * | asking  | the answer of a statement is wanted | `run`                | OK or ERR                                 |
 * | dumping | events come                         | `dump`               | the end                                   |
 * | closed  | for good                            | any                  | –                                         |
 */

import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, createSecureContext } from 'node:tls';
import {
  BinlogChecksum,
  Capability,
  ClientHandshake,
  DumpReader,
  type DumpSink,
  decodeErr,
  ERR_HEADER,
  encodeComQuery,
  framePacket,
  type HandshakeStep,
  PacketReader,
  uniteCapabilities,
} from '../../../protocol/index.ts';
import type { BackendTls } from '../../common/snapshot.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import { TlsMode } from '../../topology/server-description.ts';
import type { MonitorCredentials, MonitorTarget } from '../monitor/monitor-connection.ts';
import { ReadRest } from './read-rest.ts';

type State = 'login' | 'idle' | 'asking' | 'dumping' | 'closed';

const move = makeTransitions<State>('dump connection', {
  login: ['idle', 'closed'],
  idle: ['asking', 'dumping', 'closed'],
  asking: ['idle', 'closed'],
  dumping: ['closed'],
  closed: [],
});

const UTF8MB4 = 45;
const MAX_LOGIN_PACKET_BYTES = 1_048_576;
/** Longer events are not looked at as a whole. */
const MAX_EVENT_BYTES = 1_048_576;
const HEAD_BYTES = 65_536;
const READ_BYTES = 65_536;

/** What a server answers instead of events, or of an OK. */
export class DumpError extends Error {
  readonly errno: number;

  constructor(errno: number, message: string) {
    super(message);
    this.name = 'DumpError';
    this.errno = errno;
  }
}

export interface EventSink extends Pick<DumpSink, 'event'> {
  /** All events of a read have come. @returns whether somebody waits for those that are next. */
  hasRead(): boolean;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class DumpConnection {
  #state: State = 'login';
  #socket: Socket;
  readonly #handshake: ClientHandshake;
  readonly #packets: PacketReader;
  readonly #tls: BackendTls | null;
  #waiter: Waiter | null = null;
  #reader: DumpReader | null = null;
  #sink: EventSink | null = null;
  #onEnd: (error: Error) => void = () => {};
  #lastHeardMs = performance.now();
  #receivedBytes = 0;
  #isPaused = false;
  #isAwaited = false;
  readonly #rest = new ReadRest(() => this.#readOn());

  private constructor(target: MonitorTarget, credentials: MonitorCredentials) {
    const isPlain = target.tls.mode === TlsMode.DISABLED;
    this.#tls = isPlain
      ? null
      : (credentials.resolveTls?.(target.host, target.tls) ?? plainAuthorities(target));
    this.#handshake = new ClientHandshake({
      username: credentials.username,
      password: { kind: 'plain', value: credentials.password },
      database: null,
      capabilities: uniteCapabilities(
        Capability.CLIENT_LONG_PASSWORD,
        Capability.CLIENT_LONG_FLAG,
        Capability.CLIENT_PROTOCOL_41,
        Capability.CLIENT_TRANSACTIONS,
        Capability.CLIENT_CONNECT_ATTRS,
        isPlain ? 0 : Capability.CLIENT_SSL,
      ),
      tlsOptional: target.tls.mode === TlsMode.PREFERRED,
      collationId: UTF8MB4,
      connectAttributes: { program_name: 'sluice-binlog-follower' },
      maxPacketBytes: 0x4000_0000,
      allowRsa: true,
      secureTransport: false,
    });
    this.#packets = new PacketReader(
      (payload, sequenceId) => this.#packet(payload, sequenceId),
      MAX_LOGIN_PACKET_BYTES,
    );
    const place = { host: target.host, port: target.port, noDelay: true, keepAlive: true };
    if (isPlain) this.#socket = connect({ ...place, onread: this.#ownBuffer() });
    else {
      this.#socket = connect(place);
      this.#socket.on('data', (chunk: Buffer) => this.#received(chunk));
    }
    this.#listen(this.#socket);
  }

  /** Rejects with the server's or the socket's error, or with the signal's reason. */
  static async open(
    target: MonitorTarget,
    credentials: MonitorCredentials,
    signal: AbortSignal,
  ): Promise<DumpConnection> {
    const connection = new DumpConnection(target, credentials);
    await connection.#wait(signal);
    return connection;
  }

  /** Milliseconds without a byte. */
  get silentMs(): number {
    return performance.now() - this.#lastHeardMs;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** A statement that answers with an OK. @throws DumpError */
  run(sql: string, signal: AbortSignal): Promise<void> {
    this.#state = move(this.#state, 'asking');
    this.#packets.expect(1);
    this.#socket.write(framePacket(encodeComQuery({ query: sql }, 0), 0));
    return this.#wait(signal);
  }

  /**
   * @param command COM_BINLOG_DUMP or COM_BINLOG_DUMP_GTID
   * @param onEnd called once, unless `close` was: with what the server says, what broke, or what the sink has thrown
   */
  dump(command: Buffer, sink: EventSink, onEnd: (error: Error) => void): void {
    this.#state = move(this.#state, 'dumping');
    this.#sink = sink;
    this.#onEnd = onEnd;
    this.#reader = new DumpReader(
      {
        event: (header, bytes, start, end, isWhole) => sink.event(header, bytes, start, end, isWhole),
        ended: (error) =>
          this.#fail(
            error === null
              ? new Error('the server has ended the binlog')
              : new DumpError(error.errno, error.message),
          ),
      },
      { checksum: BinlogChecksum.NONE, maxEventBytes: MAX_EVENT_BYTES, headBytes: HEAD_BYTES },
    );
    this.#lastHeardMs = performance.now();
    this.#socket.write(framePacket(command, 0));
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#readOn();
  }

  #readOn(): void {
    if (!this.#isPaused && !this.#rest.isResting && this.#state !== 'closed') this.#socket.resume();
  }

  /** Nobody is called any more. */
  close(): void {
    this.#onEnd = () => {};
    this.#fail(new Error('the connection was closed'));
  }

  /** Someone else knows that it is of no use. */
  fail(error: Error): void {
    this.#fail(error);
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void =>
        this.#fail(signal.reason instanceof Error ? signal.reason : new Error('the connection was given up'));
      const settled = (): void => {
        signal.removeEventListener('abort', abort);
        this.#waiter = null;
      };
      this.#waiter = {
        resolve: () => {
          settled();
          resolve();
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
      else if (this.#state === 'closed') this.#waiter.reject(new Error('the connection is closed'));
    });
  }

  /**
   * One memory for all reads: Node's own way takes 64 KiB of the heap's outside for each, and a turn of the tick queue, and short
   * transactions come one by one. TLS takes no such thing.
   */
  #ownBuffer(): OnReadOpts {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const callback = (bytes: number): boolean => {
      this.#received(buffer.subarray(0, bytes));
      // A full one has left something behind.
      const mayRest = this.#state === 'dumping' && !this.#isAwaited && bytes < READ_BYTES;
      return !mayRest || !this.#rest.begins();
    };
    return { buffer, callback };
  }

  #listen(socket: Socket): void {
    socket.on('end', () => socket.destroy());
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  #fail(error: Error): void {
    if (this.#state === 'closed') return;
    const wasDumping = this.#state === 'dumping';
    this.#state = move(this.#state, 'closed');
    this.#rest.stop();
    this.#socket.destroy();
    this.#waiter?.reject(error);
    if (wasDumping) this.#onEnd(error);
  }

  #received(chunk: Buffer): void {
    this.#lastHeardMs = performance.now();
    this.#receivedBytes += chunk.length;
    if (this.#state === 'closed') return;
    try {
      // What belongs to the login may be kept for a while; events never are.
      if (this.#reader === null) this.#packets.push(Buffer.from(chunk));
      else {
        this.#reader.push(chunk);
        this.#isAwaited = this.#sink?.hasRead() ?? false;
      }
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #packet(payload: Buffer, sequenceId: number): void {
    if (this.#state === 'login') this.#step(this.#handshake.receive(payload, sequenceId));
    else if (this.#state !== 'asking') this.#fail(new Error('the server sent what nobody had asked for'));
    else if (payload[0] === ERR_HEADER) {
      this.#state = move(this.#state, 'idle');
      const { errno, message } = decodeErr(payload);
      this.#waiter?.reject(new DumpError(errno, message));
    } else {
      this.#state = move(this.#state, 'idle');
      this.#waiter?.resolve();
    }
  }

  #step(step: HandshakeStep): void {
    if (step.kind === 'send') this.#socket.write(step.packets);
    else if (step.kind === 'startTls') this.#startTls(step.packets);
    else if (step.kind === 'failed') this.#fail(new DumpError(step.errno, step.message));
    else if (step.kind === 'done') {
      this.#state = move(this.#state, 'idle');
      this.#waiter?.resolve();
    }
  }

  /** What the server has sent in clear behind its greeting is not looked at any more. */
  #startTls(packets: Buffer): void {
    const raw = this.#socket;
    const tls = this.#tls;
    if (tls === null) {
      this.#fail(new Error('TLS is not configured'));
      return;
    }
    raw.write(packets);
    raw.removeAllListeners('data');
    raw.removeAllListeners('close');
    const { ca, certificate, key, minVersion, mode, serverName } = tls;
    const secured = connectTls({
      socket: raw,
      secureContext: createSecureContext({
        ...(ca === null ? {} : { ca }),
        ...(certificate === null || key === null ? {} : { cert: certificate, key }),
        minVersion,
      }),
      rejectUnauthorized: mode === TlsMode.VERIFY_CA || mode === TlsMode.VERIFY_IDENTITY,
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      checkServerIdentity: (_, peer) =>
        mode === TlsMode.VERIFY_IDENTITY ? checkServerIdentity(serverName, peer) : undefined,
    });
    this.#socket = secured;
    this.#listen(secured);
    secured.on('data', (chunk: Buffer) => this.#received(chunk));
    secured.once('secureConnect', () => {
      if (this.#state === 'login') this.#step(this.#handshake.tlsEstablished());
    });
  }
}

/** Where nobody has read certificates, the system's authorities hold. */
function plainAuthorities({ host, tls }: MonitorTarget): BackendTls {
  return { mode: tls.mode, ca: null, certificate: null, key: null, minVersion: 'TLSv1.2', serverName: host };
}
