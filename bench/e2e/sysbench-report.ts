/** Reads what sysbench 1.0 prints at the end of a run with `--histogram`. */

export interface HistogramBucket {
  readonly milliseconds: number;
  readonly count: number;
}

export interface SysbenchReport {
  /** Statements sent, BEGIN and COMMIT included. */
  readonly queries: number;
  readonly transactions: number;
  readonly seconds: number;
  readonly queriesPerSecond: number;
  /** Errors that sysbench ignored (it stops at others), such as deadlocks. */
  readonly ignoredErrors: number;
  readonly reconnects: number;
  /** Of an event: one query in oltp_point_select, one whole transaction in the others. */
  readonly latency: LatencySummary;
}

export interface LatencySummary {
  readonly averageMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** @throws Error that names what the output lacks */
export function parseSysbenchReport(output: string): SysbenchReport {
  const queries = numberAfter(output, /^\s+queries:\s+(\d+)/m, 'queries');
  const seconds = numberAfter(output, /^\s+total time:\s+([\d.]+)s/m, 'total time');
  const buckets = parseHistogram(output);
  return {
    queries,
    transactions: numberAfter(output, /^\s+transactions:\s+(\d+)/m, 'transactions'),
    seconds,
    queriesPerSecond: numberAfter(output, /^\s+queries:\s+\d+\s+\(([\d.]+) per sec/m, 'queries per second'),
    ignoredErrors: numberAfter(output, /^\s+ignored errors:\s+(\d+)/m, 'ignored errors'),
    reconnects: numberAfter(output, /^\s+reconnects:\s+(\d+)/m, 'reconnects'),
    latency: {
      averageMs: numberAfter(output, /^\s+avg:\s+([\d.]+)/m, 'average latency'),
      p50Ms: percentileOf(buckets, 0.5),
      p95Ms: percentileOf(buckets, 0.95),
      p99Ms: percentileOf(buckets, 0.99),
      maxMs: numberAfter(output, /^\s+max:\s+([\d.]+)/m, 'maximum latency'),
    },
  };
}

/** Buckets in ascending order. Their width grows with the value: about 1.8 % each. */
export function parseHistogram(output: string): HistogramBucket[] {
  const buckets: HistogramBucket[] = [];
  for (const match of output.matchAll(/^\s*([\d.]+) \|\**\s+(\d+)$/gm)) {
    buckets.push({ milliseconds: Number(match[1]), count: Number(match[2]) });
  }
  if (buckets.length === 0) throw new Error('the output of sysbench has no latency histogram');
  return buckets;
}

/** The value of the bucket in which the share `share` (0–1) of all events is reached. */
export function percentileOf(buckets: readonly HistogramBucket[], share: number): number {
  const total = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  const wanted = Math.max(1, Math.ceil(total * share));
  let seen = 0;
  for (const bucket of buckets) {
    seen += bucket.count;
    if (seen >= wanted) return bucket.milliseconds;
  }
  throw new Error('percentile of an empty histogram');
}

function numberAfter(output: string, pattern: RegExp, name: string): number {
  const text = pattern.exec(output)?.[1];
  if (text === undefined) {
    throw new Error(`the output of sysbench has no ${name}: ${JSON.stringify(output.slice(-400))}`);
  }
  return Number(text);
}
