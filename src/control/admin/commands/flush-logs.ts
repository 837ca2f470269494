import { type AdminCommand, AdminRole } from './command.ts';

export const flushLogs: AdminCommand = {
  name: 'PROXYSQL FLUSH LOGS',
  syntax: 'PROXYSQL FLUSH LOGS',
  help: 'Opens the log files again, after something has moved them away; SIGUSR1 does the same',
  pattern: /^(?:PROXYSQL |SLUICE )?FLUSH LOGS$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: ({ state }) => {
    state.reopenLogs();
    return { kind: 'ok' };
  },
};
