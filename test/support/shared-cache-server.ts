/** Redis or memcached on a port of its own, which can be frozen, thawed, killed and started again. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { OwnedService } from './owned-service.ts';
import { freePort } from './ports.ts';

export type SharedCacheKind = 'redis' | 'memcached';

export interface SharedCacheOptions {
  /** Of Redis. */
  readonly password?: string;
}

export class SharedCacheServer extends OwnedService {
  readonly kind: SharedCacheKind;
  readonly port: number;
  readonly #options: SharedCacheOptions;

  private constructor(kind: SharedCacheKind, port: number, options: SharedCacheOptions) {
    super(kind === 'redis' ? 'redis-server' : 'memcached');
    this.kind = kind;
    this.port = port;
    this.#options = options;
  }

  static async start(kind: SharedCacheKind, options: SharedCacheOptions = {}): Promise<SharedCacheServer> {
    return new SharedCacheServer(kind, await freePort(), options).started();
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  protected override args(): readonly string[] {
    const port = String(this.port);
    const { password } = this.#options;
    if (this.kind === 'memcached')
      return ['-l', '127.0.0.1', '-p', port, '-U', '0', '-m', '64', '-u', 'nobody'];
    const secret = password === undefined ? [] : ['--requirepass', password];
    return ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', this.directory, ...secret];
  }

  protected override async isUp(): Promise<boolean> {
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
}
