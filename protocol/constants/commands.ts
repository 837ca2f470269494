/**
 * First byte of a command packet.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
 * https://mariadb.com/kb/en/2-text-protocol/
 */

export const Command = {
  COM_SLEEP: 0x00,
  COM_QUIT: 0x01,
  COM_INIT_DB: 0x02,
  COM_QUERY: 0x03,
  COM_FIELD_LIST: 0x04,
  COM_CREATE_DB: 0x05,
  COM_DROP_DB: 0x06,
  COM_REFRESH: 0x07,
  COM_SHUTDOWN: 0x08,
  COM_STATISTICS: 0x09,
  COM_PROCESS_INFO: 0x0a,
  COM_CONNECT: 0x0b,
  COM_PROCESS_KILL: 0x0c,
  COM_DEBUG: 0x0d,
  COM_PING: 0x0e,
  COM_TIME: 0x0f,
  COM_DELAYED_INSERT: 0x10,
  COM_CHANGE_USER: 0x11,
  COM_BINLOG_DUMP: 0x12,
  COM_TABLE_DUMP: 0x13,
  COM_CONNECT_OUT: 0x14,
  COM_REGISTER_SLAVE: 0x15,
  COM_STMT_PREPARE: 0x16,
  COM_STMT_EXECUTE: 0x17,
  COM_STMT_SEND_LONG_DATA: 0x18,
  COM_STMT_CLOSE: 0x19,
  COM_STMT_RESET: 0x1a,
  COM_SET_OPTION: 0x1b,
  COM_STMT_FETCH: 0x1c,
  COM_DAEMON: 0x1d,
  COM_BINLOG_DUMP_GTID: 0x1e,
  COM_RESET_CONNECTION: 0x1f,
  /** MySQL 8.0.17 and later */
  COM_CLONE: 0x20,
  /** MySQL 8.0.26 and later */
  COM_SUBSCRIBE_GROUP_REPLICATION_STREAM: 0x21,
  /** MariaDB 10.2 and later, if MARIADB_CLIENT_STMT_BULK_OPERATIONS is negotiated */
  COM_STMT_BULK_EXECUTE: 0xfa,
} as const;
export type Command = (typeof Command)[keyof typeof Command];
export type CommandName = keyof typeof Command;

/** Command byte to its name; a byte that is not in the table is no command. */
export const CommandName: ReadonlyMap<number, CommandName> = new Map(
  (Object.keys(Command) as CommandName[]).map((name) => [Command[name], name]),
);
