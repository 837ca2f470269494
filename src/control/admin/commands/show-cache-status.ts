import type { CounterSnapshot, WorkerCounterName } from '../../metrics/counter-snapshot.ts';
import type { AdminState } from '../admin-state.ts';
import { type AdminCommand, AdminRole, type CommandColumn } from './command.ts';

const COLUMNS: readonly CommandColumn[] = [
  { name: 'Variable_name', meaning: 'What it is' },
  { name: 'Value', meaning: 'Over all workers; counts are since the start' },
];

const WORKER_ROWS: readonly (readonly [string, WorkerCounterName])[] = [
  ['entries', 'cacheEntries'],
  ['bytes', 'cacheBytes'],
  ['hits', 'cacheHits'],
  ['misses', 'cacheMisses'],
  ['unproven', 'cacheUnproven'],
  ['saved_ms', 'cacheSavedMs'],
  ['stored', 'cacheStored'],
  ['not_stored', 'cacheNotStored'],
  ['waits', 'cacheWaits'],
  ['waits_expired', 'cacheWaitsExpired'],
  ['ended_by_writes', 'cacheInvalidated'],
  ['expired', 'cacheExpired'],
  ['evicted', 'cacheEvicted'],
  ['flushed', 'cacheFlushed'],
];

function sum({ workers }: CounterSnapshot, counter: WorkerCounterName): number {
  return workers.reduce((total, { counters }) => total + counters[counter], 0);
}

function sentence(state: string, maxLagMs: number, predecessor: number | null): string {
  if (predecessor !== null)
    return `strong entries are not served: process ${predecessor}, from which this one has taken over, still serves clients`;
  if (state === 'off')
    return 'strong entries are proven fresh of writes through this Sluice only: not of those of others, nor of events of the server';
  if (state === 'following')
    return `strong entries are proven fresh of all writes: through this Sluice at once, past it within ${maxLagMs} ms`;
  return 'strong entries are not served: nobody knows what was written past this Sluice';
}

function* rowsOf(state: AdminState): Generator<[string, string]> {
  const all = state.counters();
  const { enabled, maxBytes, auto, follower: bound } = state.cacheSettings();
  const { maxLagMs } = bound;
  yield ['enabled', enabled ? 'ON' : 'OFF'];
  yield ['auto', auto];
  yield ['max_bytes', String(maxBytes)];
  for (const [name, counter] of WORKER_ROWS) yield [name, String(Math.round(sum(all, counter)))];
  const { follower } = all;
  yield ['follower', follower?.state ?? 'off'];
  yield ['freshness', sentence(follower?.state ?? 'off', maxLagMs, all.handover.before?.pid ?? null)];
  if (follower === null) return;
  const { tally } = follower;
  const ages = tally.ages();
  yield ['follower_server', follower.address];
  yield ['follower_reason', follower.reason];
  yield ['follower_remedy', follower.remedy];
  yield ['follower_max_lag_ms', String(maxLagMs)];
  yield ['follower_age_ms', figure(follower.ageMs)];
  yield ['follower_age_p50_ms', figure(ages.p50Ms)];
  yield ['follower_age_p99_ms', figure(ages.p99Ms)];
  yield ['follower_events', String(tally.events)];
  yield ['follower_row_events', String(tally.rowEvents)];
  yield ['follower_bytes', String(tally.bytes)];
  yield ['follower_transactions', String(tally.transactions)];
  yield ['follower_foreign_transactions', String(tally.foreignTransactions)];
  yield ['follower_losses', String(tally.losses)];
  yield ['follower_suspensions', String(tally.suspensions)];
}

function figure(ms: number | null): string {
  return ms === null ? '' : String(Math.round(ms));
}

export const showCacheStatus: AdminCommand = {
  name: 'SHOW CACHE STATUS',
  syntax: 'SHOW CACHE STATUS',
  help: 'The result cache in all: limits, entries, hits, and how the binlog follower is, on which it depends what `strong` means',
  pattern: /^SHOW CACHE STATUS$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) => ({ kind: 'rows', columns: COLUMNS, rows: [...rowsOf(state)] }),
};
