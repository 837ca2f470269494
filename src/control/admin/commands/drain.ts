import { ServerStatus } from '../../../topology/server-description.ts';
import { AdminError } from '../admin-error.ts';
import { untilDrained } from '../drain-state.ts';
import { type AdminCommand, AdminRole } from './command.ts';
import { orderStatus, readServerArgument } from './server-argument.ts';

const MAX_SECONDS = 3600;

export const drain: AdminCommand = {
  name: 'DRAIN',
  syntax: "DRAIN 'host:port' [TIMEOUT <seconds>]",
  help: 'Sends no new statements to a server (OFFLINE_SOFT); what runs there may finish. With TIMEOUT it answers when nothing is left there, or fails: the server is OFFLINE_SOFT in any case',
  pattern: /^DRAIN (\S+)(?: TIMEOUT ([0-9]{1,6}))?$/i,
  access: AdminRole.admin,
  changes: true,
  columns: [],
  // It has a time-out of its own.
  timeoutMs: (MAX_SECONDS + 10) * 1000,
  execute: async ({ match, state }) => {
    const address = readServerArgument(match[1]!);
    const seconds = match[2] === undefined ? null : Number(match[2]);
    if (seconds !== null && (seconds < 1 || seconds > MAX_SECONDS))
      throw new AdminError('wrongArgument', `TIMEOUT takes 1 to ${MAX_SECONDS} seconds`);
    // Asked before: a drained server may be nobody's primary any more.
    const isPrimary = state.topology().primary === address;
    orderStatus(state, address, ServerStatus.OFFLINE_SOFT);
    const info = isPrimary ? 'This is the primary: writes have no server until UNDRAIN' : '';
    if (seconds === null) return { kind: 'ok', affectedRows: 1, info };
    const beganAtMs = performance.now();
    const left = await untilDrained(state, address, seconds * 1000);
    if (left > 0)
      throw new AdminError(
        'timeout',
        `${address} is OFFLINE_SOFT and not drained after ${seconds} s: ${left} connections are in use (SHOW SESSIONS)`,
      );
    const tookMs = Math.round(performance.now() - beganAtMs);
    return { kind: 'ok', affectedRows: 1, info: info || `Drained after ${tookMs} ms` };
  },
};
