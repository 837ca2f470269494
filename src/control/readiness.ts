/** Whether the process lives, and whether it should get clients. */

import type { Snapshot } from '../common/snapshot.ts';
import type { WorkerStatus } from './worker-set.ts';

export function liveness(workers: readonly WorkerStatus[]): { alive: boolean; reasons: string[] } {
  const stopped = workers.filter(({ running }) => !running);
  return { alive: true, reasons: stopped.map(({ index }) => `worker ${index} is not running`) };
}

export function readiness(
  workers: readonly WorkerStatus[],
  snapshot: Snapshot,
  isStopping: boolean,
): { ready: boolean; reasons: string[] } {
  const reasons: string[] = [];
  if (isStopping) reasons.push('stopping');
  if (!snapshot.accepting) reasons.push('paused: no new clients are let in');
  if (workers.length === 0 || workers.some(({ running }) => !running))
    reasons.push('not all workers are running');
  if (workers.some(({ appliedVersion }) => appliedVersion === 0)) reasons.push('no snapshot applied yet');
  const primary = snapshot.servers.some(({ role, status }) => role === 'primary' && status === 'ONLINE');
  if (!primary) reasons.push('no primary is known');
  return { ready: reasons.length === 0, reasons };
}
