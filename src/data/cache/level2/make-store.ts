/** Connections to servers of the second level, as the settings say. */

import type { Level2Settings } from '../../../common/cache-settings.ts';
import { MemcachedStore } from './memcached-store.ts';
import { RedisStore } from './redis-store.ts';
import type { SharedStore, SharedStoreHandlers } from './shared-store.ts';

/** @param address `host:port` */
export function makeStore(
  settings: Level2Settings,
  address: string,
  handlers: SharedStoreHandlers,
): SharedStore {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const port = Number(address.slice(colon + 1));
  if (settings.kind === 'redis') return new RedisStore(host, port, settings, handlers);
  return new MemcachedStore(host, port, settings.maxValueBytes, handlers);
}
