/** From whom does the server replicate, do its threads run, how far behind is it, and what has it executed? */

import { ER_PARSE_ERROR, ER_UNKNOWN_SYSTEM_VARIABLE } from '../../common/server-errno.ts';
import { formatServerAddress } from '../../topology/server-address.ts';
import { ServerFlavor } from '../../topology/server-description.ts';
import type {
  ReplicationChannel,
  ReplicationProbe,
  ReplicationThreadState,
} from '../../topology/server-probe.ts';
import type { MonitorConnection, Row } from './monitor-connection.ts';
import { CheckFailedError, errnoOf, isDenied } from './server-error.ts';
import type { ServerVersion } from './server-version.ts';

/** The first version that has SHOW REPLICA STATUS; MySQL 8.4 has nothing else. */
const FIRST_SHOW_REPLICA = 80_022;

/** The most likely spelling first; a version string can lie, so the others are tried after a syntax error. */
function statusStatements(version: ServerVersion): readonly string[] {
  if (version.flavor === ServerFlavor.mariadb) return ['SHOW ALL SLAVES STATUS', 'SHOW SLAVE STATUS'];
  return version.id >= FIRST_SHOW_REPLICA
    ? ['SHOW REPLICA STATUS', 'SHOW SLAVE STATUS']
    : ['SHOW SLAVE STATUS', 'SHOW REPLICA STATUS'];
}

function neededGrant(version: ServerVersion): string {
  return version.flavor === ServerFlavor.mariadb && version.id >= 100_500
    ? 'SLAVE MONITOR'
    : 'REPLICATION CLIENT';
}

/** Columns were renamed in MySQL 8.0.22; the old name is the last. */
function pick(row: Row, ...names: readonly string[]): string {
  for (const name of names) {
    const value = row[name];
    if (value !== undefined && value !== null) return value;
  }
  return '';
}

function threadState(text: string): ReplicationThreadState {
  if (text === 'Yes' || text === 'No') return text;
  // `Connecting`, and MariaDB's `Preparing` before it.
  return text === '' ? 'No' : 'Connecting';
}

function numberOrNull(text: string): number | null {
  const value = Number(text);
  return text !== '' && Number.isSafeInteger(value) ? value : null;
}

/** Null for a channel without a source, such as those of group replication. */
export function parseReplicationRow(row: Row): ReplicationChannel | null {
  const host = pick(row, 'Source_Host', 'Master_Host');
  const port = Number(pick(row, 'Source_Port', 'Master_Port'));
  if (host === '' || host === '<NULL>' || !(port > 0)) return null;
  const seconds = numberOrNull(pick(row, 'Seconds_Behind_Source', 'Seconds_Behind_Master'));
  const uuid = pick(row, 'Source_UUID', 'Master_UUID').toLowerCase();
  return {
    name: pick(row, 'Channel_Name', 'Connection_name'),
    source: formatServerAddress(host, port),
    sourceUuid: uuid === '' ? null : uuid,
    sourceId: numberOrNull(pick(row, 'Source_Server_Id', 'Master_Server_Id')),
    ioRunning: threadState(pick(row, 'Replica_IO_Running', 'Slave_IO_Running')),
    sqlRunning: threadState(pick(row, 'Replica_SQL_Running', 'Slave_SQL_Running')),
    lagMs: seconds === null ? null : seconds * 1000,
    error: pick(row, 'Last_SQL_Error') || pick(row, 'Last_IO_Error'),
  };
}

async function readStatus(connection: MonitorConnection, signal: AbortSignal): Promise<readonly Row[]> {
  let parseError: unknown;
  for (const sql of statusStatements(connection.version)) {
    try {
      return await connection.query(sql, signal);
    } catch (error) {
      if (isDenied(error)) {
        throw new CheckFailedError(
          `the monitor account lacks ${neededGrant(connection.version)} ON *.*, without which replication cannot be seen`,
          error,
        );
      }
      if (errnoOf(error) !== ER_PARSE_ERROR) throw error;
      parseError = error;
    }
  }
  throw parseError;
}

async function readGtids(connection: MonitorConnection, signal: AbortSignal): Promise<string> {
  // SHOW VARIABLES cuts long values, SELECT does not. On MariaDB the current position covers what was
  // replicated and what was written here.
  const name = connection.version.flavor === ServerFlavor.mariadb ? 'gtid_current_pos' : 'gtid_executed';
  try {
    const [row] = await connection.query(`SELECT @@global.${name} AS gtids`, signal);
    return (row?.gtids ?? '').replace(/\s+/g, '');
  } catch (error) {
    if (errnoOf(error) === ER_UNKNOWN_SYSTEM_VARIABLE) return '';
    throw error;
  }
}

export async function checkReplication(
  connection: MonitorConnection,
  signal: AbortSignal,
): Promise<ReplicationProbe> {
  const channels: ReplicationChannel[] = [];
  for (const row of await readStatus(connection, signal)) {
    const channel = parseReplicationRow(row);
    if (channel !== null) channels.push(channel);
  }
  return { channels, gtidExecuted: await readGtids(connection, signal) };
}
