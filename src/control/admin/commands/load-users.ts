import { AdminError } from '../admin-error.ts';
import { type AdminCommand, AdminRole } from './command.ts';

export const loadUsers: AdminCommand = {
  name: 'LOAD MYSQL USERS FROM BACKEND',
  syntax: 'LOAD MYSQL USERS FROM BACKEND',
  help: 'Reads the accounts of the primary now (with `users.source: backend`)',
  pattern: /^LOAD MYSQL USERS FROM BACKEND$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: async ({ state }) => {
    const load = await state.loadAccounts();
    if (load === null)
      throw new AdminError(
        'wrongArgument',
        'The accounts are listed in the configuration: users.source is not backend',
      );
    if (load.failure !== '')
      throw new AdminError(
        'wrongArgument',
        `The accounts could not be read, those known before stay: ${load.failure}`,
      );
    return { kind: 'ok', affectedRows: load.accounts, info: `${load.accounts} accounts are known` };
  },
};
