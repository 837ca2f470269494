import { adviseCache } from './advise-cache.ts';
import { checksum, globalChecksum } from './checksum.ts';
import type { AdminCommand } from './command.ts';
import { saveConfigToFile, selectConfigFile } from './config-file.ts';
import { diffRuntime } from './diff-runtime.ts';
import { drain } from './drain.ts';
import { explainRoute } from './explain-route.ts';
import { failover } from './failover.ts';
import { flushCache } from './flush-cache.ts';
import { flushLogs } from './flush-logs.ts';
import { help } from './help.ts';
import { holdWrites, releaseWrites } from './hold-writes.ts';
import { kill } from './kill.ts';
import { load } from './load.ts';
import { loadUser } from './load-user.ts';
import { loadUsers } from './load-users.ts';
import { proxysql } from './proxysql.ts';
import { rejoin } from './rejoin.ts';
import { rollbackRuntime } from './rollback-runtime.ts';
import { save } from './save.ts';
import { saveDigest } from './save-digest.ts';
import { setLogLevel } from './set-log-level.ts';
import { setSession } from './set-session.ts';
import { setVariable } from './set-variable.ts';
import { dropShadow, promoteShadow } from './shadow.ts';
import { showCache } from './show-cache.ts';
import { showCacheStatus } from './show-cache-status.ts';
import { showCharset, showCollation } from './show-charsets.ts';
import { showCreateTable } from './show-create-table.ts';
import { showDatabases } from './show-databases.ts';
import { showDigests } from './show-digests.ts';
import { showEvents } from './show-events.ts';
import { showFields } from './show-fields.ts';
import { showHostgroups } from './show-hostgroups.ts';
import { showIndex } from './show-index.ts';
import { showLatencies } from './show-latencies.ts';
import { showMysqlStatus } from './show-mysql-status.ts';
import { showPins } from './show-pins.ts';
import { showPinsByReason } from './show-pins-by-reason.ts';
import { showPools } from './show-pools.ts';
import { showProcesslist } from './show-processlist.ts';
import { showPrometheusMetrics } from './show-prometheus-metrics.ts';
import { showRoutes } from './show-routes.ts';
import { showRuntimeVersions } from './show-runtime-versions.ts';
import { showServerLists } from './show-server-lists.ts';
import { showServers } from './show-servers.ts';
import { showSession } from './show-session.ts';
import { showSessions } from './show-sessions.ts';
import { showShadow } from './show-shadow.ts';
import { showStatus } from './show-status.ts';
import { showTables } from './show-tables.ts';
import { showTopology } from './show-topology.ts';
import { showUsers } from './show-users.ts';
import { showVariables } from './show-variables.ts';
import { showVersions } from './show-versions.ts';
import { showWarnings } from './show-warnings.ts';
import { showWorkers } from './show-workers.ts';
import { define, select, write } from './sql.ts';
import { switchover } from './switchover.ts';
import { transaction } from './transaction.ts';
import { truncate } from './truncate.ts';
import { undrain } from './undrain.ts';
import { use } from './use.ts';

/** In the order of HELP. The first that matches is run. */
export const ALL_COMMANDS: readonly AdminCommand[] = [
  showTopology,
  showServers,
  showHostgroups,
  showPools,
  showUsers,
  showEvents,
  showVersions,
  showRuntimeVersions,
  showWorkers,
  showSessions,
  showSession,
  showPins,
  showPinsByReason,
  showRoutes,
  showDigests,
  showLatencies,
  saveDigest,
  showMysqlStatus,
  showPrometheusMetrics,
  explainRoute,
  showShadow,
  load,
  save,
  loadUser,
  rollbackRuntime,
  diffRuntime,
  checksum,
  globalChecksum,
  promoteShadow,
  dropShadow,
  saveConfigToFile,
  selectConfigFile,
  proxysql,
  drain,
  undrain,
  switchover,
  failover,
  rejoin,
  holdWrites,
  releaseWrites,
  kill,
  loadUsers,
  setLogLevel,
  setVariable,
  adviseCache,
  flushCache,
  flushLogs,
  showCacheStatus,
  showCache,
  help,
  showDatabases,
  showTables,
  showFields,
  showIndex,
  showCreateTable,
  showVariables,
  showStatus,
  showProcesslist,
  showCharset,
  showCollation,
  showServerLists,
  use,
  showWarnings,
  setSession,
  transaction,
  truncate,
  select,
  write,
  define,
];
