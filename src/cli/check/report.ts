/** What was found, as one line with performance data, or as JSON. */
import { CheckExit } from './check-exit.ts';
import type { MetricsPage } from './metrics-page.ts';
import { Dimension, formatThreshold, isBeyond, round, type Threshold } from './threshold.ts';
import { Severity, type Wishes } from './wishes.ts';

export interface Problem {
  readonly criterion: string;
  readonly severity: Severity;
  readonly text: string;
}

export interface MeasuredNumber {
  readonly criterion: string;
  /** Seconds, percent, or how many. */
  readonly value: number;
  readonly unit: 's' | '%' | '';
  /** As Nagios writes ranges; '' for none. */
  readonly warn: string;
  readonly crit: string;
}

export interface Report {
  readonly exit: CheckExit;
  readonly version: string;
  /** Worst first. */
  readonly problems: readonly Problem[];
  readonly numbers: readonly MeasuredNumber[];
}

const UNITS: Readonly<Record<Dimension, MeasuredNumber['unit']>> = { seconds: 's', share: '%', count: '' };
const WORDS = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;

export function makeReport(page: MetricsPage, wishes: Wishes, nowSeconds: number): Report {
  const problems: Problem[] = [];
  const numbers: MeasuredNumber[] = [];
  for (const { criterion, severity } of wishes.states) {
    const text = criterion.problem(page);
    if (text !== null) problems.push({ criterion: criterion.name, severity, text });
  }
  for (const { criterion, warn, crit } of wishes.numbers) {
    const measured = criterion.measure(page, nowSeconds);
    if (measured === null) continue;
    const { name, dimension } = criterion;
    const { value, subject } = measured;
    const limits = { warn: formatThreshold(warn), crit: formatThreshold(crit) };
    numbers.push({ criterion: name, value: round(value), unit: UNITS[dimension], ...limits });
    const broken = brokenLimit(warn, crit, value);
    if (broken === null) continue;
    const text = `${subject} is ${inWords(value, dimension)} (limit ${limitInWords(broken.limit, dimension)})`;
    problems.push({ criterion: name, severity: broken.severity, text });
  }
  // Stable: within one severity the order of the criteria stays.
  problems.sort((a, b) => rank(a) - rank(b));
  const version = page.all('sluice_build_info')[0]?.labels.version ?? 'unknown';
  const [first] = problems;
  const exit =
    first === undefined
      ? CheckExit.ok
      : first.severity === Severity.crit
        ? CheckExit.critical
        : CheckExit.warning;
  return { exit, version, problems, numbers };
}

function rank({ severity }: Problem): number {
  return severity === Severity.crit ? 0 : 1;
}

function brokenLimit(
  warn: Threshold | null,
  crit: Threshold | null,
  value: number,
): { readonly severity: Severity; readonly limit: Threshold } | null {
  if (crit !== null && isBeyond(crit, value)) return { severity: Severity.crit, limit: crit };
  if (warn !== null && isBeyond(warn, value)) return { severity: Severity.warn, limit: warn };
  return null;
}

const LONG: readonly (readonly [number, string])[] = [
  [2 * 86_400, 'd'],
  [2 * 3600, 'h'],
  [2 * 60, 'min'],
];
const UNIT_SECONDS: Readonly<Record<string, number>> = { d: 86_400, h: 3600, min: 60 };

function inWords(value: number, dimension: Dimension): string {
  if (dimension === Dimension.share) return `${Math.round(value * 10) / 10} %`;
  if (dimension === Dimension.count) return String(value);
  const [, unit] = LONG.find(([least]) => Math.abs(value) >= least) ?? [];
  if (unit === undefined) return `${Math.round(value * 100) / 100} s`;
  return `${Math.round((value / UNIT_SECONDS[unit]!) * 10) / 10} ${unit}`;
}

function limitInWords({ low, high, isInverted }: Threshold, dimension: Dimension): string {
  const from = inWords(low, dimension);
  const to = inWords(high, dimension);
  const text =
    high === Number.POSITIVE_INFINITY ? `at least ${from}` : low <= 0 ? `at most ${to}` : `${from} to ${to}`;
  return isInverted ? `not ${text}` : text;
}

/** The first line is what Nagios shows; behind the bar stands what it draws. */
export function formatLine({ exit, version, problems, numbers }: Report): string {
  const texts = problems.map(({ severity, text }) =>
    exit === CheckExit.critical && severity === Severity.warn ? `warning: ${text}` : text,
  );
  // A bar or a line break would end the text for Nagios.
  const text = (texts.length === 0 ? `version ${version}` : texts.join('; ')).replace(/[|\n]/g, ' ');
  const data = numbers.map(({ criterion, value, unit, warn, crit }) => {
    const bounds = unit === '%' ? ';0;100' : ';0';
    return `${criterion}=${value}${unit};${warn};${crit}${bounds}`;
  });
  return `SLUICE ${WORDS[exit]}: ${text} | ${data.join(' ')}`;
}

export function formatJson({ exit, ...report }: Report): string {
  return JSON.stringify({ status: WORDS[exit].toLowerCase(), exitCode: exit, ...report });
}
