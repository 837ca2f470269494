/**
 * Accepts clients: TCP ports that all workers share by SO_REUSEPORT, and Unix sockets, for which there is no such
 * thing: each is one worker's. Sockets of the process before this one are taken over as they are (ARCHITECTURE.md,
 * "Another process takes over").
 */

import { createServer, type Server, type Socket } from 'node:net';
import { Capability, frameErr } from '../../../protocol/index.ts';
import { clientError } from '../../common/errors.ts';
import { type ListeningSocket, listeningSocket, SocketUse } from '../../common/listening-socket.ts';
import { Gauge, WorkerCounter } from '../../common/shared-counters.ts';
import { listenOnPath, removeSocketPath } from '../../common/socket-path.ts';
import type { WorkerContext } from '../worker-context.ts';
import { ClientConnection } from './client-connection.ts';

const BACKLOG = 1024;

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

interface Opened {
  readonly server: Server;
  readonly host: string;
  /** Of a Unix socket. */
  readonly path: string | null;
  /** Of its name in the file system; 0 for TCP, and for one that is inherited: its name is the main thread's. */
  readonly inode: number;
}

export class Listener {
  readonly #context: WorkerContext;
  /** Of the process before this one, until they are opened for the first time. */
  #inherited: readonly ListeningSocket[];
  #servers: Opened[] = [];
  /** How to open each of them again. */
  readonly #places: (() => Promise<unknown>)[] = [];
  #accepts = true;
  /** Sockets that cannot be had, since it was told to accept. */
  #failures: string[] = [];
  #changing: Promise<void> = Promise.resolve();

  /** @param inherited listening sockets of clients that are this worker's to open */
  constructor(context: WorkerContext, inherited: readonly ListeningSocket[] = []) {
    this.#context = context;
    this.#inherited = inherited;
  }

  /** @returns the address in use (with the port that the system chose for 0). */
  async listen(host: string, port: number): Promise<ListenAddress> {
    // A port that the system has chosen is kept, and a paused worker that is started again has it from before.
    if (!this.#accepts && port !== 0) {
      this.#places.push(() => this.#listen(host, port));
      return { host, port };
    }
    const address = await this.#listen(host, port);
    this.#places.push(() => this.#listen(host, address.port));
    return address;
  }

  async #listen(host: string, port: number): Promise<ListenAddress> {
    const inherited = this.#take(
      (socket) => socket.path === null && socket.host === host && socket.port === port,
    );
    if (inherited.length === 0)
      return this.#open({ host, path: null, inode: 0 }, (server, done) => {
        server.listen({ host, port, reusePort: true, backlog: BACKLOG }, done);
      });
    for (const { fd } of inherited)
      await this.#open({ host, path: null, inode: 0 }, (server, done) =>
        server.listen({ fd }, BACKLOG, done),
      );
    return { host, port };
  }

  /** @throws Error if something else than a dead socket has the name. */
  async listenUnix(path: string, mode: number): Promise<void> {
    this.#places.push(() => this.#listenUnix(path, mode));
    if (this.#accepts) await this.#listenUnix(path, mode);
  }

  async #listenUnix(path: string, mode: number): Promise<void> {
    const inherited = this.#take((socket) => socket.path === path);
    for (const { fd } of inherited)
      await this.#open({ host: '', path, inode: 0 }, (server, done) => server.listen({ fd }, BACKLOG, done));
    if (inherited.length > 0) return;
    const server = this.#server();
    const inode = await listenOnPath(server, path, { mode, backlog: BACKLOG });
    this.#servers.push({ server, host: '', path, inode });
  }

  #take(wanted: (socket: ListeningSocket) => boolean): ListeningSocket[] {
    const taken = this.#inherited.filter(wanted);
    this.#inherited = this.#inherited.filter((socket) => !wanted(socket));
    return taken;
  }

  async #open(
    place: Omit<Opened, 'server'>,
    listen: (server: Server, done: () => void) => void,
  ): Promise<ListenAddress> {
    const server = this.#server();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      listen(server, resolve);
    });
    this.#servers.push({ server, ...place });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return { host: place.host, port };
  }

  /**
   * No new clients, or again. What waits in the queue of a socket that is closed is refused by the system.
   * @returns what cannot be opened; empty when all is well.
   */
  async accept(accepts: boolean): Promise<readonly string[]> {
    if (accepts !== this.#accepts) {
      this.#accepts = accepts;
      this.#changing = this.#changing.then(() => this.#change());
    }
    await this.#changing;
    return this.#failures;
  }

  async #change(): Promise<void> {
    const isOpen = this.#servers.length > 0;
    if (this.#accepts === isOpen || this.#context.stopping) return;
    this.#failures = [];
    if (!this.#accepts) {
      this.close();
      return;
    }
    for (const open of this.#places) {
      await open().catch((error: Error) => {
        this.#failures.push(error.message);
        this.#context.log('error', 'cannot listen again', { reason: error.message });
      });
    }
  }

  /** For another process. */
  sockets(): ListeningSocket[] {
    return this.#servers.map(({ server, host, path }) =>
      listeningSocket(server, SocketUse.clients, { host, path }),
    );
  }

  /** @param isHandedOver another process has the same sockets: only this one stops to accept, and names stay */
  close(isHandedOver = false): void {
    for (const { server, path, inode } of this.#servers) {
      server.close();
      if (path !== null && !isHandedOver) removeSocketPath(path, inode);
    }
    this.#servers = [];
  }

  #server(): Server {
    return createServer({ pauseOnConnect: true, allowHalfOpen: false }, (socket) => this.#accept(socket));
  }

  #accept(socket: Socket): void {
    const { shared, counters, snapshot } = this.#context;
    counters.add(WorkerCounter.frontendAccepted);
    if (
      this.#context.stopping ||
      !shared.acquire(Gauge.frontendConnections, snapshot.settings.limits.maxConnections)
    ) {
      counters.add(WorkerCounter.frontendRefused);
      const error = clientError(this.#context.stopping ? 'PROXY_SHUTDOWN' : 'PROXY_TOO_MANY_CONNECTIONS', {});
      const reason = error.message;
      this.#context.log('warn', 'client is refused', {
        client: socket.remoteAddress,
        errno: error.errno,
        reason,
      });
      socket.on('error', () => undefined);
      socket.end(frameErr(error, Capability.CLIENT_PROTOCOL_41, 0));
      socket.setTimeout(1000, () => socket.destroy());
      socket.resume();
      return;
    }
    counters.add(WorkerCounter.sessions);
    const client = new ClientConnection(socket, this.#context);
    this.#context.clients.add(client);
    client.start();
  }
}
