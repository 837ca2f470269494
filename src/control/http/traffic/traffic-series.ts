/**
 * What the charts show: the counters of all threads, looked at once in a second, and kept for a quarter of an hour in
 * arrays that never grow. Costs the same whether somebody looks or not.
 */
import { HOSTGROUP_SCALE } from '../../../common/log-linear-scale.ts';
import type { CounterSnapshot, WorkerCounterName } from '../../metrics/counter-snapshot.ts';
import { stepsOfAll } from '../../statistics/statistics-snapshot.ts';
import type { SeriesName, SeriesValue } from '../api/api-values.ts';

export const SAMPLE_INTERVAL_MS = 1000;
const CAPACITY = 900;
/** A pause of the process, or of its clock: rates over it would mean nothing. */
const LONGEST_GAP_MS = 10 * SAMPLE_INTERVAL_MS;

const SERIES_NAMES: readonly SeriesName[] = [
  'statements',
  'replicaReads',
  'primaryReads',
  'writes',
  'errors',
  'clients',
  'serverConnections',
  'serverConnectionsInUse',
  'waits',
  'bytesIn',
  'bytesOut',
  'p50',
  'p95',
  'p99',
  'cacheHitRate',
];

/** Rates, and the counters that they are the difference of. */
const RATES = {
  statements: 'questions',
  replicaReads: 'readsOnReplica',
  primaryReads: 'readsOnPrimary',
  writes: 'writes',
  errors: 'errorsSent',
  waits: 'poolWaits',
  bytesIn: 'clientBytesIn',
  bytesOut: 'clientBytesOut',
} as const satisfies Partial<Record<SeriesName, WorkerCounterName>>;

const PERCENTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

interface Previous {
  readonly timeMs: number;
  readonly counters: CounterSnapshot;
  /** Statements by how long they took, in the steps of `HOSTGROUP_SCALE`. */
  readonly latencies: Float64Array;
}

export class TrafficSeries {
  readonly #columns: Readonly<Record<SeriesName, Float64Array>>;
  readonly #times = new Float64Array(CAPACITY);
  #length = 0;
  /** Where the next sample goes. */
  #end = 0;
  #previous: Previous | null = null;
  #serverRates: ReadonlyMap<string, number> = new Map();

  constructor() {
    const columns = SERIES_NAMES.map((name) => [name, new Float64Array(CAPACITY).fill(Number.NaN)] as const);
    this.#columns = Object.fromEntries(columns) as Record<SeriesName, Float64Array>;
  }

  sample(timeMs: number, counters: CounterSnapshot): void {
    const previous = this.#previous;
    const latencies = stepsOfAll(counters.statistics);
    this.#previous = { timeMs, counters, latencies };
    this.#serverRates = new Map();
    if (previous === null) return;
    const elapsedMs = timeMs - previous.timeMs;
    if (elapsedMs <= 0 || elapsedMs > LONGEST_GAP_MS) return;
    const seconds = elapsedMs / 1000;
    this.#times[this.#end] = timeMs;
    for (const name of SERIES_NAMES) this.#columns[name][this.#end] = Number.NaN;
    for (const [name, counter] of Object.entries(RATES) as [keyof typeof RATES, WorkerCounterName][])
      this.#put(name, Math.max(0, sum(counters, counter) - sum(previous.counters, counter)) / seconds);
    this.#put('clients', counters.frontendConnections);
    this.#put('serverConnections', total(counters.servers.map(({ connections }) => connections)));
    this.#put('serverConnectionsInUse', total(counters.servers.map(({ inUse }) => inUse)));
    const hits = sum(counters, 'cacheHits') - sum(previous.counters, 'cacheHits');
    const asked = hits + missed(counters) - missed(previous.counters);
    if (asked > 0) this.#put('cacheHitRate', hits / asked);
    const ended = latencies.map((count, step) => Math.max(0, count - (previous.latencies[step] ?? 0)));
    for (const [name, share] of Object.entries(PERCENTILES) as [keyof typeof PERCENTILES, number][]) {
      const micros = HOSTGROUP_SCALE.percentile(ended, share);
      if (micros !== null) this.#put(name, micros / 1000);
    }
    this.#serverRates = serverRates(previous.counters, counters, seconds);
    this.#end = (this.#end + 1) % CAPACITY;
    this.#length = Math.min(this.#length + 1, CAPACITY);
  }

  /** Statements of a server in the last second; null while not known. */
  serverRate(address: string): number | null {
    return this.#serverRates.get(address) ?? null;
  }

  /** The last ones, at most `count`. */
  last(count = CAPACITY): SeriesValue {
    const length = Math.min(count, this.#length);
    const first = this.#end - length + CAPACITY;
    const places = Array.from({ length }, (_, index) => (first + index) % CAPACITY);
    const columns: Partial<Record<SeriesName, (number | null)[]>> = {};
    for (const name of SERIES_NAMES)
      columns[name] = places.map((place) => rounded(this.#columns[name][place]!));
    return {
      timesMs: places.map((place) => this.#times[place]!),
      columns,
    };
  }

  #put(name: SeriesName, value: number): void {
    this.#columns[name][this.#end] = value;
  }
}

function serverRates(before: CounterSnapshot, now: CounterSnapshot, seconds: number): Map<string, number> {
  const queries = new Map(before.servers.map((server) => [server.address, server.queries]));
  const rates = new Map<string, number>();
  for (const server of now.servers) {
    const from = queries.get(server.address);
    if (from !== undefined) rates.set(server.address, Math.max(0, server.queries - from) / seconds);
  }
  return rates;
}

function sum({ workers }: CounterSnapshot, counter: WorkerCounterName): number {
  return total(workers.map(({ counters }) => counters[counter]));
}

function missed(counters: CounterSnapshot): number {
  return sum(counters, 'cacheMisses') + sum(counters, 'cacheUnproven');
}

function total(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

/** Three digits behind the point are more than anybody sees; null travels in JSON. */
function rounded(value: number): number | null {
  return Number.isNaN(value) ? null : Math.round(value * 1000) / 1000;
}
