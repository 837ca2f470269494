/** What a never-seen statement costs: scan and classification, over a mix of statements. */

import { classify } from '../../src/sql/classify.ts';
import { DigestScanner } from '../../src/sql/digest.ts';
import { makeLexicalContext } from '../../src/sql/lexical-context.ts';
import { measure } from './sql-measure.ts';

const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 80400 });

const STATEMENTS = [
  'SELECT c FROM sbtest1 WHERE id=501267',
  "SELECT id, k, c, pad FROM sbtest1 WHERE id BETWEEN 12345 AND 23456 AND k = 'abcdef' ORDER BY c LIMIT 10",
  'SELECT COUNT(*), MAX(a) FROM t LEFT JOIN u ON t.id = u.id WHERE t.x IN (SELECT y FROM v) GROUP BY t.z',
  'WITH c AS (SELECT * FROM a WHERE b > NOW()) SELECT c.*, d.e FROM c JOIN d USING (id) ORDER BY d.e',
  "UPDATE t SET a = a + 1, b = 'x' WHERE id = 5",
  "INSERT INTO t (a, b, c) VALUES (1, 'x', NOW()), (2, 'y', NOW())",
].map((sql) => Buffer.from(sql));

for (const buf of STATEMENTS) {
  measure(`classify: ${buf.toString('latin1', 0, 33)}`, 30_000, () => classify(buf, 0, buf.length, context));
}
let at = 0;
measure('classify: mean of these', 60_000, () => {
  const buf = STATEMENTS[at++ % STATEMENTS.length]!;
  classify(buf, 0, buf.length, context);
});
const scanner = new DigestScanner(0x5eed);
let serial = 0;
measure('scan and classify: never-seen statements', 50_000, () => {
  const buf = Buffer.from(`SELECT a${serial++} FROM t${serial} WHERE b = 5`);
  scanner.scan(buf, 0, buf.length, context);
  classify(buf, 0, buf.length, context);
});
