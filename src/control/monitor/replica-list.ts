/** Which replicas does a server know? What it says, and what can be concluded from who reads its binlog. */

import { ER_PARSE_ERROR, ER_UNKNOWN_TABLE } from '../../common/server-errno.ts';
import { formatServerAddress } from '../../topology/server-address.ts';
import { type ServerAddress, ServerFlavor } from '../../topology/server-description.ts';
import type { MonitorConnection, Row } from './monitor-connection.ts';
import { errnoOf, isDenied } from './server-error.ts';

export interface ReplicaList {
  /** Most trustworthy first; every one of them has to be tried. */
  readonly addresses: readonly ServerAddress[];
  /** Why the list may be short; `''` when it is not. */
  readonly problem: string;
}

/** A server with more replicas than this names too many to try at once. */
const MAX_ADDRESSES = 64;

/** The first version that has SHOW REPLICAS; MySQL 8.4 has nothing else. */
const FIRST_SHOW_REPLICAS = 80_022;

async function showReplicas(connection: MonitorConnection, signal: AbortSignal): Promise<readonly Row[]> {
  const { flavor, id } = connection.version;
  const modern = flavor === ServerFlavor.mysql && id >= FIRST_SHOW_REPLICAS;
  try {
    return await connection.query(modern ? 'SHOW REPLICAS' : 'SHOW SLAVE HOSTS', signal);
  } catch (error) {
    if (errnoOf(error) !== ER_PARSE_ERROR) throw error;
    return await connection.query(modern ? 'SHOW SLAVE HOSTS' : 'SHOW REPLICAS', signal);
  }
}

/** `host:port` of the replica's own client socket: the host is good, the port is not the server's. */
function hostOf(peer: string): string {
  const colon = peer.lastIndexOf(':');
  return colon < 0 ? peer : peer.slice(0, colon);
}

/**
 * Replicas without `report_host` have no name in the list (MySQL), or the name that the source's resolver gave them
 * (MariaDB). The process list has the address that they come from.
 */
export function replicaAddresses(
  replicas: readonly Row[],
  dumpPeers: readonly string[],
  ownPort: number,
): readonly ServerAddress[] {
  const named: ServerAddress[] = [];
  const ports = new Set<number>();
  for (const row of replicas) {
    const port = Number(row.Port ?? 0);
    if (!(port > 0 && port <= 65_535)) continue;
    ports.add(port);
    const host = row.Host ?? '';
    if (host !== '') named.push(formatServerAddress(host, port));
  }
  if (ports.size === 0) ports.add(ownPort);
  const guessed: ServerAddress[] = [];
  for (const peer of dumpPeers) {
    const host = hostOf(peer);
    if (host !== '') for (const port of ports) guessed.push(formatServerAddress(host, port));
  }
  return [...new Set([...named, ...guessed])].slice(0, MAX_ADDRESSES);
}

/**
 * From where the server's binlog is being read, but for the followers of Sluices, which have the monitor's account. Without
 * PROCESS an account sees nobody but itself.
 */
async function dumpPeers(connection: MonitorConnection, signal: AbortSignal): Promise<readonly string[]> {
  const condition = "WHERE COMMAND LIKE 'Binlog Dump%' AND USER <> SUBSTRING_INDEX(USER(), '@', 1)";
  let rows: readonly Row[];
  try {
    rows = await connection.query(
      `SELECT HOST AS peer FROM information_schema.PROCESSLIST ${condition}`,
      signal,
    );
  } catch (error) {
    // Deprecated in MySQL 8.0: one day it will be gone. The other table is not everywhere yet.
    if (errnoOf(error) !== ER_UNKNOWN_TABLE) throw error;
    rows = await connection.query(
      `SELECT HOST AS peer FROM performance_schema.processlist ${condition}`,
      signal,
    );
  }
  return rows.map((row) => row.peer ?? '');
}

export async function listReplicas(
  connection: MonitorConnection,
  ownPort: number,
  signal: AbortSignal,
): Promise<ReplicaList> {
  let problem = '';
  let replicas: readonly Row[] = [];
  try {
    replicas = await showReplicas(connection, signal);
  } catch (error) {
    if (!isDenied(error)) throw error;
    const { flavor, id } = connection.version;
    const grant =
      flavor === ServerFlavor.mariadb && id >= 100_500 ? 'REPLICATION MASTER ADMIN' : 'REPLICATION SLAVE';
    problem = `the monitor account lacks ${grant} ON *.*, without which replicas are not listed`;
  }
  const addresses = replicaAddresses(replicas, await dumpPeers(connection, signal), ownPort);
  return { addresses, problem };
}
