/**
 * Accepts clients: TCP ports that all workers share by SO_REUSEPORT, and Unix sockets, for which there is no such
 * thing: each is one worker's.
 */

import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { Capability, frameErr } from '../../../protocol/index.ts';
import { clientError } from '../../common/errors.ts';
import { Gauge, WorkerCounter } from '../../common/shared-counters.ts';
import { clearSocketPath } from '../../common/socket-path.ts';
import type { WorkerContext } from '../worker-context.ts';
import { ClientConnection } from './client-connection.ts';

const BACKLOG = 1024;

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export class Listener {
  readonly #context: WorkerContext;
  #servers: Server[] = [];
  /** How to open each of them again. */
  readonly #opened: (() => Promise<unknown>)[] = [];
  #accepts = true;
  #changing: Promise<void> = Promise.resolve();

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  /** @returns the address in use (with the port that the system chose for 0). */
  async listen(host: string, port: number): Promise<ListenAddress> {
    // A port that the system has chosen is kept, and a paused worker that is started again has it from before.
    if (!this.#accepts && port !== 0) {
      this.#opened.push(() => this.#listen(host, port));
      return { host, port };
    }
    const address = await this.#listen(host, port);
    this.#opened.push(() => this.#listen(host, address.port));
    return address;
  }

  #listen(host: string, port: number): Promise<ListenAddress> {
    const server = this.#server();
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, reusePort: true, backlog: BACKLOG }, () => {
        const address = server.address();
        resolve(
          typeof address === 'object' && address !== null ? { host, port: address.port } : { host, port },
        );
      });
    });
  }

  /** @throws Error if something else than a dead socket has the name. */
  async listenUnix(path: string, mode: number): Promise<void> {
    this.#opened.push(() => this.#listenUnix(path, mode));
    if (this.#accepts) await this.#listenUnix(path, mode);
  }

  async #listenUnix(path: string, mode: number): Promise<void> {
    await clearSocketPath(path);
    const server = this.#server();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path, backlog: BACKLOG }, resolve);
    });
    chmodSync(path, mode);
  }

  /** No new clients, or again. What waits in the queue of a socket that is closed is refused by the system. */
  accept(accepts: boolean): Promise<void> {
    if (accepts !== this.#accepts) {
      this.#accepts = accepts;
      this.#changing = this.#changing.then(() => this.#change());
    }
    return this.#changing;
  }

  async #change(): Promise<void> {
    const isOpen = this.#servers.length > 0;
    if (this.#accepts === isOpen || this.#context.stopping) return;
    if (!this.#accepts) {
      this.close();
      return;
    }
    for (const open of this.#opened) {
      await open().catch((error: Error) =>
        this.#context.log('error', 'cannot listen again', { reason: error.message }),
      );
    }
  }

  close(): void {
    for (const server of this.#servers) server.close();
    this.#servers = [];
  }

  #server(): Server {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: false }, (socket) =>
      this.#accept(socket),
    );
    this.#servers.push(server);
    return server;
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
