/** `stats_mysql_commands_counters`. */

import type { VirtualTable } from './virtual-table.ts';

export const statsCommandsCounters: VirtualTable = {
  table: 'stats_mysql_commands_counters',
  rows: ({ counters }) =>
    counters().statistics.commands.map(({ command, totalMicros, count, buckets }) => [
      command,
      totalMicros,
      count,
      ...buckets,
    ]),
};
