import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to the server's bytes after a statement that carries the fault's mark has gone to the server. */
export interface Fault {
  /** Lets this many bytes through, then breaks both connections. */
  readonly cutAfterBytes?: number;
  /** Sends this instead of the server's answer. */
  readonly replaceWith?: Buffer;
  /** Changes the answer, chunk by chunk, until the next statement comes. */
  readonly mutate?: (chunk: Buffer) => Buffer;
  /** Nothing comes any more, and nothing is closed. */
  readonly freeze?: true;
  /** Ends the connection when the answer has been silent for so long. */
  readonly closeAfterMs?: number;
  /** The server gets the statement then. */
  readonly holdUntil?: Promise<unknown>;
  /** The statement itself is lost: the server never sees it. */
  readonly swallowStatement?: true;
  /** Of what was written together with the mark, only so many bytes reach the server; then both connections break. */
  readonly passStatementBytes?: number;
}

/**
 * A TCP proxy between Sluice and a real server that lets everything pass, until a statement carries a mark such as
 * `/* fault:NAME *\/`: then the fault of that name happens to this one connection. So logging in, monitoring and other
 * clients work as ever.
 */
export class MarkedFaultProxy {
  readonly host = '127.0.0.1';
  /** By name; may be changed at any time. */
  readonly faults = new Map<string, Fault>();
  /** How often a fault has happened, by name. */
  readonly happened = new Map<string, number>();
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #links = new Set<Link>();

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  static async start(target: { readonly host: string; readonly port: number }): Promise<MarkedFaultProxy> {
    const proxy = new MarkedFaultProxy(target);
    proxy.#server.listen(0, proxy.host);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  get openConnections(): number {
    return this.#links.size;
  }

  /** The comment that brings the fault about. */
  static mark(name: string): string {
    return `/* fault:${name} */`;
  }

  /** Breaks every connection, as a server that is killed does. */
  breakAll(): void {
    for (const link of this.#links) link.reset();
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const link of this.#links) link.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    const server = connect(this.#target);
    const link = new Link(client, server, (text) => this.#faultIn(text));
    this.#links.add(link);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => link.close());
      socket.on('close', () => {
        this.#links.delete(link);
        link.close();
      });
    }
  }

  #faultIn(text: string): Fault | null {
    const name = /\/\* fault:([\w-]+) \*\//.exec(text)?.[1];
    const fault = name === undefined ? undefined : this.faults.get(name);
    if (name === undefined || fault === undefined) return null;
    this.happened.set(name, (this.happened.get(name) ?? 0) + 1);
    return fault;
  }
}

/** One client's connection and the server's. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  #fault: Fault | null = null;
  #passedBytes = 0;
  #closeTimer: NodeJS.Timeout | null = null;
  #isReset = false;

  constructor(client: Socket, server: Socket, faultIn: (text: string) => Fault | null) {
    this.#client = client;
    this.#server = server;
    client.on('data', (chunk) => {
      const fault = faultIn(chunk.toString('latin1'));
      if (fault !== null) this.#begin(fault);
      else if (this.#fault?.mutate !== undefined) this.#stopMutating(this.#fault);
      const passes = fault?.passStatementBytes;
      if (passes !== undefined) server.write(chunk.subarray(0, passes), () => this.close());
      else if (fault?.holdUntil !== undefined) void fault.holdUntil.then(() => server.write(chunk));
      else if (this.#fault?.swallowStatement === undefined) server.write(chunk);
    });
    server.on('data', (chunk) => this.#fromServer(chunk));
    client.on('end', () => server.end());
    server.on('end', () => client.end());
  }

  close(): void {
    if (this.#closeTimer !== null) clearTimeout(this.#closeTimer);
    // Node leaks a socket that is destroyed while its reset is under way, and then spins at the end of the process.
    if (!this.#isReset) this.#client.destroy();
    this.#server.destroy();
  }

  reset(): void {
    if (!this.#isReset && !this.#client.destroyed) {
      this.#isReset = true;
      if (this.#client.writableEnded) this.#client.destroy();
      else this.#client.resetAndDestroy();
    }
    this.close();
  }

  #begin(fault: Fault): void {
    this.#fault = fault;
    this.#passedBytes = 0;
    if (fault.cutAfterBytes === 0) this.close();
    if (fault.replaceWith !== undefined) this.#client.write(fault.replaceWith);
    this.#armClose();
  }

  /** What was changed may have been too short or too long: where the fault ends the connection, it still does. */
  #stopMutating({ closeAfterMs }: Fault): void {
    this.#fault = closeAfterMs === undefined ? null : { closeAfterMs };
  }

  #fromServer(chunk: Buffer): void {
    const fault = this.#fault;
    if (fault === null) {
      this.#client.write(chunk);
      return;
    }
    if (fault.freeze !== undefined || fault.replaceWith !== undefined) return;
    if (fault.cutAfterBytes !== undefined) {
      const left = fault.cutAfterBytes - this.#passedBytes;
      this.#passedBytes += chunk.length;
      this.#client.write(chunk.subarray(0, left));
      // `end` lets the bytes out before the connection goes.
      if (chunk.length >= left) this.#client.end(() => this.close());
      return;
    }
    this.#client.write(fault.mutate === undefined ? chunk : fault.mutate(chunk));
    this.#armClose();
  }

  #armClose(): void {
    const delayMs = this.#fault?.closeAfterMs;
    if (delayMs === undefined) return;
    if (this.#closeTimer !== null) clearTimeout(this.#closeTimer);
    this.#closeTimer = setTimeout(() => this.close(), delayMs);
  }
}
