/** What Sluice must reach (the figures stand in README.md), compared with what was measured. */

import type { Metric, Summary } from './measurement.ts';
import { TargetName } from './targets/target.ts';

export interface Verdict {
  readonly criterion: string;
  readonly limit: string;
  readonly measured: string;
  readonly reached: boolean;
}

const MAX_CPU_TO_HAPROXY = 1.5;
const MIN_THROUGHPUT_TO_HAPROXY = 0.8;
const MAX_ADDED_LATENCY_TO_HAPROXY = 2;
const MAX_BYTES_PER_IDLE_CLIENT = 16_000;
const MAX_BIG_RESULT_GROWTH_BYTES = 64_000_000;
const MAX_FLOOD_P99_MS = 10;

const MAX_TLS_TO_PLAIN = 2;
const MAX_PREPARED_TO_TEXT = 1.25;
const MAX_PREPARES_GROWTH_BYTES = 64_000_000;
/** Of 16 clients: `pool.maxStatementsPerConnection` on each of their connections to two replicas. */
const MAX_STATEMENTS_LEFT = 3200;

const MANY_CLIENTS_PREPARED = 'point-select, prepared, 64 clients';
const MANY_CLIENTS_TLS = 'point-select, text, 64 clients, TLS';
const MANY_CLIENTS = 'point-select, text, 64 clients';
const ONE_CLIENT = 'point-select, text, 1 client';

/** Only of what was measured, on Sluice and on what it is compared with. */
export function judge(summaries: readonly Summary[]): Verdict[] {
  return [
    ...manyClients(summaries),
    ...oneClient(summaries),
    ...idleClients(summaries),
    ...bigResults(summaries),
    ...flood(summaries),
    ...preparedSelects(summaries),
    ...prepares(summaries),
    ...tlsClients(summaries),
  ];
}

function manyClients(summaries: readonly Summary[]): Verdict[] {
  const summary = find(summaries, MANY_CLIENTS, TargetName.sluice);
  return [
    ...atMost(
      `${MANY_CLIENTS}: CPU per query ÷ HAProxy`,
      ratio(summary, 'cpuMicroseconds'),
      MAX_CPU_TO_HAPROXY,
      '×',
    ),
    ...atLeast(
      `${MANY_CLIENTS}: queries/s ÷ HAProxy`,
      ratio(summary, 'queriesPerSecond'),
      MIN_THROUGHPUT_TO_HAPROXY,
      '×',
    ),
  ];
}

function oneClient(summaries: readonly Summary[]): Verdict[] {
  const [direct, haproxy, sluice] = [TargetName.direct, TargetName.haproxy, TargetName.sluice].map(
    // The median: on a machine that does other things too, the mean is mostly about those.
    (target) => find(summaries, ONE_CLIENT, target)?.values.p50Ms,
  );
  if (direct === undefined || haproxy === undefined || sluice === undefined) return [];
  const addedByHaproxy = haproxy - direct;
  const addedBySluice = sluice - direct;
  const name = `${ONE_CLIENT}: added median latency ÷ HAProxy's (${microseconds(addedBySluice)} and ${microseconds(addedByHaproxy)} on ${microseconds(direct)})`;
  if (addedByHaproxy <= 0) {
    return [
      {
        criterion: name,
        limit: `≤ ${MAX_ADDED_LATENCY_TO_HAPROXY} ×`,
        measured: 'too disturbed',
        reached: false,
      },
    ];
  }
  return atMost(name, addedBySluice / addedByHaproxy, MAX_ADDED_LATENCY_TO_HAPROXY, '×');
}

function idleClients(summaries: readonly Summary[]): Verdict[] {
  return ofSluice(summaries, 'idle').flatMap(({ point, values }) =>
    atMost(
      `${point}: resident memory of each`,
      scaled(values.growthPerClientBytes, 1000),
      MAX_BYTES_PER_IDLE_CLIENT / 1000,
      'kB',
    ),
  );
}

