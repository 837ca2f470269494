/**
 * Every error that Sluice itself says to a client. Where MySQL has a code for the case, number, SQLSTATE and sentence
 * are MySQL's own (its error message reference; 1927 is MariaDB's), so that drivers treat it as they always did.
 * What only a proxy can meet starts at 9001, above what servers send to clients, with SQLSTATE HY000.
 * `ERRORS.md` beside this file is generated from it (`npm run generate`).
 */

export interface ErrorDefinition {
  readonly errno: number;
  readonly sqlState: string;
  /** With `{field}` for each value to be filled in. Clients see it; never a place for a password or for SQL. */
  readonly message: string;
  /** Whether the statement certainly did not run, so that repeating it is harmless. */
  readonly retryable: boolean;
  readonly meaning: string;
  readonly action: string;
}

export const ERROR_TABLE = {
  PROXY_TOO_MANY_CONNECTIONS: {
    errno: 1040,
    sqlState: '08004',
    message: 'Too many connections',
    retryable: true,
    meaning: 'All client connections that `limits.maxConnections` allows are taken.',
    action: 'Raise `limits.maxConnections`, or find the application that does not close its connections.',
  },
  PROXY_BAD_HANDSHAKE: {
    errno: 1043,
    sqlState: '08S01',
    message: 'Bad handshake',
    retryable: true,
    meaning: "The client's first packets are not a login of the MySQL protocol 4.1.",
    action: 'Check what connects to this port; clients older than MySQL 4.1 are not served.',
  },
  PROXY_ACCESS_DENIED: {
    errno: 1045,
    sqlState: '28000',
    message: "Access denied for user '{user}'@'{host}' (using password: {usingPassword})",
    retryable: false,
    meaning: 'No such user in the configuration, or the wrong password.',
    action: 'Compare the `users` of the configuration with what the application uses.',
  },
  PROXY_ACCESS_DENIED_NO_PASSWORD: {
    errno: 1698,
    sqlState: '28000',
    message: "Access denied for user '{user}'@'{host}'",
    retryable: false,
    meaning:
      'The account is for processes on the host of the server (`unix_socket`, `auth_socket`), which no client of Sluice is.',
    action: 'Use an account with a password.',
  },
  PROXY_HOST_NOT_ALLOWED: {
    errno: 1130,
    sqlState: 'HY000',
    message: "Host '{host}' is not allowed to connect to this {product} server",
    retryable: false,
    meaning: 'No account is for clients from there. Only where accounts are read from the primary.',
    action: "Create an account with a host pattern that fits the client's address.",
  },
  PROXY_UNKNOWN_COMMAND: {
    errno: 1047,
    sqlState: '08S01',
    message: 'Unknown command',
    retryable: true,
    meaning: 'The client sent a command byte that is not served.',
    action: 'README lists the commands that are not served.',
  },
  PROXY_SHUTDOWN: {
    errno: 1053,
    sqlState: '08S01',
    message: 'Server shutdown in progress',
    retryable: true,
    meaning: 'Sluice is stopping, and the time of `limits.shutdownGraceMs` is over or nothing was running.',
    action: 'Connect again: another instance, or the restarted one, answers.',
  },
  PROXY_EMPTY_QUERY: {
    errno: 1065,
    sqlState: '42000',
    message: 'Query was empty',
    retryable: false,
    meaning: 'The statement holds nothing but comments or blanks.',
    action: 'Do not send it.',
  },
  PROXY_NO_SUCH_THREAD: {
    errno: 1094,
    sqlState: 'HY000',
    message: 'Unknown thread id: {connectionId}',
    retryable: false,
    meaning: 'KILL 0: neither a client nor a thread of a server has this id.',
    action: 'Look at `SHOW PROCESSLIST`.',
  },
  PROXY_KILL_DENIED: {
    errno: 1095,
    sqlState: 'HY000',
    message: 'You are not owner of thread {connectionId}',
    retryable: false,
    meaning: "KILL names another user's connection, and the account may not kill those of others.",
    action:
      'Kill it as its own user, or grant `CONNECTION ADMIN` (MariaDB), `CONNECTION_ADMIN` or `SUPER` (MySQL).',
  },
  PROXY_HEADER_DENIED: {
    errno: 1130,
    sqlState: 'HY000',
    message: 'Proxy header is not accepted from {host}',
    retryable: false,
    meaning: 'A PROXY protocol header came from a network that `proxyProtocol.networks` does not list.',
    action:
      "Add the load balancer's address to `proxyProtocol.networks`, or find out who else sends headers.",
  },
  PROXY_PACKET_TOO_LARGE: {
    errno: 1153,
    sqlState: '08S01',
    message: "Got a packet bigger than 'max_allowed_packet' bytes",
    retryable: false,
    meaning: 'A statement is longer than `limits.maxPacketBytes`.',
    action: 'Raise `limits.maxPacketBytes`, or send less at once.',
  },
  PROXY_PACKET_OUT_OF_ORDER: {
    errno: 1156,
    sqlState: '08S01',
    message: 'Got packets out of order',
    retryable: true,
    meaning: 'A packet of the client has the wrong sequence id.',
    action: 'Look for a fault in the driver, or two threads on one connection.',
  },
  PROXY_UNCOMPRESS: {
    errno: 1157,
    sqlState: '08S01',
    message: "Couldn't uncompress communication packet",
    retryable: false,
    meaning: 'A compressed packet is not what its header says; nothing of it was used.',
    action: 'Look for a fault in the driver, or connect without compression.',
  },
  PROXY_READ_TIMEOUT: {
    errno: 1159,
    sqlState: '08S01',
    message: 'Got timeout reading communication packets',
    retryable: false,
    meaning: 'The client began a packet and never finished it, or sent nothing for `limits.idleTimeoutMs`.',
    action: 'Close connections that are not used, or raise the limit.',
  },
  PROXY_USER_CONNECTIONS: {
    errno: 1203,
    sqlState: '42000',
    message: "User {user} already has more than 'max_user_connections' active connections",
    retryable: true,
    meaning: "All client connections that the user's `maxConnections` allows are taken.",
    action: "Raise the user's `maxConnections`, or find the application that does not close its connections.",
  },
  PROXY_ACCOUNT_CONNECTIONS: {
    errno: 1226,
    sqlState: '42000',
    message: "User '{user}' has exceeded the 'max_user_connections' resource (current value: {limit})",
    retryable: true,
    meaning:
      "All client connections that the account's MAX_USER_CONNECTIONS at the primary allows are taken.",
    action: 'Raise it there, or set `users.serverConnectionLimits: false`.',
  },
  PROXY_UNKNOWN_STATEMENT: {
    errno: 1243,
    sqlState: 'HY000',
    message: 'Unknown prepared statement handler ({statementId}) given to {command}',
    retryable: false,
    meaning: 'The client uses a prepared statement that it has not prepared, or has closed.',
    action: 'Prepare it again; a reset of the connection closes all of them.',
  },
  PROXY_WRONG_ARGUMENTS: {
    errno: 1210,
    sqlState: 'HY000',
    message: 'Incorrect arguments to {command}',
    retryable: false,
    meaning: 'A value of the execution claims to be longer than its packet.',
    action: 'Look at the driver: it writes the protocol wrongly.',
  },
  PROXY_NO_CURSOR: {
    errno: 1421,
    sqlState: 'HY000',
    message: 'The statement ({statementId}) has no open cursor',
    retryable: false,
    meaning:
      'COM_STMT_FETCH for a statement whose execution opened no cursor, or whose rows were all fetched.',
    action: 'Execute the statement with a cursor type first.',
  },
  PROXY_TOO_MANY_STATEMENTS: {
    errno: 1461,
    sqlState: '42000',
    message: "Can't create more prepared statements: {setting} is {limit}",
    retryable: false,
    meaning: 'The clients of this worker have as many prepared statements as they may have.',
    action: 'Find the application that does not close its statements, or raise the setting.',
  },
  PROXY_UNKNOWN_VARIABLE: {
    errno: 1193,
    sqlState: 'HY000',
    message: "Unknown system variable '{name}'; there are {known}",
    retryable: false,
    meaning: 'Sluice has no variable of that name.',
    action: 'Choose one of those that the message names.',
  },
  PROXY_SESSION_VARIABLE: {
    errno: 1228,
    sqlState: 'HY000',
    message: "Variable '{name}' is a SESSION variable and can't be used with SET GLOBAL",
    retryable: false,
    meaning: "Variables of Sluice's own belong to one session.",
    action: 'Set it in each session, or configure it for a user or by a query rule.',
  },
  PROXY_WRONG_VARIABLE_VALUE: {
    errno: 1231,
    sqlState: '42000',
    message: "Variable '{name}' can't be set to the value of '{value}'",
    retryable: false,
    meaning: "The value is none that this variable of Sluice's own takes.",
    action: 'See the README for the values.',
  },
  PROXY_READ_ONLY_VARIABLE: {
    errno: 1238,
    sqlState: 'HY000',
    message: "Variable '{name}' is a read only variable",
    retryable: false,
    meaning: "This variable of Sluice's own tells something, and cannot be set.",
    action: 'Only read it.',
  },
  PROXY_NOT_PREPARABLE: {
    errno: 1295,
    sqlState: 'HY000',
    message: 'This command is not supported in the prepared statement protocol yet',
    retryable: false,
    meaning: 'KILL with a parameter: the id is one of Sluice, not of a server.',
    action: 'Send KILL as a text statement.',
  },
  PROXY_QUERY_INTERRUPTED: {
    errno: 1317,
    sqlState: '70100',
    message: 'Query execution was interrupted',
    retryable: false,
    meaning: 'KILL QUERY ended the statement.',
    action: 'Ask who killed it.',
  },
  PROXY_QUERY_TIMEOUT: {
    errno: 3024,
    sqlState: 'HY000',
    message:
      'Query execution was interrupted, maximum statement execution time exceeded: {timeoutMs} ms ({source})',
    retryable: false,
    meaning: 'The statement has taken longer than a query rule or `limits.queryTimeoutMs` allows (MySQL).',
    action: 'Make it faster, or raise the limit that the message names.',
  },
  PROXY_QUERY_TIMEOUT_MARIADB: {
    errno: 1969,
    sqlState: '70100',
    message: 'Query execution was interrupted (max_statement_time exceeded): {timeoutMs} ms ({source})',
    retryable: false,
    meaning: 'As PROXY_QUERY_TIMEOUT, in the words of MariaDB.',
    action: 'Make it faster, or raise the limit that the message names.',
  },
  PROXY_READ_ONLY_TRANSACTION: {
    errno: 1792,
    sqlState: '25006',
    message: 'Cannot execute statement in a READ ONLY transaction{end}',
    retryable: false,
    meaning: 'The session is in a transaction that was started READ ONLY, and the statement writes.',
    action: 'End the transaction first.',
  },
  PROXY_MALFORMED_PACKET: {
    errno: 1835,
    sqlState: 'HY000',
    message: 'Malformed communication packet.',
    retryable: false,
    meaning: 'A packet of the client ends too early or holds what its command does not allow.',
    action: 'Look for a fault in the driver.',
  },
  PROXY_PASSWORD_EXPIRED: {
    errno: 1862,
    sqlState: 'HY000',
    message:
      'Your password has expired. To log in you must change it using a client that supports expired passwords.',
    retryable: false,
    meaning:
      'The password of the account has expired, and the client does not say that it can cope with that.',
    action: 'Change the password as another user, or with a client that can.',
  },
  PROXY_CONNECTION_KILLED: {
    errno: 1927,
    sqlState: '70100',
    message: 'Connection was killed',
    retryable: false,
    meaning: 'KILL ended the connection.',
    action: 'Ask who killed it.',
  },
  PROXY_ACCOUNT_LOCKED: {
    errno: 3118,
    sqlState: 'HY000',
    message: "Access denied for user '{user}'@'{host}'. Account is locked.",
    retryable: false,
    meaning: 'The password is right, and the account is locked at the primary (MySQL).',
    action: 'ALTER USER … ACCOUNT UNLOCK.',
  },
  PROXY_ACCOUNT_LOCKED_MARIADB: {
    errno: 4151,
    sqlState: 'HY000',
    message: 'Access denied, this account is locked',
    retryable: false,
    meaning: 'The password is right, and the account is locked at the primary (MariaDB).',
    action: 'ALTER USER … ACCOUNT UNLOCK.',
  },
  PROXY_SECURE_TRANSPORT_REQUIRED: {
    errno: 3159,
    sqlState: 'HY000',
    message: 'Connections using insecure transport are prohibited while --require_secure_transport=ON.',
    retryable: false,
    meaning: 'The client logs in without TLS, and `tls.required` is set.',
    action: 'Let the client use TLS, or a Unix socket.',
  },
  PROXY_NO_SERVER: {
    errno: 9001,
    sqlState: 'HY000',
    message: 'No server is available for hostgroup {hostgroup} after {waitMs} ms: {reason}',
    retryable: true,
    meaning:
      'Every server of the hostgroup is shunned, offline or unknown, for `limits.noServerWaitMs` already.',
    action:
      'Look at the servers, at the log for why they were shunned, and at the grants of the monitor account.',
  },
  PROXY_POOL_TIMEOUT: {
    errno: 9002,
    sqlState: 'HY000',
    message: 'No connection to {address} became free within {waitMs} ms (limit of {limit} connections)',
    retryable: true,
    meaning: 'All connections to the server are busy, for `pool.waitTimeoutMs` already.',
    action:
      'Look for slow statements and long transactions; raise `pool.maxConnections` if the server can take more.',
  },
  PROXY_POOL_QUEUE_FULL: {
    errno: 9003,
    sqlState: 'HY000',
    message: 'Too many statements wait for a connection to {address} (limit of {limit})',
    retryable: true,
    meaning: 'The wait queue of the server is as long as `pool.waitQueueLength` allows.',
    action: 'As for 9002; the queue grows when the server answers more slowly than statements come.',
  },
  PROXY_BACKEND_LOST: {
    errno: 9004,
    sqlState: 'HY000',
    message: 'Lost connection to server {address} during the answer: {reason}',
    retryable: false,
    meaning:
      'The server went away while it answered a read; the rows received so far are not the whole result.',
    action: 'Repeat the statement; look at why the server went away.',
  },
  PROXY_BACKEND_MALFORMED: {
    errno: 9005,
    sqlState: 'HY000',
    message: 'Server {address} sent a malformed answer: {reason}',
    retryable: false,
    meaning: 'The bytes from the server are not an answer to the statement; the connection was closed.',
    action: 'Look for a fault in the server or in what stands between; report it with the log line.',
  },
  PROXY_STATE_NOT_RESTORED: {
    errno: 9006,
    sqlState: 'HY000',
    message: 'Session state could not be restored on server {address}: {reason}',
    retryable: true,
    meaning:
      'The server refused a variable, the schema or the character set of the session; the statement did not run.',
    action: 'Make the servers alike (schemas, variables, versions), or set the session up again.',
  },
  PROXY_HANDSHAKE_TIMEOUT: {
    errno: 9007,
    sqlState: 'HY000',
    message: 'Login was not finished within {timeoutMs} ms',
    retryable: true,
    meaning: 'The client connected and did not log in within `limits.handshakeTimeoutMs`.',
    action: 'A health check that only opens a connection causes this; let it ask `/readyz` instead.',
  },
  PROXY_OUTCOME_UNKNOWN: {
    errno: 9009,
    sqlState: 'HY000',
    message: 'Lost connection to server {address}, the statement may have been executed: {reason}',
    retryable: false,
    meaning: 'The statement had been sent when the connection broke; whether it took effect is not known.',
    action: 'Look at the data before repeating it; Sluice never repeats a write by itself.',
  },
  PROXY_BACKEND_CONNECT: {
    errno: 9010,
    sqlState: 'HY000',
    message: 'Could not connect to server {address}: {reason}',
    retryable: true,
    meaning: 'No connection could be opened within `pool.connectTimeoutMs`; the statement did not run.',
    action: 'Look at the server and the network between.',
  },
  PROXY_BACKEND_ACCESS_DENIED: {
    errno: 9011,
    sqlState: 'HY000',
    message: "Server {address} refused user '{user}': {reason}",
    retryable: false,
    meaning: 'Sluice knows the user, the server does not, or with another password or from another host.',
    action:
      'Give the account the same password on all servers, and allow it from the host of Sluice. ' +
      'If the password was changed after the login, log in again; a listed password has to be changed in the configuration.',
  },
  PROXY_SESSION_LOST: {
    errno: 9012,
    sqlState: 'HY000',
    message: 'The session on server {address} is lost ({pin}): {reason}',
    retryable: false,
    meaning:
      'The connection that held an open transaction, a temporary table, a lock or the like broke; what it held is gone.',
    action: 'Begin the transaction again; create again what the session needs.',
  },
  PROXY_INTERNAL: {
    errno: 9013,
    sqlState: 'HY000',
    message: 'Internal error: {reason}',
    retryable: false,
    meaning: 'A fault in Sluice; only this connection is affected.',
    action: 'Report it with the log line.',
  },
  PROXY_READ_ONLY_MOVE: {
    errno: 9014,
    sqlState: 'HY000',
    message:
      'This READ ONLY transaction has read from a replica, and the statement needs the primary, whose snapshot differs',
    retryable: false,
    meaning:
      'A read-only transaction went to a replica and then prepared a statement, set a user variable or the like.',
    action:
      'Run the transaction again: read-only transactions of this connection start on the primary from now on.',
  },
  PROXY_ACCOUNTS_UNREAD: {
    errno: 9020,
    sqlState: 'HY000',
    message: 'The accounts of the primary are not known: {reason}',
    retryable: true,
    meaning:
      'Accounts are read from the primary (`users.source: backend`), no reading has succeeded since the start, and the user is not listed.',
    action: 'Look at the primary, and at the grants of the monitor account.',
  },
  PROXY_DIAGNOSTICS_GONE: {
    errno: 9025,
    sqlState: 'HY000',
    message:
      'The server connection with the conditions of the last statement has served others since, and this GET DIAGNOSTICS asks for more than was kept of them',
    retryable: false,
    meaning:
      'GET DIAGNOSTICS asked for names of objects, or for a condition that there is none of, when the pool was so busy that the connection had to be given away.',
    action: 'Ask within the same transaction or stored program, or raise pool.maxConnections.',
  },
  PROXY_RATE_LIMITED: {
    errno: 9030,
    sqlState: 'HY000',
    message: 'Rate limit of {name} is reached: {perSecond} statements per second, {burst} at once',
    retryable: true,
    meaning: 'A query rule (`attributes.rate_limit`) or a user (`users[].rateLimit`) has a rate limit.',
    action: 'Send fewer statements, or raise the limit that is named.',
  },
  PROXY_REWRITE_TOO_LONG: {
    errno: 9031,
    sqlState: 'HY000',
    message: 'The statement would become too long by the query rules ({reason})',
    retryable: true,
    meaning: '`replacePattern` makes more than 64 MiB of it.',
    action: 'Look at the rule that is named.',
  },
  PROXY_HELD_STATEMENTS_FULL: {
    errno: 9040,
    sqlState: 'HY000',
    message: 'Too many bytes of statements wait for the primary (limit of {limit})',
    retryable: true,
    meaning:
      'The primary is changing, or there is none, and what waits for one takes `limits.heldBytes` in a worker already.',
    action: 'Raise `limits.heldBytes` if the memory is there; look at why there is no primary for so long.',
  },
  PROXY_COMMIT_UNKNOWN: {
    errno: 9041,
    sqlState: 'HY000',
    message:
      'Lost {address} before it answered COMMIT; whether the transaction is there is not known: {reason}',
    retryable: false,
    meaning:
      'The connection was lost between COMMIT and its answer, and neither the survivor nor the server itself could say in time whether the transaction is in its binlog.',
    action:
      'Look for what the transaction has written before it is repeated. `reason` names what was missing: a primary, a privilege, a position of the binlog.',
  },
  PROXY_COMMIT_ROLLED_BACK: {
    errno: 9042,
    sqlState: 'HY000',
    message: 'Lost {address} before it answered COMMIT; the transaction was rolled back',
    retryable: true,
    meaning:
      'The connection was lost between COMMIT and its answer. The primary was asked since then: the transaction is not there, and will not be.',
    action: 'Repeat the transaction.',
  },
  PROXY_QUERY_RULE: {
    errno: 1148,
    sqlState: '42000',
    message: '{message}',
    retryable: true,
    meaning: 'A query rule has `errorMsg`, which is the message. Number and SQLSTATE are as in ProxySQL.',
    action: 'Look for the rule with EXPLAIN ROUTE.',
  },
  PROXY_FIREWALL: {
    errno: 1148,
    sqlState: '42000',
    message: '{message}',
    retryable: true,
    meaning:
      'The firewall protects the user, and the digest is not on its white list; the message is `firewall.errorMessage`.',
    action: 'Add the digest to `firewall.rules`, if it is wanted.',
  },
  PROXY_REPLICAS_LAG: {
    errno: 9043,
    sqlState: 'HY000',
    message: 'All replicas of hostgroup {hostgroup} lag: {more}',
    retryable: true,
    meaning:
      'No replica is within its limit of lag (or that of the statement), and `routing.whenAllLag` or `routing.lagFallbackMaxReads` keep the read off the primary.',
    action:
      'Look at the lag in `SHOW TOPOLOGY`; raise `routing.lagFallbackMaxReads` if the primary can take more.',
  },
  PROXY_OWN_VARIABLE_MIXED: {
    errno: 9045,
    sqlState: 'HY000',
    message:
      'Variables of @@sluice stand only in a SELECT of nothing else, and in a SET of nothing else to literals or parameters',
    retryable: false,
    meaning: 'The statement does more than that; it would have to run on a server, which does not know them.',
    action: 'Use a statement of its own for them.',
  },
  PROXY_NO_GTID: {
    errno: 9050,
    sqlState: 'HY000',
    message:
      'Not a GTID that a read could wait for: "{value}" (expected `uuid:number` or `domain-server-number`)',
    retryable: true,
    meaning: 'A hint (`min_gtid`) or `@@sluice.min_gtid` names something else.',
    action: 'Give what `SELECT @@sluice.last_gtid` has answered in the session that wrote.',
  },
} as const satisfies Readonly<Record<string, ErrorDefinition>>;
