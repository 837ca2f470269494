/** What a known statement costs: the digest's scan. */

import { DigestScanner } from '../../src/sql/digest.ts';
import { type LexicalContext, makeLexicalContext } from '../../src/sql/lexical-context.ts';
import type { Microbenchmark } from './harness.ts';

const utf8mb4 = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 80400 });
const gbk = makeLexicalContext({ charset: 'gbk', sqlMode: '', flavor: 'mysql', versionId: 80400 });
const scanner = new DigestScanner(0x5eed);

function scan(name: string, sql: string, context: LexicalContext, maxNanoseconds?: number): Microbenchmark {
  const buf = Buffer.from(sql);
  return {
    name: `digest: ${name}, ${buf.length} bytes`,
    bytesPerOperation: buf.length,
    ...(maxNanoseconds === undefined ? {} : { maxNanoseconds }),
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; i++) {
        scanner.scan(buf, 0, buf.length, context);
        sum ^= scanner.hashLow;
      }
      return sum;
    },
  };
}

const HUNDRED_BYTES =
  "SELECT id, k, c, pad FROM sbtest1 WHERE id BETWEEN 12345 AND 23456 AND k = 'abcdef' ORDER BY c LIMIT";
const ORM =
  'SELECT `t0`.`id`, `t0`.`created_at`, `t0`.`name`, `t1`.`title` FROM `users` AS `t0` LEFT JOIN `posts` AS `t1` ON ' +
  "`t0`.`id` = `t1`.`user_id` WHERE `t0`.`active` = 1 AND `t1`.`state` IN ('draft', 'live', 'gone') LIMIT 20";
const ROWS = Array.from({ length: 1000 }, (_, i) => `(${i}, 'row ${i}', NULL)`).join(', ');

export const benchmarks: readonly Microbenchmark[] = [
  scan('point select', 'SELECT c FROM sbtest1 WHERE id=501267', utf8mb4),
  scan('SELECT', HUNDRED_BYTES, utf8mb4, 1000),
  scan('SELECT in gbk', HUNDRED_BYTES, gbk),
  scan('quoted names', ORM, utf8mb4),
  scan('INSERT of 1000 rows', `INSERT INTO t (a, b, c) VALUES ${ROWS}`, utf8mb4),
];
