import { type AdminCommand, AdminRole, type CommandColumn } from './command.ts';
import { namedTable, TABLE_NAME } from './show-fields.ts';

const COLUMNS: readonly CommandColumn[] = [
  { name: 'table', meaning: 'Name' },
  { name: 'Create Table', meaning: 'The statement that makes it, for SQLite' },
];

export const showCreateTable: AdminCommand = {
  name: 'SHOW CREATE TABLE',
  syntax: 'SHOW CREATE TABLE [schema.]table',
  help: 'How a table is defined, with defaults and what values are allowed',
  pattern: new RegExp(`^SHOW CREATE (?:TABLE|VIEW) ${TABLE_NAME}$`, 'is'),
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async (call) => {
    const { name, ddl } = await namedTable(call, call.match.slice(1));
    return { kind: 'rows', columns: COLUMNS, rows: [[name, ddl]] };
  },
};
