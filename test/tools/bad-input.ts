/** Wrong commands and values, and what the admin port says: what was expected, with the nearest valid name. */

export type BadInput = readonly [sql: string, errno: number, message: string];

export const BAD_INPUT: readonly BadInput[] = [
  ['SHOW TOPLOGY', 1064, "Unknown command 'SHOW TOPLOGY', did you mean SHOW TOPOLOGY? SHOW HELP lists all"],
  ['SHOW TABELS', 1064, "Unknown command 'SHOW TABELS', did you mean SHOW TABLES? SHOW HELP lists all"],
  [
    'LOAD MYSQL SERVER TO RUNTIME',
    1064,
    "'MYSQL SERVER' is nothing that can be loaded or saved; did you mean MYSQL SERVERS?",
  ],
  ['LOAD MYSQL SERVERS TO RUNTIM', 1064, "'RUNTIM' is no layer; did you mean RUNTIME?"],
  [
    'SAVE MYSQL USERS TO RUNTIME',
    1064,
    'There is no SAVE MYSQL USERS TO RUNTIME: SAVE … TO MEMORY (from RUNTIME), SAVE … TO DISK (from MEMORY)',
  ],
  [
    'LOAD MYSQL USERZ TO RUNTIME',
    1064,
    "'MYSQL USERZ' is nothing that can be loaded or saved; did you mean MYSQL USERS?",
  ],
  ['SELCT 1', 1064, "Unknown command 'SELCT 1', did you mean SELECT? SHOW HELP lists all"],
  ['SELECT * FROM mysql_server', 1146, "Table 'mysql_server' doesn't exist, did you mean mysql_servers?"],
  ['SELECT hostnam FROM mysql_servers', 1054, "Unknown column 'hostnam', did you mean hostname?"],
  [
    'SELECT * FORM mysql_servers',
    1064,
    "You have an error in your SQL syntax near 'FORM', did you mean FROM?",
  ],
  [
    'INSERT INTO mysql_servers (hostgroup, hostname) VALUES (1, 2)',
    1054,
    "Unknown column 'hostgroup' in table 'mysql_servers', did you mean hostgroup_id?",
  ],
  [
    "INSERT INTO mysql_servers (hostname, port) VALUES ('a', 99999)",
    3819,
    'A value is not allowed: it must fulfil port >= 0 AND port <= 65535',
  ],
  [
    "INSERT INTO mysql_servers (hostname, status) VALUES ('a', 'ONLIN')",
    3819,
    "A value is not allowed: it must fulfil upper(status) IN ('ONLINE', 'SHUNNED', 'OFFLINE_SOFT', 'OFFLINE_HARD')",
  ],
  [
    'INSERT INTO mysql_users (username) VALUES (NULL)',
    1048,
    "Column 'mysql_users.username' cannot be null, and has no default",
  ],
  [
    "INSERT INTO mysql_servers (hostname) VALUES ('a'), ('a')",
    1062,
    'Duplicate entry for the key (mysql_servers.hostgroup_id, mysql_servers.hostname, mysql_servers.port)',
  ],
  [
    'UPDATE runtime_mysql_servers SET weight = 1',
    1290,
    "'runtime_mysql_servers' shows what is in force and can only be read; write to 'mysql_servers' and LOAD it TO RUNTIME",
  ],
  ['DELETE FROM stats_mysql_global', 1290, "Schema 'stats' can only be read"],
  [
    'LOAD MYSQL VARIABLES FROM RUNTIME',
    1064,
    'There is no LOAD MYSQL VARIABLES FROM RUNTIME: LOAD … TO RUNTIME, TO MEMORY (from DISK), FROM CONFIG, TO SHADOW',
  ],
  [
    'SET mysql-max_conections = 1',
    1210,
    "'mysql-max_conections': unknown variable, did you mean mysql-max_connections?",
  ],
  [
    "SET mysql-max_connections = 'x'",
    1210,
    'mysql-max_connections: expected a whole number from 1 to 1000000, found "x"',
  ],
  ['SET admin-nosuch=1', 1210, "'admin-nosuch': unknown variable"],
  ["ATTACH DATABASE '/tmp/x' AS y", 1290, 'ATTACH and VACUUM are not allowed: Sluice has its own files only'],
  [
    'PRAGMA journal_mode=DELETE',
    1290,
    'PRAGMA is not allowed; SHOW FIELDS FROM and SHOW CREATE TABLE describe tables',
  ],
  ["SELECT load_extension('x')", 1290, 'load_extension() is not allowed'],
  ["VACUUM INTO '/tmp/x'", 1290, 'ATTACH and VACUUM are not allowed: Sluice has its own files only'],
  ['SELECT 1; SELECT 2', 1064, 'One statement at a time: something follows the semicolon'],
  ["DRAIN 'nosuch:1'", 1210, "There is no server 'nosuch:1'; SHOW TOPOLOGY lists the servers"],
  ['DRAIN nosuch', 1210, "Expected 'host:port', not 'nosuch'"],
  ['KILL CONNECTION 7', 1210, 'No session 7; SHOW SESSIONS lists all'],
  ['KILL x', 1064, "'KILL x' is not how to write it: KILL [CONNECTION | QUERY] <session id>"],
  ['PROXYSQL STOPP', 1064, "PROXYSQL 'STOPP' is not known; did you mean STOP?"],
  [
    'PROXYSQL',
    1064,
    "'PROXYSQL' is not how to write it: PROXYSQL {PAUSE | RESUME | RESTART | SHUTDOWN [SLOW] | KILL | RELOAD {TLS | CONFIG} | FLUSH CONFIGDB | …}",
  ],
  ['SHOW CREATE TABLE mysql_usr', 1146, "Table 'mysql_usr' doesn't exist, did you mean mysql_users?"],
  ['SHOW FIELDS FROM nosuch', 1146, "Table 'nosuch' doesn't exist"],
  ['SHOW TABLES FROM stat', 1049, "Unknown database 'stat': did you mean stats?"],
  ['USE', 1064, "'USE' is not how to write it: USE <schema>"],
  ['SELECT @@wait_timeot', 1193, "Unknown system variable 'wait_timeot', did you mean wait_timeout?"],
  ['SET NAMES utf9', 1210, "Unknown character set 'utf9', did you mean utf16?"],
  ['SET autocomit=1', 1064, "'autocomit' cannot be set here; did you mean autocommit?"],
  ['TRUNCATE mysql_users', 1210, "'mysql_users' cannot be truncated; DELETE FROM empties a table"],
  [
    'TRUNCATE stats_mysql_query_digst',
    1210,
    "'stats_mysql_query_digst' cannot be truncated, did you mean stats_mysql_query_digest?; DELETE FROM empties a table",
  ],
  [
    'EXPLAIN ROUTES SELECT 1',
    1064,
    "Unknown command 'EXPLAIN ROUTES SELECT 1', did you mean EXPLAIN ROUTE? SHOW HELP lists all",
  ],
  ['SHOW VARIABLES WHERE nosuch = 1', 1054, "Unknown column 'nosuch'"],
  ["SELECT '", 1064, 'A quote is not closed'],
  ['SELECT * FROM mysql_users WHERE username = "a', 1064, 'A quote is not closed'],
  [
    'CREATE TRIGGER x AFTER INSERT ON mysql_users BEGIN SELECT 1; END',
    1064,
    'One statement at a time: something follows the semicolon',
  ],
  ['ALTER TABLE mysql_users ADD x INT', 1290, 'ALTER TABLE is not allowed'],
  ['DROP TABLE mysql_users', 1290, "'mysql_users' is one of Sluice's tables and stays as it is"],
  ['SHOW SESSION x', 1064, "'SHOW SESSION x' is not how to write it: SHOW SESSION <id>"],
  ['SELECT CONFIG INTO OUTFILE', 1064, "You have an error in your SQL syntax near 'INTO'"],
];

