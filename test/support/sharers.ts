/** Sharers and their servers, which end with the test. */

import type { Test } from 'tap';
import { type SharedCacheKind, type SharedCacheOptions, SharedCacheServer } from './shared-cache-server.ts';
import { Sharer, type SharerOptions } from './sharer.ts';

export async function sharedServer(
  t: Test,
  kind: SharedCacheKind,
  options: SharedCacheOptions = {},
): Promise<SharedCacheServer> {
  const server = await SharedCacheServer.start(kind, options);
  t.teardown(() => server.dispose());
  return server;
}

/** As many as are asked for, when they are ready. */
export async function sharers(
  t: Test,
  count: number,
  options: SharerOptions,
): Promise<[Sharer, Sharer, ...Sharer[]]> {
  const made: Sharer[] = [];
  t.teardown(() => Promise.all(made.map((one) => one.dispose())));
  for (let i = 0; i < count; i++) made.push(await Sharer.ready(options));
  return made as [Sharer, Sharer, ...Sharer[]];
}

/** Of one server. */
export function sharersOf(
  t: Test,
  server: SharedCacheServer,
  count: number,
  more: Partial<SharerOptions> = {},
): Promise<[Sharer, Sharer, ...Sharer[]]> {
  return sharers(t, count, { kind: server.kind, endpoints: [server.address], ...more });
}
