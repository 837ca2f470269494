/** What the monitor is given, and what it tells. */

import type { Clock } from '../../common/clock.ts';
import type { HostgroupPair } from '../../topology/hostgroup.ts';
import type { ConfiguredServer } from '../../topology/topology-member.ts';
import type { MonitorCredentials } from './monitor-connection.ts';
import type { MonitorEvent } from './monitor-event.ts';
import type { MonitorSettings } from './monitor-settings.ts';

/** As pino's: fields first, then the message. */
export interface MonitorLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface MonitorOptions {
  readonly servers: readonly ConfiguredServer[];
  readonly credentials: MonitorCredentials;
  readonly hostgroups: HostgroupPair;
  readonly settings?: Partial<MonitorSettings>;
  readonly logger: MonitorLogger;
  readonly clock?: Clock;
  /** See `SnapshotKeys`; null while nobody wants keys to be known. */
  readonly definitions?: () => number | null;
}

export interface MonitorEvents {
  change: [];
  /** Lag was measured anew, or could not be: of all servers, read `topology`. */
  measured: [];
  event: [MonitorEvent];
}
