/** What a run has found, as plain data and as text. */

import type { SluiceProcess } from '../support/sluice-process.ts';
import type { CheckerOptions } from './checker-options.ts';
import type { FoundViolation, HistoryCounts } from './model/history.ts';
import { operationLine } from './model/operation-log.ts';
import type { Stage } from './stage.ts';

export interface Staleness {
  readonly reads: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface CheckerReport {
  readonly options: CheckerOptions;
  readonly operations: number;
  /** How often what was to happen so often has happened. */
  readonly happened: Readonly<Record<string, number>>;
  readonly counts: HistoryCounts;
  readonly violationsByKind: Readonly<Record<string, number>>;
  readonly violations: readonly FoundViolation[];
  /** Of the cache, by the metrics of the first Sluice; 0 where it has none. */
  readonly hits: number;
  /** What else the cache counted, by the metrics' own names. */
  readonly cache: Readonly<Record<string, number>>;
  /** What servers have refused: number, how often, the first message. */
  readonly errors: readonly { readonly errno: number; readonly count: number; readonly example: string }[];
  /** Of reads older than their beginning that were allowed to be, by the way of what they showed. */
  readonly staleness: Readonly<Record<string, Staleness>>;
}

const CACHE_COUNTERS = /^sluice_((?:shared_)?cache_\w+)_total\b/;

export async function reportOf(
  stage: Stage,
  options: CheckerOptions,
  happened: CheckerReport['happened'],
): Promise<CheckerReport> {
  const { world, sluice } = stage;
  const { history } = world;
  return {
    options,
    operations: history.log.count,
    happened,
    counts: history.counts,
    violationsByKind: Object.fromEntries(history.byKind),
    violations: history.violations,
    hits: await stage.hits(),
    cache: await cacheCounters(sluice),
    errors: [...world.errors].map(([errno, { count, example }]) => ({ errno, count, example })),
    staleness: Object.fromEntries([...history.staleness].map(([gate, values]) => [gate, summary(values)])),
  };
}

async function cacheCounters(sluice: SluiceProcess): Promise<Record<string, number>> {
  const counters: Record<string, number> = {};
  for (const [sample, value] of await sluice.metrics()) {
    const name = CACHE_COUNTERS.exec(sample)?.[1];
    if (name !== undefined) counters[name] = (counters[name] ?? 0) + value;
  }
  return counters;
}

function summary(values: readonly number[]): Staleness {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(3));
  return { reads: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

/** A violation with the operations around it. */
export function violationText({ kind, message, operation, context }: FoundViolation): string {
  const own = operation === null ? [] : [`read: ${operationLine(operation)}`];
  return [`${kind}: ${message}`, ...own, 'around it:', ...context].join('\n');
}