function bigResults(summaries: readonly Summary[]): Verdict[] {
  return ofSluice(summaries, 'big-result').flatMap((summary) => [
    ...atMost(
      `${summary.point}: growth of resident memory`,
      scaled(summary.values.growthBytes, 1e6),
      MAX_BIG_RESULT_GROWTH_BYTES / 1e6,
      'MB',
    ),
    ...atLeast(
      `${summary.point}: throughput ÷ HAProxy`,
      ratio(summary, 'megabytesPerSecond'),
      MIN_THROUGHPUT_TO_HAPROXY,
      '×',
    ),
  ]);
}

function flood(summaries: readonly Summary[]): Verdict[] {
  return ofSluice(summaries, 'flood').flatMap(({ point, values }) =>
    atMost(`${point}: p99 of the other clients`, values.p99Ms, MAX_FLOOD_P99_MS, 'ms'),
  );
}

/** Of Sluice's own text protocol, measured in the same run. */
function preparedSelects(summaries: readonly Summary[]): Verdict[] {
  const text = find(summaries, MANY_CLIENTS, TargetName.sluice)?.values.cpuMicroseconds;
  const prepared = find(summaries, MANY_CLIENTS_PREPARED, TargetName.sluice)?.values.cpuMicroseconds;
  if (text === undefined || prepared === undefined) return [];
  return atMost(`${MANY_CLIENTS_PREPARED}: CPU per query ÷ text`, prepared / text, MAX_PREPARED_TO_TEXT, '×');
}

function prepares(summaries: readonly Summary[]): Verdict[] {
  return ofSluice(summaries, 'prepares').flatMap(({ point, values }) => [
    ...atMost(
      `${point}: growth of resident memory`,
      scaled(values.growthBytes, 1e6),
      MAX_PREPARES_GROWTH_BYTES / 1e6,
      'MB',
    ),
    ...atMost(`${point}: left on the servers`, values.statementsLeft, MAX_STATEMENTS_LEFT, 'statements'),
  ]);
}

function tlsClients(summaries: readonly Summary[]): Verdict[] {
  const plain = find(summaries, MANY_CLIENTS, TargetName.sluice)?.values.cpuMicroseconds;
  const tls = find(summaries, MANY_CLIENTS_TLS, TargetName.sluice)?.values.cpuMicroseconds;
  if (plain === undefined || tls === undefined) return [];
  return atMost(`${MANY_CLIENTS_TLS}: CPU per query ÷ plain`, tls / plain, MAX_TLS_TO_PLAIN, '×');
}

function ofSluice(summaries: readonly Summary[], scenario: string): Summary[] {
  return summaries.filter((one) => one.scenario === scenario && one.target === TargetName.sluice);
}

function find(summaries: readonly Summary[], point: string, target: TargetName): Summary | undefined {
  return summaries.find((one) => one.point === point && one.target === target);
}

function ratio(summary: Summary | undefined, metric: Metric): number | undefined {
  return summary?.ratioTo[TargetName.haproxy]?.[metric];
}

function scaled(value: number | undefined, divisor: number): number | undefined {
  return value === undefined ? undefined : value / divisor;
}

function atMost(criterion: string, value: number | undefined, limit: number, unit: string): Verdict[] {
  if (value === undefined) return [];
  return [verdict(criterion, `≤ ${limit} ${unit}`, value, unit, value <= limit)];
}

function atLeast(criterion: string, value: number | undefined, limit: number, unit: string): Verdict[] {
  if (value === undefined) return [];
  return [verdict(criterion, `≥ ${limit} ${unit}`, value, unit, value >= limit)];
}

function verdict(criterion: string, limit: string, value: number, unit: string, reached: boolean): Verdict {
  return { criterion, limit, measured: `${value.toFixed(2)} ${unit}`, reached };
}

function microseconds(milliseconds: number): string {
  return `${(milliseconds * 1000).toFixed(0)} µs`;
}
