/** Redis, as a server of the second level: one connection, every try of which is a client of its own. */

import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Level2Settings } from '../../../common/cache-settings.ts';
import { INCARNATION_BYTES } from './flush-record.ts';
import { openRedis } from './redis-client.ts';
import { locateRedis } from './redis-locator.ts';
import type { Done, SharedStore, SharedStoreHandlers } from './shared-store.ts';

/** What it says when it is not, or not any more, the server that is to be used. */
const UNFIT = /^(?:READONLY|MOVED|ASK|TRYAGAIN|CLUSTERDOWN|LOADING|MASTERDOWN|NOAUTH)\b/;
/** What is put in where the mode is another one than the settings say. */
const EXPECTED_MODE = { servers: 'standalone', sentinel: 'standalone', cluster: 'cluster' } as const;

export class RedisStore implements SharedStore {
  readonly #endpoints: readonly string[];
  readonly #prefix: string;
  readonly #settings: Level2Settings;
  readonly #handlers: SharedStoreHandlers;
  #client: Redis | null = null;
  #incarnation: Buffer = Buffer.alloc(INCARNATION_BYTES);
  #isClosed = false;

  constructor(
    endpoints: readonly string[],
    prefix: string,
    settings: Level2Settings,
    handlers: SharedStoreHandlers,
  ) {
    this.#endpoints = endpoints;
    this.#prefix = prefix;
    this.#settings = settings;
    this.#handlers = handlers;
  }

  get incarnation(): Buffer {
    return this.#incarnation;
  }

  async connect(): Promise<void> {
    const target = await locateRedis(this.#endpoints, this.#prefix, this.#settings);
    const client = await openRedis(target, this.#settings, this.#settings, (error) => this.#ended(error));
    if (this.#isClosed) {
      client.disconnect();
      throw new Error('it is not wanted any more');
    }
    this.#client = client;
    this.#incarnation = incarnationOf(
      `${await client.info('server')}${await client.info('replication')}`,
      EXPECTED_MODE[this.#settings.topology],
    );
  }

  readPair(first: string, second: string, done: Done<readonly [Buffer | null, Buffer | null]>): void {
    this.#connected.mgetBuffer(first, second, (error, values) => {
      const [one = null, other = null] = values ?? [];
      done(this.#judged(error), [one, other]);
    });
  }

  write(key: string, value: Buffer, ttlMs: number, done: Done<void>): void {
    this.#connected.set(key, value, 'PX', wholeMs(ttlMs), (error) => done(this.#judged(error)));
  }

  async readAll(keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
    return await this.#connected.mgetBuffer(...keys);
  }

  async change(key: string, make: (old: Buffer | null) => Buffer | null): Promise<boolean> {
    const client = this.#connected;
    await client.watch(key);
    const value = make(await client.getBuffer(key));
    if (value === null) {
      await client.unwatch();
      return true;
    }
    try {
      return (await client.multi().set(key, value).exec()) !== null;
    } catch (error) {
      throw this.#judged(error as Error);
    }
  }

  async put(key: string, value: Buffer, ttlMs: number): Promise<void> {
    await this.#connected.set(key, value, 'PX', wholeMs(ttlMs));
  }

  async renew(key: string, ttlMs: number): Promise<boolean> {
    return (await this.#connected.pexpire(key, wholeMs(ttlMs))) === 1;
  }

  async remove(key: string): Promise<void> {
    await this.#connected.del(key);
  }

  close(): void {
    this.#isClosed = true;
    this.#client?.disconnect();
  }

  get #connected(): Redis {
    if (this.#client === null) throw new Error('it is not connected');
    return this.#client;
  }

  /** Results are asked for, not what it is: it says so when it is written to. */
  #judged(error: Error | null | undefined): Error | null {
    if (error === null || error === undefined) return null;
    if (UNFIT.test(error.message)) this.#ended(error);
    return error;
  }

  #ended(error: Error): void {
    if (this.#isClosed || this.#client === null) return;
    this.close();
    this.#handlers.lost(error);
  }
}

function wholeMs(ms: number): number {
  return Math.max(1, Math.ceil(ms));
}

/**
 * A restart, another replica's promotion, and a start from an old dump make another one of it: writes that it had acknowledged may be
 * lost with each of them.
 */
function incarnationOf(info: string, expectedMode: string): Buffer {
  const of = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const mode = of('redis_mode');
  if (mode !== expectedMode)
    throw new Error(
      `it runs as ${mode || 'what nobody knows'}, and cache.level2.topology expects ${expectedMode}`,
    );
  if (of('role') !== 'master') throw new Error(`it is no master (role ${of('role') || 'unknown'})`);
  const run = of('run_id');
  if (run === '') throw new Error('it does not say which run of the server it is (INFO server)');
  return createHash('sha256')
    .update(`${run} ${of('master_replid')}`)
    .digest()
    .subarray(0, INCARNATION_BYTES);
}
