/** Which statements are reads of one table with columns fixed by WHERE. */

import t from 'tap';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { pointReadOf } from '../../../src/sql/point-read.ts';

const MYSQL = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 50729 });
const ANSI = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: 'ANSI_QUOTES',
  flavor: 'mysql',
  versionId: 50729,
});

/** `schema.table column=value …`, parameters as `?n`; '' for none. */
function read(sql: string, context = MYSQL): string {
  const bytes = Buffer.from(`xx${sql}xx`);
  const found = pointReadOf(bytes, 2, bytes.length - 2, context);
  if (found === null) return '';
  const pins = found.pins.map(({ column, start, end, isNegative, parameter }) => {
    const value = parameter >= 0 ? `?${parameter}` : bytes.toString('utf8', start, end);
    return `${column}=${isNegative ? '-' : ''}${value}`;
  });
  return `${found.schema ?? ''}.${found.table} ${pins.join(' ')}`;
}

const POINT_READS: readonly (readonly [sql: string, expected: string])[] = [
  ['SELECT * FROM t WHERE id = 5', '.t id=5'],
  ['select a, b+1 as c from T where ID=5 limit 1', '.T id=5'],
  ['SELECT * FROM app.t WHERE id = 5', 'app.t id=5'],
  ['SELECT * FROM `app` . `t` WHERE `id` = 5', 'app.t id=5'],
  ['SELECT u.* FROM users u WHERE u.id = 5', '.users id=5'],
  ['SELECT u.* FROM users AS u WHERE U.`id` = 5', '.users id=5'],
  ['SELECT users.* FROM users WHERE users.id = 5', '.users id=5'],
  ['SELECT * FROM t WHERE 5 = id', '.t id=5'],
  ['SELECT * FROM t WHERE -5 = t.id', '.t id=-5'],
  ['SELECT * FROM t WHERE id = -5', '.t id=-5'],
  ['SELECT * FROM t WHERE id =+ 5', '.t id=5'],
  ["SELECT * FROM t WHERE name = 'it''s'", ".t name='it''s'"],
  ["SELECT * FROM t WHERE a = 1 AND b = 'x' ORDER BY a OR b, c LIMIT 3", ".t a=1 b='x'"],
  ['SELECT * FROM t WHERE a = 1 AND (b = 2 AND (c = 3)) AND d > 4', '.t a=1 b=2 c=3'],
  ['SELECT * FROM t WHERE ((a = 1))', '.t a=1'],
  ['SELECT * FROM t WHERE (a = 1 OR b = 2) AND c = 3', '.t c=3'],
  ['SELECT * FROM t WHERE a BETWEEN 1 AND 2 AND c = 3', '.t c=3'],
  ['SELECT * FROM t WHERE a BETWEEN 1 AND b BETWEEN 2 AND c = 3 AND d = 4', '.t d=4'],
  ['SELECT * FROM t WHERE a NOT BETWEEN 1 AND 2 AND c = 3', '.t c=3'],
  ['SELECT * FROM t WHERE NOT a = 1 AND c = 3', '.t c=3'],
  ['SELECT * FROM t WHERE a IN (1, 2) AND c = 3', '.t c=3'],
  ['SELECT * FROM t WHERE a IN (1)', '.t a=1'],
  ['SELECT * FROM t WHERE a = ? AND b < ? AND c = ?', '.t a=?0 c=?2'],
  ['SELECT ? FROM t WHERE a IN (?)', '.t a=?1'],
  ['SELECT * FROM t WHERE a = 1 GROUP BY b HAVING COUNT(*) > 1 OR b = 2', '.t a=1'],
  ['SELECT EXTRACT(YEAR FROM d) FROM t WHERE a = 1', '.t a=1'],
  ['SELECT * FROM t WHERE t.and = 1 AND a = 2', '.t and=1 a=2'],
  ['SELECT /* c */ * -- x\n FROM t # y\n WHERE a = 1;', ''],
  ['SELECT /* c */ * -- x\n FROM t # y\n WHERE a = 1', '.t a=1'],
  ['SELECT a | b FROM t WHERE a = 1 AND b | c', '.t a=1'],
];

