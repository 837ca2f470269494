/** Metrics of statements by command, hostgroup and duration. Their labels are closed sets, or numbers of hostgroups. */

import { Histogram, type Registry } from 'prom-client';
import { HOSTGROUP_SCALE } from '../../common/log-linear-scale.ts';
import { HOSTGROUP_PLACES, type LatencyHistogram, StatementSort } from '../../common/shared-statistics.ts';
import type { StatementCounterName } from '../statistics/statistics-snapshot.ts';
import type { CounterSnapshot } from './counter-snapshot.ts';
import { type MetricKind, type SharedMetric, single } from './shared-metric.ts';

const MICROS_PER_SECOND = 1_000_000;
/** Borders of the buckets are borders of the scale's steps, so that no value is in the wrong one: 128 µs to 34 s. */
const FIRST_OCTAVE = 7;
const LAST_OCTAVE = 25;

function total(
  name: string,
  help: string,
  counter: StatementCounterName,
  factor = 1,
  kind: MetricKind = 'counter',
): SharedMetric {
  return single(name, kind, help, ({ statistics }) => statistics.counters[counter] * factor);
}

export const STATEMENT_METRICS: readonly SharedMetric[] = [
  {
    name: 'sluice_statements_total',
    help: "Statements that have ended, by ProxySQL's names of commands",
    kind: 'counter',
    labelNames: ['command'],
    samples: ({ statistics }) =>
      statistics.commands.map(({ command, count }) => ({ labels: { command }, value: count })),
  },
  {
    name: 'sluice_statement_seconds_total',
    help: 'Time from arrival to the end of the answer of all statements, by command',
    kind: 'counter',
    labelNames: ['command'],
    samples: ({ statistics }) =>
      statistics.commands.map(({ command, totalMicros }) => ({
        labels: { command },
        value: totalMicros / MICROS_PER_SECOND,
      })),
  },
  total('sluice_slow_statements_total', 'Statements that took longer than `statistics.longQueryMs`', 'slow'),
  total('sluice_statement_errors_total', 'Statements that ended in an error', 'errors'),
  total('sluice_rows_sent_total', 'Rows of result sets', 'rowsSent'),
  total('sluice_rows_affected_total', 'Rows that statements have changed', 'rowsAffected'),
  total(
    'sluice_statement_wait_seconds_total',
    'Time that statements waited for a connection or a server',
    'waitMicros',
    1 / MICROS_PER_SECOND,
  ),
  total('sluice_open_transactions', 'Transactions that are open now', 'openTransactions', 1, 'gauge'),
  total('sluice_counted_digests', 'Digests that are counted now', 'digests', 1, 'gauge'),
  total('sluice_counted_digests_bytes', 'Memory for them', 'digestBytes', 1, 'gauge'),
  total(
    'sluice_forgotten_digest_statements_total',
    'Statements whose digest has lost its place to another one',
    'digestsForgotten',
  ),
];

export const DURATION_METRIC = {
  name: 'sluice_statement_duration_seconds',
  help: 'Statements by the time from arrival to the end of the answer; proven reads (read) apart from all others (write)',
  labelNames: ['hostgroup', 'sort'],
} as const;
/** Series of the histogram at most: for the bound of a scrape. */
export const MOST_DURATION_SERIES = HOSTGROUP_PLACES * 2 * (LAST_OCTAVE - FIRST_OCTAVE + 4);

interface Sample {
  readonly metricName: string;
  readonly labels: Partial<Record<string, string | number>>;
  readonly value: number;
}

function samplesOf({ hostgroup, sort, count, sumMicros, steps }: LatencyHistogram): Sample[] {
  const { name } = DURATION_METRIC;
  const labels = { hostgroup: String(hostgroup), sort: sort === StatementSort.read ? 'read' : 'write' };
  const samples: Sample[] = [];
  let below = 0;
  let step = 0;
  for (let octave = FIRST_OCTAVE; octave <= LAST_OCTAVE; octave++) {
    const border = 2 ** octave;
    for (; step < steps.length && HOSTGROUP_SCALE.lowest(step) < border; step++) below += steps[step]!;
    const le = border / MICROS_PER_SECOND;
    samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: below });
  }
  samples.push(
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: sumMicros / MICROS_PER_SECOND },
    { metricName: `${name}_count`, labels, value: count },
  );
  return samples;
}

/** Counted elsewhere: a scrape finds what has been counted. */
class CountedHistogram extends Histogram<string> {
  readonly #read: () => CounterSnapshot;

  constructor(registry: Registry, read: () => CounterSnapshot) {
    super({ ...DURATION_METRIC, labelNames: [...DURATION_METRIC.labelNames], registers: [registry] });
    this.#read = read;
  }

  /** What the registry asks a histogram for when it makes a page. */
  async getForPromString() {
    const { name, help } = DURATION_METRIC;
    const values = this.#read().statistics.histograms.flatMap(samplesOf);
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }
}

export function registerDurations(registry: Registry, read: () => CounterSnapshot): void {
  new CountedHistogram(registry, read);
}
