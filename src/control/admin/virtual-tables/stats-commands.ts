/** `stats_mysql_commands_counters` and `stats_mysql_query_rules`. */

import type { VirtualTable } from './virtual-table.ts';

export const statsCommandsCounters: VirtualTable = {
  table: 'stats_mysql_commands_counters',
  rows: (state) =>
    state
      .counters()
      .statistics.commands.map(({ command, totalMicros, count, buckets }) => [
        command,
        totalMicros,
        count,
        ...buckets,
      ]),
};

export const statsQueryRules: VirtualTable = {
  table: 'stats_mysql_query_rules',
  rows: (state) => state.ruleHits().map(({ ruleId, hits }) => [ruleId, hits]),
};
