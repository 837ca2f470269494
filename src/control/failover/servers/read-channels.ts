/** The channels of a server from its replication status, whatever its version calls the columns. */

import { formatServerAddress } from '../../../topology/server-address.ts';
import type { ReplicationThreadState } from '../../../topology/server-probe.ts';
import type { Row } from '../../monitor/monitor-connection.ts';
import type { ReplicationChannelState } from './server-state.ts';

/** MySQL renamed `Master` to `Source` and `Slave` to `Replica`. */
function pick(row: Row, name: string): string {
  const value = row[name] ?? row[name.replace('Source', 'Master').replace('Replica', 'Slave')];
  return value ?? '';
}

function threadState(text: string): ReplicationThreadState {
  if (text === 'Yes' || text === 'No') return text;
  return text === '' ? 'No' : 'Connecting';
}

function numberOf(text: string): number | null {
  return /^\d+$/.test(text) ? Number(text) : null;
}

function channelOf(row: Row): ReplicationChannelState | null {
  const host = pick(row, 'Source_Host');
  const port = Number(pick(row, 'Source_Port'));
  // Group replication has channels without a source.
  if (host === '' || host === '<NULL>' || !(port > 0)) return null;
  const uuid = pick(row, 'Source_UUID').toLowerCase();
  const usingGtid = row.Using_Gtid ?? '';
  return {
    name: row.Channel_Name ?? row.Connection_name ?? '',
    source: formatServerAddress(host, port),
    sourceUuid: uuid === '' ? null : uuid,
    sourceId: numberOf(pick(row, 'Source_Server_Id')),
    user: pick(row, 'Source_User'),
    byGtid: row.Auto_Position === '1' || (usingGtid !== '' && usingGtid !== 'No'),
    ioRunning: threadState(pick(row, 'Replica_IO_Running')),
    sqlRunning: threadState(pick(row, 'Replica_SQL_Running')),
    ioError: row.Last_IO_Error ?? '',
    sqlError: row.Last_SQL_Error ?? '',
    retrieved: (row.Retrieved_Gtid_Set ?? row.Gtid_IO_Pos ?? '').replace(/\s+/g, ''),
    secondsBehind: numberOf(pick(row, 'Seconds_Behind_Source')),
    delaySeconds: numberOf(row.SQL_Delay ?? '') ?? 0,
    tls: pick(row, 'Source_SSL_Allowed') === 'Yes',
  };
}

export function readChannels(rows: readonly Row[]): readonly ReplicationChannelState[] {
  return rows.flatMap((row) => channelOf(row) ?? []);
}
