import { setTimeout } from 'node:timers/promises';

import { type CacheAdvice, InspectSubject } from '../../../common/inspection.ts';
import { AdminError } from '../admin-error.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';
import { askWorkers } from './worker-answers.ts';

const DEFAULT_SECONDS = 10;
const MAX_SECONDS = 300;
const LIMIT = 1000;
/** What looking up and keeping an answer costs is below a tenth of it. */
const WORTH_MS_PER_SECOND = 0.1;
const WORTH_HIT_RATE = 0.1;

function number(
  name: string,
  meaning: string,
  value: (row: CacheAdvice) => number,
): ComputedColumn<CacheAdvice> {
  return { name, type: 'number', meaning, value };
}

function real(
  name: string,
  meaning: string,
  value: (row: CacheAdvice) => number,
): ComputedColumn<CacheAdvice> {
  return { name, type: 'real', meaning, value: (row) => value(row).toFixed(3) };
}

function perSecond(count: number, { watchedMs }: CacheAdvice): number {
  return (count * 1000) / Math.max(1, watchedMs);
}

function hitRate({ hits, statements }: CacheAdvice): number {
  return hits / Math.max(1, statements);
}

function savedPerSecond(row: CacheAdvice): number {
  return perSecond(row.hits, row) * row.serverMs;
}

/** Ready to be sent to this port. */
function ruleFor(row: CacheAdvice): string {
  if (row.cachedBy !== '') return `-- cached already: ${row.cachedBy}`;
  if (hitRate(row) < WORTH_HIT_RATE || savedPerSecond(row) < WORTH_MS_PER_SECOND)
    return '-- not worth it, by what was seen';
  return `INSERT INTO mysql_query_rules (active, digest, attributes, apply) VALUES (1, '${row.digest}', '{"cache":{"class":"strong"}}', 0)`;
}

const COLUMNS: readonly ComputedColumn<CacheAdvice>[] = [
  { name: 'digest', meaning: 'Name of the digest, the same at all times', value: ({ digest }) => digest },
  number('statements', 'That came while it was watched', (row) => row.statements),
  real('statements_per_s', 'Of them each second', (row) => perSecond(row.statements, row)),
  number('distinct', 'Different ones, by literals, user, schema and variables', (row) => row.distinct),
  real(
    'repeat_rate',
    'Share of those that had come before',
    (row) => row.repeats / Math.max(1, row.statements),
  ),
  real('writes_per_s', 'How often its tables were written each second', (row) => perSecond(row.writes, row)),
  real(
    'expected_hit_rate',
    'Share of those that had come before and since the last write to their tables: a strong entry would have answered them',
    hitRate,
  ),
  real('server_ms', 'What a server takes for one', (row) => row.serverMs),
  real('saved_ms_per_s', "Of servers' time that hits would save each second", savedPerSecond),
  {
    name: 'rule',
    meaning: 'A rule for it, ready to be sent to this port (then LOAD MYSQL QUERY RULES TO RUNTIME)',
    value: ruleFor,
  },
  {
    name: 'digest_text',
    meaning: 'The statement without its literals',
    value: ({ digestText }) => digestText,
  },
];

function added(a: CacheAdvice, b: CacheAdvice): CacheAdvice {
  const statements = a.statements + b.statements;
  return {
    ...a,
    watchedMs: Math.max(a.watchedMs, b.watchedMs),
    statements,
    distinct: a.distinct + b.distinct,
    repeats: a.repeats + b.repeats,
    hits: a.hits + b.hits,
    // Each worker has seen all writes that came between its own reads.
    writes: Math.max(a.writes, b.writes),
    serverMs: (a.serverMs * a.statements + b.serverMs * b.statements) / Math.max(1, statements),
    cachedBy: a.cachedBy || b.cachedBy,
  };
}

function readSeconds(text: string | undefined): number {
  const seconds = text === undefined ? DEFAULT_SECONDS : Number(text);
  if (seconds < 1 || seconds > MAX_SECONDS)
    throw new AdminError('wrongArgument', `FOR takes 1 to ${MAX_SECONDS} seconds`);
  return seconds;
}

export const adviseCache: AdminCommand = {
  name: 'ADVISE CACHE',
  syntax: 'ADVISE CACHE [FOR n SECONDS]',
  help: 'Watches the reads that come by for 10 seconds, or n, and tells of each digest what a strong entry would do for it, with a rule ready to be loaded',
  pattern: /^ADVISE CACHE(?: FOR ([0-9]{1,6}) SECONDS?)?$/i,
  access: AdminRole.admin,
  changes: false,
  columns: COLUMNS,
  // It takes as long as it is told.
  timeoutMs: (MAX_SECONDS + 10) * 1000,
  execute: async ({ state, match }) => {
    const seconds = readSeconds(match[1]);
    if (!state.cache.beginWatch())
      throw new AdminError('wrongArgument', 'Another ADVISE CACHE is watching: there is one at a time');
    try {
      await setTimeout(seconds * 1000);
      const { cacheAdvice, warnings } = await askWorkers(state, {
        subject: InspectSubject.cacheAdvice,
        connectionId: null,
        limit: LIMIT,
        reset: true,
      });
      const sums = new Map<string, CacheAdvice>();
      for (const advice of cacheAdvice) {
        const sum = sums.get(advice.digest);
        sums.set(advice.digest, sum === undefined ? advice : added(sum, advice));
      }
      const rows = [...sums.values()].sort(
        (a, b) => savedPerSecond(b) - savedPerSecond(a) || b.statements - a.statements,
      );
      return { ...table(rows.slice(0, LIMIT), COLUMNS), warnings };
    } finally {
      state.cache.endWatch();
    }
  },
};
