/** Connections to servers of the second level, as the settings say. A client of Redis is loaded only where there is one. */

import type { Level2Settings } from '../../../common/cache-settings.ts';
import { targetOf } from './shared-address.ts';
import type { SharedStore, SharedStoreHandlers } from './shared-store.ts';

/** @param endpoints one server, or those that know it. @param prefix of its keys. */
export type MakeStore = (
  endpoints: readonly string[],
  prefix: string,
  handlers: SharedStoreHandlers,
) => SharedStore;

export async function storeMaker(settings: Level2Settings): Promise<MakeStore> {
  if (settings.kind === 'redis') {
    const { RedisStore } = await import('./redis-store.ts');
    return (endpoints, prefix, handlers) => new RedisStore(endpoints, prefix, settings, handlers);
  }
  const { MemcachedStore } = await import('./memcached-store.ts');
  return ([endpoint = ''], _prefix, handlers) =>
    new MemcachedStore(targetOf(endpoint), settings.maxValueBytes, handlers);
}
