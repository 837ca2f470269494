/** What a server would say of itself: a replica without semi-synchronous replication, unless told otherwise. */

import type { ServerState } from '../../../../src/control/failover/servers/server-state.ts';
import { parseServerVersion } from '../../../../src/control/monitor/server-version.ts';

export function madeServerState(
  version: string,
  serverId: number,
  parts: Partial<ServerState> = {},
): ServerState {
  return {
    address: `h${serverId}:3306`,
    version: parseServerVersion(version),
    serverId,
    serverUuid: null,
    reported: null,
    readOnly: true,
    superReadOnly: false,
    logBin: true,
    logReplicaUpdates: true,
    gtids: true,
    executed: '',
    purged: '',
    binlogState: '',
    channels: [],
    semiSync: { available: false, sourceEnabled: false, replicaEnabled: false, timeoutMs: 0 },
    ...parts,
  };
}
