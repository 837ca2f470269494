/** Does the server answer on a connection that exists? The cheapest sign of life, and the first to stop. */

import type { MonitorConnection } from './monitor-connection.ts';

export async function checkPing(connection: MonitorConnection, signal: AbortSignal): Promise<null> {
  await connection.ping(signal);
  return null;
}
