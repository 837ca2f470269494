/** What an operation has to know of a server, read in one go: values, in the server's own dialect of GTIDs. */

import { type ServerAddress, ServerFlavor } from '../../../topology/server-description.ts';
import type { ReplicationThreadState } from '../../../topology/server-probe.ts';
import type { ServerVersion } from '../../monitor/server-version.ts';

/** One source that a server replicates from. */
export interface ReplicationChannelState {
  /** '' for the default one. */
  readonly name: string;
  readonly source: ServerAddress;
  readonly sourceUuid: string | null;
  /** 0 or null until it was connected once. */
  readonly sourceId: number | null;
  readonly user: string;
  /** Auto-position, or MariaDB's `Using_Gtid`. */
  readonly byGtid: boolean;
  readonly ioRunning: ReplicationThreadState;
  readonly sqlRunning: ReplicationThreadState;
  readonly ioError: string;
  readonly sqlError: string;
  /** What has been fetched: MySQL's Retrieved_Gtid_Set since the threads' reset, MariaDB's Gtid_IO_Pos. */
  readonly retrieved: string;
  /** null where the server says NULL. */
  readonly secondsBehind: number | null;
  /** MASTER_DELAY; it never has everything in time. */
  readonly delaySeconds: number;
  readonly tls: boolean;
}

/** Of one side of semi-synchronous replication. */
export interface SemiSyncState {
  /** The variables are there: the plugin is loaded, or built in. */
  readonly available: boolean;
  /** As a primary: waits for acknowledgements. */
  readonly sourceEnabled: boolean;
  readonly replicaEnabled: boolean;
  /** After which the primary goes on without; milliseconds. */
  readonly timeoutMs: number;
}

export interface ServerState {
  readonly address: ServerAddress;
  readonly version: ServerVersion;
  readonly serverId: number;
  /** MySQL only. */
  readonly serverUuid: string | null;
  /** Where it says that replicas find it (`report_host`, `report_port`); null where it does not. */
  readonly reported: ServerAddress | null;
  readonly readOnly: boolean;
  readonly superReadOnly: boolean;
  readonly logBin: boolean;
  readonly logReplicaUpdates: boolean;
  /** MySQL's gtid_mode is ON; MariaDB always has GTIDs. */
  readonly gtids: boolean;
  /** MySQL: gtid_executed; MariaDB: the later of binary log and replicated position, per domain. */
  readonly executed: string;
  /** MySQL: gtid_purged, of which the binary log has nothing any more; MariaDB: ''. */
  readonly purged: string;
  /** MariaDB: gtid_binlog_state, the last of every server in every domain; MySQL: ''. */
  readonly binlogState: string;
  readonly channels: readonly ReplicationChannelState[];
  readonly semiSync: SemiSyncState;
}

/**
 * MariaDB throws away what a replica by GTID has received, and not executed, when one of its threads is started while both stand.
 * So its IO thread must not be stopped, nor started, while its SQL thread stands.
 */
export function needsApplier({ byGtid, sqlRunning }: ReplicationChannelState, flavor: ServerFlavor): boolean {
  return flavor === ServerFlavor.mariadb && byGtid && sqlRunning === 'No';
}

/** Writes of ordinary accounts are refused. */
export function isReadOnly(state: ServerState): boolean {
  return state.readOnly || state.superReadOnly;
}
