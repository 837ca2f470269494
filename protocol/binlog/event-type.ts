/**
 * Types and flags of binlog events. Up to 42 they are MySQL's, most of them also MariaDB's; from 160 on MariaDB's own.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html
 * https://mariadb.com/kb/en/2-binlog-event-header/
 */

export const BinlogEventType = {
  START_EVENT_V3: 1,
  QUERY_EVENT: 2,
  STOP_EVENT: 3,
  ROTATE_EVENT: 4,
  INTVAR_EVENT: 5,
  APPEND_BLOCK_EVENT: 9,
  DELETE_FILE_EVENT: 11,
  RAND_EVENT: 13,
  USER_VAR_EVENT: 14,
  FORMAT_DESCRIPTION_EVENT: 15,
  XID_EVENT: 16,
  BEGIN_LOAD_QUERY_EVENT: 17,
  EXECUTE_LOAD_QUERY_EVENT: 18,
  TABLE_MAP_EVENT: 19,
  PRE_GA_WRITE_ROWS_EVENT: 20,
  PRE_GA_UPDATE_ROWS_EVENT: 21,
  PRE_GA_DELETE_ROWS_EVENT: 22,
  WRITE_ROWS_EVENT_V1: 23,
  UPDATE_ROWS_EVENT_V1: 24,
  DELETE_ROWS_EVENT_V1: 25,
  INCIDENT_EVENT: 26,
  HEARTBEAT_LOG_EVENT: 27,
  IGNORABLE_LOG_EVENT: 28,
  ROWS_QUERY_LOG_EVENT: 29,
  WRITE_ROWS_EVENT: 30,
  UPDATE_ROWS_EVENT: 31,
  DELETE_ROWS_EVENT: 32,
  GTID_LOG_EVENT: 33,
  ANONYMOUS_GTID_LOG_EVENT: 34,
  PREVIOUS_GTIDS_LOG_EVENT: 35,
  TRANSACTION_CONTEXT_EVENT: 36,
  VIEW_CHANGE_EVENT: 37,
  XA_PREPARE_LOG_EVENT: 38,
  PARTIAL_UPDATE_ROWS_EVENT: 39,
  TRANSACTION_PAYLOAD_EVENT: 40,
  HEARTBEAT_LOG_EVENT_V2: 41,
  GTID_TAGGED_LOG_EVENT: 42,
  MARIADB_ANNOTATE_ROWS_EVENT: 160,
  MARIADB_BINLOG_CHECKPOINT_EVENT: 161,
  MARIADB_GTID_EVENT: 162,
  MARIADB_GTID_LIST_EVENT: 163,
  MARIADB_START_ENCRYPTION_EVENT: 164,
  MARIADB_QUERY_COMPRESSED_EVENT: 165,
  MARIADB_WRITE_ROWS_COMPRESSED_EVENT_V1: 166,
  MARIADB_UPDATE_ROWS_COMPRESSED_EVENT_V1: 167,
  MARIADB_DELETE_ROWS_COMPRESSED_EVENT_V1: 168,
  MARIADB_WRITE_ROWS_COMPRESSED_EVENT: 169,
  MARIADB_UPDATE_ROWS_COMPRESSED_EVENT: 170,
  MARIADB_DELETE_ROWS_COMPRESSED_EVENT: 171,
} as const;
export type BinlogEventType = (typeof BinlogEventType)[keyof typeof BinlogEventType];
export type BinlogEventName = keyof typeof BinlogEventType;

const NAMES: ReadonlyMap<number, BinlogEventName> = new Map(
  (Object.keys(BinlogEventType) as BinlogEventName[]).map((name) => [BinlogEventType[name], name]),
);

/** For people: the name, or the number of a type that is not known here. */
export function binlogEventName(type: number): string {
  return NAMES.get(type) ?? `event type ${type}`;
}

export const BinlogEventFlag = {
  /** Of a format description in a file that is being written, or was not closed. */
  LOG_EVENT_BINLOG_IN_USE_F: 0x01,
  /** It is in no file: made for the reader, e.g. to name the file that follows. */
  LOG_EVENT_ARTIFICIAL_F: 0x20,
  /** Who does not know the event may pass over it. */
  LOG_EVENT_IGNORABLE_F: 0x80,
} as const;
