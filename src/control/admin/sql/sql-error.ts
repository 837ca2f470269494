/** What SQLite says, in MySQL's numbers and with the nearest name that there is. */

import { nearestName } from '../../../../config/nearest-name.ts';
import { ALL_TABLES } from '../../../common/admin-tables/all-tables.ts';
import { StoreError } from '../../store/store-error.ts';
import { AdminError, type AdminErrorKind, quoted } from '../admin-error.ts';

const SQLITE_READONLY = 8;
const SQLITE_CONSTRAINT = 19;

const KEYWORDS =
  'SELECT FROM WHERE GROUP ORDER BY HAVING LIMIT OFFSET INSERT REPLACE INTO VALUES UPDATE SET DELETE JOIN LEFT INNER ON USING AND OR NOT NULL IN LIKE BETWEEN DISTINCT UNION EXISTS CREATE TABLE VIEW DROP'.split(
    ' ',
  );

type Translation = readonly [RegExp, AdminErrorKind, (found: RegExpExecArray, sql: string) => string];

const hint = (nearest: string | null): string => (nearest === null ? '' : `, did you mean ${nearest}?`);

function tableHint(name: string): string {
  const bare = name.slice(name.indexOf('.') + 1);
  return hint(nearestName(bare, new Set(ALL_TABLES.map((table) => table.name))));
}

/** Of the tables that the statement names. */
function columnHint(name: string, sql: string): string {
  const words = new Set(sql.toLowerCase().match(/\w+/g) ?? []);
  const named = ALL_TABLES.filter((table) => words.has(table.name.toLowerCase()));
  const bare = name.slice(name.lastIndexOf('.') + 1);
  return hint(nearestName(bare, new Set(named.flatMap((table) => table.columns))));
}

const TRANSLATIONS: readonly Translation[] = [
  [
    /^no such table: (.+)$/,
    'unknownTable',
    ([, name = '']) => `Table ${quoted(name)} doesn't exist${tableHint(name)}`,
  ],
  [
    /^no such column: (.+?)(?: - should this be .*)?$/,
    'unknownColumn',
    ([, name = ''], sql) => `Unknown column ${quoted(name)}${columnHint(name, sql)}`,
  ],
  [
    /^table (\S+) has no column named (.+)$/,
    'unknownColumn',
    ([, table = '', name = ''], sql) =>
      `Unknown column ${quoted(name)} in table ${quoted(table)}${columnHint(name, sql)}`,
  ],
  [
    /^ambiguous column name: (.+)$/,
    'ambiguousColumn',
    ([, name = '']) => `Column ${quoted(name)} is ambiguous`,
  ],
  [
    /^no such function: (.+)$/,
    'unknownFunction',
    ([, name = '']) => `Function ${quoted(name)} does not exist`,
  ],
  [/^table (\S+) has \d+ columns but \d+ values/, 'wrongValueCount', ([text]) => sentence(text)],
  [/^\d+ values for \d+ columns$/, 'wrongValueCount', ([text]) => sentence(text)],
  [/^all VALUES must have the same number of terms$/, 'wrongValueCount', ([text]) => sentence(text)],
  [/^(?:table|view|index) (\S+) already exists$/, 'tableExists', ([text]) => sentence(text)],
  [
    /^near "(.*)": syntax error$/s,
    'syntax',
    ([, near = '']) =>
      `You have an error in your SQL syntax near ${quoted(near)}${/^\w+$/.test(near) ? keywordHint(near) : ''}`,
  ],
  [
    /^incomplete input$/,
    'syntax',
    () => 'You have an error in your SQL syntax: the statement ends too early',
  ],
  [
    /^unrecognized token: (.*)$/s,
    'syntax',
    ([, token = '']) => `You have an error in your SQL syntax near ${token}`,
  ],
  [
    /^UNIQUE constraint failed: (.+)$/,
    'duplicateKey',
    ([, columns = '']) => `Duplicate entry for the key (${columns})`,
  ],
  [
    /^NOT NULL constraint failed: (.+)$/,
    'notNull',
    ([, column = '']) => `Column ${quoted(column)} cannot be null, and has no default`,
  ],
  [
    /^CHECK constraint failed: (.+)$/s,
    'checkFailed',
    ([, rule = '']) => `A value is not allowed: it must fulfil ${rule}`,
  ],
];

function keywordHint(near: string): string {
  const nearest = nearestName(near, KEYWORDS);
  return nearest === null || nearest === near.toUpperCase() ? '' : hint(nearest);
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param user in the form of MySQL's "access denied", for what only admin users may do */
export function explainStoreError(
  error: StoreError,
  sql: string,
  user: string,
  isAdmin: boolean,
): AdminError {
  const { kind, message, code } = error;
  switch (kind) {
    case 'denied':
      if (isAdmin) return new AdminError('notAllowed', message);
      return new AdminError('accessDenied', `Access denied for user ${user}: ${message}`);
    case 'timeout':
      return new AdminError('timeout', message);
    case 'limit':
      return new AdminError('tooLarge', message);
    case 'noDisk':
      return new AdminError('notAllowed', message);
    case 'lost':
      return new AdminError('other', message);
    case 'sql':
      return explainSql(message, code, sql);
  }
}

function explainSql(message: string, code: number, sql: string): AdminError {
  for (const [pattern, kind, say] of TRANSLATIONS) {
    const found = pattern.exec(message);
    if (found !== null) return new AdminError(kind, say(found, sql));
  }
  if ((code & 0xff) === SQLITE_CONSTRAINT) return new AdminError('checkFailed', message);
  if ((code & 0xff) === SQLITE_READONLY) return new AdminError('notAllowed', message);
  return new AdminError('other', sentence(message));
}

export function isStoreError(error: unknown): error is StoreError {
  return error instanceof StoreError;
}
