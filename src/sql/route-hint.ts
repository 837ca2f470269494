/** Reads what comments say of a statement's route: Sluice's own, and ProxySQL's `key=value;key=value`. */

import { CACHE_WISHES, CacheClass, type CacheWish } from '../common/cache-settings.ts';
import { CAUSAL_LEVELS, CausalLevel } from '../common/causal-level.ts';
import type { CacheHint, RouteHint } from './statement-class.ts';

type Draft = { -readonly [K in keyof RouteHint]: RouteHint[K] };

export const NO_HINT: RouteHint = Object.freeze({
  target: null,
  hostgroup: null,
  noCache: false,
  cache: null,
  maxLagMs: null,
  causal: null,
  minGtid: false,
  minEpochMs: false,
});

/** ProxySQL's limit: what is longer is no lag. */
const MAX_LAG_MS = 600_000;
/** setTimeout's: what is longer is no time to live. */
const MAX_TTL_MS = 2_147_483_647;
/** The stricter ones first. */
const STRICTNESS: readonly CacheWish[] = ['off', CacheClass.strong, CacheClass.weak, CacheClass.immutable];
const OFF: CacheHint = Object.freeze({ wish: 'off', ttlMs: null, staleMs: null });
/** What the digest takes for white space in a hint. */
const BLANKS = /[ \t-\r]+/g;

/** @param comments from `hintText`. Where two contradict each other the stricter one holds. */
export function parseRouteHints(comments: readonly string[]): RouteHint {
  if (comments.length === 0) return NO_HINT;
  const hint: Draft = { ...NO_HINT };
  for (const comment of comments) {
    const text = comment.toLowerCase();
    if (text.startsWith(';')) readProxysqlHints(text, hint);
    else readSluiceHints(text, hint);
  }
  return hint;
}

/**
 * `primary`, `replica`, `hostgroup=N`, `nocache`, `max_lag_ms=N`, `min_gtid=…`, `causal=none|session|table`,
 * `cache=strong|weak|immutable|off`, `cache_ttl_ms=N`, `cache_stale_ms=N`, separated by white
 * space or commas, the prefix repeated or not, in any case. What is not known is passed over.
 */
function readSluiceHints(text: string, hint: Draft): void {
  for (const word of text.replace(/\s*([:=])\s*/g, '$1').split(/[\s,]+/)) {
    const directive = word.startsWith('sluice:') ? word.slice('sluice:'.length) : word;
    if (directive === 'primary') hint.target = 'primary';
    else if (directive === 'replica') hint.target ??= 'replica';
    else if (directive === 'nocache') hint.noCache = true;
    else if (directive.startsWith('causal=')) readLevel(directive.slice('causal='.length), hint);
    else readPair(directive, hint);
  }
}

function readProxysqlHints(text: string, hint: Draft): void {
  for (const part of text.split(';')) readPair(part.replace(BLANKS, ''), hint);
}

function readPair(pair: string, hint: Draft): void {
  const at = pair.indexOf('=');
  if (at < 0) return;
  const value = pair.slice(at + 1);
  switch (pair.slice(0, at)) {
    case 'hostgroup':
      if (/^\d{1,9}$/.test(value)) hint.hostgroup = Number(value);
      return;
    case 'max_lag_ms':
      if (/^\d{1,6}$/.test(value) && Number(value) <= MAX_LAG_MS)
        hint.maxLagMs = Math.min(hint.maxLagMs ?? MAX_LAG_MS, Number(value));
      return;
    case 'cache':
      addCaching(hint, {
        wish: CACHE_WISHES.find((wish) => wish === value) ?? 'off',
        ttlMs: null,
        staleMs: null,
      });
      return;
    case 'cache_ttl':
    case 'cache_ttl_ms':
      addCaching(
        hint,
        spanOf(value, (ttlMs) => ({ wish: null, ttlMs, staleMs: null })),
      );
      return;
    case 'cache_stale_ms':
      addCaching(
        hint,
        spanOf(value, (staleMs) => ({ wish: null, ttlMs: null, staleMs })),
      );
      return;
    case 'min_gtid':
      hint.minGtid = true;
      return;
    case 'min_epoch_ms':
      hint.minEpochMs = true;
      return;
  }
}

/** What cannot be understood must not be cached longer than it was meant to be. */
function spanOf(value: string, hintOf: (ms: number) => CacheHint): CacheHint {
  const ms = /^\d{1,10}$/.test(value) ? Number(value) : 0;
  return ms >= 1 && ms <= MAX_TTL_MS ? hintOf(ms) : OFF;
}

function addCaching(hint: Draft, more: CacheHint): void {
  const before = hint.cache;
  if (before === null) {
    hint.cache = more;
    return;
  }
  hint.cache = {
    wish: STRICTNESS.find((wish) => wish === before.wish || wish === more.wish) ?? null,
    ttlMs: shorter(before.ttlMs, more.ttlMs),
    staleMs: shorter(before.staleMs, more.staleMs),
  };
}

function shorter(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

function readLevel(word: string, hint: Draft): void {
  const level = CAUSAL_LEVELS.find((each) => each === word);
  if (level === undefined) return;
  const before = CAUSAL_LEVELS.indexOf(hint.causal ?? CausalLevel.none);
  hint.causal = CAUSAL_LEVELS.indexOf(level) >= before ? level : hint.causal;
}
