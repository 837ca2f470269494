/** Can a client connect and log in, and which server answers? Always on a new connection. */

import type { ServerFacts } from '../../topology/server-probe.ts';
import { readGlobalVariables } from './global-variables.ts';
import { MonitorConnection, type MonitorCredentials, type MonitorTarget } from './monitor-connection.ts';

const FACT_VARIABLES = [
  'server_id',
  'server_uuid',
  'server_uid',
  'hostname',
  'port',
  'datadir',
  'session_track_system_variables',
];

export async function readFacts(connection: MonitorConnection, signal: AbortSignal): Promise<ServerFacts> {
  const variables = await readGlobalVariables(connection, FACT_VARIABLES, signal);
  const get = (name: string): string => variables.get(name) ?? '';
  const serverId = Number(get('server_id'));
  return {
    version: connection.version.text,
    flavor: connection.version.flavor,
    versionId: connection.version.id,
    sessionTracking: variables.has('session_track_system_variables'),
    serverUuid: get('server_uuid') === '' ? null : get('server_uuid').toLowerCase(),
    serverId: Number.isSafeInteger(serverId) && variables.has('server_id') ? serverId : null,
    // A data directory is copied more often than one would think, UUID included; no two servers share all of these.
    identity: ['server_uuid', 'server_uid', 'server_id', 'hostname', 'port', 'datadir'].map(get).join('\n'),
  };
}

export async function checkConnect(
  target: MonitorTarget,
  credentials: MonitorCredentials,
  signal: AbortSignal,
): Promise<ServerFacts> {
  const connection = await MonitorConnection.open(target, credentials, signal);
  try {
    return await readFacts(connection, signal);
  } finally {
    connection.close();
  }
}
