/** Redis or memcached on a port of its own, which can be frozen, thawed, killed and started again. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { acceptsConnections } from './accepts-connections.ts';
import { OwnedService } from './owned-service.ts';
import { freePort } from './ports.ts';

export type SharedCacheKind = 'redis' | 'memcached';

/** All but the first are Redis'. */
export interface SharedCacheOptions {
  /** Of the authority, by which clients have to be known as well, and of itself: PEM files. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string };
  readonly password?: string;
  /** Settings of its own, as they stand in its file: `maxmemory 1mb`. */
  readonly config?: readonly string[];
  /** It is no server but a Sentinel, which watches the one at this port as `mymaster`. */
  readonly watches?: number;
  /** Of a Cluster: its bus has a port of its own. */
  readonly hasClusterPort?: boolean;
}

export class SharedCacheServer extends OwnedService {
  readonly kind: SharedCacheKind;
  readonly port: number;
  /** Where nodes of its Cluster reach it; 0: nowhere. */
  readonly clusterPort: number;
  readonly #options: SharedCacheOptions;

  private constructor(kind: SharedCacheKind, port: number, clusterPort: number, options: SharedCacheOptions) {
    super(kind === 'redis' ? 'redis-server' : 'memcached');
    this.kind = kind;
    this.port = port;
    this.clusterPort = clusterPort;
    this.#options = options;
    if (kind === 'redis') writeFileSync(this.#file, this.#lines().join('\n'));
  }

  static async start(kind: SharedCacheKind, options: SharedCacheOptions = {}): Promise<SharedCacheServer> {
    const clusterPort = options.hasClusterPort === true ? await freePort() : 0;
    return new SharedCacheServer(kind, await freePort(), clusterPort, options).started();
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Of Redis: a socket in the file system, beside the port. */
  get socket(): string {
    return join(this.directory, 'socket');
  }

  /** What an operator would type. */
  async command(name: string, ...args: readonly (string | number)[]): Promise<unknown> {
    const { password } = this.#options;
    const options: RedisOptions = {
      host: '127.0.0.1',
      port: this.port,
      lazyConnect: true,
      enableReadyCheck: false,
    };
    const client = new Redis({ ...options, ...(password === undefined ? {} : { password }) });
    try {
      await client.connect();
      return await client.call(name, ...args);
    } finally {
      client.disconnect();
    }
  }

  protected override args(): readonly string[] {
    if (this.kind === 'memcached')
      return ['-l', '127.0.0.1', '-p', String(this.port), '-U', '0', '-m', '64', '-u', 'nobody'];
    return this.#options.watches === undefined ? [this.#file] : [this.#file, '--sentinel'];
  }

  protected override isUp(): Promise<boolean> {
    return acceptsConnections({ host: '127.0.0.1', port: this.port });
  }

  get #file(): string {
    return join(this.directory, 'redis.conf');
  }

  #lines(): readonly string[] {
    const { password, tls, config = [], watches } = this.#options;
    const common = ['bind 127.0.0.1', `dir ${this.directory}`, ...config];
    if (watches !== undefined)
      return [
        `port ${this.port}`,
        ...common,
        `sentinel monitor mymaster 127.0.0.1 ${watches} 1`,
        'sentinel down-after-milliseconds mymaster 300',
        'sentinel failover-timeout mymaster 2000',
      ];
    const ports =
      tls === undefined
        ? [`port ${this.port}`]
        : [
            'port 0',
            `tls-port ${this.port}`,
            `tls-ca-cert-file ${tls.ca}`,
            `tls-cert-file ${tls.certificate}`,
            `tls-key-file ${tls.key}`,
          ];
    const cluster = this.clusterPort === 0 ? [] : [`cluster-port ${this.clusterPort}`];
    const secret = password === undefined ? [] : [`requirepass ${password}`];
    return [...ports, `unixsocket ${this.socket}`, 'save ""', ...common, ...cluster, ...secret];
  }
}
