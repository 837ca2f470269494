import { type AdminCommand, AdminRole, type CommandColumn } from './command.ts';

/** All there is to warn of is an answer that is not complete. */
const ER_QUERY_TIMEOUT = 3024;

const COLUMNS: readonly CommandColumn[] = [
  { name: 'Level', meaning: '`Note`, `Warning` or `Error`' },
  { name: 'Code', type: 'number', meaning: 'Number of the message' },
  { name: 'Message', meaning: 'What was said' },
];

export const showWarnings: AdminCommand = {
  name: 'SHOW WARNINGS',
  syntax: 'SHOW {WARNINGS | ERRORS}',
  help: 'What the command before has warned of: a worker that did not answer, rows that are not shown',
  pattern: /^SHOW (?:WARNINGS|ERRORS)$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ session }) => ({
    kind: 'rows',
    columns: COLUMNS,
    rows: session.warnings.map((message) => ['Warning', ER_QUERY_TIMEOUT, message]),
    keepsWarnings: true,
  }),
};
