/** `stats_mysql_connection_pool`, and its twin that begins anew with every look. */

import type { SqlRow } from '../../../common/admin-tables/admin-table.ts';
import { type HostgroupMember, MemberVerdict } from '../../../topology/hostgroup-membership.ts';
import type { ServerCounters } from '../../metrics/counter-snapshot.ts';
import type { AdminState } from '../admin-state.ts';
import type { VirtualTable } from './virtual-table.ts';

/** A word that only this table has. */
const LAGGING = 'SHUNNED_REPLICATION_LAG';

/**
 * One row for each place of a server in a hostgroup. Connections are pooled for each server, not for each hostgroup: a
 * server in several of them shows the same numbers in each.
 */
export function poolRows(state: AdminState): SqlRow[] {
  const { hostgroups, servers } = state.counters();
  const byAddress = new Map(servers.map((server) => [server.address, server]));
  return hostgroups.flatMap(({ id, members }) =>
    members.flatMap((member) => {
      const server = byAddress.get(member.address);
      return server === undefined ? [] : [poolRow(id, member, server, state)];
    }),
  );
}

function poolRow(
  hostgroup: number,
  member: HostgroupMember,
  server: ServerCounters,
  { statistics }: AdminState,
): SqlRow {
  const traffic = statistics.pools.since(server);
  return [
    hostgroup,
    server.host,
    server.port,
    member.verdict === MemberVerdict.lagging ? LAGGING : member.status,
    server.inUse,
    // The two gauges are read one after the other.
    Math.max(0, server.connections - server.inUse),
    traffic.connects,
    traffic.connectErrors,
    server.mostInUse,
    traffic.queries,
    0,
    traffic.bytesSent,
    traffic.bytesReceived,
    server.latencyMicros ?? 0,
  ];
}

function reset(state: AdminState): void {
  state.statistics.pools.reset(state.counters().servers);
}

export const statsConnectionPool: VirtualTable = {
  table: 'stats_mysql_connection_pool',
  rows: poolRows,
  reset,
};

export const statsConnectionPoolReset: VirtualTable = {
  table: 'stats_mysql_connection_pool_reset',
  rows: (state) => {
    const rows = poolRows(state);
    reset(state);
    return rows;
  },
  reset,
};
