/**
 * Keeps the counters over time in `sluice-history.db` of `dataDir`, for the dashboard and for whoever asks by SQL.
 *
 * Period: `statistics.historyIntervalMs`. One row of connections and statements, one for each server and hostgroup, and
 *         those status variables that have changed since the row before.
 * Effect: rows that are older than `statistics.historyDays` go; hours are kept for a year, days for ten.
 * Stop:   `stop()`; what is being written is waited for.
 *
 * A store that cannot write costs its rows and one line in the log, nothing else.
 */

import type { SqlRow } from '../../common/admin-tables/admin-table.ts';
import type { Logger } from '../../common/logger.ts';
import type { CounterSnapshot } from '../metrics/counter-snapshot.ts';
import type { StoreClient } from '../store/store-client.ts';
import { globalStatus } from './global-status.ts';

export interface HistorySettings {
  readonly historyIntervalMs: number;
  readonly historyDays: number;
}

export interface HistoryOptions {
  readonly store: Pick<StoreClient, 'dataDir' | 'internal'>;
  readonly counters: () => CounterSnapshot;
  /** Of `stats_mysql_connection_pool`. */
  readonly pools: () => readonly SqlRow[];
  readonly settings: () => HistorySettings;
  readonly logger: Pick<Logger, 'warn'>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

type Statement = Parameters<StoreClient['internal']>[0][number];

const DAY_SECONDS = 86_400;
const HOURS_KEPT_DAYS = 366;
const DAYS_KEPT_DAYS = 3660;

/** The columns of `mysql_connections` behind the time. */
const CONNECTION_COLUMNS = [
  'Client_Connections_aborted',
  'Client_Connections_connected',
  'Client_Connections_created',
  'Server_Connections_aborted',
  'Server_Connections_connected',
  'Server_Connections_created',
  'ConnPool_get_conn_failure',
  'ConnPool_get_conn_immediate',
  'ConnPool_get_conn_success',
  'Questions',
  'Slow_queries',
  'GTID_consistent_queries',
] as const;

export class StatisticsHistory {
  readonly #options: HistoryOptions;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #failed = false;
  /** As of the last row of each variable. */
  readonly #values = new Map<string, number>();

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Nothing is kept without `dataDir`. */
  start(): void {
    if (this.#options.store.dataDir === null) return;
    this.#wait();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#writing;
  }

  /** Writes one row of everything now. */
  async record(): Promise<void> {
    const seconds = Math.floor(this.#now() / 1000);
    const counters = this.#options.counters();
    const status = new Map(globalStatus(counters));
    const changed = [...status].filter(([name, value]) => this.#values.get(name) !== value);
    await this.#options.store.internal([
      connectionsNow(seconds, status),
      ...rolledUp(seconds),
      ...poolsNow(seconds, this.#options.pools()),
      ...variablesNow(seconds, changed),
      ...withoutOld(seconds, this.#options.settings().historyDays),
    ]);
    for (const [name, value] of changed) this.#values.set(name, value);
  }

  #wait(): void {
    const { historyIntervalMs } = this.#options.settings();
    this.#timer = setTimeout(() => {
      this.#writing = this.record().then(
        () => this.#succeeded(),
        (error: Error) => this.#report(error),
      );
      // The next one waits for this one: a slow disk gets no queue of them.
      void this.#writing.then(() => {
        if (this.#timer !== null) this.#wait();
      });
    }, historyIntervalMs).unref();
  }

  #succeeded(): void {
    this.#failed = false;
  }

  #report(error: Error): void {
    if (!this.#failed) this.#options.logger.warn('statistics were not kept', { reason: error.message });
    this.#failed = true;
  }
}

function connectionsNow(seconds: number, status: ReadonlyMap<string, number>): Statement {
  return {
    sql: `INSERT OR REPLACE INTO stats_history.mysql_connections (timestamp, ${CONNECTION_COLUMNS.join(', ')})
      VALUES (?${', ?'.repeat(CONNECTION_COLUMNS.length)})`,
    parameters: [seconds, ...CONNECTION_COLUMNS.map((name) => status.get(name) ?? 0)],
  };
}

/** The hour and the day that it is: numbers that grow as of their end, connections as their mean. */
function rolledUp(seconds: number): Statement[] {
  const columns = CONNECTION_COLUMNS.map((name) =>
    name.endsWith('_connected') ? `CAST(AVG(${name}) AS INTEGER)` : `MAX(${name})`,
  );
  const into = (table: string, from: string, length: number): Statement => ({
    sql: `INSERT OR REPLACE INTO stats_history.${table} (timestamp, ${CONNECTION_COLUMNS.join(', ')})
      SELECT timestamp / ${length} * ${length}, ${columns.join(', ')} FROM stats_history.${from}
      WHERE timestamp >= ? GROUP BY 1`,
    parameters: [seconds - (seconds % length)],
  });
  return [
    into('mysql_connections_hour', 'mysql_connections', 3600),
    into('mysql_connections_day', 'mysql_connections_hour', DAY_SECONDS),
  ];
}

function poolsNow(seconds: number, rows: readonly SqlRow[]): Statement[] {
  return rows.map((row) => ({
    sql: `INSERT OR REPLACE INTO stats_history.history_stats_mysql_connection_pool VALUES (?${', ?'.repeat(row.length)})`,
    parameters: [seconds, ...row],
  }));
}

function variablesNow(seconds: number, changed: readonly (readonly [string, number])[]): Statement[] {
  const lookup = 'stats_history.history_mysql_status_variables_lookup';
  return changed.flatMap(([name, value]) => [
    {
      sql: `INSERT INTO ${lookup} (variable_id, variable_name)
        SELECT (SELECT COALESCE(MAX(variable_id), 0) + 1 FROM ${lookup}), ?1
        WHERE NOT EXISTS (SELECT 1 FROM ${lookup} WHERE variable_name = ?1)`,
      parameters: [name],
    },
    {
      sql: `INSERT OR REPLACE INTO stats_history.history_mysql_status_variables (timestamp, variable_id, variable_value)
        SELECT ?, variable_id, ? FROM ${lookup} WHERE variable_name = ?`,
      parameters: [seconds, String(value), name],
    },
  ]);
}

function withoutOld(seconds: number, days: number): Statement[] {
  const kept: readonly (readonly [table: string, column: string, days: number])[] = [
    ['mysql_connections', 'timestamp', days],
    ['mysql_connections_hour', 'timestamp', Math.max(days, HOURS_KEPT_DAYS)],
    ['mysql_connections_day', 'timestamp', Math.max(days, DAYS_KEPT_DAYS)],
    ['history_stats_mysql_connection_pool', 'timestamp', days],
    ['history_mysql_status_variables', 'timestamp', days],
    ['history_mysql_query_digest', 'dump_time', days],
  ];
  return kept.map(([table, column, keptDays]) => ({
    sql: `DELETE FROM stats_history.${table} WHERE ${column} < ?`,
    parameters: [seconds - keptDays * DAY_SECONDS],
  }));
}
