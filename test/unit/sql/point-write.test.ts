/** Which statements change rows of one table with columns fixed by WHERE, and which columns they give values. */

import t from 'tap';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { pointReadOf, pointWriteOf } from '../../../src/sql/point-read.ts';

const CONTEXT = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mariadb', versionId: 101119 });

/** `schema.table column … < column=value …`; '' for none. */
function write(sql: string): string {
  const bytes = Buffer.from(sql);
  const found = pointWriteOf(bytes, 0, bytes.length, CONTEXT);
  if (found === null) return '';
  const pins = found.pins.map(({ column, start, end, parameter }) => {
    return `${column}=${parameter >= 0 ? `?${parameter}` : bytes.toString('utf8', start, end)}`;
  });
  return [`${found.schema ?? ''}.${found.table}`, ...found.assigned, '<', ...pins].join(' ');
}

const POINT_WRITES: readonly (readonly [sql: string, expected: string])[] = [
  ['UPDATE t SET n = 1 WHERE id = 5', '.t n < id=5'],
  ['update app.t set n=n+1,M=? where ID=?', 'app.t n m < id=?1'],
  ['UPDATE `t` AS x SET x.n = 1, app.x.m = 2 WHERE x.id = 5 AND n < 3', '.t n m < id=5'],
  ['UPDATE t SET n = IF(a, b, c), m = CONCAT(x, (1), y) WHERE id = 5 ORDER BY a LIMIT 1', '.t n m < id=5'],
  ['UPDATE t SET n = CASE WHEN a = 1 THEN 2 ELSE 3 END, id = 6 WHERE id = 5', '.t n id < id=5'],
  ['UPDATE t SET `where` = 1 WHERE id = 5', '.t where < id=5'],
  ["UPDATE t SET n = ',' WHERE id = 'a'", ".t n < id='a'"],
  ['DELETE FROM t WHERE id = 5', '.t < id=5'],
  ['DELETE FROM app.t WHERE id = 5 AND n = 3 LIMIT 1', 'app.t < id=5 n=3'],
];

const OTHERS: readonly string[] = [
  'SELECT * FROM t WHERE id = 5',
  'UPDATE t SET n = 1',
  'UPDATE t SET WHERE id = 5',
  'UPDATE t SET n WHERE id = 5',
  'UPDATE t SET n = 1, WHERE id = 5',
  'UPDATE t SET n := 1 WHERE id = 5',
  'UPDATE t SET `ñ` = 1 WHERE id = 5',
  'UPDATE t SET n = 1 WHERE id > 5',
  'UPDATE t SET n = 1 WHERE id = 5 OR id = 6',
  'UPDATE t SET n = 1 WHERE id IN (5, 6)',
  'UPDATE t SET n = (SELECT 1) WHERE id = 5',
  'UPDATE t SET n = 1 WHERE id = 5 AND n IN (SELECT 1)',
  'UPDATE t, u SET t.n = 1 WHERE id = 5',
  'UPDATE t JOIN u SET t.n = 1 WHERE id = 5',
  'UPDATE t PARTITION (p0) SET n = 1 WHERE id = 5',
  'UPDATE t FOR PORTION OF p FROM 1 TO 2 SET n = 1 WHERE id = 5',
  'UPDATE IGNORE t SET n = 1 WHERE id = 5',
  'UPDATE LOW_PRIORITY t SET n = 1 WHERE id = 5',
  'UPDATE t SET n = 1 /*! , id = 6 */ WHERE id = 5',
  'WITH x AS (SELECT 1) UPDATE t SET n = 1 WHERE id = 5',
  'UPDATE t SET n = 1 WHERE id = 5; UPDATE t SET n = 1',
  'DELETE FROM t',
  'DELETE t FROM t WHERE id = 5',
  'DELETE FROM t USING t JOIN u WHERE id = 5',
  'DELETE FROM t WHERE id = 5 RETURNING n',
  'DELETE HISTORY FROM t BEFORE SYSTEM_TIME NOW()',
  'DELETE QUICK FROM t WHERE id = 5',
  'INSERT INTO t (id) VALUES (5)',
  'REPLACE INTO t SET id = 5',
  'INSERT INTO t SET id = 5 ON DUPLICATE KEY UPDATE n = 1',
  'EXPLAIN UPDATE t SET n = 1 WHERE id = 5',
  'SET STATEMENT sql_log_bin = 0 FOR UPDATE t SET n = 1 WHERE id = 5',
];

for (const [sql, expected] of POINT_WRITES)
  t.test(sql, async (t) => {
    t.equal(write(sql), expected);
    t.equal(pointReadOf(Buffer.from(sql), 0, sql.length, CONTEXT), null, 'no read');
  });

t.test('what may change other rows, or nobody can tell', async (t) => {
  for (const sql of OTHERS) t.equal(write(sql), '', sql);
});

t.test('a read whose answer depends on other rows', async (t) => {
  const sql = "SELECT MATCH (a) AGAINST ('x') FROM t WHERE id = 5";
  t.equal(pointReadOf(Buffer.from(sql), 0, sql.length, CONTEXT), null);
});
