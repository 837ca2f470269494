/**
 * Takes writes away from a server that is not the primary any more.
 *
 * read_only waits for commits that are under way. Where these wait for a replica's acknowledgement, which will not come
 * since the replicas follow somebody else now, it would wait as long as they do. What it waits behind it does let nobody
 * else commit: so semi-synchronous replication can be turned off then, and those that waited are the last ones.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { ServerOperator } from '../servers/server-operator.ts';

const PATIENCE_MS = 500;

/** @param another a second line to the server, for as long as the first one waits. @throws ServerOrderError */
export async function fenceServer(
  operator: Pick<ServerOperator, 'setReadOnly'>,
  another: () => Promise<Pick<ServerOperator, 'setSemiSync' | 'close'>>,
): Promise<void> {
  const isDone = new AbortController();
  const order = operator.setReadOnly().finally(() => isDone.abort());
  const waits = delay(PATIENCE_MS, true, { signal: isDone.signal }).catch(() => false);
  if (await waits) {
    const second = await another().catch(() => null);
    await second?.setSemiSync(false, null).catch(() => undefined);
    second?.close();
  }
  await order;
}
