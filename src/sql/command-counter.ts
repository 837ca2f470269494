/** What statements are counted as: the names of ProxySQL's `stats_mysql_commands_counters`, which tools ask for. */

import { ClassReason, PinReason, type StatementClass, StatementKind } from './statement-class.ts';

export const COMMAND_NAMES = [
  'ALTER_TABLE',
  'ALTER_VIEW',
  'ANALYZE_TABLE',
  'BEGIN',
  'CALL',
  'CHANGE_MASTER',
  'COMMIT',
  'CREATE_DATABASE',
  'CREATE_INDEX',
  'CREATE_TABLE',
  'CREATE_TEMPORARY',
  'CREATE_TRIGGER',
  'CREATE_USER',
  'CREATE_VIEW',
  'DEALLOCATE',
  'DELETE',
  'DESCRIBE',
  'DROP_DATABASE',
  'DROP_INDEX',
  'DROP_TABLE',
  'DROP_TRIGGER',
  'DROP_USER',
  'DROP_VIEW',
  'GRANT',
  'EXECUTE',
  'EXPLAIN',
  'FLUSH',
  'INSERT',
  'KILL',
  'LOAD',
  'LOCK_TABLE',
  'OPTIMIZE',
  'PREPARE',
  'PURGE',
  'RELEASE_SAVEPOINT',
  'RENAME_TABLE',
  'RESET_MASTER',
  'RESET_SLAVE',
  'REPLACE',
  'REVOKE',
  'ROLLBACK',
  'ROLLBACK_SAVEPOINT',
  'SAVEPOINT',
  'SELECT',
  'SELECT_FOR_UPDATE',
  'SET',
  'SHOW_TABLE_STATUS',
  'START_TRANSACTION',
  'TRUNCATE_TABLE',
  'UNLOCK_TABLES',
  'UPDATE',
  'USE',
  'SHOW',
  'UNKNOWN',
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** What some of them are besides: counted apart, since operators look for them. */
const SPECIAL_NAMES = ['autocommit', 'set-names'] as const;
export type SpecialName = (typeof SPECIAL_NAMES)[number];

const NAMES: ReadonlySet<string> = new Set(COMMAND_NAMES);

/** Words of the classification that are called otherwise. */
const OTHER_WORDS: Readonly<Record<string, CommandName>> = {
  CHANGE: 'CHANGE_MASTER',
  CREATE_SCHEMA: 'CREATE_DATABASE',
  DESC: 'DESCRIBE',
  DROP_SCHEMA: 'DROP_DATABASE',
  LOCK: 'LOCK_TABLE',
  OPTIMIZE_TABLE: 'OPTIMIZE',
  RELEASE: 'RELEASE_SAVEPOINT',
  SHOW_TABLE: 'SHOW_TABLE_STATUS',
  TABLE: 'SELECT',
  TRUNCATE: 'TRUNCATE_TABLE',
  UNLOCK: 'UNLOCK_TABLES',
  VALUES: 'SELECT',
};

const RESET = /^reset\s+(master|slave|replica)\b/i;
const AUTOCOMMIT = /^set\s(?:.*[\s@.,])?autocommit\s*:?=/i;
const SET_NAMES = /^set\s+names\b/i;
const LOOKED_AT_BYTES = 200;

/** @param normalized the digest's bytes, for what the class does not tell. */
export function commandName(statement: StatementClass, normalized: Buffer): CommandName {
  const { command, kind, reason, pins } = statement;
  if (command === 'SELECT' && reason === ClassReason.lockingRead) return 'SELECT_FOR_UPDATE';
  if (command === 'CREATE_TABLE' && pins.includes(PinReason.temporaryTable)) return 'CREATE_TEMPORARY';
  if (command === 'ROLLBACK' && kind === StatementKind.savepoint) return 'ROLLBACK_SAVEPOINT';
  if (command === 'RESET') {
    const what = RESET.exec(start(normalized))?.[1]?.toLowerCase();
    if (what === undefined) return 'UNKNOWN';
    return what === 'master' ? 'RESET_MASTER' : 'RESET_SLAVE';
  }
  if (isCommandName(command)) return command;
  const other = OTHER_WORDS[command];
  if (other !== undefined) return other;
  if (command.startsWith('SHOW_')) return 'SHOW';
  return command.startsWith('SET') ? 'SET' : 'UNKNOWN';
}

export function specialName(statement: StatementClass, normalized: Buffer): SpecialName | null {
  if (!statement.command.startsWith('SET')) return null;
  const text = start(normalized);
  if (SET_NAMES.test(text)) return 'set-names';
  return AUTOCOMMIT.test(text) ? 'autocommit' : null;
}

function isCommandName(word: string): word is CommandName {
  return NAMES.has(word);
}

function start(normalized: Buffer): string {
  return normalized.toString('latin1', 0, Math.min(normalized.length, LOOKED_AT_BYTES));
}
