/** Everything about a server in one go, for an address that is not part of the topology yet. */

import type { ReplicationProbe, ServerFacts } from '../../topology/server-probe.ts';
import type { CheckReport } from '../../topology/topology.ts';
import { readFacts } from './connect-check.ts';
import { MonitorConnection, type MonitorCredentials, type MonitorTarget } from './monitor-connection.ts';
import { checkReadOnly } from './read-only-check.ts';
import { checkReplication } from './replication-check.ts';

export interface ServerProbe {
  readonly facts: ServerFacts;
  readonly replication: ReplicationProbe;
  /** The same, as the topology takes it. */
  readonly reports: readonly CheckReport[];
}

/** Rejects with the first error: a server of which not everything can be seen is not added. */
export async function probeServer(
  target: MonitorTarget,
  credentials: MonitorCredentials,
  signal: AbortSignal,
): Promise<ServerProbe> {
  const connection = await MonitorConnection.open(target, credentials, signal);
  try {
    const facts = await readFacts(connection, signal);
    const readOnly = await checkReadOnly(connection, signal);
    const replication = await checkReplication(connection, signal);
    return {
      facts,
      replication,
      reports: [
        { check: 'connect', ok: true, facts },
        { check: 'ping', ok: true, latencyMs: null },
        { check: 'read_only', ok: true, readOnly },
        { check: 'replication', ok: true, replication },
      ],
    };
  } finally {
    connection.close();
  }
}
