import { type CacheRecord, InspectSubject } from '../../../common/inspection.ts';
import { RaiseCause } from '../../../common/table-epochs.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';
import { askWorkers, cut, readLimit } from './worker-answers.ts';

const DEFAULT_DIGESTS = 100;

/** A digest over all workers. */
interface Row extends CacheRecord {
  /** Whose writes end its entries at once. */
  readonly follows: string;
}

function number(name: string, meaning: string, value: (row: Row) => number): ComputedColumn<Row> {
  return { name, type: 'number', meaning, value };
}

function text(name: string, meaning: string, value: (row: Row) => string): ComputedColumn<Row> {
  return { name, meaning, value };
}

const COLUMNS: readonly ComputedColumn<Row>[] = [
  text('digest', 'Name of the digest, the same at all times', (row) => row.digest),
  text('class', '`strong`, `weak` or `immutable`, by its last statement', (row) => row.class),
  text('source', 'Who has said so: a hint, a query rule, a cache rule, `auto`', (row) => row.source),
  text(
    'follows',
    'Whose writes it is proven fresh of: `own` (through this Sluice only), `all` (the binlog is followed), `suspended` (the follower does not know: nothing is served), `none` (of another class)',
    (row) => row.follows,
  ),
  number('entries', 'Results that are stored now', (row) => row.entries),
  number('bytes', 'What they take, with keys and overhead', (row) => row.bytes),
  number('hits', 'Statements that were answered from the cache', (row) => row.hits),
  number('misses', 'Statements of which nothing was stored that might be served', (row) => row.misses),
  number(
    'unproven',
    'Statements that went to a server because something was being written, or the follower was late',
    (row) => row.unproven,
  ),
  {
    name: 'hit_rate',
    type: 'real',
    meaning: 'Hits of all three, from 0 to 1',
    value: (row) => hitRate(row).toFixed(3),
  },
  number('saved_ms', 'What servers took for the answers that hits have repeated', (row) =>
    Math.round(row.savedMs),
  ),
  number('stored', 'Answers that were stored', (row) => row.stored),
  number(
    'not_stored',
    'Answers that were not: too large, an error, or outdated when they came',
    (row) => row.notStored,
  ),
  number('ended_by_write', 'Entries that a write through this Sluice has ended', by(RaiseCause.write)),
  number('ended_by_foreign', '… a write past it', by(RaiseCause.foreign)),
  number('ended_by_unknown', '… a statement of which nobody knows what it writes', by(RaiseCause.everything)),
  number('ended_by_term', '… another primary', by(RaiseCause.term)),
  number('ended_by_flush', 'Entries that were flushed', (row) => row.flushed + by(RaiseCause.flush)(row)),
  number('expired', 'Entries whose time was over', (row) => row.expired),
  number('evicted', 'Entries that had to make room', (row) => row.evicted),
  text('digest_text', 'The statement without its literals', (row) => row.digestText),
];

function by(cause: RaiseCause): (row: Row) => number {
  return (row) => row.outdated[cause] ?? 0;
}

function hitRate({ hits, misses, unproven }: CacheRecord): number {
  return hits / Math.max(1, hits + misses + unproven);
}

function added(a: CacheRecord, b: CacheRecord): CacheRecord {
  return {
    ...a,
    entries: a.entries + b.entries,
    bytes: a.bytes + b.bytes,
    hits: a.hits + b.hits,
    misses: a.misses + b.misses,
    unproven: a.unproven + b.unproven,
    stored: a.stored + b.stored,
    notStored: a.notStored + b.notStored,
    savedMs: a.savedMs + b.savedMs,
    expired: a.expired + b.expired,
    evicted: a.evicted + b.evicted,
    flushed: a.flushed + b.flushed,
    outdated: a.outdated.map((count, cause) => count + (b.outdated[cause] ?? 0)),
  };
}

/** @param state of the follower. */
function followsBy(state: string, cacheClass: string): string {
  if (cacheClass !== 'strong') return 'none';
  if (state === 'off') return 'own';
  return state === 'following' ? 'all' : 'suspended';
}

export const showCache: AdminCommand = {
  name: 'SHOW CACHE',
  syntax: 'SHOW CACHE [LIMIT n]',
  help: 'What the result cache has done, digest by digest: entries, hits, time saved, and what has ended entries; those that saved the most first',
  pattern: /^SHOW CACHE(?: LIMIT ([0-9]{1,9}))?$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async ({ state, match }) => {
    const limit = readLimit(match[1], DEFAULT_DIGESTS);
    const { cache, warnings } = await askWorkers(state, {
      subject: InspectSubject.cache,
      connectionId: null,
      limit,
    });
    const follower = state.counters().follower?.state ?? 'off';
    const sums = new Map<string, CacheRecord>();
    for (const record of cache) {
      const sum = sums.get(record.digest);
      sums.set(record.digest, sum === undefined ? record : added(sum, record));
    }
    const rows = [...sums.values()]
      .map((record): Row => ({ ...record, follows: followsBy(follower, record.class) }))
      .sort((a, b) => b.savedMs - a.savedMs || b.hits - a.hits);
    const { kept, warnings: left } = cut(rows, limit, 'digests');
    const own =
      follower === 'off' && rows.some((row) => row.class === 'strong')
        ? [
            'The binlog is not followed: strong entries are proven fresh of writes through this Sluice only, not of those of events of the server (event_scheduler)',
          ]
        : [];
    return { ...table(kept, COLUMNS), warnings: [...warnings, ...left, ...own] };
  },
};
