/** A page of metrics as values: what Sluice writes, and no more of Prometheus' text format than that. */

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

export class MetricsPage {
  readonly #samples = new Map<string, MetricSample[]>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const [, name, labelText = '', value] = line.startsWith('#') ? [] : (SAMPLE.exec(line) ?? []);
      if (name === undefined) continue;
      const labels = [...labelText.matchAll(LABEL)].map(
        ([, label = '', escaped = '']) => [label, escaped.replace(/\\(["\\])/g, '$1')] as const,
      );
      const known = this.#samples.get(name);
      const sample = { labels: Object.fromEntries(labels), value: Number(value) };
      if (known === undefined) this.#samples.set(name, [sample]);
      else known.push(sample);
    }
  }

  get isSluices(): boolean {
    return this.#samples.has('sluice_build_info');
  }

  /** Those with these labels; empty where there are none. */
  all(name: string, wanted: Readonly<Record<string, string>> = {}): readonly MetricSample[] {
    const conditions = Object.entries(wanted);
    return (this.#samples.get(name) ?? []).filter(({ labels }) =>
      conditions.every(([label, value]) => labels[label] === value),
    );
  }

  sum(name: string, wanted: Readonly<Record<string, string>> = {}): number {
    return this.all(name, wanted).reduce((total, { value }) => total + value, 0);
  }

  /** The sample with the largest value. */
  most(name: string): MetricSample | null {
    return worst(this.all(name), (a, b) => a > b);
  }

  /** The sample with the smallest value. */
  least(name: string): MetricSample | null {
    return worst(this.all(name), (a, b) => a < b);
  }
}

function worst(
  samples: readonly MetricSample[],
  isWorse: (a: number, b: number) => boolean,
): MetricSample | null {
  let found: MetricSample | null = null;
  for (const sample of samples) if (found === null || isWorse(sample.value, found.value)) found = sample;
  return found;
}
