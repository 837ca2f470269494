import type { TextValue } from '../../../../protocol/index.ts';
import { globalStatus } from '../../statistics/global-status.ts';
import { type AdminCommand, AdminRole, type CommandCall, type CommandColumn } from './command.ts';
import { filtered, wordsBeforeFilter } from './show-filter.ts';

const COLUMNS: readonly CommandColumn[] = [
  { name: 'Variable_name', meaning: 'As in `stats_mysql_global`, or the name that a server has for it' },
  { name: 'Value', meaning: 'Since the start of Sluice' },
];

/** What clients and graphical tools ask a server for. */
function ofServer({ session, state }: CommandCall): (readonly [string, TextValue])[] {
  const { frontendConnections, workers } = state.counters();
  return [
    ['Ssl_cipher', session.tls?.cipher ?? ''],
    ['Ssl_version', session.tls?.protocol ?? ''],
    ['Compression', 'OFF'],
    ['Threads_connected', frontendConnections],
    ['Threads_running', workers.length],
    ['Uptime', Math.floor(process.uptime())],
  ];
}

export const showStatus: AdminCommand = {
  name: 'SHOW STATUS',
  syntax: "SHOW [GLOBAL | SESSION] STATUS [LIKE 'pattern' | WHERE …]",
  help: 'The variables of stats_mysql_global, and what clients ask a server for (Ssl_cipher, Uptime …)',
  pattern: /^SHOW (?:(?:GLOBAL|SESSION|LOCAL) )?STATUS(?: (?:LIKE|WHERE) .*)?$/is,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: (call) => {
    const rows = [...globalStatus(call.state.counters()), ...ofServer(call)].map(([name, value]) => [
      name,
      String(value),
    ]);
    return filtered(call, wordsBeforeFilter(call), COLUMNS, rows);
  },
};
