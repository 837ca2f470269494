import { ServerStatus } from '../../../topology/server-description.ts';
import { type AdminCommand, AdminRole } from './command.ts';
import { orderStatus, readServerArgument } from './server-argument.ts';

export const drain: AdminCommand = {
  name: 'DRAIN',
  syntax: "DRAIN 'host:port'",
  help: 'Sends no new statements to a server (OFFLINE_SOFT); what runs there may finish',
  pattern: /^DRAIN (\S+)$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  execute: ({ match, state }) => {
    const address = readServerArgument(match[1]!);
    // Asked before: a drained server may be nobody's primary any more.
    const isPrimary = state.topology().primary === address;
    orderStatus(state, address, ServerStatus.OFFLINE_SOFT);
    const info = isPrimary ? 'This is the primary: writes have no server until UNDRAIN' : '';
    return { kind: 'ok', affectedRows: 1, info };
  },
};
