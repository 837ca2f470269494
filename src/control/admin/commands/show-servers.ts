import { type ServerDescription, TlsMode } from '../../../topology/server-description.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

/** ProxySQL's columns of `mysql_servers`, in its order. */
const COLUMNS: readonly ComputedColumn<ServerDescription>[] = [
  { name: 'hostgroup_id', type: 'number', meaning: 'Hostgroup', value: ({ hostgroup }) => hostgroup },
  { name: 'hostname', meaning: 'Host name or IP address', value: ({ host }) => host },
  { name: 'port', type: 'number', meaning: 'TCP port', value: ({ port }) => port },
  {
    name: 'gtid_port',
    type: 'number',
    meaning: 'Always 0: no agent on the server is needed',
    value: () => 0,
  },
  {
    name: 'status',
    meaning: '`ONLINE`, `SHUNNED`, `OFFLINE_SOFT` or `OFFLINE_HARD`',
    value: ({ status }) => status,
  },
  { name: 'weight', type: 'number', meaning: 'Its share of the reads', value: ({ weight }) => weight },
  {
    name: 'compression',
    type: 'number',
    meaning: 'Always 0: connections are not compressed',
    value: () => 0,
  },
  {
    name: 'max_connections',
    type: 'number',
    meaning: 'Limit of its own, over all workers; 0 for none',
    value: ({ maxConnections }) => maxConnections,
  },
  {
    name: 'max_replication_lag',
    type: 'number',
    meaning: 'Seconds of lag, rounded up, from which it takes no reads; 0 for no limit',
    value: ({ maxReplicationLagMs }) => Math.ceil(maxReplicationLagMs / 1000),
  },
  {
    name: 'use_ssl',
    type: 'number',
    meaning: '1 where connections use TLS, or would if the server offered it',
    value: ({ tls }) => Number(tls.mode !== TlsMode.DISABLED),
  },
  { name: 'max_latency_ms', type: 'number', meaning: 'Always 0: no limit', value: () => 0 },
  {
    name: 'comment',
    meaning: '`discovered` for a server that replication led to; empty for one of the configuration',
    value: ({ origin }) => (origin === 'discovered' ? origin : ''),
  },
];

function byKey(a: ServerDescription, b: ServerDescription): number {
  if (a.hostgroup !== b.hostgroup) return a.hostgroup - b.hostgroup;
  if (a.host !== b.host) return a.host < b.host ? -1 : 1;
  return a.port - b.port;
}

export const showServers: AdminCommand = {
  name: 'SHOW SERVERS',
  syntax: 'SHOW [MYSQL] SERVERS',
  help: 'The servers in the columns of mysql_servers, as they are in force',
  pattern: /^SHOW (?:MYSQL )?SERVERS$/i,
  access: AdminRole.admin,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) => table(state.topology().servers.toSorted(byKey), COLUMNS),
};
