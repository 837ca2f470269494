/** `attributes` of query rules and users: JSON objects of which Sluice reads what it knows. */

import { CAUSAL_LEVELS, type CausalLevel } from '../../common/causal-level.ts';

export interface WeightedFlag {
  readonly flag: number;
  readonly weight: number;
}

export interface BucketSize {
  readonly perSecond: number;
  readonly burst: number;
}

export interface RuleAttributes {
  /** `{"causal_reads": "none" | "session" | "table"}` */
  readonly causalReads: CausalLevel | null;
  /** `{"rate_limit": {"per_second": n, "burst": m}}`; burst is `per_second` (at least 1) unless given. */
  readonly rateLimit: BucketSize | null;
  /** `{"flagOUTs": [{"id": n, "weight": m}]}`: one of them is taken by chance for each statement. */
  readonly flagOuts: readonly WeightedFlag[];
}

export const NO_ATTRIBUTES: RuleAttributes = Object.freeze({
  causalReads: null,
  rateLimit: null,
  flagOuts: [],
});

/** Beyond this a bucket is no limit. */
export const MAX_PER_SECOND = 10_000_000;
const MAX_FLAG = 2_147_483_647;

/** @throws SyntaxError that says what was expected. */
export function parseAttributes(text: string): RuleAttributes {
  if (text.trim() === '') return NO_ATTRIBUTES;
  const value = parseObject(text);
  return {
    causalReads: value.causal_reads === undefined ? null : parseLevel(value.causal_reads),
    rateLimit: value.rate_limit === undefined ? null : parseBucket(value.rate_limit),
    flagOuts: value.flagOUTs === undefined ? [] : parseFlags(value.flagOUTs),
  };
}

function parseLevel(value: unknown): CausalLevel {
  const level = CAUSAL_LEVELS.find((one) => one === value);
  if (level === undefined)
    throw new SyntaxError(`expected "causal_reads": one of ${CAUSAL_LEVELS.join(', ')}`);
  return level;
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SyntaxError('expected a JSON object');
  }
  if (!isObject(value)) throw new SyntaxError('expected a JSON object');
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseBucket(value: unknown): BucketSize {
  const expected = `expected "rate_limit": {"per_second": number, "burst": number}, each up to ${MAX_PER_SECOND}`;
  if (!isObject(value)) throw new SyntaxError(expected);
  const { per_second: perSecond, burst = Math.max(1, Number(perSecond)) } = value;
  const stray = Object.keys(value).find((key) => key !== 'per_second' && key !== 'burst');
  if (stray !== undefined) throw new SyntaxError(`${expected}, not "${stray}"`);
  if (!isAmount(perSecond) || perSecond <= 0) throw new SyntaxError(expected);
  if (!isAmount(burst) || burst < 1) throw new SyntaxError(`${expected}, burst at least 1`);
  return { perSecond, burst };
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value <= MAX_PER_SECOND;
}

function parseFlags(value: unknown): WeightedFlag[] {
  const expected = 'expected "flagOUTs": [{"id": number, "weight": number}, …]';
  if (!Array.isArray(value)) throw new SyntaxError(expected);
  return value.map((entry: unknown) => {
    if (!isObject(entry)) throw new SyntaxError(expected);
    const { id, weight } = entry;
    const isFlag = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= MAX_FLAG;
    if (!isFlag || typeof weight !== 'number' || !Number.isInteger(weight) || weight < 0)
      throw new SyntaxError(expected);
    return { flag: id, weight };
  });
}
