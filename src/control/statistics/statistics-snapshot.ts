/** What all workers have counted of statements, added up at one moment from shared memory. */

import { HOSTGROUP_SCALE } from '../../common/log-linear-scale.ts';
import {
  COMMAND_LIMITS_US,
  type CommandCount,
  type LatencyHistogram,
  PROTOCOL_COMMAND_PLACES,
  type SharedStatistics,
  StatementCounter,
  StatementSort,
  type WorkerStatistics,
} from '../../common/shared-statistics.ts';
import { COMMAND_NAMES, type CommandName } from '../../sql/command-counter.ts';

export type StatementCounterName = keyof typeof StatementCounter;

export interface NamedCommandCount extends CommandCount {
  readonly command: CommandName;
}

export interface StatisticsSnapshot {
  readonly counters: Readonly<Record<StatementCounterName, number>>;
  /** Every command there is, in the same order always. */
  readonly commands: readonly NamedCommandCount[];
  /** Commands of the protocol by their byte. */
  readonly protocolCommands: readonly number[];
  /** Of every hostgroup that statements went to. */
  readonly histograms: readonly LatencyHistogram[];
}

const NO_COMMANDS: CommandCount = {
  count: 0,
  totalMicros: 0,
  buckets: Array.from({ length: COMMAND_LIMITS_US.length + 1 }, () => 0),
};
const COUNTER_NAMES = Object.keys(StatementCounter) as StatementCounterName[];

export function takeStatistics(shared: SharedStatistics, workers: readonly number[]): StatisticsSnapshot {
  const all = workers.map((index) => shared.worker(index));
  const sum = (read: (worker: WorkerStatistics) => number): number =>
    all.reduce((total, worker) => total + read(worker), 0);
  const counters = COUNTER_NAMES.map((name) => [name, sum((worker) => worker.get(StatementCounter[name]))]);
  return {
    counters: Object.fromEntries(counters) as Record<StatementCounterName, number>,
    commands: COMMAND_NAMES.map((command, place) => ({
      command,
      ...all.map((worker) => worker.command(place)).reduce(addCommands, NO_COMMANDS),
    })),
    protocolCommands: Array.from({ length: PROTOCOL_COMMAND_PLACES }, (_, place) =>
      sum((worker) => worker.protocolCommands(place)),
    ),
    histograms: shared.hostgroups().flatMap((hostgroup) =>
      Object.values(StatementSort).flatMap((sort) => {
        const found = all.flatMap((worker) => worker.histogram(hostgroup, sort) ?? []);
        return found.length === 0 ? [] : [found.reduce(addHistograms)];
      }),
    ),
  };
}

/** Of all statements together: how many were in each step of `HOSTGROUP_SCALE`. */
export function stepsOfAll({ histograms }: StatisticsSnapshot): Float64Array {
  const steps = new Float64Array(HOSTGROUP_SCALE.steps);
  for (const histogram of histograms) addTo(steps, histogram.steps);
  return steps;
}

function addCommands(a: CommandCount, b: CommandCount): CommandCount {
  return {
    count: a.count + b.count,
    totalMicros: a.totalMicros + b.totalMicros,
    buckets: a.buckets.map((count, bucket) => count + b.buckets[bucket]!),
  };
}

/** Into the first one, which is a copy of its own. */
function addHistograms(a: LatencyHistogram, b: LatencyHistogram): LatencyHistogram {
  addTo(a.steps, b.steps);
  return { ...a, count: a.count + b.count, sumMicros: a.sumMicros + b.sumMicros };
}

function addTo(sums: Float64Array, more: Float64Array): void {
  for (let step = 0; step < sums.length; step++) sums[step]! += more[step]!;
}
