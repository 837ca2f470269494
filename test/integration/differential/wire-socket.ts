import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { WireCompression } from './wire-compression.ts';

export interface WirePacket {
  readonly sequenceId: number;
  readonly payload: Buffer;
}

/** The peer closed, or the deadline passed, while a packet was awaited. */
export class WireClosedError extends Error {
  override name = 'WireClosedError';
}

interface Waiter {
  resolve(packet: WirePacket): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

const MAX_FRAME_BYTES = 0xffffff;
/** Header and payload of every so many frames go out one after the other; the peer of the others is woken up once only. */
const IN_PIECES_EVERY = 5;

/**
 * Packets on a socket, framed by hand: the tests' own view of the wire, sharing no code with what they judge.
 * Every frame's sequence id is checked against the one that the protocol asks for.
 */
export class WireSocket {
  /** Breaches of the sequence, as sentences; empty for a peer that follows the protocol. */
  readonly sequenceErrors: string[] = [];
  #socket: Socket;
  #compression: WireCompression | null = null;
  readonly #queue: WirePacket[] = [];
  #chunks: Buffer[] = [];
  #buffered = 0;
  #parts: Buffer[] = [];
  #expectedSequenceId = 0;
  #frames = 0;
  #waiter: Waiter | null = null;
  #closed: WireClosedError | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    this.#listen(socket);
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk) => {
      if (this.#compression === null) this.#receive(chunk);
      else this.#compression.receive(chunk);
    });
    socket.on('error', (error) => this.#close(`socket error: ${error.message}`));
    socket.on('close', () => this.#close('connection closed by the peer'));
  }

  static open(host: string, port: number): Promise<WireSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new WireSocket(socket));
      });
    });
  }

  /** From here on in TLS, with whomever it is. */
  secure(): Promise<void> {
    return new Promise((resolve, reject) => {
      const raw = this.#socket;
      raw.removeAllListeners();
      const socket = connectTls({ socket: raw, rejectUnauthorized: false });
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        this.#socket = socket;
        this.#listen(socket);
        resolve();
      });
    });
  }

  /** From here on in the compressed protocol. Servers count packets in it as they please, and frames strictly. */
  compress(): void {
    this.#compression = new WireCompression(
      (bytes) => this.#receive(bytes),
      (text) => this.sequenceErrors.push(text),
    );
  }

  get closed(): boolean {
    return this.#closed !== null;
  }

  /** True when nothing has come that was not read. */
  get idle(): boolean {
    return this.#queue.length === 0 && this.#buffered === 0 && this.#parts.length === 0;
  }

  /** A new command: sequence ids start again at 0. */
  sendCommand(payload: Buffer): void {
    if (this.#queue.length > 0)
      this.sequenceErrors.push(`${this.#queue.length} packets came that nobody asked for`);
    this.#expectedSequenceId = 0;
    this.#compression?.startCommand();
    this.send(payload);
  }

  /** The next packet of the conversation. */
  send(payload: Buffer): void {
    let offset = 0;
    for (;;) {
      const size = Math.min(MAX_FRAME_BYTES, payload.length - offset);
      const header = Buffer.alloc(4);
      header.writeUIntLE(size, 0, 3);
      header[3] = this.#expectedSequenceId;
      this.#expectedSequenceId = (this.#expectedSequenceId + 1) & 0xff;
      const body = payload.subarray(offset, offset + size);
      if (this.#compression === null) this.#sendFrame(header, body);
      else this.#socket.write(this.#compression.wrap(Buffer.concat([header, body])));
      offset += size;
      if (size < MAX_FRAME_BYTES) return;
    }
  }

  #sendFrame(header: Buffer, body: Buffer): void {
    const inPieces = ++this.#frames % IN_PIECES_EVERY === 0;
    if (!inPieces) this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(body);
    if (!inPieces) this.#socket.uncork();
  }

  /** Bytes as they are, for what the protocol does not allow. */
  sendBytes(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  receive(timeoutMs = 30_000): Promise<WirePacket> {
    const ready = this.#queue.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#closed !== null) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiter = null;
        reject(new WireClosedError(`no packet within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiter = { resolve, reject, timer };
    });
  }

  /** Resolves when the peer has closed; packets that come before are dropped. */
  async waitForClose(timeoutMs = 30_000): Promise<void> {
    for (;;) {
      if (this.#closed !== null) return;
      try {
        await this.receive(timeoutMs);
      } catch (error) {
        if (this.#closed === null) throw error;
      }
    }
  }

  /** Stops, and starts, taking bytes from the kernel: a slow reader. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    while (this.#buffered >= 4) {
      const first = this.#chunks[0] as Buffer;
      const head = first.length >= 4 ? first : this.#join();
      const size = head.readUIntLE(0, 3);
      if (this.#buffered < 4 + size) return;
      const whole = head.length >= 4 + size ? head : this.#join();
      this.#takeFrame(whole[3] as number, whole.subarray(4, 4 + size));
      this.#chunks[0] = whole.subarray(4 + size);
      this.#buffered -= 4 + size;
      if (this.#chunks[0].length === 0) this.#chunks.shift();
    }
  }

  #join(): Buffer {
    const joined = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #takeFrame(sequenceId: number, body: Buffer): void {
    if (sequenceId !== this.#expectedSequenceId && this.#compression === null) {
      this.sequenceErrors.push(`sequence id ${sequenceId} where ${this.#expectedSequenceId} was due`);
    }
    this.#expectedSequenceId = (sequenceId + 1) & 0xff;
    this.#parts.push(body);
    if (body.length === MAX_FRAME_BYTES) return;
    const payload = this.#parts.length === 1 ? body : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#deliver({ sequenceId, payload });
  }

  #deliver(packet: WirePacket): void {
    const waiter = this.#waiter;
    if (waiter === null) {
      this.#queue.push(packet);
      return;
    }
    this.#waiter = null;
    clearTimeout(waiter.timer);
    waiter.resolve(packet);
  }

  #close(reason: string): void {
    if (this.#closed !== null) return;
    this.#closed = new WireClosedError(reason);
    const waiter = this.#waiter;
    if (waiter === null) return;
    this.#waiter = null;
    clearTimeout(waiter.timer);
    waiter.reject(this.#closed);
  }
}
