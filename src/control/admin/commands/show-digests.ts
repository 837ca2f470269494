import type { DigestRow } from '../../statistics/merge-digests.ts';
import { AdminError } from '../admin-error.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';
import { readLimit, utc } from './worker-answers.ts';

const DEFAULT_DIGESTS = 100;

interface NumberColumn extends Omit<ComputedColumn<DigestRow>, 'value'> {
  readonly value: (row: DigestRow) => number;
}

function number(name: string, meaning: string, value: NumberColumn['value']): NumberColumn {
  return { name, type: 'number', meaning, value };
}

function text(name: string, meaning: string, value: (row: DigestRow) => string): ComputedColumn<DigestRow> {
  return { name, meaning, value };
}

const NUMBERS = {
  count: number('count', 'Statements, exact since the digest has got its place', (row) => row.count),
  countError: number(
    'count_error',
    'So many more there may have been before (see `statistics.digestEntries`)',
    (row) => row.countError,
  ),
  sum: number(
    'sum_us',
    'Microseconds from arrival to the end of the answer, of all together',
    (row) => row.sumMicros,
  ),
  average: number('avg_us', 'The mean', (row) => Math.round(row.sumMicros / Math.max(1, row.count))),
  min: number('min_us', 'The shortest', (row) => row.minMicros),
  p50: number('p50_us', 'Half took no longer; known to 12.5 %', (row) => row.p50Micros),
  p95: number('p95_us', '95 % took no longer', (row) => row.p95Micros),
  p99: number('p99_us', '99 % took no longer', (row) => row.p99Micros),
  max: number('max_us', 'The longest', (row) => row.maxMicros),
  wait: number('wait_us', 'Of `sum_us`, waiting for a connection or a server', (row) => row.waitMicros),
  rowsSent: number('rows_sent', 'Rows of result sets', (row) => row.rowsSent),
  rowsAffected: number('rows_affected', 'Rows that were changed', (row) => row.rowsAffected),
  bytes: number('bytes', 'Bytes of the answers', (row) => row.bytes),
  errors: number('errors', 'Statements that ended in an error', (row) => row.errors),
};

const COLUMNS: readonly ComputedColumn<DigestRow>[] = [
  text('digest', 'Name of the digest, the same at all times', ({ digest }) => digest),
  number('hostgroup', 'Of the server that it went to; -1 where none was needed', (row) => row.hostgroup),
  text('schema', 'The schema that it came in; empty for none', ({ schema }) => schema),
  text('user', 'Account', ({ username }) => username),
  text('client', 'Address, if `statistics.trackClientAddress` is on', (row) => row.clientAddress),
  ...Object.values(NUMBERS),
  text('target', 'Where the last one went: as in SHOW ROUTES', ({ target }) => target),
  text('reason', 'Why', ({ reason }) => reason),
  text('first_seen', 'UTC', ({ firstSeen }) => utc(firstSeen * 1000)),
  text('last_seen', 'UTC', ({ lastSeen }) => utc(lastSeen * 1000)),
  text('digest_text', 'The statement without its literals', ({ digestText }) => digestText),
];

const ORDER_NAMES = Object.values(NUMBERS).map(({ name }) => name);

function orderBy(name: string, direction: string | undefined): (a: DigestRow, b: DigestRow) => number {
  const column = Object.values(NUMBERS).find((one) => one.name === name.toLowerCase());
  if (column === undefined)
    throw new AdminError('wrongArgument', `ORDER BY takes one of ${ORDER_NAMES.join(', ')}`);
  const sign = direction?.toUpperCase() === 'ASC' ? 1 : -1;
  return (a, b) => sign * (column.value(a) - column.value(b));
}

export const showDigests: AdminCommand = {
  name: 'SHOW DIGESTS',
  syntax: 'SHOW DIGESTS [ORDER BY column [ASC|DESC]] [LIMIT n]',
  help: 'The most frequent statements without their literals: times, rows, errors, and where they went; those that took the most time first',
  pattern: /^SHOW DIGESTS(?: ORDER BY ([a-z0-9_]{1,32})(?: (ASC|DESC))?)?(?: LIMIT ([0-9]{1,9}))?$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async ({ state, match }) => {
    const order = orderBy(match[1] ?? NUMBERS.sum.name, match[2]);
    const limit = readLimit(match[3], DEFAULT_DIGESTS);
    const { rows, missing } = await state.statistics.digests(false);
    const warnings = missing.map(
      (worker) => `Worker ${worker} has not answered in time: what it has counted is missing, or part of it`,
    );
    return { ...table(rows.toSorted(order).slice(0, limit), COLUMNS), warnings };
  },
};
