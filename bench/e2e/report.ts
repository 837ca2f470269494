/** The JSON of a run, and where a run's files go. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from './machine.ts';
import type { FailedMeasurement, Measurement, Summary } from './measurement.ts';
import { renderReportChart } from './report-chart.ts';
import type { TargetName } from './targets/target.ts';
import type { Verdict } from './verdict.ts';

export interface BenchReport {
  readonly format: 1;
  readonly machine: Machine;
  readonly command: string;
  readonly seconds: number;
  readonly threads: number;
  readonly targets: readonly TargetDescription[];
  readonly summaries: readonly Summary[];
  readonly verdicts: readonly Verdict[];
  readonly failures: readonly FailedMeasurement[];
  readonly measurements: readonly Measurement[];
}

export interface TargetDescription {
  readonly name: TargetName;
  readonly version: string;
  readonly setup: string;
}

const BENCH_DIRECTORY = join(import.meta.dirname, '..');

/** @returns the files written, beside each other in `bench/out` */
export async function writeReport(
  report: BenchReport,
  table: string,
  baseline: string | null,
): Promise<string[]> {
  const out = join(BENCH_DIRECTORY, 'out');
  await mkdir(out, { recursive: true });
  const name = `bench-${report.machine.startedAt.replaceAll(':', '').replace(/\..*/, '')}`;
  const json = `${JSON.stringify(report, null, 2)}\n`;
  const heading = `${report.machine.cpu}, ${report.machine.cores} cores`;
  const files = [
    [join(out, `${name}.json`), json],
    [join(out, `${name}.txt`), `${table}\n`],
    [join(out, `${name}.svg`), renderReportChart(heading, report.summaries)],
  ];
  if (baseline !== null) {
    const directory = join(BENCH_DIRECTORY, 'baselines');
    await mkdir(directory, { recursive: true });
    files.push([join(directory, `${baseline}.json`), json]);
  }
  for (const [file, text] of files) await writeFile(file!, text!);
  return files.map(([file]) => file!);
}

/** @throws Error that names the file when it is no report */
export async function readReport(file: string): Promise<BenchReport> {
  const value: unknown = JSON.parse(await readFile(file, 'utf8'));
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== 1) {
    throw new Error(`${file} is no report of this bench`);
  }
  return value as BenchReport;
}
