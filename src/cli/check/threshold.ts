/**
 * Limits as plugins of Nagios take them: `10` (no more than that), `10:` (no less), `10:20` (between), `~:10`, and with
 * `@` in front the reverse. https://nagios-plugins.org/doc/guidelines.html#THRESHOLDFORMAT
 */
import { CheckError } from './check-exit.ts';

export const Dimension = { seconds: 'seconds', share: 'share', count: 'count' } as const;
export type Dimension = (typeof Dimension)[keyof typeof Dimension];

export interface Threshold {
  /** Inclusive. */
  readonly low: number;
  readonly high: number;
  /** What is between them is what must not be. */
  readonly isInverted: boolean;
}

export interface ThresholdForm {
  readonly dimension: Dimension;
  /** Seconds of a number without a unit, or 1. */
  readonly plainUnit: number;
  /** A single number is the least that is good, and not the most. */
  readonly isLeast: boolean;
}

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };
const NUMBER = /^(-?\d+(?:\.\d+)?)(ms|s|m|h|d|%)?$/;

/** @param name for messages. @throws CheckError */
export function parseThreshold(name: string, text: string, form: ThresholdForm): Threshold {
  const isInverted = text.startsWith('@');
  const range = isInverted ? text.slice(1) : text;
  const colon = range.indexOf(':');
  const numberOf = (part: string): number => parseNumber(name, part, form);
  if (colon === -1) {
    const value = numberOf(range);
    return form.isLeast
      ? { low: value, high: Number.POSITIVE_INFINITY, isInverted }
      : { low: 0, high: value, isInverted };
  }
  const start = range.slice(0, colon);
  const end = range.slice(colon + 1);
  const low = start === '~' ? Number.NEGATIVE_INFINITY : start === '' ? 0 : numberOf(start);
  const high = end === '' ? Number.POSITIVE_INFINITY : numberOf(end);
  if (low > high) throw new CheckError(`${name}=${text}: the range begins behind its end`);
  return { low, high, isInverted };
}

function parseNumber(name: string, text: string, { dimension, plainUnit }: ThresholdForm): number {
  const [, number, unit] = NUMBER.exec(text) ?? [];
  if (number === undefined) throw new CheckError(`${name}: "${text.slice(0, 40)}" is no limit`);
  const value = Number(number);
  if (unit === undefined) return value * (dimension === Dimension.seconds ? plainUnit : 1);
  const fits = unit === '%' ? dimension === Dimension.share : dimension === Dimension.seconds;
  if (!fits) throw new CheckError(`${name} has no ${unit}`);
  return unit === '%' ? value : value * SECONDS[unit]!;
}

export function isBeyond({ low, high, isInverted }: Threshold, value: number): boolean {
  const isInside = value >= low && value <= high;
  return isInside === isInverted;
}

/** As performance data has it. */
export function formatThreshold(threshold: Threshold | null): string {
  if (threshold === null) return '';
  const { low, high, isInverted } = threshold;
  const start = low === Number.NEGATIVE_INFINITY ? '~:' : low === 0 ? '' : `${round(low)}:`;
  const end = high === Number.POSITIVE_INFINITY ? (start === '' ? '0:' : '') : String(round(high));
  return `${isInverted ? '@' : ''}${start}${end}`;
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
