/**
 * Numbers, names and SQLSTATEs of server errors. They are looked for in one text: as objects they would take a third of a
 * megabyte in every thread, for what is asked a few times a day.
 * https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 * https://mariadb.com/kb/en/mariadb-error-code-reference/
 */

import { ERRORS, MARIADB_SQL_STATES } from './error-codes-table.ts';

const GENERAL_ERROR = 'HY000';

const mariadbStates: ReadonlyMap<number, string> = new Map(MARIADB_SQL_STATES);

/** Name and SQLSTATE; both undefined for a number that is not known. */
function find(errno: number): readonly (string | undefined)[] {
  const head = `\n${errno} `;
  const index = ERRORS.indexOf(head);
  if (index === -1) return [];
  const start = index + head.length;
  return ERRORS.slice(start, ERRORS.indexOf('\n', start)).split(' ');
}

/** The SQLSTATE that a server sends with an error number; `HY000` for a number that is not known. */
export function sqlStateOf(errno: number, isMariadb = false): string {
  const mariadbState = isMariadb ? mariadbStates.get(errno) : undefined;
  return mariadbState ?? find(errno)[1] ?? GENERAL_ERROR;
}

/** e.g. `ER_ACCESS_DENIED_ERROR` for 1045; null for a number that is not known. MySQL's name where both have one. */
export function errorNameOf(errno: number): string | null {
  return find(errno)[0] ?? null;
}
