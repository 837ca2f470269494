/** A connection to a server of Redis' protocol: one try, after which it is done with. */

import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { Redis, type RedisOptions } from 'ioredis';
import type { Level2Settings } from '../../../common/cache-settings.ts';
import type { SocketTarget } from './shared-address.ts';

const CONNECT_TIMEOUT_MS = 2000;

export interface RedisLogin {
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
}

export type RedisTls = Pick<Level2Settings, 'tls' | 'ca' | 'certificate' | 'key'>;

/** @param ended once, whenever it is over, also if it has never begun. @throws where there is no connection, or no login */
export async function openRedis(
  target: SocketTarget,
  { username, password, database }: RedisLogin,
  tls: RedisTls,
  ended: (error: Error) => void = () => {},
): Promise<Redis> {
  const options: RedisOptions = {
    ...target,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls.tls ? { tls: await tlsOf(tls) } : {}),
    db: database,
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Who uses it decides when another try is due, and keeps nothing for later.
    retryStrategy: () => null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
  };
  const client = new Redis(options);
  let last: Error | null = null;
  client.on('error', (error: Error) => {
    last = error;
  });
  client.on('end', () => ended(last ?? new Error('the connection was closed')));
  try {
    await client.connect();
    // Of a refused account, or number of a database, nothing is said before the first command.
    await client.ping();
    if (last !== null) throw last;
    return client;
  } catch (error) {
    client.disconnect();
    throw last ?? error;
  }
}

/** Read anew for each connection: a certificate may be a new one. */
async function tlsOf({ ca, certificate, key }: RedisTls): Promise<ConnectionOptions> {
  return {
    ...(ca === null ? {} : { ca: await readFile(ca) }),
    ...(certificate === null ? {} : { cert: await readFile(certificate) }),
    ...(key === null ? {} : { key: await readFile(key) }),
  };
}
