/** The part of README about SQL, made of the tables and limits themselves. */

import type { AdminTable, AdminTableKind } from '../../common/admin-tables/admin-table.ts';
import { ALL_TABLES } from '../../common/admin-tables/all-tables.ts';
import { DEFAULT_STORE_LIMITS } from '../store/store-limits.ts';

const HEADINGS: Readonly<Partial<Record<AdminTableKind, string>>> = {
  config: 'Tables of the configuration: MEMORY as `main.<table>`, DISK as `disk.<table>`',
  stats: 'Statistics, in the schema `stats`',
  monitor: 'Checks of the monitor, in the schema `monitor`',
  history: 'What is kept over time, in the schema `stats_history`',
};
const MEBIBYTE = 1024 * 1024;

function tableLine({ name, columns, supported }: AdminTable): string {
  const note = supported ? '' : ' (of no effect, or empty: Sluice has nothing that it is for)';
  return `- \`${name}\`${note}: ${columns.join(', ')}`;
}

function tableList(): string[] {
  return Object.entries(HEADINGS).flatMap(([kind, heading]) => [
    '',
    `**${heading}**`,
    '',
    ...ALL_TABLES.filter((table) => table.kind === kind).map(tableLine),
  ]);
}

function limits(): string {
  const { maxRows, maxResultBytes, maxValueBytes, maxMemoryBytes, statementTimeoutMs, maxQueued } =
    DEFAULT_STORE_LIMITS;
  return (
    `${statementTimeoutMs / 1000} s for a statement, ${maxRows} rows and ${maxResultBytes / MEBIBYTE} MiB for its result, ` +
    `${maxValueBytes / MEBIBYTE} MiB for a value, ${maxMemoryBytes / MEBIBYTE} MiB for the process, ${maxQueued} statements waiting.`
  );
}

export function describeSql(): string[] {
  return [
    '',
    '## SQL',
    '',
    'What begins with SELECT, WITH, VALUES, EXPLAIN, INSERT, REPLACE, UPDATE or DELETE is run by SQLite, over tables with',
    "ProxySQL's names and columns. Any query works: joins, aggregates, window functions, recursion. Values are texts, as",
    'in ProxySQL; numbers may be written in quotes. Changes are made in MEMORY and take effect with `LOAD … TO RUNTIME`;',
    'every config table has a `runtime_<table>` that shows what is in force. Tables of your own can be created beside',
    'them; those in MEMORY are gone at the next start, those in `disk` stay.',
    '',
    'A `stats` user sees the schemas `stats`, `monitor` and `stats_history`, where `global_variables` holds the version;',
    'anything else is error 1045.',
    '',
    'Texts may be in single or double quotes. A backslash in them is a backslash, as the status flag',
    '`SERVER_STATUS_NO_BACKSLASH_ESCAPES` tells drivers, and a quote is doubled: regular expressions need no escaping. A',
    "statement that cannot be read so is taken for one with MySQL's escapes. There are no transactions: BEGIN, COMMIT and",
    'ROLLBACK are accepted, and every statement takes effect at once. Refused are ATTACH, PRAGMA, VACUUM, triggers, virtual',
    "and temporary tables, and changes of Sluice's own tables.",
    '',
    `Limits: ${limits()}`,
    'SQL runs in a process of its own (`src/store/`), at a lower priority; a statement that takes too long is ended, and',
    'MEMORY is as it was before.',
    '',
    'Errors: 1146, 1054 and 1064 name the nearest table, column or word; 1062 a key that is taken, 1048 a missing value,',
    '3819 a value that breaks a rule of its column, 1290 what nobody may do, 1104 a limit of size, 3024 one of time.',
    '',
    'With `dataDir`, `sluice.db` holds DISK and `sluice-history.db` the history. A damaged file is put aside as',
    '`….corrupt-<time>` and a new one begun; one that cannot be written to is read, and SAVE says why it fails.',
    ...tableList(),
  ];
}
