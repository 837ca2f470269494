/** Numbers of those errors of servers that mean something to Sluice, by MySQL's names; all of them: protocol's `errorNameOf`. */

/** The server itself is full. */
export const ER_CON_COUNT_ERROR = 1040;
export const ER_DBACCESS_DENIED_ERROR = 1044;
export const ER_ACCESS_DENIED_ERROR = 1045;
export const ER_BAD_DB_ERROR = 1049;
export const ER_DUP_ENTRY = 1062;
export const ER_PARSE_ERROR = 1064;
export const ER_NO_SUCH_THREAD = 1094;
export const ER_KILL_DENIED_ERROR = 1095;
/** Of information_schema, which has no other error for a table that it lacks. */
export const ER_UNKNOWN_TABLE = 1109;
export const ER_TABLEACCESS_DENIED_ERROR = 1142;
export const ER_COLUMNACCESS_DENIED_ERROR = 1143;
export const ER_NO_SUCH_TABLE = 1146;
export const ER_NET_PACKET_TOO_LARGE = 1153;
export const ER_UNKNOWN_SYSTEM_VARIABLE = 1193;
export const ER_TOO_MANY_USER_CONNECTIONS = 1203;
export const ER_USER_LIMIT_REACHED = 1226;
export const ER_SPECIFIC_ACCESS_DENIED_ERROR = 1227;
export const ER_UNKNOWN_STMT_HANDLER = 1243;
/** Said of `--read-only`, and of other options too. */
export const ER_OPTION_PREVENTS_STATEMENT = 1290;
export const ER_QUERY_INTERRUPTED = 1317;
/** What clients have closed is kept for others, and yet counts for the server's limit. */
export const ER_MAX_PREPARED_STMT_COUNT_REACHED = 1461;
export const ER_MUST_CHANGE_PASSWORD = 1820;
/** InnoDB, or the whole server, is read-only. */
export const ER_READ_ONLY_MODE = 1836;
