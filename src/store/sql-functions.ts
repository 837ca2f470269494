/** Functions of MySQL that clients use and SQLite lacks. */

import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { StatementContext } from '../common/store-messages.ts';

const CLOCK: readonly string[] = ['now', 'utc_timestamp', 'sysdate'];

function timestampText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

function sha1(data: string | Buffer): Buffer {
  return createHash('sha1').update(data).digest();
}

/** As a server's mysql_native_password stores it. */
function nativePassword(password: unknown): string | null {
  if (typeof password !== 'string') return null;
  return password === '' ? '' : `*${sha1(sha1(password)).toString('hex').toUpperCase()}`;
}

/** Whole numbers are bigint: SQLite takes others for fractions. `context` is what the statement that runs knows of its session. */
export function addFunctions(database: DatabaseSync, context: () => StatementContext): void {
  const add = (
    name: string,
    value: (...values: unknown[]) => string | bigint | null,
    varargs = false,
  ): void => {
    database.function(name, { varargs }, value as (...values: unknown[]) => string);
  };
  add('version', () => context().version);
  add('database', () => context().database);
  for (const name of ['user', 'session_user', 'system_user']) add(name, () => context().user);
  add('connection_id', () => BigInt(context().connectionId));
  for (const name of CLOCK) add(name, () => timestampText(Date.now() / 1000));
  add('unix_timestamp', () => BigInt(Math.floor(Date.now() / 1000)));
  add('from_unixtime', (seconds) => {
    const number = Number(seconds);
    return seconds === null || !Number.isFinite(number) ? null : timestampText(number);
  });
  database.function('mysql_native_password', { deterministic: true }, (password: unknown) =>
    nativePassword(password),
  );
}
