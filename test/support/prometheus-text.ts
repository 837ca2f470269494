/**
 * A strict reader of Prometheus' text format (version 0.0.4): what its own parser, or `promtool check metrics`, would
 * refuse or warn of is an error here. https://prometheus.io/docs/instrumenting/exposition_formats/
 */

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  /** With its suffix. */
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: (-?\d+))?$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'] as const;

class Family {
  help: string | null = null;
  type: MetricFamily['type'] | null = null;
  readonly samples: MetricSample[] = [];
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** @throws Error that names the line and what is wrong with it */
export function parsePrometheusText(text: string): MetricFamily[] {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, Family>();
  const series = new Set<string>();
  let current: Family | null = null;
  for (const [index, line] of text.slice(0, -1).split('\n').entries()) {
    const fail = (what: string): never => {
      throw new Error(`line ${index + 1}: ${what}: ${line}`);
    };
    if (line === '') continue;
    if (line.startsWith('#')) {
      const [, keyword, name = '', ...rest] = line.split(' ');
      if (keyword !== 'HELP' && keyword !== 'TYPE') continue;
      if (!NAME.test(name)) fail('not a name');
      if (current?.name !== name) {
        if (families.has(name)) fail('lines of one metric do not stand together');
        current = new Family(name);
        families.set(name, current);
      }
      if (current.samples.length > 0) fail(`${keyword} behind samples`);
      if (keyword === 'HELP') {
        if (current.help !== null) fail('a second HELP');
        current.help = rest.join(' ');
      } else {
        if (current.type !== null) fail('a second TYPE');
        current.type = TYPES.find((type) => type === rest.join(' ')) ?? fail('no such type');
      }
      continue;
    }
    const [, name = '', labelText, valueText = ''] = SAMPLE.exec(line) ?? fail('not a sample');
    if (current === null || !isOf(current, name)) return fail('a sample of another metric');
    const labels = parseLabels(labelText ?? '', fail);
    const key = `${name} ${[...labels].sort().join(' ')}`;
    if (series.has(key)) fail('the same series again');
    series.add(key);
    current.samples.push({ name, labels, value: parseValue(valueText, fail) });
  }
  return [...families.values()].map(finished);
}

function isOf({ name, type }: Family, sample: string): boolean {
  if (type === 'histogram')
    return sample === `${name}_bucket` || sample === `${name}_sum` || sample === `${name}_count`;
  if (type === 'summary') return sample === name || sample === `${name}_sum` || sample === `${name}_count`;
  return sample === name;
}

function parseLabels(text: string, fail: (what: string) => never): Map<string, string> {
  const labels = new Map<string, string>();
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const at = LABEL.lastIndex;
    const [, name = '', value = ''] = LABEL.exec(text) ?? fail(`not a label at ${text.slice(at)}`);
    if (labels.has(name)) fail(`label ${name} twice`);
    labels.set(
      name,
      value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
    );
  }
  return labels;
}

function parseValue(text: string, fail: (what: string) => never): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  if (text === 'NaN' || text === 'Nan') return Number.NaN;
  return NUMBER.test(text) ? Number(text) : fail('not a number');
}

function finished({ name, help, type, samples }: Family): MetricFamily {
  if (help === null || help === '') throw new Error(`${name} has no HELP`);
  if (type === null) throw new Error(`${name} has no TYPE`);
  if (type === 'counter')
    for (const { value } of samples)
      if (!(value >= 0)) throw new Error(`${name} is a counter and has the value ${value}`);
  if (type === 'histogram') checkHistogram(name, samples);
  return { name, help, type, samples };
}

/** Buckets of each series grow with their border, and the last one holds all. */
function checkHistogram(name: string, samples: readonly MetricSample[]): void {
  const keyOf = ({ labels }: MetricSample): string =>
    [...labels]
      .filter(([label]) => label !== 'le')
      .sort()
      .join(' ');
  for (const [key, series] of Map.groupBy(samples, keyOf)) {
    const buckets = series.filter((sample) => sample.name === `${name}_bucket`);
    const count = series.find((sample) => sample.name === `${name}_count`);
    const sum = series.find((sample) => sample.name === `${name}_sum`);
    if (count === undefined || sum === undefined) throw new Error(`${name} {${key}} has no count or sum`);
    let border = Number.NEGATIVE_INFINITY;
    let below = 0;
    for (const { labels, value } of buckets) {
      const le = parseValue(labels.get('le') ?? '', () => {
        throw new Error(`${name} {${key}} has a bucket without le`);
      });
      if (le <= border || value < below) throw new Error(`${name} {${key}}: buckets do not grow at ${le}`);
      border = le;
      below = value;
    }
    if (border !== Number.POSITIVE_INFINITY || below !== count.value)
      throw new Error(`${name} {${key}}: the last bucket does not hold all`);
  }
}
