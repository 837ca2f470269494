import type { AdminAccount } from '../admin-state.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

const COLUMNS: readonly ComputedColumn<AdminAccount>[] = [
  { name: 'username', meaning: 'Empty for the anonymous account', value: ({ username }) => username },
  { name: 'host', meaning: 'Pattern of the clients that it is for', value: ({ host }) => host },
  { name: 'source', meaning: '`config` or `backend`', value: ({ source }) => source },
  {
    name: 'plugins',
    meaning: "The server's names of what opens it; `plain`, `native`, `sha2` or `none` where it is listed",
    value: ({ plugins }) => plugins.join(', '),
  },
  {
    name: 'usable',
    meaning: '`NO` where it has no plugin that Sluice can check',
    value: ({ credentials }) => (credentials.length > 0 ? 'YES' : 'NO'),
  },
  { name: 'locked', meaning: '`YES` or `NO`', value: ({ locked }) => (locked ? 'YES' : 'NO') },
  {
    name: 'connections',
    type: 'number',
    meaning: 'Clients logged in with it, over all workers',
    value: ({ connections }) => connections,
  },
  {
    name: 'max_connections',
    type: 'number',
    meaning: 'Limit of its own for these; 0 for none',
    value: ({ maxConnections, maxUserConnections }) => maxConnections || maxUserConnections,
  },
  {
    name: 'default_schema',
    meaning: 'Of clients that name none',
    value: ({ defaultSchema }) => defaultSchema,
  },
];

export const showUsers: AdminCommand = {
  name: 'SHOW USERS',
  syntax: 'SHOW USERS',
  help: 'The accounts that clients may use, listed ones and those of the primary; no passwords, no hashes',
  pattern: /^SHOW (?:MYSQL )?USERS$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) => table(state.accounts(), COLUMNS),
};
