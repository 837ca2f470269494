/** Redis, as a server of the second level: one connection, every try of which is a client of its own. */

import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import type { Level2Settings } from '../../../common/cache-settings.ts';
import type { Done, SharedStore, SharedStoreHandlers } from './shared-store.ts';

const CONNECT_TIMEOUT_MS = 2000;

export type RedisLogin = Pick<Level2Settings, 'username' | 'password' | 'tls' | 'ca'>;

export class RedisStore implements SharedStore {
  readonly #client: Redis;
  #isClosed = false;

  constructor(
    host: string,
    port: number,
    { username, password, tls, ca }: RedisLogin,
    handlers: SharedStoreHandlers,
  ) {
    this.#client = new Redis({
      host,
      port,
      ...(username === null ? {} : { username }),
      ...(password === null ? {} : { password }),
      ...(tls ? { tls: ca === null ? {} : { ca: readFileSync(ca) } } : {}),
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      // Who uses it decides when another try is due, and keeps nothing for later.
      retryStrategy: () => null,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      enableReadyCheck: false,
    });
    let last: Error | null = null;
    this.#client.on('error', (error: Error) => {
      last = error;
    });
    this.#client.on('end', () => {
      if (!this.#isClosed) handlers.lost(last ?? new Error('the connection was closed'));
    });
  }

  async connect(): Promise<void> {
    await this.#client.connect();
    // Of a refused account nothing is said before the first command.
    await this.#client.ping();
  }

  readPair(first: string, second: string, done: Done<readonly [Buffer | null, Buffer | null]>): void {
    this.#client.mgetBuffer(first, second, (error, values) => {
      const [one = null, other = null] = values ?? [];
      done(error ?? null, [one, other]);
    });
  }

  write(key: string, value: Buffer, ttlMs: number, done: Done<void>): void {
    this.#client.set(key, value, 'PX', Math.max(1, Math.ceil(ttlMs)), (error) => done(error ?? null));
  }

  add(key: string, value: Buffer, done: Done<void>): void {
    this.#client.set(key, value, 'NX', (error) => done(error ?? null));
  }

  put(key: string, value: Buffer, done: Done<void>): void {
    this.#client.set(key, value, (error) => done(error ?? null));
  }

  close(): void {
    this.#isClosed = true;
    this.#client.disconnect();
  }
}
