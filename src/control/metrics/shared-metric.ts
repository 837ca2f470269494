/** One metric that is read from a copy of the counters, and its simplest kind. */

import type { CounterSnapshot } from './counter-snapshot.ts';

export type MetricKind = 'counter' | 'gauge';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface SharedMetric {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricKind;
  readonly labelNames: readonly string[];
  samples(snapshot: CounterSnapshot): readonly Sample[];
}

/** One series, without labels. */
export function single(
  name: string,
  kind: MetricKind,
  help: string,
  read: (snapshot: CounterSnapshot) => number,
): SharedMetric {
  return { name, help, kind, labelNames: [], samples: (all) => [{ labels: {}, value: read(all) }] };
}

export function gauge(name: string, help: string, read: (snapshot: CounterSnapshot) => number): SharedMetric {
  return single(name, 'gauge', help, read);
}

/** A gauge that is absent where there is nothing to measure. */
export function optional(
  name: string,
  help: string,
  read: (snapshot: CounterSnapshot) => number | null,
): SharedMetric {
  const samples = (all: CounterSnapshot): readonly Sample[] => {
    const value = read(all);
    return value === null ? [] : [{ labels: {}, value }];
  };
  return { name, help, kind: 'gauge', labelNames: [], samples };
}
