/** What is undone in the shared counters when a worker is gone. */

import {
  Gauge,
  MAX_SERVERS,
  MAX_USERS,
  ServerCounter,
  ServerGauge,
  type SharedCounters,
  serverGauge,
  WorkerCounter,
} from '../common/shared-counters.ts';
import type { SharedStatistics } from '../common/shared-statistics.ts';

/** What each worker holds of a server's gauges. */
const SHARES = [
  [ServerCounter.heldConnections, ServerGauge.connections],
  [ServerCounter.heldInUse, ServerGauge.inUse],
  [ServerCounter.heldStarving, ServerGauge.starving],
] as const;

/** Counters that tell of what a worker has now. */
const WORKER_GAUGES = [
  WorkerCounter.sessions,
  WorkerCounter.pinnedSessions,
  WorkerCounter.digests,
  WorkerCounter.heldStatementsNow,
  WorkerCounter.replaysNow,
  WorkerCounter.clientStatements,
  WorkerCounter.backendStatements,
  WorkerCounter.cacheEntries,
  WorkerCounter.level2Unflushed,
  WorkerCounter.cacheBytes,
] as const;

/** What a crashed worker had counted as its own is given back; its sockets the system has closed. */
export function giveBack(counters: SharedCounters, statistics: SharedStatistics, index: number): void {
  const worker = counters.worker(index);
  counters.addGauge(Gauge.frontendConnections, -worker.get(WorkerCounter.sessions));
  counters.addGauge(Gauge.replays, -worker.get(WorkerCounter.replaysNow));
  for (const gauge of WORKER_GAUGES) worker.clear(gauge);
  worker.clearPins();
  statistics.worker(index).clearGauges();
  // Servers and users that have left the configuration too: their slots are theirs when they come back.
  for (let slot = 0; slot < MAX_SERVERS; slot++) {
    for (const [counter, gauge] of SHARES) {
      const share = worker.getServer(slot, counter);
      if (share === 0) continue;
      counters.addGauge(serverGauge(slot, gauge), -share);
      worker.clearServer(slot, counter);
    }
  }
  for (let slot = 0; slot < MAX_USERS; slot++) counters.giveBackUser(index, slot);
}
