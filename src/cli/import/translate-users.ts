/** Accounts. ProxySQL can have one row for clients and another one for servers; here an account is both. */
import type { Config, UserConfig } from '../../../config/schema.ts';
import { userMapping } from '../../control/runtime/user-rows.ts';
import type { ImportReport } from './import-report.ts';
import type { ProxySqlSource, SourceRow } from './proxysql-source.ts';
import { type ColumnReasons, listFrom, rowsOf, withoutColumns, withValue } from './source-list.ts';
import { cellOf, isSaid } from './source-tables.ts';

const USERS = 'mysql_users';
const KEY = ['username'];

const COLUMNS: ColumnReasons = {
  transaction_persistent: 'a transaction always stays on its server',
  schema_locked: 'an account may change the schema, its privileges say which',
};

/** JSON keys that mean something here. */
const KNOWN_ATTRIBUTES: ReadonlySet<string> = new Set(['rate_limit', 'causal_reads']);
const CACHING_SHA2 = /^\$A\$[0-9A-Fa-f]{3}\$/;

function nameOf(row: SourceRow): string {
  return String(cellOf(USERS, row, 'username') ?? '');
}

function is(row: SourceRow, column: string): boolean {
  return Number(cellOf(USERS, row, column)) === 1;
}

function passwordOf(row: SourceRow): string {
  return String(cellOf(USERS, row, 'password') ?? '');
}

/** The frontend's row with what the backend's has to agree with. */
function merged(rows: readonly SourceRow[], report: ImportReport): SourceRow | null {
  const frontend = rows.findLast((row) => is(row, 'frontend'));
  const backend = rows.findLast((row) => is(row, 'backend'));
  const what = `${USERS} '${nameOf(rows[0]!)}'`;
  if (frontend === undefined) {
    report.missing(
      what,
      'for servers only (frontend 0): Sluice logs in at servers as its clients do',
      backend?.place,
    );
    return null;
  }
  if (backend === undefined) {
    report.attention(what, 'for clients only (backend 0): the servers need the same account', frontend.place);
  } else if (passwordOf(backend) !== passwordOf(frontend)) {
    const message =
      'left out: its passwords for clients and for servers differ, here they are the same account';
    report.attention(what, message, frontend.place);
    return null;
  }
  return withValue(withValue(frontend, 'frontend', 1), 'backend', 1);
}

function withoutAttributes(row: SourceRow, report: ImportReport): SourceRow {
  const text = String(cellOf(USERS, row, 'attributes') ?? '');
  if (text.trim() === '') return row;
  const what = `${USERS} '${nameOf(row)}', column attributes`;
  try {
    const all = Object.entries(JSON.parse(text) as Readonly<Record<string, unknown>>);
    const known = all.filter(([name]) => KNOWN_ATTRIBUTES.has(name));
    const unknown = all.filter(([name]) => !KNOWN_ATTRIBUTES.has(name)).map(([name]) => name);
    if (unknown.length > 0) report.missing(what, `nothing is done with ${unknown.join(', ')}`, row.place);
    return withValue(row, 'attributes', known.length === 0 ? '' : JSON.stringify(Object.fromEntries(known)));
  } catch {
    report.attention(what, 'this is no JSON; nothing was taken', row.place);
    return withValue(row, 'attributes', '');
  }
}

function hasUsablePassword(row: SourceRow, report: ImportReport): boolean {
  const password = passwordOf(row);
  const what = `${USERS} '${nameOf(row)}'`;
  if (CACHING_SHA2.test(password)) {
    report.attention(
      what,
      'left out: its password is a hash of caching_sha2_password, with which nobody can log in at a server. Give the password itself, or take the accounts of the primary: users: {source: backend}',
      row.place,
    );
    return false;
  }
  if (password === '') report.attention(what, 'anybody can log in with it, it has no password', row.place);
  return true;
}

/** Whether somebody has said how many connections it may have. */
function hasLimit({ holdsDefaults }: ProxySqlSource, row: SourceRow): boolean {
  return row.values.has('max_connections') && !(holdsDefaults && !isSaid(USERS, row, 'max_connections'));
}

/** All accounts that clients have, whatever hostgroup they are for. */
export async function readUsers(
  source: ProxySqlSource,
  config: Config,
  report: ImportReport,
): Promise<readonly UserConfig[]> {
  const named = rowsOf(source, USERS).filter((row) => {
    if (nameOf(row) !== '') return true;
    report.attention(USERS, 'left out, as ProxySQL does: an account needs a name', row.place);
    return false;
  });
  const rows = [...Map.groupBy(named, nameOf).values()].flatMap((same) => {
    const row = merged(same, report);
    if (row === null || !hasUsablePassword(row, report)) return [];
    return [withoutAttributes(withoutColumns(USERS, KEY, row, COLUMNS, report), report)];
  });
  const limited = new Set(rows.filter((row) => hasLimit(source, row)).map(nameOf));
  const users = await listFrom(userMapping(config), rows, report);
  return users.map((user) => (limited.has(user.username) ? user : { ...user, maxConnections: 0 }));
}
