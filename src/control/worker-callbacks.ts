/** Who on the main thread is told of what workers say. */

import type { WriteGate } from './failover/write-gate.ts';
import type { OperatorLogs } from './logs/operator-logs.ts';
import type { Monitor } from './monitor/monitor.ts';
import type { AccountKeeper } from './users/account-keeper.ts';
import type { ViewFollower } from './view-follower.ts';
import type { WorkerSetOptions } from './worker-set.ts';
import type { WriteRoom } from './write-room.ts';

export interface WorkerPeers {
  readonly monitor: Monitor;
  readonly views: ViewFollower;
  readonly accounts: AccountKeeper;
  readonly writes: WriteRoom;
  readonly gate: WriteGate;
  readonly logs: OperatorLogs;
}

type Callbacks = Omit<
  WorkerSetOptions,
  | 'count'
  | 'listen'
  | 'inherited'
  | 'counters'
  | 'statistics'
  | 'measurements'
  | 'gtids'
  | 'epochs'
  | 'logger'
  | 'snapshot'
  | 'script'
>;

export function workerCallbacks({ monitor, views, accounts, writes, gate, logs }: WorkerPeers): Callbacks {
  return {
    serverFailed: (address, reason) => void monitor.reportFailure(address, reason),
    primaryRefuses: () => void monitor.wake(),
    viewsChanged: () => void views.follow(),
    accountsWanted: () => void accounts.follow(),
    gtidsWanted: () => writes.gtids.resolve(),
    strongWanted: () => writes.binlog.strongWanted(),
    commitInDoubt: (worker, message) => writes.commits.received(worker, message),
    schemaInFlux: (worker) => writes.schema.received(worker),
    writeInDoubt: (worker, message) => writes.doubts.received(worker, message),
    workerEnded: (worker) => writes.doubts.workerEnded(worker),
    draining: (worker, report) => gate.received(worker, report),
    reported: (worker, report) => logs.received(worker, report),
  };
}
