/** Does the server answer on a connection that exists? The cheapest sign of life, and the first to stop. */

import type { Clock } from '../../common/clock.ts';
import type { MonitorConnection } from './monitor-connection.ts';

/** @returns how long the answer took, in milliseconds. */
export async function checkPing(
  connection: MonitorConnection,
  signal: AbortSignal,
  clock: Clock,
): Promise<number> {
  const beganAtMs = clock.monotonicMs();
  await connection.ping(signal);
  return clock.monotonicMs() - beganAtMs;
}