const OTHERS: readonly string[] = [
  '',
  'SELECT 1',
  'SELECT * FROM t',
  'SELECT * FROM t WHERE a > 5',
  'SELECT * FROM t WHERE a >= 5',
  'SELECT * FROM t WHERE 5 <= a',
  'SELECT * FROM t WHERE a <=> 5',
  'SELECT * FROM t WHERE a != 5',
  'SELECT * FROM t WHERE a = 5 OR b = 6',
  'SELECT * FROM t WHERE a = 5 || b = 6',
  'SELECT * FROM t WHERE a = 5 XOR b = 6',
  'SELECT * FROM t WHERE a = 5 && b = 6',
  'SELECT * FROM t WHERE a = 5 = b',
  'SELECT * FROM t WHERE b = a = 5',
  'SELECT * FROM t WHERE a = 5 + 1',
  'SELECT * FROM t WHERE a = 5 IS NULL',
  'SELECT * FROM t WHERE a = - - 5',
  'SELECT * FROM t WHERE ! a = 5',
  'SELECT * FROM t WHERE a = 5 COLLATE utf8mb4_bin',
  "SELECT * FROM t WHERE a = 'x' COLLATE utf8mb4_bin",
  "SELECT * FROM t WHERE a = _latin1 'x'",
  "SELECT * FROM t WHERE a = BINARY 'x'",
  "SELECT * FROM t WHERE BINARY a = 'x'",
  "SELECT * FROM t WHERE a = 'x' 'y'",
  "SELECT * FROM t WHERE a = -'5'",
  "SELECT * FROM t WHERE a = DATE '2020-01-01'",
  "SELECT * FROM t WHERE a LIKE 'x'",
  'SELECT * FROM t WHERE a = b',
  'SELECT * FROM t WHERE ABS(a) = 5',
  'SELECT * FROM t WHERE (a, b) = (1, 2)',
  'SELECT * FROM t WHERE (a, b) IN ((1, 2))',
  'SELECT * FROM t WHERE a IN (1, 2)',
  'SELECT * FROM t WHERE a NOT IN (1)',
  'SELECT * FROM t WHERE a = ANY (SELECT 5)',
  'SELECT * FROM t WHERE a = (5)',
  'SELECT * FROM t WHERE a = @x',
  'SELECT * FROM t WHERE a = @@x',
  'SELECT * FROM t WHERE a BETWEEN 1 AND b = 5',
  'SELECT * FROM t WHERE NOT (a = 5)',
  'SELECT * FROM t WHERE CASE WHEN x AND a = 5 AND y THEN 1 ELSE 0 END',
  'SELECT * FROM t WHERE current_date = 5',
  'SELECT * FROM t WHERE true = 5',
  'SELECT * FROM t WHERE v.a = 5',
  'SELECT * FROM t u WHERE t.a = 5',
  'SELECT * FROM t WHERE app.t.a = 5',
  'SELECT * FROM t, u WHERE a = 5',
  'SELECT * FROM t JOIN u WHERE a = 5',
  'SELECT * FROM t NATURAL JOIN u WHERE a = 5',
  'SELECT * FROM (t) WHERE a = 5',
  'SELECT * FROM (SELECT * FROM t) x WHERE a = 5',
  'SELECT (SELECT 1 FROM u) FROM t WHERE a = 5',
  'SELECT * FROM t WHERE a = 5 AND b IN (SELECT 1)',
  'SELECT * FROM t WHERE a = 5 UNION SELECT 1',
  '(SELECT * FROM t WHERE a = 5)',
  '(SELECT * FROM t WHERE a = 5) UNION (SELECT 1)',
  'WITH t AS (SELECT 1) SELECT * FROM t WHERE a = 5',
  'SELECT * FROM t USE INDEX (x) WHERE a = 5',
  'SELECT * FROM t PARTITION (p0) WHERE a = 5',
  'SELECT * FROM t FOR SYSTEM_TIME ALL WHERE a = 5',
  'SELECT a INTO @x FROM t WHERE a = 5',
  'SELECT * FROM t WHERE a = 5; SELECT 1',
  'SELECT * FROM t WHERE a = 5 /*! OR 1 */',
  'SELECT * FROM t WHERE a = 5)',
  'SELECT * FROM t WHERE (a = 5',
  "SELECT * FROM t WHERE a = 'x",
  'SELECT * FROM t WHERE ä = 5',
  'SELECT * FROM ä WHERE a = 5',
  'UPDATE t SET b = 1 WHERE a = 5',
  'DELETE FROM t WHERE a = 5',
  'SHOW TABLES FROM t WHERE a = 5',
  `SELECT ${'1, '.repeat(2000)}1 FROM t WHERE a = 5`,
];

t.test('reads of one table with fixed columns', async (t) => {
  for (const [sql, expected] of POINT_READS) t.equal(read(sql), expected, sql);
});

t.test('all else is none', async (t) => {
  for (const sql of OTHERS) t.equal(read(sql), '', sql.slice(0, 80));
});

t.test('what quotes mean is the session’s business', async (t) => {
  t.equal(read('SELECT * FROM "t" WHERE "a" = 5', ANSI), '.t a=5');
  t.equal(read('SELECT * FROM t WHERE a = "x"', ANSI), '');
  t.equal(read('SELECT * FROM t WHERE a = "x"'), '.t a="x"');
});

t.test('what answers nothing without the row', async (t) => {
  const needsRow = (sql: string): boolean | undefined => {
    const bytes = Buffer.from(sql);
    return pointReadOf(bytes, 0, bytes.length, MYSQL)?.needsRow;
  };
  for (const sql of [
    'SELECT * FROM t WHERE id = 5',
    'SELECT DISTINCT a, b + 1 AS c FROM t WHERE (id = 5) AND f(a) IN (1, 2) ORDER BY a LIMIT 1',
    'SELECT `(` FROM t WHERE id = 5 GROUP BY a',
  ])
    t.equal(needsRow(sql), true, sql);
  for (const sql of [
    'SELECT COUNT(*) FROM t WHERE id = 5',
    'SELECT max (a) FROM t WHERE id = 5',
    'SELECT 1 FROM t WHERE id = 5 ORDER BY COUNT(*)',
    'SELECT 1 FROM t WHERE id = 5 HAVING 1',
    'SELECT IFNULL(a, 0) FROM t WHERE id = 5',
  ])
    t.equal(needsRow(sql), false, sql);
});
