/** What a session does, and what the operator is to see of its last statement. */

export interface RouteCase {
  readonly name: string;
  /** Run one after the other in a new session; the last one is looked at. */
  readonly sql: readonly string[];
  readonly target: string;
  readonly reason: string;
  /** Of the row, as far as they matter; `server` by its role. */
  readonly row?: Readonly<Record<string, unknown>>;
  readonly fails?: boolean;
}

export const ROUTE_CASES: readonly RouteCase[] = [
  {
    name: 'a proven read',
    sql: ["SELECT n FROM t WHERE n = 4711 OR 'secret' = 'x'"],
    target: 'replica',
    reason: 'proven-read',
    row: { digest_text: 'SELECT n FROM t WHERE n = ? OR ? = ?', rows_sent: 1, errno: 0, schema: 'app' },
  },
  {
    name: 'a write',
    sql: ['INSERT INTO scratch VALUES (1), (2)'],
    target: 'primary',
    reason: 'not-a-read',
    row: { class_reason: 'not-a-read', rows_affected: 2, rows_sent: null, command: 'COM_QUERY' },
  },
  {
    name: 'a read after a write',
    sql: ['INSERT INTO scratch VALUES (3)', 'SELECT n FROM t'],
    target: 'replica',
    reason: 'proven-read',
    row: { class_reason: 'proven-read' },
  },
  {
    name: 'a read in a transaction',
    sql: ['BEGIN', 'SELECT n FROM t'],
    target: 'held',
    reason: 'in-transaction',
    row: { connection: 'held', pins: '' },
  },
  {
    name: 'a read-only transaction',
    sql: ['START TRANSACTION READ ONLY'],
    target: 'replica',
    reason: 'read-only-transaction',
  },
  {
    name: 'without autocommit',
    sql: ['SET autocommit=0', 'SELECT n FROM t'],
    target: 'primary',
    reason: 'autocommit-off',
  },
  {
    name: 'a hint to the primary',
    sql: ['/* sluice:primary */ SELECT n FROM t'],
    target: 'primary',
    reason: 'hint',
  },
  {
    name: 'a hint to a replica',
    sql: ['INSERT INTO scratch VALUES (4)', '/* sluice:replica */ SELECT n FROM t'],
    target: 'replica',
    reason: 'hint',
  },
  {
    name: 'a locking read',
    sql: ['SELECT n FROM t FOR UPDATE'],
    target: 'primary',
    reason: 'locking-read',
  },
  {
    name: 'a function that may be stored',
    sql: ['SELECT app.f()'],
    target: 'primary',
    reason: 'unknown-function',
    row: { detail: 'f' },
  },
  { name: 'a function with effects', sql: ['SELECT SLEEP(0)'], target: 'primary', reason: 'unsafe-function' },
  {
    name: 'a view that calls such a function',
    sql: ['SELECT * FROM v'],
    target: 'primary',
    reason: 'unsafe-view',
  },
  {
    name: 'a system schema',
    sql: ['SELECT COUNT(*) FROM information_schema.SCHEMATA'],
    target: 'primary',
    reason: 'system-schema',
  },
  {
    name: 'the state of a server',
    sql: ["SHOW STATUS LIKE 'Uptime'"],
    target: 'primary',
    reason: 'server-state',
  },
  {
    name: 'what the statement before has left',
    sql: ['INSERT INTO counted VALUES (NULL)', 'SELECT LAST_INSERT_ID()'],
    target: 'primary',
    reason: 'session-function',
    row: { detail: 'LAST_INSERT_ID' },
  },
  {
    name: 'the warnings of the statement before',
    sql: ["SELECT CAST('secret' AS SIGNED)", 'SHOW WARNINGS'],
    target: 'primary',
    reason: 'session-function',
    row: { server: 'replica', connection: 'previous' },
  },
  {
    name: 'KILL of nobody',
    sql: ['KILL QUERY 2147483646'],
    target: 'primary',
    reason: 'not-a-read',
    row: { errno: 1094 },
    fails: true,
  },
  {
    name: 'pinned',
    sql: ['CREATE TEMPORARY TABLE mine (n INT)', 'SELECT n FROM t'],
    target: 'held',
    reason: 'pinned',
    row: { detail: 'temporary-table', pins: 'temporary-table', connection: 'held' },
  },
  {
    name: 'a quote that is not closed',
    sql: ["SELECT n FROM t WHERE n = 'secret"],
    target: 'primary',
    reason: 'malformed',
    row: { errno: 1064, digest_text: 'SELECT n FROM t WHERE n =…' },
    fails: true,
  },
];

export interface PinCase {
  readonly pin: string;
  readonly begin: readonly string[];
  /** Ends the pin; the end of the session does where nothing is told. */
  readonly end?: readonly string[];
}

export const PIN_CASES: readonly PinCase[] = [
  {
    pin: 'temporary-table',
    begin: ['CREATE TEMPORARY TABLE mine (n INT)'],
    end: ['DROP TEMPORARY TABLE mine'],
  },
  { pin: 'lock-tables', begin: ['LOCK TABLES t READ'], end: ['UNLOCK TABLES'] },
  { pin: 'user-lock', begin: ["SELECT GET_LOCK('mine', 0)"], end: ["SELECT RELEASE_LOCK('mine')"] },
  { pin: 'text-prepare', begin: ["PREPARE mine FROM 'SELECT 1'"], end: ['DEALLOCATE PREPARE mine'] },
  { pin: 'handler', begin: ['HANDLER t OPEN'], end: ['HANDLER t CLOSE'] },
  {
    pin: 'set-transaction',
    begin: ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE'],
    end: ['SELECT n FROM t'],
  },
  { pin: 'stored-routine', begin: ['CALL p()'] },
];
