import t from 'tap';
import { knownFunctions } from '../../../src/sql/builtin-functions.ts';
import { cacheObjection } from '../../../src/sql/cacheability.ts';
import { classify } from '../../../src/sql/classify.ts';
import { judgedFunctions } from '../../../src/sql/function-determinism.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';

const MARIADB = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mariadb', versionId: 110800 });
const MYSQL = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 80400 });

function objection(sql: string, context = MARIADB, schema: string | null = 'shop'): string {
  const buf = Buffer.from(sql);
  const found = cacheObjection(classify(buf, 0, buf.length, context), schema);
  if (found === null) return '';
  return found.detail === '' ? found.reason : `${found.reason}: ${found.detail}`;
}

t.test('every function is judged, and nothing else is', async (t) => {
  const judged = judgedFunctions();
  const known = knownFunctions();
  t.strictSame(
    [...known].filter((name) => !judged.has(name)),
    [],
    'without a judgement',
  );
  t.strictSame(
    [...judged.keys()].filter((name) => !known.has(name)),
    [],
    'judged, and unknown',
  );
  t.ok(known.size > 400, `${known.size} functions`);
});

t.test('each function by its judgement, where it is one of a proven read', async (t) => {
  let cached = 0;
  for (const [name, reason] of judgedFunctions()) {
    for (const context of [MARIADB, MYSQL]) {
      const sql = `SELECT id FROM t WHERE a = ${name}(a, 1)`;
      const found = objection(sql, context);
      if (found.startsWith('not-a-proven-read')) continue;
      if (reason === null || name === 'UNIX_TIMESTAMP') {
        t.equal(found, '', sql);
        cached++;
      } else t.equal(found, `${reason}: ${name}`, sql);
    }
  }
  t.ok(cached > 600, `${cached}`);
});

t.test('system schemas only for those who say so, and nothing else with them', async (t) => {
  const asked = (sql: string, schema: string): string => {
    const buf = Buffer.from(sql);
    return cacheObjection(classify(buf, 0, buf.length, MARIADB), schema, true)?.reason ?? '';
  };
  for (const [sql, schema, reason] of [
    ['SELECT TABLE_NAME FROM information_schema.TABLES', 'shop', ''],
    ['SELECT User FROM user', 'mysql', ''],
    ['SELECT a FROM t', 'shop', ''],
    ['SELECT ID, NOW() FROM information_schema.PROCESSLIST', 'shop', 'clock'],
    ['SELECT unknown_function() FROM information_schema.TABLES', 'shop', 'not-a-proven-read'],
    ['SELECT User FROM mysql.user FOR UPDATE', 'shop', 'not-a-proven-read'],
    ['SHOW TABLES FROM mysql', 'shop', 'not-a-select'],
  ] as const)
    t.equal(asked(sql, schema), reason, sql);
  t.equal(objection('SELECT User FROM user', MARIADB, 'mysql'), 'not-a-proven-read: system-schema');
});

t.test('what is cached', async (t) => {
  for (const sql of [
    'SELECT * FROM t',
    'SELECT a, COUNT(*) FROM t JOIN s.u USING (id) WHERE b IN (1, 2) GROUP BY a ORDER BY 2 LIMIT 5',
    '(SELECT a FROM t) UNION ALL (SELECT a FROM u)',
    'WITH x AS (SELECT a FROM t) SELECT * FROM x JOIN u ON u.a = x.a',
    'TABLE t',
    'SELECT a FROM t WHERE d > UNIX_TIMESTAMP("2026-01-01")',
    "SELECT a FROM t WHERE d > TIMESTAMP '2026-01-01 00:00:00' AND e < DATE '2026-02-01'",
    "SELECT a FROM t WHERE d > '2026-01-01' - INTERVAL 1 DAY",
    'SELECT time, t FROM events WHERE time > 5',
    'SELECT time AS current, `now`, `current_timestamp` FROM t',
    'SELECT t.current_user, t.sql_no_cache FROM t',
    'SELECT CAST(a AS CHAR), CONVERT(b, DATETIME) FROM t',
    'SELECT a FROM t PARTITION (p0) WHERE b LIKE "%x" COLLATE utf8mb4_bin',
    'SELECT SQL_CACHE a FROM t',
    'SELECT /*+ NO_INDEX_MERGE(t) */ a FROM t /* a comment */ -- and NOW()',
    'SELECT \'NOW()\', "RAND()" FROM t',
    'SELECT DATABASE(), a FROM t',
  ])
    t.equal(objection(sql), '', sql);
});

