/** Which system variables a replica answers as the primary would. */

import type { ResidueUse } from './statement-class.ts';

/** What the session's last statement left on its connection, by variable. */
const RESIDUE: ReadonlyMap<string, keyof ResidueUse> = new Map([
  ['last_insert_id', 'lastInsertId'],
  ['identity', 'lastInsertId'],
  ['warning_count', 'diagnostics'],
  ['error_count', 'diagnostics'],
  ['pseudo_thread_id', 'connectionId'],
]);

/** Variables that describe a server's role, its replication or the connection's own state. */
const SERVER_STATE: ReadonlySet<string> = new Set([
  'read_only',
  'super_read_only',
  'transaction_allow_batching',
  'in_transaction',
  'insert_id',
  'timestamp',
  'rand_seed1',
  'rand_seed2',
  'last_gtid',
  'skip_replication',
  'server_uuid',
  'event_scheduler',
  'proxy_user',
  'external_user',
  'offline_mode',
  'default_master_connection',
  'resultset_metadata',
  'statement_id',
  'log_bin',
  'have_profiling',
]);

const SERVER_STATE_PREFIXES = [
  'gtid_',
  'rpl_',
  'slave_',
  'replica_',
  'master_',
  'source_',
  'wsrep_',
  'relay_',
  'group_replication_',
  'innodb_',
  'binlog_',
  'log_slave_',
  'log_replica_',
  'log_bin_',
  'pseudo_',
];

/** Scopes behind `@@`; the global ones belong to one server. */
export const SESSION_SCOPES: ReadonlySet<string> = new Set(['session', 'local']);
export const GLOBAL_SCOPES: ReadonlySet<string> = new Set(['global', 'persist', 'persist_only']);

export function variableResidue(name: string): keyof ResidueUse | null {
  return RESIDUE.get(name) ?? null;
}

/** `name` in lower case, without scope. */
export function isServerState(name: string): boolean {
  return SERVER_STATE.has(name) || SERVER_STATE_PREFIXES.some((prefix) => name.startsWith(prefix));
}
