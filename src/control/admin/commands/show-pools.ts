import type { ServerCounters } from '../../metrics/counter-snapshot.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

const COLUMNS: readonly ComputedColumn<ServerCounters>[] = [
  { name: 'hostgroup', type: 'number', meaning: 'Hostgroup of the server', value: (row) => row.hostgroup },
  { name: 'server', meaning: '`host:port`', value: ({ address }) => address },
  { name: 'role', meaning: '`primary`, `replica` or `unknown`', value: ({ role }) => role },
  { name: 'status', meaning: 'As in SHOW TOPOLOGY', value: ({ status }) => status },
  {
    name: 'connections',
    type: 'number',
    meaning: 'Open to the server now, over all workers',
    value: ({ connections }) => connections,
  },
  { name: 'in_use', type: 'number', meaning: 'Of these, checked out now', value: ({ inUse }) => inUse },
  {
    name: 'idle',
    type: 'number',
    meaning: 'Of these, free to be checked out',
    // The two gauges are read one after the other.
    value: ({ connections, inUse }) => Math.max(0, connections - inUse),
  },
  {
    name: 'max_connections',
    type: 'number',
    meaning: 'Limit of its own; 0 for none but `pool.maxConnections`',
    value: ({ maxConnections }) => maxConnections,
  },
  { name: 'queries', type: 'number', meaning: 'Statements sent to it', value: ({ queries }) => queries },
  { name: 'bytes_sent', type: 'number', meaning: 'Bytes sent to it', value: ({ bytesSent }) => bytesSent },
  {
    name: 'bytes_received',
    type: 'number',
    meaning: 'Bytes received from it',
    value: ({ bytesReceived }) => bytesReceived,
  },
  { name: 'connects', type: 'number', meaning: 'Connections opened', value: ({ connects }) => connects },
  {
    name: 'connect_errors',
    type: 'number',
    meaning: 'Connections that could not be opened',
    value: ({ connectErrors }) => connectErrors,
  },
];

export const showPools: AdminCommand = {
  name: 'SHOW POOLS',
  syntax: 'SHOW POOLS',
  help: 'Connections, traffic and errors of every server, over all workers',
  pattern: /^SHOW POOLS$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) => table(state.counters().servers, COLUMNS),
};
