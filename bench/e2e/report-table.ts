/** The tables of a report: ratios first, then what they are made of. */

import type { Metric, Summary, Values } from './measurement.ts';
import { ScenarioName } from './options.ts';
import { TargetName } from './targets/target.ts';
import { formatNumber, renderTable } from './text-table.ts';

interface Column {
  readonly title: string;
  readonly metric: Metric;
  /** Show the ratio to this target instead of the value. */
  readonly ratioTo?: TargetName;
  readonly divideBy?: number;
}

const { direct, haproxy, base } = TargetName;
const MEBIBYTE = 1024 * 1024;

const MEMORY: readonly Column[] = [
  { title: 'RSS MiB', metric: 'residentBytes', divideBy: MEBIBYTE },
  { title: 'peak MiB', metric: 'peakResidentBytes', divideBy: MEBIBYTE },
];

const LATENCY: readonly Column[] = [
  { title: 'p50 ms', metric: 'p50Ms' },
  { title: 'p95 ms', metric: 'p95Ms' },
  { title: 'p99 ms', metric: 'p99Ms' },
];

const CPU: readonly Column[] = [
  { title: 'CPU µs', metric: 'cpuMicroseconds' },
  { title: 'user', metric: 'cpuUserMicroseconds' },
  { title: 'system', metric: 'cpuSystemMicroseconds' },
];

const THROUGHPUT: readonly Column[] = [
  { title: 'q/s ÷ direct', metric: 'queriesPerSecond', ratioTo: direct },
  { title: 'q/s ÷ HAProxy', metric: 'queriesPerSecond', ratioTo: haproxy },
  { title: 'CPU ÷ HAProxy', metric: 'cpuMicroseconds', ratioTo: haproxy },
  { title: 'p99 ÷ HAProxy', metric: 'p99Ms', ratioTo: haproxy },
  { title: 'q/s ÷ base', metric: 'queriesPerSecond', ratioTo: base },
  { title: 'CPU ÷ base', metric: 'cpuMicroseconds', ratioTo: base },
  { title: 'p99 ÷ base', metric: 'p99Ms', ratioTo: base },
  { title: 'q/s', metric: 'queriesPerSecond' },
  ...LATENCY,
  ...CPU,
  ...MEMORY,
];

const COLUMNS: Readonly<Record<ScenarioName, readonly Column[]>> = {
  [ScenarioName.pointSelect]: THROUGHPUT,
  [ScenarioName.readOnly]: THROUGHPUT,
  [ScenarioName.readWrite]: THROUGHPUT,
  [ScenarioName.churn]: THROUGHPUT,
  [ScenarioName.tls]: [{ title: 'q/s', metric: 'queriesPerSecond' }, ...LATENCY, ...CPU],
  [ScenarioName.idle]: [
    { title: 'growth ÷ HAProxy', metric: 'growthPerClientBytes', ratioTo: haproxy },
    { title: 'kB/client', metric: 'growthPerClientBytes', divideBy: 1000 },
    { title: 'growth MiB', metric: 'growthBytes', divideBy: MEBIBYTE },
    { title: 'connects/s', metric: 'queriesPerSecond' },
    ...MEMORY,
  ],
  [ScenarioName.bigResult]: [
    { title: 'MB/s ÷ direct', metric: 'megabytesPerSecond', ratioTo: direct },
    { title: 'MB/s ÷ HAProxy', metric: 'megabytesPerSecond', ratioTo: haproxy },
    { title: 'CPU ÷ HAProxy', metric: 'cpuSeconds', ratioTo: haproxy },
    { title: 'MB/s', metric: 'megabytesPerSecond' },
    { title: 'CPU s', metric: 'cpuSeconds' },
    { title: 'growth MiB', metric: 'growthBytes', divideBy: MEBIBYTE },
    ...MEMORY,
  ],
  [ScenarioName.prepares]: [
    { title: '/s ÷ direct', metric: 'queriesPerSecond', ratioTo: direct },
    { title: '/s ÷ HAProxy', metric: 'queriesPerSecond', ratioTo: haproxy },
    { title: 'CPU ÷ HAProxy', metric: 'cpuMicroseconds', ratioTo: haproxy },
    { title: '/s', metric: 'queriesPerSecond' },
    { title: 'CPU µs', metric: 'cpuMicroseconds' },
    { title: 'left', metric: 'statementsLeft' },
    { title: 'growth MiB', metric: 'growthBytes', divideBy: MEBIBYTE },
    ...MEMORY,
  ],
  [ScenarioName.flood]: [
    { title: "others' p99 ÷ direct", metric: 'p99Ms', ratioTo: direct },
    { title: '÷ HAProxy', metric: 'p99Ms', ratioTo: haproxy },
    ...LATENCY,
    { title: 'flooded', metric: 'floodStatements' },
    { title: 'flood/s', metric: 'floodStatementsPerSecond' },
    { title: 'CPU µs', metric: 'cpuMicroseconds' },
    { title: 'growth MiB', metric: 'growthBytes', divideBy: MEBIBYTE },
    ...MEMORY,
  ],
};

/** One table for each scenario that has been measured, as text. */
export function renderReport(summaries: readonly Summary[]): string {
  const sections: string[] = [];
  for (const scenario of Object.values(ScenarioName)) {
    const ofScenario = summaries.filter((summary) => summary.scenario === scenario);
    if (ofScenario.length === 0) continue;
    // Ratios to what was not measured say nothing.
    const isMeasured = ({ ratioTo }: Column): boolean =>
      ratioTo === undefined || ofScenario.some(({ target }) => target === ratioTo);
    const columns = COLUMNS[scenario].filter(isMeasured);
    const header = ['', 'target', ...columns.map((column) => column.title)];
    const rows = ofScenario.map((summary, index) => [
      // A point's name stands once, above its targets.
      ofScenario[index - 1]?.point === summary.point ? '' : summary.point,
      summary.target,
      ...columns.map((column) => cell(summary, column)),
    ]);
    sections.push(renderTable(header, rows, 2));
  }
  return sections.join('\n\n');
}

function cell(summary: Summary, column: Column): string {
  const values: Values | undefined =
    column.ratioTo === undefined ? summary.values : summary.ratioTo[column.ratioTo];
  const value = values?.[column.metric];
  if (value === undefined) return '–';
  return column.ratioTo === undefined ? formatNumber(value / (column.divideBy ?? 1)) : value.toFixed(2);
}
