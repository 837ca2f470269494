import { globalStatus, type StatusVariable } from '../../statistics/global-status.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

const COLUMNS: readonly ComputedColumn<StatusVariable>[] = [
  { name: 'Variable_name', meaning: 'As in `stats_mysql_global`', value: ([name]) => name },
  {
    name: 'Value',
    meaning: 'A number; 0 where Sluice has not what it counts',
    value: ([, value]) => String(value),
  },
];

export const showMysqlStatus: AdminCommand = {
  name: 'SHOW MYSQL STATUS',
  syntax: 'SHOW MYSQL STATUS',
  help: 'The variables of stats_mysql_global, by name',
  pattern: /^SHOW MYSQL STATUS$/i,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: ({ state }) =>
    table(
      globalStatus(state.counters()).toSorted(([a], [b]) => (a < b ? -1 : 1)),
      COLUMNS,
    ),
};