t.test('what is not, and why', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['SELECT NOW(), a FROM t', 'clock: NOW'],
    ['SELECT a FROM t WHERE d > CURRENT_DATE - INTERVAL 7 DAY', 'clock: CURRENT_DATE'],
    ['SELECT a FROM t WHERE d > current_timestamp(6)', 'clock: CURRENT_TIMESTAMP'],
    ['SELECT a FROM t WHERE d > current_timestamp', 'clock: CURRENT_TIMESTAMP'],
    ['SELECT a FROM t WHERE d > LOCALTIME', 'clock: LOCALTIME'],
    ['SELECT a FROM t WHERE d > UTC_DATE', 'clock: UTC_DATE'],
    ['SELECT a FROM t WHERE d > UNIX_TIMESTAMP()', 'clock: UNIX_TIMESTAMP'],
    ['SELECT a FROM t WHERE d > UNIX_TIMESTAMP( /* x */ )', 'clock: UNIX_TIMESTAMP'],
    ['SELECT a FROM t WHERE d > (SELECT SYSDATE())', 'clock: SYSDATE'],
    ['SELECT a FROM t /*!50000 WHERE d > NOW() */', 'clock: NOW'],
    ['SELECT a FROM t ORDER BY RAND()', 'random: RAND'],
    ['SELECT a FROM t ORDER BY RAND(3)', 'random: RAND'],
    ['SELECT UUID() FROM t', 'random: UUID'],
    ['SELECT ENCRYPT(a) FROM t', 'random: ENCRYPT'],
    ['SELECT a FROM t WHERE b = CURRENT_USER', 'session: CURRENT_USER'],
    ['SELECT a FROM t WHERE b = USER()', 'session: USER'],
    ['SELECT VERSION() FROM t', 'server: VERSION'],
    ['SELECT @@time_zone FROM t', 'system-variable: @@time_zone'],
    ['SELECT @@session.time_zone FROM t', 'system-variable: @@session'],
    ['SELECT a FROM t FOR SYSTEM_TIME ALL', 'time-travel: FOR SYSTEM_TIME'],
    ["SELECT a FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '2026-01-01'", 'time-travel: FOR SYSTEM_TIME'],
    ['SELECT SQL_NO_CACHE a FROM t', 'sql-no-cache: SQL_NO_CACHE'],
    ['SELECT SQL_NO_CACHE TIMEDIFF(a, b) FROM t', 'sql-no-cache: SQL_NO_CACHE'],
    ['SELECT SQL_NO_CACHE NOW() FROM t', 'clock: NOW'],
    ['SELECT TIMEDIFF(a, b) FROM t', 'time-of-day: TIMEDIFF'],
    ['SELECT CAST(a AS TIME) FROM t', 'time-of-day: CAST … TIME'],
    ['SELECT CONVERT(a, TIME) FROM t', 'time-of-day: CONVERT … TIME'],
    ["SELECT a FROM t WHERE d > TIME'10:00'", 'time-of-day: TIME literal'],
    ["SELECT {t '10:00'} FROM t", 'not-a-proven-read: parser-failed'],
    ['SELECT SEC_TO_TIME(a), NOW() FROM t', 'clock: NOW'],
    ['SELECT a FROM t; SELECT a FROM t', 'several-statements'],
    ['SELECT 1', 'no-tables'],
    ['VALUES (1)', 'no-tables'],
    ['SHOW TABLES', 'not-a-select: SHOW_TABLES'],
    ['DESCRIBE t', 'not-a-select: DESCRIBE'],
    ['EXPLAIN SELECT a FROM t', 'not-a-select: EXPLAIN'],
    ['SELECT a FROM t FOR UPDATE', 'not-a-proven-read: locking-read: FOR UPDATE'],
    ['SELECT a FROM t LOCK IN SHARE MODE', 'not-a-proven-read: locking-read: LOCK IN SHARE MODE'],
    ['SELECT SQL_CALC_FOUND_ROWS a FROM t', 'not-a-proven-read: calc-found-rows: SQL_CALC_FOUND_ROWS'],
    ['SELECT a FROM t PROCEDURE ANALYSE()', 'not-a-proven-read: unsafe-function: PROCEDURE'],
    ['SELECT a FROM t WHERE b = @x', 'not-a-proven-read: user-variable: @x'],
    ['SELECT a, my_function(b) FROM t', 'not-a-proven-read: unknown-function: my_function'],
    ['SELECT a, SLEEP(0) FROM t', 'not-a-proven-read: unsafe-function: SLEEP'],
    ['SELECT LAST_INSERT_ID(), a FROM t', 'not-a-proven-read: session-function: LAST_INSERT_ID'],
    ['SELECT NEXTVAL(s), a FROM t', 'not-a-proven-read: sequence: NEXTVAL'],
    [
      'SELECT * FROM information_schema.tables',
      'not-a-proven-read: system-schema: information_schema.tables',
    ],
    ['INSERT INTO t VALUES (1)', 'not-a-proven-read: not-a-read: INSERT'],
    ['', 'several-statements'],
  ];
  for (const [sql, expected] of cases) t.equal(objection(sql), expected, sql);
});

t.test('the schema of the session is part of what a statement reads', async (t) => {
  t.equal(objection('SELECT a FROM t', MARIADB, null), 'not-a-proven-read: no schema');
  t.equal(objection('SELECT a FROM s.t', MARIADB, null), '');
  t.equal(
    objection('SELECT a FROM tables', MARIADB, 'INFORMATION_SCHEMA'),
    'not-a-proven-read: system-schema',
  );
});
