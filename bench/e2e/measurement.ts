/** Measured values, their medians over the rounds, and their ratios to other targets. Plain data: it is the JSON. */

import type { TargetName } from './targets/target.ts';

export const Metric = {
  queriesPerSecond: 'queriesPerSecond',
  p50Ms: 'p50Ms',
  p95Ms: 'p95Ms',
  p99Ms: 'p99Ms',
  /** Clients divided by throughput: finer than what sysbench prints. */
  meanMs: 'meanMs',
  /** Of the proxy, per query (churn: per connection; flood: per statement of the flood and of the others; prepares: per statement). */
  cpuUserMicroseconds: 'cpuUserMicroseconds',
  cpuSystemMicroseconds: 'cpuSystemMicroseconds',
  cpuMicroseconds: 'cpuMicroseconds',
  residentBytes: 'residentBytes',
  /** VmHWM since the start of the measurement. */
  peakResidentBytes: 'peakResidentBytes',
  /** Peak during the measurement minus resident memory before it. */
  growthBytes: 'growthBytes',
  growthPerClientBytes: 'growthPerClientBytes',
  megabytesPerSecond: 'megabytesPerSecond',
  /** How many of the flood's statements were answered in the time that it may take. */
  floodStatements: 'floodStatements',
  floodStatementsPerSecond: 'floodStatementsPerSecond',
  /** Statements that the servers still have when all their clients have closed them. */
  statementsLeft: 'statementsLeft',
  /** CPU time of the proxy over the whole measurement. */
  cpuSeconds: 'cpuSeconds',
} as const;
export type Metric = (typeof Metric)[keyof typeof Metric];

export type Values = { readonly [metric in Metric]?: number };

export interface Measurement {
  readonly scenario: string;
  readonly point: string;
  readonly target: TargetName;
  /** From 0. Targets of one round were measured one after the other. */
  readonly round: number;
  readonly values: Values;
}

/** Measured, or why there is nothing. */
export interface FailedMeasurement {
  readonly point: string;
  readonly target: TargetName;
  readonly round: number;
  readonly error: string;
}

export interface Summary {
  readonly scenario: string;
  readonly point: string;
  readonly target: TargetName;
  readonly rounds: number;
  /** Median over the rounds. */
  readonly values: Values;
  /**
   * Median over the rounds of value / the other target's value in the same round, which a machine that is slower for a
   * while disturbs less than a ratio of medians.
   */
  readonly ratioTo: { readonly [target in TargetName]?: Values };
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** One summary for each point and target, in the order of the first measurement of each. */
export function summarize(measurements: readonly Measurement[], bases: readonly TargetName[]): Summary[] {
  const groups = Map.groupBy(measurements, ({ point, target }) => `${point}\n${target}`);
  return [...groups.values()].map((group) => {
    const { scenario, point, target } = group[0]!;
    const ratioTo: { [target in TargetName]?: Values } = {};
    for (const base of bases) {
      const baseOf = new Map(
        measurements
          .filter((other) => other.point === point && other.target === base)
          .map((other) => [other.round, other.values]),
      );
      ratioTo[base] = medianOfEach(group.map(({ round, values }) => divide(values, baseOf.get(round) ?? {})));
    }
    const values = medianOfEach(group.map((one) => one.values));
    return { scenario, point, target, rounds: group.length, values, ratioTo };
  });
}

/** Metrics that both have; a metric that is 0 in `base` has no ratio. */
function divide(values: Values, base: Values): Values {
  const ratios: { [metric in Metric]?: number } = {};
  for (const metric of Object.values(Metric)) {
    const value = values[metric];
    const baseValue = base[metric];
    if (value !== undefined && baseValue !== undefined && baseValue > 0) ratios[metric] = value / baseValue;
  }
  return ratios;
}

function medianOfEach(all: readonly Values[]): Values {
  const medians: { [metric in Metric]?: number } = {};
  for (const metric of Object.values(Metric)) {
    const present = all.map((values) => values[metric]).filter((value) => value !== undefined);
    if (present.length > 0) medians[metric] = median(present);
  }
  return medians;
}
