/** What operations need of the main thread. */

import type { Config } from '../../../config/schema.ts';
import type { ServerAddress } from '../../topology/server-description.ts';
import type { TopologyDescription } from '../../topology/topology.ts';
import type { MonitorCredentials } from '../monitor/monitor-connection.ts';
import type { Agreement } from './agreement/agreement.ts';
import type { FailoverEvent } from './failover-event.ts';
import type { OperationEvent } from './operation-event.ts';
import type { FenceOptions, HoldOptions, HoldResult } from './write-gate.ts';

/** As far as operations use it. */
export interface OperationGate {
  readonly isHeld: boolean;
  hold(options: HoldOptions): Promise<HoldResult>;
  extend(holdMs: number): void;
  release(): void;
  fence(address: ServerAddress, options: FenceOptions): Promise<boolean>;
  unfence(address: ServerAddress): void;
  readonly fenced: ServerAddress | null;
  raiseTerm(atLeast: number): void;
}

/** As far as operations use it. */
export interface OperationMonitor {
  readonly topology: TopologyDescription;
  /** Checks one server, or all, at once. */
  wake(address?: ServerAddress): Promise<void>;
  /** Of these only what makes a primary. */
  wakeRoles(addresses: readonly ServerAddress[]): Promise<void>;
  /** It answers, and must not serve for this reason; `''`: it may again. */
  keepOut(address: ServerAddress, reason: string): void;
  note(event: OperationEvent | FailoverEvent): void;
  /** Resolves when no heartbeat is being written. */
  pauseHeartbeat(): Promise<void>;
  resumeHeartbeat(): void;
}

export interface OperationContext {
  readonly monitor: OperationMonitor;
  readonly gate: OperationGate;
  readonly agreement: Agreement;
  settings(): Config['failover'];
  credentials(): MonitorCredentials;
}
