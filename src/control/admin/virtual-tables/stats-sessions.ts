/** `stats_mysql_processlist` and `stats_mysql_users`. */

import type { SqlRow } from '../../../common/admin-tables/admin-table.ts';
import { InspectSubject, type SessionRecord } from '../../../common/inspection.ts';
import { NO_HOSTGROUP } from '../../../common/shared-statistics.ts';
import type { AdminState } from '../admin-state.ts';
import { hostAndPort } from './stats-query-digest.ts';
import type { VirtualTable } from './virtual-table.ts';

/** More than any worker has clients. */
const ALL = 1_000_000;

async function* processes(state: AdminState): AsyncGenerator<SqlRow> {
  const { sessions } = await state.inspect({
    subject: InspectSubject.sessions,
    connectionId: null,
    limit: ALL,
  });
  const hostgroups = new Map(state.counters().servers.map(({ address, hostgroup }) => [address, hostgroup]));
  for (const session of sessions) yield processRow(session, hostgroups);
}

function processRow(session: SessionRecord, hostgroups: ReadonlyMap<string, number>): SqlRow {
  const client = hostAndPort(session.client);
  const server = hostAndPort(session.server ?? '');
  const isIdle = session.state === 'idle';
  return [
    session.worker,
    session.connectionId,
    session.username,
    session.schema ?? '',
    client.host,
    client.port,
    hostgroups.get(session.server ?? '') ?? NO_HOSTGROUP,
    '',
    0,
    server.host,
    server.port,
    isIdle ? 'Sleep' : 'Query',
    Math.max(0, Math.round(Date.now() - session.stateSinceMs)),
    isIdle ? '' : session.digestText,
    0,
    '',
  ];
}

export const statsProcesslist: VirtualTable = { table: 'stats_mysql_processlist', rows: processes };

/** Accounts of one name that differ in the client's host are one row. */
function* users(state: AdminState): Generator<SqlRow> {
  const byName = Map.groupBy(state.accounts(), ({ username }) => username);
  for (const [username, accounts] of byName) {
    const connections = accounts.reduce((sum, account) => sum + account.connections, 0);
    const limits = accounts.map(({ maxConnections }) => maxConnections);
    yield [username, connections, limits.includes(0) ? 0 : limits.reduce((sum, limit) => sum + limit, 0)];
  }
}

export const statsUsers: VirtualTable = { table: 'stats_mysql_users', rows: users };

export const statsGtidExecuted: VirtualTable = {
  table: 'stats_mysql_gtid_executed',
  rows: (state) =>
    state.topology().servers.map(({ host, port, gtidExecuted }) => [host, port, gtidExecuted, 0]),
};
