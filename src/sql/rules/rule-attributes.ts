/** `attributes` of query rules and users: JSON objects of which Sluice reads what it knows. */

import { CACHE_WISHES, CacheClass, type CacheWish } from '../../common/cache-settings.ts';
import { CAUSAL_LEVELS, type CausalLevel } from '../../common/causal-level.ts';
import { isJsonObject } from '../../common/json-object.ts';

export interface WeightedFlag {
  readonly flag: number;
  readonly weight: number;
}

export interface BucketSize {
  readonly perSecond: number;
  readonly burst: number;
}

/** How the results of a rule's statements are cached. */
export interface RuleCaching {
  readonly wish: CacheWish;
  /** null with `weak`: `cache_ttl` of the rule says it. */
  readonly ttlMs: number | null;
  readonly staleMs: number;
}

export interface RuleAttributes {
  /**
   * `{"cache": {"class": "strong" | "weak" | "immutable" | "off", "ttl_ms": n, "stale_while_revalidate_ms": m}}`; with a time to live
   * the class may be left out, which is `weak`.
   */
  readonly caching: RuleCaching | null;
  /** `{"causal_reads": "none" | "session" | "table"}` */
  readonly causalReads: CausalLevel | null;
  /** `{"rate_limit": {"per_second": n, "burst": m}}`; burst is `per_second` (at least 1) unless given. */
  readonly rateLimit: BucketSize | null;
  /** `{"flagOUTs": [{"id": n, "weight": m}]}`: one of them is taken by chance for each statement. */
  readonly flagOuts: readonly WeightedFlag[];
}

const NO_ATTRIBUTES: RuleAttributes = Object.freeze({
  caching: null,
  causalReads: null,
  rateLimit: null,
  flagOuts: [],
});

/** Beyond this a bucket is no limit. */
export const MAX_PER_SECOND = 10_000_000;
/** setTimeout's. */
const MAX_TTL_MS = 2_147_483_647;
const MAX_FLAG = 2_147_483_647;

/** @throws SyntaxError that says what was expected. */
export function parseAttributes(text: string): RuleAttributes {
  if (text.trim() === '') return NO_ATTRIBUTES;
  const value = parseObject(text);
  return {
    caching: value.cache === undefined ? null : parseCaching(value.cache),
    causalReads: value.causal_reads === undefined ? null : parseLevel(value.causal_reads),
    rateLimit: value.rate_limit === undefined ? null : parseBucket(value.rate_limit),
    flagOuts: value.flagOUTs === undefined ? [] : parseFlags(value.flagOUTs),
  };
}

const CACHING_KEYS: ReadonlySet<string> = new Set(['class', 'ttl_ms', 'stale_while_revalidate_ms']);

function parseCaching(value: unknown): RuleCaching {
  const expected = 'expected "cache": {"class": …, "ttl_ms": …, "stale_while_revalidate_ms": …}';
  if (!isJsonObject(value)) throw new SyntaxError(expected);
  const stray = Object.keys(value).find((key) => !CACHING_KEYS.has(key));
  if (stray !== undefined) throw new SyntaxError(`${expected}, not "${stray}"`);
  const { ttl_ms: ttlMs = null, stale_while_revalidate_ms: staleMs = null } = value;
  const { class: name = ttlMs === null ? undefined : CacheClass.weak } = value;
  const wish = CACHE_WISHES.find((one) => one === name);
  if (wish === undefined)
    throw new SyntaxError(`expected "class" of "cache" to be one of ${CACHE_WISHES.join(', ')}`);
  for (const [key, given] of [
    ['ttl_ms', ttlMs],
    ['stale_while_revalidate_ms', staleMs],
  ] as const) {
    if (given === null) continue;
    if (wish !== CacheClass.weak) throw new SyntaxError(`"${key}" is for the class weak, not for ${wish}`);
    if (!isSpan(given))
      throw new SyntaxError(`expected "${key}" of "cache" to be milliseconds, from 1 to ${MAX_TTL_MS}`);
  }
  return { wish, ttlMs: ttlMs as number | null, staleMs: (staleMs as number | null) ?? 0 };
}

function isSpan(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_TTL_MS;
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
  if (!isJsonObject(value)) throw new SyntaxError('expected a JSON object');
  return value;
}

function parseBucket(value: unknown): BucketSize {
  const expected = `expected "rate_limit": {"per_second": number, "burst": number}, each up to ${MAX_PER_SECOND}`;
  if (!isJsonObject(value)) throw new SyntaxError(expected);
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
    if (!isJsonObject(entry)) throw new SyntaxError(expected);
    const { id, weight } = entry;
    const isFlag = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= MAX_FLAG;
    if (!isFlag || typeof weight !== 'number' || !Number.isInteger(weight) || weight < 0)
      throw new SyntaxError(expected);
    return { flag: id, weight };
  });
}
