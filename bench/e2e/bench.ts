/**
 * Compares ways to the same servers in one run: direct, HAProxy, Sluice, ProxySQL. See bench/README.md.
 *
 * Everything it starts is a child that ends with it, also when it is interrupted.
 */

import { BackendServers } from './backend-servers.ts';
import { describeMachine, type Machine } from './machine.ts';
import { type FailedMeasurement, type Measurement, summarize } from './measurement.ts';
import { type BenchOptions, parseBenchOptions, USAGE } from './options.ts';
import {
  estimatedSeconds,
  maxBusyClients,
  needsFreshTarget,
  type Point,
  planPoints,
  roundsOf,
} from './plan.ts';
import { type BenchReport, type TargetDescription, writeReport } from './report.ts';
import { renderReport } from './report-table.ts';
import { runPoint, warmUp } from './run-point.ts';
import { startTarget } from './targets/start-target.ts';
import { type Target, TargetName } from './targets/target.ts';
import { formatNumber, renderTable } from './text-table.ts';
import { judge } from './verdict.ts';

const ROWS_PER_TABLE = 50_000;
const MAX_SHOWN_ERROR = 500;

class Bench {
  readonly #options: BenchOptions;
  readonly #servers: BackendServers;
  readonly #maxBusyClients: number;
  readonly #running = new Map<TargetName, Target>();
  readonly descriptions = new Map<TargetName, TargetDescription>();
  readonly measurements: Measurement[] = [];
  readonly failures: FailedMeasurement[] = [];

  readonly #points: readonly Point[];

  constructor(options: BenchOptions, servers: BackendServers, points: readonly Point[]) {
    this.#options = options;
    this.#servers = servers;
    this.#points = points;
    this.#maxBusyClients = maxBusyClients(points);
  }

  async run(): Promise<void> {
    try {
      for (const point of this.#points) {
        for (let round = 0; round < roundsOf(point, this.#options); round++) {
          for (const name of this.#options.targets) await this.#measure(point, round, name);
        }
      }
    } finally {
      for (const name of [...this.#running.keys()]) await this.#stop(name);
    }
  }

  /** A failure is reported and the run goes on: the other targets' numbers are worth having. */
  async #measure(point: Point, round: number, name: TargetName): Promise<void> {
    const where = `${point.label} · ${name} · round ${round + 1}`;
    try {
      if (needsFreshTarget(point)) await this.#stop(name);
      const target = this.#running.get(name) ?? (await this.#start(name));
      const values = await runPoint(point, target, this.#servers, this.#options);
      this.measurements.push({ scenario: point.scenario, point: point.label, target: name, round, values });
      const { queriesPerSecond, megabytesPerSecond, p99Ms, cpuMicroseconds, growthBytes } = values;
      const parts = [
        [queriesPerSecond, '/s'],
        [megabytesPerSecond, 'MB/s'],
        [p99Ms, 'ms p99'],
        [cpuMicroseconds, 'µs CPU'],
        [growthBytes === undefined ? undefined : growthBytes / 1e6, 'MB growth'],
      ] as const;
      const shown = parts
        .filter(([value]) => value !== undefined)
        .map(([value, unit]) => `${formatNumber(value)} ${unit}`);
      console.log(`${where}: ${shown.join(', ')}`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.failures.push({ point: point.label, target: name, round, error: message });
      console.log(`${where}: FAILED: ${shortened(message)}`);
      // Whatever it is, the next point is not to suffer from it.
      await this.#stop(name);
    }
  }

  async #start(name: TargetName): Promise<Target> {
    const { threads, sluiceArgs, base, proxysqlBinary } = this.#options;
    const target = await startTarget(name, {
      set: this.#servers.set,
      threads,
      maxBusyClients: this.#maxBusyClients,
      sluiceArgs,
      base,
      proxysqlBinary,
    });
    this.#running.set(name, target);
    this.descriptions.set(name, { name, version: target.version, setup: target.setup });
    await warmUp(target, this.#servers, this.#options);
    return target;
  }

  async #stop(name: TargetName): Promise<void> {
    const target = this.#running.get(name);
    this.#running.delete(name);
    await target?.stop();
  }
}

function reportOf(bench: Bench, machine: Machine, options: BenchOptions): BenchReport {
  const summaries = summarize(bench.measurements, [TargetName.direct, TargetName.haproxy, TargetName.base]);
  return {
    format: 1,
    machine,
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim(),
    seconds: options.seconds,
    threads: options.threads,
    targets: [...bench.descriptions.values()],
    summaries,
    verdicts: judge(summaries),
    failures: bench.failures,
    measurements: bench.measurements,
  };
}

function render(report: BenchReport): string {
  const { machine } = report;
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}`,
    `revision ${machine.revision}, ${machine.startedAt}, load before the run ${machine.loadBefore}`,
    ...report.targets.map(({ name, version, setup }) => `${name}: ${setup} (${version})`),
    '',
    renderReport(report.summaries),
  ];
  if (report.verdicts.length > 0) {
    const rows = report.verdicts.map((one) => [
      one.criterion,
      one.limit,
      one.measured,
      one.reached ? 'yes' : 'NO',
    ]);
    lines.push('', renderTable(['must reach', 'limit', 'measured', 'reached'], rows, 1));
  }
  for (const { point, target, error } of report.failures) {
    lines.push('', `FAILED: ${point}, ${target}: ${shortened(error)}`);
  }
  return lines.join('\n');
}

/** A failed start brings a whole log with it; that is in the JSON. */
function shortened(message: string): string {
  return message.length <= MAX_SHOWN_ERROR ? message : `${message.slice(0, MAX_SHOWN_ERROR)} …`;
}

async function main(): Promise<number> {
  let options: BenchOptions;
  try {
    options = parseBenchOptions(process.argv.slice(2), process.env);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const points = planPoints(options);
  const minutes = estimatedSeconds(points, options) / 60;
  console.log(
    `${points.length} points, ${options.targets.join(', ')} in turn, ${options.repeat} rounds: about ${minutes.toFixed(0)} minutes`,
  );
  const machine = await describeMachine();
  const servers = await BackendServers.start(options.replicas, { tables: 1, rowsPerTable: ROWS_PER_TABLE });
  const bench = new Bench(options, servers, points);
  try {
    await bench.run();
  } finally {
    await servers.dispose();
  }
  const report = reportOf(bench, machine, options);
  const table = render(report);
  console.log(`\n${table}\n`);
  for (const file of await writeReport(report, table, options.saveBaseline)) console.log(`written: ${file}`);
  return report.failures.length > 0 ? 1 : 0;
}

process.exitCode = await main();
