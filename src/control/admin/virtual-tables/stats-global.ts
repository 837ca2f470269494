/** `stats_mysql_global` and `stats_memory_metrics`: names and values, all of them texts. */

import type { SqlRow } from '../../../common/admin-tables/admin-table.ts';
import { globalStatus } from '../../statistics/global-status.ts';
import { memoryMetrics } from '../../statistics/memory-metrics.ts';
import type { VirtualTable } from './virtual-table.ts';

export const statsMysqlGlobal: VirtualTable = {
  table: 'stats_mysql_global',
  rows: (state) => globalStatus(state.counters()).map(asTexts),
};

export const statsMemoryMetrics: VirtualTable = {
  table: 'stats_memory_metrics',
  rows: (state) => memoryMetrics(state.counters()).map(asTexts),
};

function asTexts([name, value]: readonly [string, number]): SqlRow {
  return [name, String(value)];
}
