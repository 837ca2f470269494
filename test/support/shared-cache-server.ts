/** Redis or memcached on a port of its own, which can be frozen, thawed, killed and started again. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { OwnedChild } from './child-process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from './owned-resources.ts';
import { freePort } from './ports.ts';
import { waitUntil } from './wait-until.ts';

export type SharedCacheKind = 'redis' | 'memcached';

export interface SharedCacheOptions {
  /** Of Redis. */
  readonly password?: string;
}

export class SharedCacheServer {
  readonly kind: SharedCacheKind;
  readonly port: number;
  readonly #options: SharedCacheOptions;
  readonly #directory = makeTemporaryDirectory('shared-cache');
  #child: OwnedChild | null = null;

  private constructor(kind: SharedCacheKind, port: number, options: SharedCacheOptions) {
    this.kind = kind;
    this.port = port;
    this.#options = options;
  }

  static async start(kind: SharedCacheKind, options: SharedCacheOptions = {}): Promise<SharedCacheServer> {
    const server = new SharedCacheServer(kind, await freePort(), options);
    try {
      await server.start();
    } catch (error) {
      await server.dispose();
      throw error;
    }
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const port = String(this.port);
    const { password } = this.#options;
    const args =
      this.kind === 'redis'
        ? ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', this.#directory]
        : ['-l', '127.0.0.1', '-p', port, '-U', '0', '-m', '64', '-u', 'nobody'];
    if (password !== undefined) args.push('--requirepass', password);
    this.#child = await OwnedChild.spawn({
      command: this.kind === 'redis' ? 'redis-server' : 'memcached',
      args,
      outputFile: join(this.#directory, 'log'),
    });
    await waitUntil(`${this.kind} listens`, async () => {
      if (this.#child?.exit != null) throw new Error(`${this.kind} ended`);
      return this.#isListening();
    });
  }

  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  async kill(): Promise<void> {
    await this.#child?.end('SIGKILL', 5000);
    this.#child = null;
  }

  async dispose(): Promise<void> {
    await this.kill();
    await removeTemporaryDirectory(this.#directory);
  }

  async #isListening(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child === null) throw new Error(`${this.kind} does not run`);
    process.kill(this.#child.pid, signal);
  }
}
