/** What a worker tells of its result cache, in parts. */

import type { CacheAdvice, CacheRecord } from '../../common/inspection.ts';
import type { FlushCacheOrder } from '../../common/thread-messages.ts';
import type { ResultCache } from '../cache/result-cache.ts';
import type { DigestTally } from '../router/caching/digest-tally.ts';
import type { WorkerContext } from '../worker-context.ts';
import { Digests } from './route-record.ts';

/** Digests of one turn of the event loop. */
const PART = 200;

export function* cacheParts({
  cache,
  workerIndex,
}: WorkerContext): Generator<{ cache: CacheRecord[] }, void> {
  const tallies = cache.tallies.list();
  const digests = new Digests();
  for (let start = 0; start < tallies.length; start += PART)
    yield {
      cache: tallies.slice(start, start + PART).map((tally) => cacheRecord(tally, workerIndex, digests)),
    };
}

/** What was seen is told, and the watching ends. */
export function* cacheAdviceParts({
  cacheAdvisor,
  workerIndex,
}: WorkerContext): Generator<{ cacheAdvice: CacheAdvice[] }, void> {
  const digests = new Digests();
  const advice = cacheAdvisor.stop(
    workerIndex,
    (normalized) => digests.nameOf(normalized),
    (normalized) => digests.textOf(normalized),
  );
  for (let start = 0; start < advice.length; start += PART)
    yield { cacheAdvice: advice.slice(start, start + PART) };
}

function cacheRecord(tally: DigestTally, worker: number, digests: Digests): CacheRecord {
  const { normalized, decision, hits, misses, unproven, stored, notStored, expired, evicted } = tally;
  return {
    worker,
    digest: digests.nameOf(normalized),
    digestText: digests.textOf(normalized),
    class: decision?.class ?? '',
    source: decision?.source ?? '',
    entries: tally.entries,
    bytes: tally.bytes,
    hits,
    misses,
    unproven,
    stored,
    notStored,
    savedMs: tally.savedMs,
    expired,
    evicted,
    flushed: tally.flushed,
    outdated: Object.values(tally.outdated),
  };
}

/** What is being read now is not stored either. */
export function flushCache(cache: ResultCache, { table, digest }: FlushCacheOrder): void {
  if (table !== null) cache.flushTable(table);
  else if (digest !== null) flushDigest(cache, digest);
  else cache.tick();
}

function flushDigest(cache: ResultCache, digest: string): void {
  // Others may know of it.
  cache.secondLevel?.flushDigest(digest);
  const digests = new Digests();
  for (const tally of cache.tallies.list())
    if (digests.nameOf(tally.normalized) === digest) cache.flushDigest(tally);
}
