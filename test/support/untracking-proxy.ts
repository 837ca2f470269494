import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Header, version of the protocol. */
const VERSION_AT = 5;
/** From the end of the server's version: thread id, salt, filler, capabilities, character set, status. */
const HIGH_CAPABILITIES_AT = 4 + 8 + 1 + 2 + 1 + 2;
/** CLIENT_SESSION_TRACK in the upper half of the capabilities. */
const SESSION_TRACK_HIGH = 0x80;

/** Between Sluice and a server: takes CLIENT_SESSION_TRACK out of the greeting, as servers of old have none. */
export class UntrackingProxy {
  readonly host = '127.0.0.1';
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  static async start(target: { readonly host: string; readonly port: number }): Promise<UntrackingProxy> {
    const proxy = new UntrackingProxy(target);
    proxy.#server.listen(0, proxy.host);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): string {
    return `${this.host}:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    const server = connect(this.#target);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(server);
    // A server's greeting is one small write of its own.
    server.once('data', (greeting) => {
      const at = greeting.indexOf(0, VERSION_AT) + 1 + HIGH_CAPABILITIES_AT;
      greeting[at] = (greeting[at] ?? 0) & ~SESSION_TRACK_HIGH;
      client.write(greeting);
      server.pipe(client);
    });
  }
}
