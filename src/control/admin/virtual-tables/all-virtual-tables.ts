import type { AdminState } from '../admin-state.ts';
import { MONITOR_LOGS } from './monitor-logs.ts';
import { RUNTIME_CONFIG_TABLES, runtimeChecksums, statsGlobalVariables } from './runtime-config.ts';
import { statsCommandsCounters, statsQueryRules } from './stats-commands.ts';
import { statsConnectionPool, statsConnectionPoolReset } from './stats-connection-pool.ts';
import { statsMemoryMetrics, statsMysqlGlobal } from './stats-global.ts';
import {
  statsErrors,
  statsErrorsReset,
  statsQueryDigest,
  statsQueryDigestReset,
} from './stats-query-digest.ts';
import { statsFreeConnections, statsPreparedStatements } from './stats-resources.ts';
import { statsGtidExecuted, statsProcesslist, statsUsers } from './stats-sessions.ts';
import type { VirtualRows, VirtualTable } from './virtual-table.ts';

/** A table that is filled on demand and is not in this list is empty. */
export const ALL_VIRTUAL_TABLES: readonly VirtualTable[] = [
  statsMysqlGlobal,
  statsMemoryMetrics,
  statsConnectionPool,
  statsConnectionPoolReset,
  statsQueryDigest,
  statsQueryDigestReset,
  statsCommandsCounters,
  statsQueryRules,
  statsPreparedStatements,
  statsFreeConnections,
  statsProcesslist,
  statsUsers,
  statsErrors,
  statsErrorsReset,
  statsGtidExecuted,
  ...MONITOR_LOGS,
  ...RUNTIME_CONFIG_TABLES,
  runtimeChecksums,
  statsGlobalVariables,
];

/** @param name with its schema or without: `stats.global_variables` is not the table of the configuration */
export function virtualTableNamed(name: string): VirtualTable | null {
  const bare = name.slice(name.indexOf('.') + 1);
  return (
    ALL_VIRTUAL_TABLES.find(({ table }) => table === name) ??
    ALL_VIRTUAL_TABLES.find(({ table }) => table === bare) ??
    null
  );
}

export function virtualRows(name: string, state: AdminState): VirtualRows | Promise<VirtualRows> {
  return virtualTableNamed(name)?.rows(state) ?? [];
}
