import { unquote } from '../admin-statement.ts';
import { type AdminCommand, AdminRole } from './command.ts';

export const use: AdminCommand = {
  name: 'USE',
  syntax: 'USE <schema>',
  help: 'The schema of this session; one of the servers is the one that EXPLAIN ROUTE takes names to be in',
  pattern: /^USE (`[^`]+`|[^ ']+)$/i,
  access: AdminRole.stats,
  changes: false,
  columns: [],
  execute: ({ match }) => ({ kind: 'ok', schema: unquote(match[1]!) }),
};
