/** `stats_mysql_prepared_statements_info` and `stats_mysql_free_connections`. */

import type { SqlRow } from '../../../common/admin-tables/admin-table.ts';
import {
  type IdleConnectionRecord,
  InspectSubject,
  type PreparedRecord,
} from '../../../common/inspection.ts';
import type { AdminState } from '../admin-state.ts';
import { hostAndPort } from './stats-query-digest.ts';
import type { VirtualTable } from './virtual-table.ts';

const ALL = { connectionId: null, limit: Number.MAX_SAFE_INTEGER };

/** Workers know of each other's statements nothing: equal ones are put together here. Numbers are those of this answer. */
async function* prepared(state: AdminState): AsyncGenerator<SqlRow> {
  const answer = await state.inspect({ subject: InspectSubject.prepared, ...ALL });
  const sums = new Map<string, PreparedRecord>();
  for (const record of answer.prepared) {
    const key = `${record.digest} ${record.username}\0${record.schema}`;
    const known = sums.get(key);
    const clientStatements = (known?.clientStatements ?? 0) + record.clientStatements;
    sums.set(key, { ...record, clientStatements });
  }
  let id = 0;
  for (const record of sums.values())
    yield [
      ++id,
      record.schema,
      record.username,
      record.digest,
      record.clientStatements,
      // How many connections have it, and what it answers with, is not kept.
      0,
      0,
      record.parameters,
      record.digestText,
    ];
}

export const statsPreparedStatements: VirtualTable = {
  table: 'stats_mysql_prepared_statements_info',
  rows: prepared,
};

async function* freeConnections(state: AdminState): AsyncGenerator<SqlRow> {
  const answer = await state.inspect({ subject: InspectSubject.idleConnections, ...ALL });
  for (const record of answer.idleConnections) yield freeConnection(record);
}

/** `fd`: there is none to be shown; the server's id of the connection finds it there. */
function freeConnection(record: IdleConnectionRecord): SqlRow {
  const { host, port } = hostAndPort(record.server);
  return [
    record.serverThreadId,
    record.hostgroup,
    host,
    port,
    record.username,
    record.schema,
    '',
    record.timeZone,
    record.sqlMode,
    record.autocommit ? '1' : '0',
    record.idleMs,
    JSON.stringify({ age_ms: record.ageMs, worker: record.worker }),
    JSON.stringify({ prepared_statements: record.statements }),
  ];
}

export const statsFreeConnections: VirtualTable = {
  table: 'stats_mysql_free_connections',
  rows: freeConnections,
};
