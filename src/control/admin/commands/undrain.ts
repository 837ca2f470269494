import { ServerStatus } from '../../../topology/server-description.ts';
import { type AdminCommand, AdminRole } from './command.ts';
import { orderStatus, readServerArgument } from './server-argument.ts';

export const undrain: AdminCommand = {
  name: 'UNDRAIN',
  syntax: "UNDRAIN 'host:port'",
  help: 'Leaves a drained server to the checks again: ONLINE as soon as it is found well',
  pattern: /^UNDRAIN (\S+)$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: ({ match, state }) => {
    orderStatus(state, readServerArgument(match[1]!), ServerStatus.ONLINE);
    return { kind: 'ok', affectedRows: 1 };
  },
};
