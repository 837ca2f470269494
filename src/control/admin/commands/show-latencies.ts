import { HOSTGROUP_SCALE } from '../../../common/log-linear-scale.ts';
import { type LatencyHistogram, OTHER_HOSTGROUPS, StatementSort } from '../../../common/shared-statistics.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

function micros(
  name: string,
  meaning: string,
  value: (row: LatencyHistogram) => number,
): ComputedColumn<LatencyHistogram> {
  return { name, type: 'number', meaning, value: (row) => Math.round(value(row)) };
}

function share(name: string, of: number, meaning: string): ComputedColumn<LatencyHistogram> {
  return micros(name, meaning, ({ steps }) => HOSTGROUP_SCALE.percentile(steps, of) ?? 0);
}

const COLUMNS: readonly ComputedColumn<LatencyHistogram>[] = [
  {
    name: 'hostgroup',
    type: 'number',
    meaning: `Where they ran; -1 where no server was needed, ${OTHER_HOSTGROUPS} for all hostgroups beyond the first 31`,
    value: ({ hostgroup }) => hostgroup,
  },
  {
    name: 'statements',
    meaning: '`reads`: proven reads; `others`: everything else',
    value: ({ sort }) => (sort === StatementSort.read ? 'reads' : 'others'),
  },
  { name: 'count', type: 'number', meaning: 'Since the start', value: ({ count }) => count },
  micros(
    'avg_us',
    'Microseconds from arrival to the end of the answer, the mean',
    (row) => row.sumMicros / row.count,
  ),
  share('p50_us', 0.5, 'Half took no longer; known to 1.6 %'),
  share('p90_us', 0.9, '90 % took no longer'),
  share('p95_us', 0.95, '95 % took no longer'),
  share('p99_us', 0.99, '99 % took no longer'),
  share('p999_us', 0.999, '99.9 % took no longer'),
  share('max_us', 1, 'None took longer'),
];

export const showLatencies: AdminCommand = {
  name: 'SHOW LATENCIES',
  syntax: 'SHOW LATENCIES',
  help: 'How long statements took, by hostgroup: percentiles since the start',
  pattern: /^SHOW LATENCIES$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) => table(state.counters().statistics.histograms, COLUMNS),
};
