/** That columns which are only shown keep their values is tried on servers: test/integration/cache/functions-repeat.test.ts. */

import t from 'tap';
import { usedNames } from '../../../src/sql/used-names.ts';
import { planOf } from '../data/router/rules/made-rules.ts';

/** Whether anything is done with the column `x`. */
function isUsed(sql: string): boolean {
  return usedNames(planOf(sql).normalized)?.has('x') ?? true;
}

t.test('a column that stands by itself is shown, and nothing else', (t) => {
  for (const sql of [
    'SELECT * FROM t',
    'SELECT x FROM t',
    'select X from t',
    'SELECT `x`, t.x, s.t.x FROM s.t',
    'SELECT DISTINCT x FROM t',
    'SELECT a, x AS y, `x` z FROM t WHERE a = 5 /* sluice:cache=strong */',
    'SELECT x AS y FROM t ORDER BY y DESC',
    'SELECT x FROM t GROUP BY a, x HAVING COUNT(*) > 1 ORDER BY x ASC LIMIT 1, 2',
    'SELECT a FROM t WHERE b IN (1, 2) AND c = UPPER(d)',
    'SELECT a.b, a.x FROM t AS a LEFT JOIN u ON a.id = u.id',
  ])
    t.notOk(isUsed(sql), sql);
  t.end();
});

t.test('whatever else names it uses it', (t) => {
  for (const sql of [
    'SELECT x + 0 FROM t',
    'SELECT -x FROM t',
    'SELECT MAX(x) FROM t',
    'SELECT a FROM t WHERE x = 5',
    'SELECT a FROM t WHERE 5 = t.`x`',
    'SELECT IF(a, x, b) FROM t',
    'SELECT CASE x WHEN 1 THEN 2 END FROM t',
    'SELECT a FROM t JOIN u USING (x)',
    'SELECT a FROM t ORDER BY x IS NULL',
    'SELECT a FROM t ORDER BY x COLLATE utf8mb4_bin',
    'SELECT x FROM t HAVING x > a',
    'SELECT x AS y FROM t HAVING y > a',
    'SELECT x y, a FROM t ORDER BY y + 1',
    "SELECT x AS 'y' FROM t HAVING y > a",
    'SELECT x, ROW_NUMBER() OVER (PARTITION BY x) FROM t',
    'SELECT x -> 5 FROM t',
  ])
    t.ok(isUsed(sql), sql);
  t.end();
});

t.test('where names do not tell, any may be used', (t) => {
  for (const sql of [
    'SELECT a FROM t NATURAL JOIN u',
    'SELECT a FROM t UNION SELECT b FROM u',
    'SELECT a FROM (SELECT * FROM t) d',
    'WITH c (y) AS (SELECT * FROM t) SELECT y FROM c',
    'SELECT a FROM t WHERE (1, 2) IN (TABLE u)',
    '(SELECT a FROM t)',
    'TABLE t',
    'SELECT a /*!50000 , b */ FROM t',
    'SELECT ä FROM t',
    "SELECT a FROM t WHERE b = `it's`",
    'SELECT a FROM t WHERE `b#c` = 1',
    'SELECT a - -b FROM t GROUP BY a WITH ROLLUP',
  ])
    t.equal(usedNames(planOf(sql).normalized), null, sql);
  t.end();
});
