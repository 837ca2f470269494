/** What is in force, in the columns of the tables of the configuration: `runtime_…`. */

import type { SqlRow } from '../../../common/admin-tables/admin-table.ts';
import { configTableNamed, runtimeTables } from '../../../common/admin-tables/all-tables.ts';
import type { AdminState } from '../admin-state.ts';
import type { VirtualTable } from './virtual-table.ts';

const PREFIX = 'runtime_';

function rowsOf({ runtime }: AdminState, table: string): readonly SqlRow[] {
  return runtime.rows(runtime.config).find((each) => each.table === table)?.rows ?? [];
}

/** One row for what a client logs in with, and one for what Sluice logs in with at the servers, as in ProxySQL. */
function usersRows(state: AdminState): SqlRow[] {
  const { columns } = configTableNamed('mysql_users');
  const frontend = columns.indexOf('frontend');
  const backend = columns.indexOf('backend');
  const half = (row: SqlRow, isFrontend: boolean) =>
    row.map((value, index) => {
      if (index === frontend) return isFrontend ? 1 : 0;
      return index === backend ? (isFrontend ? 0 : 1) : value;
    });
  const rows = rowsOf(state, 'mysql_users');
  return [...rows.map((row) => half(row, true)), ...rows.map((row) => half(row, false))];
}

/** Servers where they are now, by their measured roles: those that were discovered, too. */
function serversRows(state: AdminState): SqlRow[] {
  const { columns } = configTableNamed('mysql_servers');
  const place = (name: string) => columns.indexOf(name);
  const [hostgroupId, hostname, port] = [place('hostgroup_id'), place('hostname'), place('port')];
  const listed = rowsOf(state, 'mysql_servers');
  const { hostgroups } = state.counters();
  const { servers } = state.topology();
  return hostgroups.flatMap(({ id, members }) =>
    members.flatMap(({ address, weight, status }) => {
      const server = servers.find((each) => each.address === address);
      if (server === undefined) return [];
      const isIt = (row: SqlRow) => row[hostname] === server.host && Number(row[port]) === server.port;
      const row = listed.find((each) => isIt(each) && Number(each[hostgroupId]) === id) ?? listed.find(isIt);
      const measured: Readonly<Record<string, string | number>> = {
        hostgroup_id: id,
        hostname: server.host,
        port: server.port,
        status,
        weight,
      };
      const others: Readonly<Record<string, string | number>> = {
        gtid_port: 0,
        compression: 0,
        max_connections: server.maxConnections || state.runtime.config.pool.maxConnections,
        max_replication_lag: Math.ceil(server.maxReplicationLagMs / 1000),
        use_ssl: 0,
        max_latency_ms: 0,
        comment: '',
      };
      return [columns.map((name, index) => measured[name] ?? row?.[index] ?? others[name] ?? null)];
    }),
  );
}

const OWN: Readonly<Record<string, (state: AdminState) => SqlRow[]>> = {
  runtime_mysql_users: usersRows,
  runtime_mysql_servers: serversRows,
};

export const RUNTIME_CONFIG_TABLES: readonly VirtualTable[] = runtimeTables().map(({ name }) => ({
  table: name,
  rows: (state) => OWN[name]?.(state) ?? rowsOf(state, name.slice(PREFIX.length)),
}));

/** Those of ProxySQL, by the module that each is the content of. */
const CHECKSUM_TABLES: readonly (readonly [name: string, tables: readonly string[]])[] = [
  ['admin_variables', ['admin-']],
  ['mysql_query_rules', ['mysql_query_rules', 'mysql_query_rules_fast_routing']],
  ['mysql_servers', ['mysql_servers', 'mysql_replication_hostgroups', 'mysql_hostgroup_attributes']],
  ['mysql_users', ['mysql_users']],
  ['mysql_variables', ['mysql-']],
];

/** Each with the version in force, and when it came there. */
export const runtimeChecksums: VirtualTable = {
  table: 'runtime_checksums_values',
  rows: async ({ runtime }) => {
    const current = runtime.versions.at(-1);
    const epoch = Math.floor((current?.atMs ?? 0) / 1000);
    const rows: SqlRow[] = [];
    for (const [name, tables] of CHECKSUM_TABLES)
      rows.push([name, current?.number ?? 0, epoch, await runtime.checksum('runtime', tables)]);
    return rows;
  },
};

/** What a stats user may see of the variables: everything but secrets. */
export const statsGlobalVariables: VirtualTable = {
  table: 'stats.global_variables',
  rows: ({ runtime }) =>
    [...runtime.catalog.all].flatMap(({ name, secret, read }): SqlRow[] =>
      secret ? [] : [[name, read(runtime.config)]],
    ),
};
