/** A TCP proxy that stands in front of a server and misbehaves on command, as networks and dying servers do. */

import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './ports.ts';

/** `up` is from client to server, `down` from server to client. */
export type Direction = 'up' | 'down';

/** Milliseconds; a function is asked for each chunk. */
export type Latency = number | (() => number);

/** Applied to every link as it stands, and to every later one, until `heal()`. */
export interface Faults {
  /** New connections are reset as soon as they are made. */
  readonly refuse: boolean;
  /** Bytes are held back; nothing is lost. */
  readonly paused: Readonly<Record<Direction, boolean>>;
  /** Bytes are swallowed. */
  readonly dropped: Readonly<Record<Direction, boolean>>;
  /** Delay of every chunk in each direction. */
  readonly latencyMs: Readonly<Record<Direction, Latency>>;
}

/** What happens to a link when `atByte` bytes have passed since the fault was set; the rest of the chunk is lost. */
interface Cut {
  left: number;
  readonly how: 'end' | 'reset';
}

interface Delayed {
  readonly due: number;
  readonly action: () => void;
}

interface Corruption {
  left: number;
  readonly bytes: Buffer;
}

const NO_FAULTS: Faults = {
  refuse: false,
  paused: { up: false, down: false },
  dropped: { up: false, down: false },
  latencyMs: { up: 0, down: 0 },
};

export class FaultProxy {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #faults: Faults = NO_FAULTS;
  #cut: { readonly direction: Direction; readonly afterBytes: number; readonly how: Cut['how'] } | null =
    null;
  #accepted = 0;

  private constructor(target: { host: string; port: number }, port: number) {
    this.#target = target;
    this.port = port;
    this.#server = createServer({ pauseOnConnect: true }, (client) => this.#accept(client));
  }

