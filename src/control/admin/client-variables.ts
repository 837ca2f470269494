/**
 * System variables of a server that clients ask for as `@@name` or by SHOW VARIABLES: what holds on the admin port, and
 * what keeps a client from assuming that it may do more.
 */

import { nearestName } from '../../../config/nearest-name.ts';
import type { TextValue } from '../../../protocol/index.ts';
import { AdminError, quoted } from './admin-error.ts';
import { DEFAULT_ADMIN_LIMITS } from './admin-limits.ts';
import type { CommandCall } from './commands/command.ts';
import { COMPATIBLE_VERSION } from './compatible-version.ts';

type Value = TextValue | ((call: CommandCall) => TextValue);

const CHARSET = 'utf8mb4';
const COLLATION = 'utf8mb4_general_ci';
const WAIT_SECONDS = DEFAULT_ADMIN_LIMITS.idleTimeoutMs / 1000;
const countOf =
  (level?: string) =>
  ({ session }: CommandCall): number =>
    session.conditions.filter((condition) => level === undefined || condition.level === level).length;

const VARIABLES: Readonly<Record<string, Value>> = {
  auto_increment_increment: 1,
  auto_increment_offset: 1,
  autocommit: 1,
  character_set_client: CHARSET,
  character_set_connection: CHARSET,
  character_set_database: CHARSET,
  character_set_results: CHARSET,
  character_set_server: CHARSET,
  character_set_system: 'utf8',
  collation_connection: COLLATION,
  collation_database: COLLATION,
  collation_server: COLLATION,
  default_storage_engine: 'SQLite',
  error_count: countOf('Error'),
  foreign_key_checks: 0,
  group_concat_max_len: 1024,
  have_profiling: 'NO',
  have_query_cache: 'NO',
  hostname: 'sluice',
  init_connect: '',
  interactive_timeout: WAIT_SECONDS,
  language: 'english',
  last_insert_id: 0,
  lc_messages: 'en_US',
  license: 'Apache-2.0',
  lower_case_file_system: 'OFF',
  lower_case_table_names: 0,
  max_allowed_packet: DEFAULT_ADMIN_LIMITS.maxPacketBytes,
  max_execution_time: DEFAULT_ADMIN_LIMITS.commandTimeoutMs,
  net_buffer_length: 16_384,
  net_read_timeout: 30,
  net_write_timeout: DEFAULT_ADMIN_LIMITS.writeTimeoutMs / 1000,
  performance_schema: 0,
  protocol_version: 10,
  query_cache_size: 0,
  query_cache_type: 'OFF',
  read_only: 0,
  server_id: 0,
  session_track_schema: 0,
  skip_name_resolve: 'ON',
  skip_networking: 'OFF',
  sql_auto_is_null: 0,
  sql_mode: '',
  sql_safe_updates: 0,
  sql_select_limit: '18446744073709551615',
  super_read_only: 0,
  system_time_zone: 'UTC',
  time_zone: '+00:00',
  transaction_isolation: 'SERIALIZABLE',
  transaction_read_only: 0,
  tx_isolation: 'SERIALIZABLE',
  tx_read_only: 0,
  unique_checks: 1,
  version: ({ version }) => `${COMPATIBLE_VERSION}-sluice-${version}`,
  version_comment: 'Sluice admin port',
  version_compile_machine: process.arch,
  version_compile_os: process.platform,
  wait_timeout: WAIT_SECONDS,
  warning_count: countOf(),
};
const NAMES = Object.keys(VARIABLES);

function currentValue(value: Value, call: CommandCall): TextValue {
  return typeof value === 'function' ? value(call) : value;
}

/** @param name without `@@` and scope. @throws AdminError (1193) with the nearest name */
export function clientVariable(name: string, call: CommandCall): TextValue {
  const lower = name.toLowerCase();
  const value = Object.hasOwn(VARIABLES, lower) ? VARIABLES[lower] : undefined;
  if (value !== undefined) return currentValue(value, call);
  const nearest = nearestName(lower, NAMES);
  const hint = nearest === null ? '' : `, did you mean ${nearest}?`;
  throw new AdminError('unknownVariable', `Unknown system variable ${quoted(name)}${hint}`);
}

export function clientVariableNames(): readonly string[] {
  return NAMES;
}

export function allClientVariables(call: CommandCall): (readonly [name: string, value: TextValue])[] {
  return Object.entries(VARIABLES).map(([name, value]) => [name, currentValue(value, call)]);
}
