/** Which server of Redis has what is to be read and written: the one that is named, or the one that Sentinels or a Cluster name. */

import type { Redis } from 'ioredis';
import type { Level2Settings } from '../../../common/cache-settings.ts';
import { openRedis } from './redis-client.ts';
import { type SocketTarget, targetOf } from './shared-address.ts';

const SENTINELS_DATABASE = 0;

/**
 * @param endpoints one server, or those that know it.
 * @param prefix of all keys, which lie on one server of a Cluster for the sake of a hash tag in it.
 * @throws Error that says what each of them has said
 */
export async function locateRedis(
  endpoints: readonly string[],
  prefix: string,
  settings: Level2Settings,
): Promise<SocketTarget> {
  const { topology } = settings;
  if (topology === 'servers') return targetOf(endpoints[0]!);
  const failures: string[] = [];
  for (const endpoint of endpoints) {
    try {
      const found =
        topology === 'sentinel'
          ? await askSentinel(endpoint, settings)
          : await askNode(endpoint, prefix, settings);
      if (found !== null) return found;
      failures.push(`${endpoint} knows of none`);
    } catch (error) {
      failures.push(`${endpoint}: ${(error as Error).message}`);
    }
  }
  throw new Error(`no server was found: ${failures.join(', ')}`);
}

async function askSentinel(endpoint: string, settings: Level2Settings): Promise<SocketTarget | null> {
  const { sentinelName, sentinelUsername, sentinelPassword } = settings;
  const login = { username: sentinelUsername, password: sentinelPassword, database: SENTINELS_DATABASE };
  return await asked(openRedis(targetOf(endpoint), login, settings), async (client) => {
    const answer = await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', sentinelName ?? '');
    if (!Array.isArray(answer)) return null;
    const [host, port] = answer.map(String);
    return host === undefined || port === undefined ? null : { host, port: Number(port) };
  });
}

async function askNode(
  endpoint: string,
  prefix: string,
  settings: Level2Settings,
): Promise<SocketTarget | null> {
  const target = targetOf(endpoint);
  return await asked(openRedis(target, settings, settings), async (client) => {
    const slot = await client.cluster('KEYSLOT', prefix);
    // Each: the first slot, the last one, the master, its replicas; a node: host, port, …
    const ranges = await client.cluster('SLOTS');
    for (const range of ranges) {
      const [first, last, master] = range as unknown as [number, number, [string | null, number]];
      if (slot < first || slot > last) continue;
      const [host, port] = master;
      // A node that does not know its own address is the one that was asked.
      const own = 'host' in target ? target.host : '127.0.0.1';
      return { host: host === null || host === '' ? own : host, port };
    }
    return null;
  });
}

async function asked<T>(opening: Promise<Redis>, ask: (client: Redis) => Promise<T>): Promise<T> {
  const client = await opening;
  try {
    return await ask(client);
  } finally {
    client.disconnect();
  }
}
