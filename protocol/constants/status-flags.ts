/**
 * Server status flags, in every OK and EOF packet.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html (SERVER_STATUS_flags_enum)
 */

export const StatusFlag = {
  SERVER_STATUS_IN_TRANS: 0x0001,
  SERVER_STATUS_AUTOCOMMIT: 0x0002,
  /** Another result set follows. */
  SERVER_MORE_RESULTS_EXISTS: 0x0008,
  SERVER_QUERY_NO_GOOD_INDEX_USED: 0x0010,
  SERVER_QUERY_NO_INDEX_USED: 0x0020,
  /** A cursor is open: rows come by COM_STMT_FETCH. */
  SERVER_STATUS_CURSOR_EXISTS: 0x0040,
  SERVER_STATUS_LAST_ROW_SENT: 0x0080,
  SERVER_STATUS_DB_DROPPED: 0x0100,
  SERVER_STATUS_NO_BACKSLASH_ESCAPES: 0x0200,
  SERVER_STATUS_METADATA_CHANGED: 0x0400,
  SERVER_QUERY_WAS_SLOW: 0x0800,
  /** The result set holds OUT parameters of a prepared CALL. */
  SERVER_PS_OUT_PARAMS: 0x1000,
  SERVER_STATUS_IN_TRANS_READONLY: 0x2000,
  /** The OK packet has a block of session state changes. */
  SERVER_SESSION_STATE_CHANGED: 0x4000,
  /** MariaDB only: ANSI_QUOTES is set. */
  SERVER_STATUS_ANSI_QUOTES: 0x8000,
} as const;
export type StatusFlagName = keyof typeof StatusFlag;

/** Of a session, not of a statement that it has run: what one answer says that is true of the next one as well. */
export const SESSION_STATUS_FLAGS =
  StatusFlag.SERVER_STATUS_IN_TRANS |
  StatusFlag.SERVER_STATUS_IN_TRANS_READONLY |
  StatusFlag.SERVER_STATUS_AUTOCOMMIT |
  StatusFlag.SERVER_STATUS_NO_BACKSLASH_ESCAPES |
  StatusFlag.SERVER_STATUS_ANSI_QUOTES;

export function hasStatus(statusFlags: number, flag: number): boolean {
  return (statusFlags & flag) !== 0;
}