/** Each is written to the table, refused by LOAD with this sentence, and taken out of the table again. */
export const BAD_ROWS: readonly (readonly [insert: string, load: string, message: string, clean: string])[] =
  [
    [
      "UPDATE global_variables SET variable_value = 'x' WHERE variable_name = 'mysql-max_connections'",
      'LOAD MYSQL VARIABLES TO RUNTIME',
      'global_variables (variable_name mysql-max_connections), column variable_value: expected a whole number from 1 to 1000000, found "x"',
      'SAVE MYSQL VARIABLES FROM RUNTIME',
    ],
    [
      "INSERT INTO mysql_query_rules (rule_id, active, match_digest) VALUES (900, 1, '(?=x)')",
      'LOAD MYSQL QUERY RULES TO RUNTIME',
      'mysql_query_rules (rule_id 900), column match_digest: invalid or unsupported Perl syntax: `(?=`; RE2 has no look-around, back-references or possessive forms',
      'DELETE FROM mysql_query_rules WHERE rule_id = 900',
    ],
    [
      "INSERT INTO mysql_query_rules (rule_id, active, match_digest) VALUES (900, 1, 'x(')",
      'LOAD MYSQL QUERY RULES TO RUNTIME',
      'mysql_query_rules (rule_id 900), column match_digest: missing closing ): `(?i)x(`',
      'DELETE FROM mysql_query_rules WHERE rule_id = 900',
    ],
    [
      'INSERT INTO mysql_query_rules (rule_id, active, destination_hostgroup) VALUES (900, 1, 77)',
      'LOAD MYSQL QUERY RULES TO RUNTIME',
      'mysql_query_rules (rule_id 900), column destination_hostgroup: there is no hostgroup 77: no server and no pair has it (there are 0, 1)',
      'DELETE FROM mysql_query_rules WHERE rule_id = 900',
    ],
    [
      "INSERT INTO mysql_users (username, password, default_hostgroup) VALUES ('u', 'p', 55)",
      'LOAD MYSQL USERS TO RUNTIME',
      'mysql_users (username u), column default_hostgroup: there is no hostgroup 55: no server and no pair has it (there are 0, 1)',
      "DELETE FROM mysql_users WHERE username = 'u'",
    ],
  ];
