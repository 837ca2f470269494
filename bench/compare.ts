/**
 * What changed between two runs: `node bench/compare.ts A.json B.json` prints B ÷ A for every point and target.
 *
 * Queries/s of two runs on a shared machine differ by chance alone, so the ratios to HAProxy within each run are
 * compared as well: those are what a change of the proxy moves.
 */

import { parseArgs } from 'node:util';
import type { Metric, Summary } from './e2e/measurement.ts';
import { readReport } from './e2e/report.ts';
import { TargetName } from './e2e/targets/target.ts';
import { renderTable } from './e2e/text-table.ts';

const COMPARED: ReadonlyArray<{ readonly title: string; readonly metric: Metric }> = [
  { title: 'q/s', metric: 'queriesPerSecond' },
  { title: 'MB/s', metric: 'megabytesPerSecond' },
  { title: 'p99', metric: 'p99Ms' },
  { title: 'CPU', metric: 'cpuMicroseconds' },
  { title: 'growth', metric: 'growthBytes' },
];

/** Rows of point, target, then B ÷ A of each value, then B ÷ A of q/s and CPU as ratios to HAProxy. */
export function compareSummaries(a: readonly Summary[], b: readonly Summary[]): string[][] {
  const before = new Map(a.map((summary) => [`${summary.point}\n${summary.target}`, summary]));
  return b.flatMap((now) => {
    const then = before.get(`${now.point}\n${now.target}`);
    if (then === undefined) return [];
    const values = COMPARED.map(({ metric }) => ratio(then.values[metric], now.values[metric]));
    const toHaproxy = (['queriesPerSecond', 'cpuMicroseconds'] as const).map((metric) =>
      ratio(then.ratioTo[TargetName.haproxy]?.[metric], now.ratioTo[TargetName.haproxy]?.[metric]),
    );
    return [[now.point, now.target, ...values, ...toHaproxy]];
  });
}

function ratio(before: number | undefined, after: number | undefined): string {
  if (before === undefined || after === undefined || before <= 0) return '–';
  return (after / before).toFixed(2);
}

if (import.meta.main) {
  const [fileA, fileB, ...more] = parseArgs({ allowPositionals: true }).positionals;
  if (fileA === undefined || fileB === undefined || more.length > 0) {
    console.error('usage: node bench/compare.ts A.json B.json');
    process.exit(2);
  }
  const [a, b] = await Promise.all([readReport(fileA), readReport(fileB)]);
  const header = ['B ÷ A', 'target', ...COMPARED.map(({ title }) => title), 'q/s ÷ HAProxy', 'CPU ÷ HAProxy'];
  const rows = compareSummaries(a.summaries, b.summaries);
  console.log(`A: ${fileA}, ${a.machine.revision}\nB: ${fileB}, ${b.machine.revision}\n`);
  console.log(rows.length === 0 ? 'no point was measured in both' : renderTable(header, rows, 2));
}
