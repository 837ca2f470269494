/** Values in the place of calls: the columns keep their names. */

import t from 'tap';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { type CallValue, substituteCalls } from '../../../src/sql/substitute-calls.ts';

const MYSQL = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 80400 });

const VALUES: ReadonlyMap<string, CallValue> = new Map([
  ['CONNECTION_ID', { sql: 'ID', optional: true }],
  ['@@pseudo_thread_id', { sql: 'PSEUDO', optional: true }],
  ['FOUND_ROWS', { sql: 'ROWS', optional: false }],
]);

function substituted(sql: string): string {
  const bytes = Buffer.from(sql, 'latin1');
  return substituteCalls(bytes, 0, bytes.length, MYSQL, VALUES).toString('latin1');
}

const CASES: ReadonlyArray<readonly [string, string]> = [
  ['SELECT CONNECTION_ID()', 'SELECT ID AS `CONNECTION_ID()`'],
  ['select connection_id ( ) ;', 'select ID AS `connection_id ( )` ;'],
  ['SELECT CONNECTION_ID() AS me, 2', 'SELECT ID AS me, 2'],
  ['SELECT CONNECTION_ID() me', 'SELECT ID me'],
  ["SELECT CONNECTION_ID() 'me'", "SELECT ID 'me'"],
  ['SELECT DISTINCT 1, CONNECTION_ID() FROM t', 'SELECT DISTINCT 1, ID AS `CONNECTION_ID()` FROM t'],
  ['SELECT CONNECTION_ID() + 1, b', 'SELECT ID + 1 AS `CONNECTION_ID() + 1`, b'],
  ['SELECT a - CONNECTION_ID() FROM t', 'SELECT a - ID AS `a - CONNECTION_ID()` FROM t'],
  ['SELECT CONNECTION_ID() = a FROM t', 'SELECT ID = a AS `CONNECTION_ID() = a` FROM t'],
  ['SELECT CONNECTION_ID() = t.a FROM t', 'SELECT ID = t.a AS `CONNECTION_ID() = t.a` FROM t'],
  ['SELECT CONNECTION_ID() = t.a b FROM t', 'SELECT ID = t.a b FROM t'],
  ['SELECT CONNECTION_ID() IS NULL', 'SELECT ID IS NULL AS `CONNECTION_ID() IS NULL`'],
  ['SELECT CONNECTION_ID() AND a', 'SELECT ID AND a AS `CONNECTION_ID() AND a`'],
  [
    'SELECT CASE WHEN CONNECTION_ID() THEN 1 END',
    'SELECT CASE WHEN ID THEN 1 END AS `CASE WHEN CONNECTION_ID() THEN 1 END`',
  ],
  [
    "SELECT CONCAT('a', CONNECTION_ID()), `x``y` + CONNECTION_ID()",
    "SELECT CONCAT('a', ID) AS `CONCAT('a', CONNECTION_ID())`, `x``y` + ID AS ```x````y`` + CONNECTION_ID()`",
  ],
  ['SELECT CONNECTION_ID(), CONNECTION_ID()', 'SELECT ID AS `CONNECTION_ID()`, ID AS `CONNECTION_ID()`'],
  ['SELECT CONNECTION_ID() + CONNECTION_ID()', 'SELECT ID + ID AS `CONNECTION_ID() + CONNECTION_ID()`'],
  [
    'SELECT (SELECT CONNECTION_ID() LIMIT 1)',
    'SELECT (SELECT ID AS `CONNECTION_ID()` LIMIT 1) AS `(SELECT CONNECTION_ID() LIMIT 1)`',
  ],
  [
    'SELECT * FROM (SELECT CONNECTION_ID()) t WHERE 1',
    'SELECT * FROM (SELECT ID AS `CONNECTION_ID()`) t WHERE 1',
  ],
  ['SELECT a FROM t WHERE id = CONNECTION_ID() LIMIT 1', 'SELECT a FROM t WHERE id = ID LIMIT 1'],
  ['INSERT INTO t VALUES (1, CONNECTION_ID())', 'INSERT INTO t VALUES (1, ID)'],
  ['INSERT INTO t SET a = CONNECTION_ID(), b = 1', 'INSERT INTO t SET a = ID, b = 1'],
  ['UPDATE t SET a = CONNECTION_ID() WHERE b', 'UPDATE t SET a = ID WHERE b'],
  ['SELECT 1; SELECT CONNECTION_ID(); SELECT 2', 'SELECT 1; SELECT ID AS `CONNECTION_ID()`; SELECT 2'],
  ['SELECT @@pseudo_thread_id', 'SELECT PSEUDO AS `@@pseudo_thread_id`'],
  ['SELECT @@session.pseudo_thread_id x', 'SELECT PSEUDO x'],
  ["SELECT 'CONNECTION_ID()', `CONNECTION_ID`", "SELECT 'CONNECTION_ID()', `CONNECTION_ID`"],
  ['SELECT db.CONNECTION_ID()', 'SELECT db.CONNECTION_ID()'],
  // Compared with what servers say of their threads.
  [
    'SELECT * FROM information_schema.processlist WHERE id = CONNECTION_ID()',
    'SELECT * FROM information_schema.processlist WHERE id = CONNECTION_ID()',
  ],
  ["SELECT IS_USED_LOCK('x') = CONNECTION_ID()", "SELECT IS_USED_LOCK('x') = CONNECTION_ID()"],
  // A name that cannot be given: longer than names may be, or perhaps not what it looks like.
  [`SELECT CONNECTION_ID() + ${'1 + '.repeat(16)}1`, `SELECT CONNECTION_ID() + ${'1 + '.repeat(16)}1`],
  ["SELECT CONNECTION_ID() = '\xe9'", "SELECT CONNECTION_ID() = '\xe9'"],
  // What must be replaced is, even so.
  [
    `SELECT FOUND_ROWS() + ${'1 + '.repeat(16)}1, CONNECTION_ID()`,
    `SELECT ROWS + ${'1 + '.repeat(16)}1, CONNECTION_ID()`,
  ],
  ['SELECT FOUND_ROWS(), CONNECTION_ID()', 'SELECT ROWS AS `FOUND_ROWS()`, ID AS `CONNECTION_ID()`'],
];

t.test('calls are replaced, and names kept', async (t) => {
  for (const [sql, expected] of CASES) t.equal(substituted(sql), expected, sql);
});

t.test('a statement of any length takes bounded time', async (t) => {
  const sql = `SELECT ${Array.from({ length: 20_000 }, () => 'CONNECTION_ID()').join(', ')}`;
  const before = performance.now();
  t.equal(substituted(sql), sql, 'left alone');
  t.ok(performance.now() - before < 2000);
});
