import type { ServerDescription } from '../../../topology/server-description.ts';
import type { AdminTopology } from '../admin-state.ts';
import { drainStates } from '../drain-state.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

interface Row extends Omit<ServerDescription, 'role'> {
  readonly role: string;
  readonly drained: boolean | null;
}

function yesNo(value: boolean | null): string | null {
  return value === null ? null : value ? 'YES' : 'NO';
}

const COLUMNS: readonly ComputedColumn<Row>[] = [
  { name: 'address', meaning: '`host:port`', value: ({ address }) => address },
  {
    name: 'role',
    meaning: '`primary`, `replica` or `unknown`, as measured; a second writable server is `rival`',
    value: ({ role }) => role,
  },
  {
    name: 'status',
    meaning: '`ONLINE`, `SHUNNED` (a check failed), `OFFLINE_SOFT` (DRAIN) or `OFFLINE_HARD`',
    value: ({ status }) => status,
  },
  { name: 'reason', meaning: 'Why it is not `ONLINE`; empty when it is', value: (row) => row.statusReason },
  {
    name: 'drained',
    meaning:
      '`YES` when an `OFFLINE_SOFT` server may be stopped: no worker sends anything there, and no connection of a client is left; `NO` before, NULL for other servers',
    value: ({ drained }) => yesNo(drained),
  },
  { name: 'hostgroup', type: 'number', meaning: 'Hostgroup that it serves', value: (row) => row.hostgroup },
  { name: 'weight', type: 'number', meaning: 'Its share of the reads', value: ({ weight }) => weight },
  { name: 'version', meaning: 'As the server says it; empty until known', value: ({ version }) => version },
  {
    name: 'read_only',
    meaning: '`YES`, `NO`, or NULL until known',
    value: ({ readOnly }) => yesNo(readOnly),
  },
  {
    name: 'source',
    meaning: 'The server that it replicates from; NULL for none',
    value: ({ source }) => source,
  },
  {
    name: 'replication_running',
    meaning: '`YES`, `NO`, or NULL until known',
    value: (row) => yesNo(row.replicationRunning),
  },
  {
    name: 'lag_ms',
    type: 'number',
    meaning: 'Milliseconds behind the primary; NULL where not known or not a replica',
    value: ({ lagMs }) => (lagMs === null ? null : Math.round(lagMs)),
  },
  {
    name: 'lag_source',
    meaning: '`heartbeat`, or `seconds-behind` where only the replica itself says it, in whole seconds',
    value: ({ lagSource }) => lagSource,
  },
  {
    name: 'gtid_executed',
    meaning: "Executed GTIDs in the server's own form; empty until known",
    value: (row) => row.gtidExecuted,
  },
];

/** The primary first, then by hostgroup and address. */
function rowsOf({ servers, primary }: AdminTopology, drains: ReturnType<typeof drainStates>): Row[] {
  const rank = (server: ServerDescription) => (server.address === primary ? 0 : 1);
  return servers
    .toSorted(
      (a, b) =>
        rank(a) - rank(b) ||
        a.hostgroup - b.hostgroup ||
        a.address.localeCompare(b.address, 'en', { numeric: true }),
    )
    .map((server) => ({
      ...server,
      // It takes no traffic as a primary, so it is not shown as one.
      role: server.role === 'primary' && server.address !== primary ? 'rival' : server.role,
      drained: drains.get(server.address)?.isDrained ?? null,
    }));
}

export const showTopology: AdminCommand = {
  name: 'SHOW TOPOLOGY',
  syntax: 'SHOW TOPOLOGY',
  help: 'Every server with its measured role, state, version, replication and lag',
  pattern: /^SHOW TOPOLOGY$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) => table(rowsOf(state.topology(), drainStates(state)), COLUMNS),
};
