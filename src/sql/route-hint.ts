/** Reads what comments say of a statement's route: Sluice's own, and ProxySQL's `key=value;key=value`. */

import { CAUSAL_LEVELS, CausalLevel } from '../common/causal-level.ts';
import type { RouteHint } from './statement-class.ts';

type Draft = { -readonly [K in keyof RouteHint]: RouteHint[K] };

export const NO_HINT: RouteHint = Object.freeze({
  target: null,
  hostgroup: null,
  noCache: false,
  maxLagMs: null,
  causal: null,
  minGtid: false,
  minEpochMs: false,
});

/** ProxySQL's limit: what is longer is no lag. */
const MAX_LAG_MS = 600_000;
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
 * `primary`, `replica`, `hostgroup=N`, `nocache`, `max_lag_ms=N`, `min_gtid=…`, `causal=none|session|table`, separated by white
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
    case 'min_gtid':
      hint.minGtid = true;
      return;
    case 'min_epoch_ms':
      hint.minEpochMs = true;
      return;
  }
}

function readLevel(word: string, hint: Draft): void {
  const level = CAUSAL_LEVELS.find((each) => each === word);
  if (level === undefined) return;
  const before = CAUSAL_LEVELS.indexOf(hint.causal ?? CausalLevel.none);
  hint.causal = CAUSAL_LEVELS.indexOf(level) >= before ? level : hint.causal;
}
