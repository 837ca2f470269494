/** What operations need of the main thread. */

import type { Config } from '../../../config/schema.ts';
import type { ServerAddress } from '../../topology/server-description.ts';
import type { TopologyDescription } from '../../topology/topology.ts';
import type { MonitorCredentials } from '../monitor/monitor-connection.ts';
import type { OperationEvent } from './operation-event.ts';
import type { HoldOptions, HoldResult } from './write-gate.ts';

/** As far as operations use it. */
export interface OperationGate {
  readonly isHeld: boolean;
  hold(options: HoldOptions): Promise<HoldResult>;
  extend(holdMs: number): void;
  release(): void;
}

/** As far as operations use it. */
export interface OperationMonitor {
  readonly topology: TopologyDescription;
  /** Checks one server, or all, at once. */
  wake(address?: ServerAddress): Promise<void>;
  note(event: OperationEvent): void;
  /** Resolves when no heartbeat is being written. */
  pauseHeartbeat(): Promise<void>;
  resumeHeartbeat(): void;
}

export interface OperationContext {
  readonly monitor: OperationMonitor;
  readonly gate: OperationGate;
  settings(): Config['failover'];
  credentials(): MonitorCredentials;
}
