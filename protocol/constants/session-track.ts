/**
 * Kinds of entries in the session state block of an OK packet.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html (enum_session_state_type)
 */

export const SessionTrackType = {
  SYSTEM_VARIABLES: 0,
  SCHEMA: 1,
  STATE_CHANGE: 2,
  GTIDS: 3,
  TRANSACTION_CHARACTERISTICS: 4,
  TRANSACTION_STATE: 5,
} as const;
export type SessionTrackType = (typeof SessionTrackType)[keyof typeof SessionTrackType];
