/** What a never-seen statement costs. */

import { classify } from '../../src/sql/classify.ts';
import { DigestScanner } from '../../src/sql/digest.ts';
import { makeLexicalContext } from '../../src/sql/lexical-context.ts';
import type { Microbenchmark } from './harness.ts';

const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 80400 });
const scanner = new DigestScanner(0x5eed);

const STATEMENTS: readonly [string, string][] = [
  ['point select', 'SELECT c FROM sbtest1 WHERE id=501267'],
  [
    'join',
    'SELECT COUNT(*), MAX(a) FROM t LEFT JOIN u ON t.id = u.id WHERE t.x IN (SELECT y FROM v) GROUP BY t.z',
  ],
  [
    'WITH',
    'WITH c AS (SELECT * FROM a WHERE b > NOW()) SELECT c.*, d.e FROM c JOIN d USING (id) ORDER BY d.e',
  ],
  ['UPDATE', "UPDATE t SET a = a + 1, b = 'x' WHERE id = 5"],
  ['INSERT', "INSERT INTO t (a, b, c) VALUES (1, 'x', NOW()), (2, 'y', NOW())"],
];

function classifying(name: string, sqls: readonly string[]): Microbenchmark {
  const bufs = sqls.map((sql) => Buffer.from(sql));
  return {
    name: `classify: ${name}`,
    maxNanoseconds: 30_000,
    run(operations) {
      let tables = 0;
      for (let i = 0; i < operations; i++) {
        const buf = bufs[i % bufs.length]!;
        tables += classify(buf, 0, buf.length, context).tables.length;
      }
      return tables;
    },
  };
}

export const benchmarks: readonly Microbenchmark[] = [
  ...STATEMENTS.map(([name, sql]) => classifying(name, [sql])),
  classifying(
    'mean of these',
    STATEMENTS.map(([, sql]) => sql),
  ),
  {
    name: 'classify: never-seen statements, with their digest',
    maxNanoseconds: 30_000,
    run(operations) {
      let tables = 0;
      for (let i = 0; i < operations; i++) {
        const buf = Buffer.from(`SELECT a${i} FROM t${i} WHERE b = 5`);
        scanner.scan(buf, 0, buf.length, context);
        tables += classify(buf, 0, buf.length, context).tables.length;
      }
      return tables;
    },
  },
];
