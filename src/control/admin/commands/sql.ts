/**
 * Statements for SQLite. Which tables a user may read and write is decided where they are prepared, by the roles of
 * `src/store/statement-policy.ts`; that nobody but an admin user writes is decided by the dispatcher as well.
 */

import { answerSql } from '../sql/run-sql.ts';
import { toSqlite } from '../sql/sqlite-text.ts';
import { type AdminCommand, AdminRole, type CommandAnswer, type CommandCall } from './command.ts';
import { answerLiterals } from './select-literal.ts';

function run(call: CommandCall): Promise<CommandAnswer> {
  return answerSql(call, toSqlite(call.statement.source.toString('utf8')), call.parameters);
}

const READS = { takesAnyRest: true, takesParameters: true, changes: false, columns: [] } as const;
const WRITES = { ...READS, changes: true, access: AdminRole.admin } as const;

/** Behind all others: what clients ask in passing, and commands that begin with SELECT, are answered without a table. */
export const select: AdminCommand = {
  ...READS,
  name: 'SELECT',
  syntax: '{SELECT | WITH | VALUES | EXPLAIN} …',
  help: 'Any query of SQLite over the tables of the admin port',
  pattern: /^(?:SELECT|WITH|VALUES|EXPLAIN(?! ROUTE))\b/i,
  access: AdminRole.stats,
  execute: (call) => answerLiterals(call) ?? run(call),
};

export const write: AdminCommand = {
  ...WRITES,
  name: 'INSERT',
  syntax: '{INSERT | REPLACE} INTO <table> …, UPDATE <table> SET …, DELETE FROM <table> …',
  help: 'Changes tables of MEMORY, or `disk.<table>`; LOAD puts them into force',
  pattern: /^(?:INSERT|REPLACE|UPDATE|DELETE)\b/i,
  execute: run,
};

export const define: AdminCommand = {
  ...WRITES,
  name: 'CREATE',
  syntax: '{CREATE | DROP} {TABLE | INDEX | VIEW} …',
  help: 'Tables of your own beside those of Sluice',
  // The rest is refused with the reason.
  pattern: /^(?:CREATE|DROP|ALTER|REINDEX|ANALYZE|VACUUM|ATTACH|DETACH|PRAGMA|SAVEPOINT|RELEASE|END)\b/i,
  execute: run,
};
