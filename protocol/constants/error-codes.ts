/**
 * Numbers and SQLSTATEs of server errors.
 * https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 * https://mariadb.com/kb/en/mariadb-error-code-reference/
 */

import { ErrorCode, MARIADB_SQL_STATES } from './error-codes-table.ts';

export { ErrorCode };
export type ErrorName = keyof typeof ErrorCode;

const GENERAL_ERROR = 'HY000';

const names = new Map<number, ErrorName>();
for (const name of Object.keys(ErrorCode) as ErrorName[]) {
  const { errno } = ErrorCode[name];
  if (!names.has(errno)) names.set(errno, name);
}
const mariadbStates: ReadonlyMap<number, string> = new Map(MARIADB_SQL_STATES);

/** The SQLSTATE that a server sends with an error number; `HY000` for a number that is not known. */
export function sqlStateOf(errno: number, isMariadb = false): string {
  const mariadbState = isMariadb ? mariadbStates.get(errno) : undefined;
  if (mariadbState !== undefined) return mariadbState;
  const name = names.get(errno);
  return name === undefined ? GENERAL_ERROR : ErrorCode[name].sqlState;
}

/** e.g. `ER_ACCESS_DENIED_ERROR` for 1045; null for a number that is not known. MySQL's name where both have one. */
export function errorNameOf(errno: number): ErrorName | null {
  return names.get(errno) ?? null;
}
