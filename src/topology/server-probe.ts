/**
 * What the checks learn about a server, as plain values: the monitor fills them in, the pure code decides on them.
 */

import type { ServerAddress, ServerFlavor } from './server-description.ts';

/** The closed set of checks, as logs, admin and metrics name them. */
export const CheckName = {
  connect: 'connect',
  ping: 'ping',
  readOnly: 'read_only',
  replication: 'replication',
} as const;
export type CheckName = (typeof CheckName)[keyof typeof CheckName];

/** Measured by the connect check. */
export interface ServerFacts {
  readonly version: string;
  readonly flavor: ServerFlavor;
  readonly versionId: number;
  readonly sessionTracking: boolean;
  readonly serverUuid: string | null;
  readonly serverId: number | null;
  /** Equal for two addresses exactly when both lead to the same server process and data directory. */
  readonly identity: string;
}

/** Measured by the read_only check. */
export interface ReadOnlyProbe {
  readonly readOnly: boolean;
  readonly superReadOnly: boolean;
  readonly innodbReadOnly: boolean;
}

/** Of `Slave_IO_Running`; the SQL thread is never `Connecting`. */
export type ReplicationThreadState = 'Yes' | 'No' | 'Connecting';

export interface ReplicationChannel {
  /** `''` for the default channel or connection. */
  readonly name: string;
  /** As the replica names its source. */
  readonly source: ServerAddress;
  readonly sourceUuid: string | null;
  /** 0 or null until the replica has been connected once. */
  readonly sourceId: number | null;
  readonly ioRunning: ReplicationThreadState;
  readonly sqlRunning: ReplicationThreadState;
  /** From `Seconds_Behind_Source`, hence coarse; null where the server says NULL. */
  readonly lagMs: number | null;
  /** The last error of either thread, `''` when there is none. */
  readonly error: string;
}

/** Measured by the replication check. */
export interface ReplicationProbe {
  /** Empty: the server replicates from nobody. */
  readonly channels: readonly ReplicationChannel[];
  readonly gtidExecuted: string;
}
