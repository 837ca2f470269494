/** The panels of a report's chart: what has been measured, one panel for each question. */

import type { Metric, Summary } from './measurement.ts';
import { type ChartPanel, renderBarCharts } from './svg-chart.ts';
import { TargetName } from './targets/target.ts';
import { formatNumber } from './text-table.ts';

interface Panel {
  readonly title: string;
  readonly metric: Metric;
  readonly ratioTo?: TargetName;
  readonly divideBy?: number;
  readonly scenarios: readonly string[];
}

const QUERIES = ['point-select', 'read-only', 'read-write', 'churn'];

const PANELS: readonly Panel[] = [
  {
    title: 'queries per second ÷ direct (more is better)',
    metric: 'queriesPerSecond',
    ratioTo: TargetName.direct,
    scenarios: QUERIES,
  },
  { title: 'CPU of the proxy per query, µs (less is better)', metric: 'cpuMicroseconds', scenarios: QUERIES },
  { title: 'latency p99, ms (less is better)', metric: 'p99Ms', scenarios: [...QUERIES, 'flood'] },
  {
    title: 'resident memory per idle client, kB (less is better)',
    metric: 'growthPerClientBytes',
    divideBy: 1000,
    scenarios: ['idle'],
  },
  {
    title: 'one huge result, MB/s (more is better)',
    metric: 'megabytesPerSecond',
    scenarios: ['big-result'],
  },
  {
    title: 'growth of resident memory, MB (less is better)',
    metric: 'growthBytes',
    divideBy: 1e6,
    scenarios: ['big-result', 'flood'],
  },
];

export function renderReportChart(heading: string, summaries: readonly Summary[]): string {
  return renderBarCharts(
    heading,
    PANELS.map((panel) => panelOf(panel, summaries)).filter(({ groups }) => groups.length > 0),
  );
}

function panelOf(panel: Panel, summaries: readonly Summary[]): ChartPanel {
  const groups = new Map<string, { series: string; value: number; text: string }[]>();
  for (const summary of summaries) {
    if (!panel.scenarios.includes(summary.scenario)) continue;
    const values = panel.ratioTo === undefined ? summary.values : summary.ratioTo[panel.ratioTo];
    const measured = values?.[panel.metric];
    if (measured === undefined) continue;
    const value = measured / (panel.divideBy ?? 1);
    const bars = groups.get(summary.point) ?? [];
    bars.push({ series: summary.target, value, text: formatNumber(value) });
    groups.set(summary.point, bars);
  }
  return { title: panel.title, groups: [...groups].map(([label, bars]) => ({ label, bars })) };
}
