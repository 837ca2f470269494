/** What the pools of a worker have in common, and what each of them is to be. */

import type { SharedCounters, WorkerCounters } from '../../common/shared-counters.ts';
import type { SnapshotServer, SnapshotSettings } from '../../common/snapshot.ts';
import type { TimerWheel } from '../../common/timer-wheel.ts';
import type { FlushScheduler } from '../io/flush-scheduler.ts';
import type { BackendConnection } from './backend-connection.ts';
import type { ReplicaMeasurements } from './balancing/replica-measurements.ts';

export interface PoolEnvironment {
  /** How many workers share the limits. */
  readonly workers: number;
  readonly counters: SharedCounters;
  readonly workerCounters: WorkerCounters;
  readonly wheel: TimerWheel;
  readonly scheduler: FlushScheduler;
  readonly measurements: ReplicaMeasurements;
  /** A connection could not be made, or was lost: the monitor should look. */
  readonly serverFailed: (address: string, reason: string) => void;
  readonly log: (level: 'debug' | 'info' | 'warn', message: string, fields: Record<string, unknown>) => void;
  /** What a session of this key and collation starts with has been learnt. */
  readonly learnedInitial: (connection: BackendConnection) => void;
}

export type PoolSettings = SnapshotSettings['pool'];

/** Of one pool, as the newest snapshot has them. */
export interface PoolTerms {
  server: SnapshotServer;
  settings: PoolSettings;
}