  static async start(target: { readonly host: string; readonly port: number }): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, await freePort());
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen({ host: proxy.host, port: proxy.port }, resolve);
    });
    return proxy;
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** Links that are open now. */
  get openLinks(): number {
    return this.#links.size;
  }

  /** Connections accepted so far, refused ones included. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Resets every new connection. */
  refuse(): void {
    this.#faults = { ...this.#faults, refuse: true };
  }

  /** Holds bytes back, in one direction or in both. */
  pause(...directions: Direction[]): void {
    this.#set('paused', directions, true);
  }

  resume(...directions: Direction[]): void {
    this.#set('paused', directions, false);
  }

  /** Swallows bytes, as a network that lost its route. */
  drop(...directions: Direction[]): void {
    this.#set('dropped', directions, true);
  }

  delay(latencyMs: Latency, ...directions: Direction[]): void {
    this.#set('latencyMs', directions, latencyMs);
  }

  /** Each link, present and to come, is cut when this many more bytes have passed in that direction. */
  cutAfter(direction: Direction, afterBytes: number, how: 'end' | 'reset' = 'reset'): void {
    this.#cut = { direction, afterBytes, how };
    for (const link of this.#links) link.cutAfter(direction, afterBytes, how);
  }

  /** Overwrites bytes of the present links, beginning `afterBytes` from now in that direction. */
  corrupt(direction: Direction, afterBytes: number, bytes: Uint8Array): void {
    for (const link of this.#links) link.corrupt(direction, afterBytes, bytes);
  }

  /** Puts bytes of its own into the present links. */
  inject(direction: Direction, bytes: Uint8Array): void {
    for (const link of this.#links) link.inject(direction, bytes);
  }

  /** Cuts the present links at once. */
  cutNow(how: 'end' | 'reset' = 'reset'): void {
    for (const link of [...this.#links]) link.close(how);
  }

  /** Cuts the link that the server knows by this port. */
  cutFrom(serverSidePort: number, how: 'end' | 'reset' = 'reset'): void {
    for (const link of [...this.#links]) if (link.serverSidePort === serverSidePort) link.close(how);
  }

  /** Ends every fault that is still going on; what was held back goes on its way. */
  heal(): void {
    this.#faults = NO_FAULTS;
    this.#cut = null;
    for (const link of this.#links) link.heal();
  }

  async close(): Promise<void> {
    this.cutNow();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #set<K extends 'paused' | 'dropped' | 'latencyMs'>(
    fault: K,
    directions: readonly Direction[],
    value: Faults[K][Direction],
  ): void {
    const wanted = directions.length === 0 ? (['up', 'down'] as const) : directions;
    const entries = wanted.map((direction) => [direction, value] as const);
    this.#faults = { ...this.#faults, [fault]: { ...this.#faults[fault], ...Object.fromEntries(entries) } };
    for (const link of this.#links) link.faultsChanged();
  }

  #accept(client: Socket): void {
    this.#accepted++;
    if (this.#faults.refuse) {
      client.resetAndDestroy();
      return;
    }
    const link = new Link(client, connect(this.#target), () => this.#faults);
    this.#links.add(link);
    link.onClosed = () => this.#links.delete(link);
    if (this.#cut !== null) link.cutAfter(this.#cut.direction, this.#cut.afterBytes, this.#cut.how);
  }
}

/** One client's connection and the server's that belongs to it. */
class Link {
  onClosed: () => void = () => {};
  readonly #sockets: Readonly<Record<Direction, { readonly source: Socket; readonly sink: Socket }>>;
  readonly #faults: () => Faults;
  readonly #cuts = new Map<Direction, Cut>();
  readonly #corruptions = new Map<Direction, Corruption>();
  /** Delayed chunks keep their order, whatever the latency of each. */
  readonly #waiting: Readonly<Record<Direction, Delayed[]>> = { up: [], down: [] };
  #closed = false;

  constructor(client: Socket, server: Socket, faults: () => Faults) {
    this.#faults = faults;
    this.#sockets = { up: { source: client, sink: server }, down: { source: server, sink: client } };
    for (const direction of ['up', 'down'] as const) {
      const { source, sink } = this.#sockets[direction];
      source.setNoDelay(true);
      source.on('data', (chunk) => this.#receive(direction, chunk));
      source.on('end', () => this.#later(direction, () => sink.end()));
      source.on('error', () => this.close('reset'));
      source.on('close', () => this.#sourceClosed());
      sink.on('drain', () => this.faultsChanged());
    }
    this.faultsChanged();
  }

  /** Where the server sees it come from. */
  get serverSidePort(): number | undefined {
    return this.#sockets.up.sink.localPort;
  }

  cutAfter(direction: Direction, afterBytes: number, how: Cut['how']): void {
    this.#cuts.set(direction, { left: afterBytes, how });
  }

  corrupt(direction: Direction, afterBytes: number, bytes: Uint8Array): void {
    this.#corruptions.set(direction, { left: afterBytes, bytes: Buffer.from(bytes) });
  }

  inject(direction: Direction, bytes: Uint8Array): void {
    this.#sockets[direction].sink.write(bytes);
  }

  heal(): void {
    this.#cuts.clear();
    this.#corruptions.clear();
    this.faultsChanged();
  }

  faultsChanged(): void {
    if (this.#closed) return;
    for (const direction of ['up', 'down'] as const) {
      const { source, sink } = this.#sockets[direction];
      if (this.#faults().paused[direction] || sink.writableNeedDrain) source.pause();
      else source.resume();
    }
  }

  close(how: 'end' | 'reset'): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { source } of Object.values(this.#sockets)) {
      // One that is ending cannot be reset: Node 24 loses its handle then, and spins when the process exits.
      if (how === 'reset' && !source.writableEnded) source.resetAndDestroy();
      else source.destroy();
    }
    this.onClosed();
  }

  #receive(direction: Direction, received: Buffer): void {
    if (this.#faults().dropped[direction]) return;
    let chunk = this.#corrupted(direction, received);
    const cut = this.#cuts.get(direction);
    const cutNow = cut !== undefined && chunk.length >= cut.left;
    if (cut !== undefined) {
      if (cutNow) chunk = chunk.subarray(0, cut.left);
      cut.left -= chunk.length;
    }
    const { source, sink } = this.#sockets[direction];
    this.#later(direction, () => {
      if (!sink.destroyed && !sink.write(chunk)) source.pause();
      // What was written must get out before the reset, which throws away what is not sent yet.
      if (cutNow) sink.write('', () => this.close(cut.how));
    });
  }

  #corrupted(direction: Direction, chunk: Buffer): Buffer {
    const corruption = this.#corruptions.get(direction);
    if (corruption === undefined) return chunk;
    if (corruption.left >= chunk.length) {
      corruption.left -= chunk.length;
      return chunk;
    }
    const changed = Buffer.from(chunk);
    const copied = corruption.bytes.copy(changed, corruption.left);
    if (copied === corruption.bytes.length) this.#corruptions.delete(direction);
    else this.#corruptions.set(direction, { left: 0, bytes: corruption.bytes.subarray(copied) });
    return changed;
  }

  #later(direction: Direction, action: () => void): void {
    const waiting = this.#waiting[direction];
    const now = performance.now();
    const latency = this.#faults().latencyMs[direction];
    const due = now + (typeof latency === 'number' ? latency : latency());
    if (due <= now && waiting.length === 0) {
      action();
      return;
    }
    waiting.push({ due: Math.max(due, waiting.at(-1)?.due ?? 0), action });
    if (waiting.length === 1) this.#wake(direction, waiting[0]!.due - now);
  }

  #wake(direction: Direction, ms: number): void {
    setTimeout(() => {
      const waiting = this.#waiting[direction];
      while (!this.#closed && waiting.length > 0 && waiting[0]!.due <= performance.now())
        waiting.shift()!.action();
      if (!this.#closed && waiting.length > 0)
        this.#wake(direction, Math.max(1, waiting[0]!.due - performance.now()));
    }, ms);
  }

  #sourceClosed(): void {
    const sockets = Object.values(this.#sockets).map(({ source }) => source);
    if (!this.#closed && sockets.every((socket) => socket.destroyed)) this.close('end');
  }
}
