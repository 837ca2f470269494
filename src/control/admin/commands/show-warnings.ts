import { type AdminCommand, AdminRole, type CommandColumn } from './command.ts';

const COLUMNS: readonly CommandColumn[] = [
  { name: 'Level', meaning: '`Note`, `Warning` or `Error`' },
  { name: 'Code', type: 'number', meaning: 'Number of the message' },
  { name: 'Message', meaning: 'What was said' },
];

export const showWarnings: AdminCommand = {
  name: 'SHOW WARNINGS',
  syntax: 'SHOW {WARNINGS | ERRORS}',
  help: 'For drivers that ask; empty: no command here leaves warnings, and errors are sent at once',
  pattern: /^SHOW (?:WARNINGS|ERRORS)$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: () => ({ kind: 'rows', columns: COLUMNS, rows: [] }),
};
