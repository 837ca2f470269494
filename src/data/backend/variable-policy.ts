/**
 * What is done with a system variable that a server reports as changed.
 * Measured on MariaDB 10.11 and MySQL 5.7.29 with `session_track_system_variables='*'`.
 */

export const VariablePolicy = {
  /** Its value is remembered and set on whatever connection serves the session. */
  carried: 'carried',
  /** Its value cannot be told, or cannot be set again: the session stays on its connection. */
  pins: 'pins',
  /** Sluice's own, or a mere report: of no consequence. */
  ignored: 'ignored',
} as const;
export type VariablePolicy = (typeof VariablePolicy)[keyof typeof VariablePolicy];

/**
 * One-shot, write-only, or reported with another value than the one in force (`SET timestamp=DEFAULT` reports the
 * old number; MySQL reports rand_seed1 as 0).
 */
const PINNING: ReadonlySet<string> = new Set([
  'timestamp',
  'insert_id',
  'last_insert_id',
  'rand_seed1',
  'rand_seed2',
  'gtid_next',
  'gtid_seq_no',
  'pseudo_thread_id',
  'pseudo_slave_mode',
  'pseudo_replica_mode',
  'system_versioning_asof',
  'external_user',
  'proxy_user',
  'debug',
  'debug_dbug',
  'debug_sync',
  'server_id',
  'skip_replication',
  'optimizer_trace',
  'profiling',
  'profiling_history_size',
  'character_set_database',
  'collation_database',
  'session_track_system_variables',
  'session_track_schema',
  'session_track_state_change',
  'session_track_transaction_info',
  'session_track_gtids',
]);

const IGNORED: ReadonlySet<string> = new Set(['last_gtid', 'warning_count', 'error_count', 'in_transaction']);

export function policyOf(canonicalName: string): VariablePolicy {
  if (IGNORED.has(canonicalName)) return VariablePolicy.ignored;
  return PINNING.has(canonicalName) ? VariablePolicy.pins : VariablePolicy.carried;
}

/**
 * Variables that a new connection is asked for, since a server's defaults may differ from the next server's:
 * those that change what a statement answers or does.
 */
export const PROBED_VARIABLES: readonly string[] = [
  'autocommit',
  'auto_increment_increment',
  'auto_increment_offset',
  'block_encryption_mode',
  'character_set_client',
  'character_set_connection',
  'character_set_results',
  'collation_connection',
  'completion_type',
  'default_storage_engine',
  'default_week_format',
  'div_precision_increment',
  'explicit_defaults_for_timestamp',
  'foreign_key_checks',
  'group_concat_max_len',
  'lc_time_names',
  'max_error_count',
  'max_join_size',
  'max_sort_length',
  'old_mode',
  'sql_auto_is_null',
  'sql_big_selects',
  'sql_buffer_result',
  'sql_log_bin',
  'sql_mode',
  'sql_notes',
  'sql_quote_show_create',
  'sql_safe_updates',
  'sql_select_limit',
  'sql_warnings',
  'time_zone',
  'tx_isolation',
  'transaction_isolation',
  'tx_read_only',
  'transaction_read_only',
  'unique_checks',
  'updatable_views_with_limit',
  'wait_timeout',
];

/** Set through collation_connection, which brings the character set with it and not the other way round. */
const DERIVED: ReadonlySet<string> = new Set(['character_set_connection']);

export function isDerived(canonicalName: string): boolean {
  return DERIVED.has(canonicalName);
}
