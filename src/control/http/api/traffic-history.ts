/** Hours and days of traffic, from the history that `dataDir` keeps. */
import type { SqlRow } from '../../../common/admin-tables/admin-table.ts';
import type { AdminState } from '../../admin/admin-state.ts';
import type { SeriesValue } from './api-values.ts';

export interface HistoryRange {
  readonly table: 'mysql_connections' | 'mysql_connections_hour';
  readonly seconds: number;
}

export const HISTORY_RANGES = {
  day: { table: 'mysql_connections', seconds: 86_400 },
  month: { table: 'mysql_connections_hour', seconds: 30 * 86_400 },
} as const satisfies Readonly<Record<string, HistoryRange>>;

/** A chart has no more points across than that. */
const MOST_ROWS = 3000;

/** Empty where nothing is kept. @throws StoreError */
export async function historyOf(
  state: AdminState,
  { table, seconds }: HistoryRange,
  nowMs = Date.now(),
): Promise<SeriesValue> {
  if (state.store.dataDir === null) return seriesOf([]);
  const rows = await state.store.internal([
    {
      sql: `SELECT timestamp, Questions, Client_Connections_connected, Server_Connections_connected
        FROM stats_history.${table} WHERE timestamp > ? ORDER BY timestamp DESC LIMIT ${MOST_ROWS}`,
      parameters: [Math.floor(nowMs / 1000) - seconds],
    },
  ]);
  return seriesOf(rows.toReversed());
}

function seriesOf(rows: readonly SqlRow[]): SeriesValue {
  const numbers = rows.map((row) => row.map(Number));
  return {
    timesMs: numbers.map(([seconds = 0]) => seconds * 1000),
    columns: {
      statements: numbers.map((row, index) => rateBetween(numbers[index - 1], row)),
      clients: numbers.map(([, , clients = 0]) => clients),
      serverConnections: numbers.map(([, , , connections = 0]) => connections),
    },
  };
}

/** Null for the first one, and where Sluice was started in between: it counts from 0 then. */
function rateBetween(before: readonly number[] | undefined, now: readonly number[]): number | null {
  const [fromSeconds = 0, from = 0] = before ?? [];
  const [toSeconds = 0, to = 0] = now;
  if (before === undefined || to < from || toSeconds <= fromSeconds) return null;
  return Math.round(((to - from) / (toSeconds - fromSeconds)) * 1000) / 1000;
}
