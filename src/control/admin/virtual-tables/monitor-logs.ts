/** The last runs of the monitor's checks, as the tables of the schema `monitor` show them. */

import type { SqlRow, SqlValue } from '../../../common/admin-tables/admin-table.ts';
import { CheckName } from '../../../topology/server-probe.ts';
import type { CheckRun } from '../../statistics/check-log.ts';
import type { VirtualTable } from './virtual-table.ts';

/** Behind the columns that all have: server, start, duration. */
function log(table: string, check: CheckName, rest: (run: CheckRun) => SqlValue[]): VirtualTable {
  const row = (run: CheckRun): SqlRow => [
    run.host,
    run.port,
    Math.round(run.startedAtMs * 1000),
    // ProxySQL shows 0 for a check that has failed.
    run.error === '' ? run.durationMicros : 0,
    ...rest(run),
  ];
  return {
    table,
    rows: function* ({ statistics }) {
      for (const run of statistics.checks.runs(check)) yield row(run);
    },
  };
}

/** Null where there is none: tools ask for `ping_error IS NULL`. */
const error = (run: CheckRun): string | null => (run.error === '' ? null : run.error);

export const MONITOR_LOGS: readonly VirtualTable[] = [
  log('mysql_server_connect_log', CheckName.connect, (run) => [error(run)]),
  log('mysql_server_ping_log', CheckName.ping, (run) => [error(run)]),
  log('mysql_server_read_only_log', CheckName.readOnly, (run) => [
    run.readOnly === null ? null : Number(run.readOnly),
    error(run),
  ]),
  log('mysql_server_replication_lag_log', CheckName.replication, (run) => [
    run.lagMs === null ? null : Math.ceil(run.lagMs / 1000),
    error(run),
  ]),
];
