/** What a known statement costs: the digest's scan. */

import { DigestScanner } from '../../src/sql/digest.ts';
import { makeLexicalContext } from '../../src/sql/lexical-context.ts';
import { measure } from './sql-measure.ts';

const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 80400 });
const gbk = makeLexicalContext({ charset: 'gbk', sqlMode: '', flavor: 'mysql', versionId: 80400 });
const scanner = new DigestScanner(0x5eed);

const POINT_SELECT = 'SELECT c FROM sbtest1 WHERE id=501267';
const HUNDRED_BYTES =
  "SELECT id, k, c, pad FROM sbtest1 WHERE id BETWEEN 12345 AND 23456 AND k = 'abcdef' ORDER BY c LIMIT";
const ORM =
  'SELECT `t0`.`id`, `t0`.`created_at`, `t0`.`name`, `t1`.`title` FROM `users` AS `t0` LEFT JOIN `posts` AS `t1` ON ' +
  "`t0`.`id` = `t1`.`user_id` WHERE `t0`.`active` = 1 AND `t1`.`state` IN ('draft', 'live', 'gone') LIMIT 20";
const BULK = `INSERT INTO t (a, b, c) VALUES ${Array.from({ length: 1000 }, (_, i) => `(${i}, 'row ${i}', NULL)`).join(', ')}`;

for (const [name, sql, calls] of [
  ['point select', POINT_SELECT, 300_000],
  ['100 bytes', HUNDRED_BYTES, 200_000],
  ['quoted names, 220 bytes', ORM, 100_000],
  ['INSERT of 1000 rows', BULK, 200],
] as const) {
  const buf = Buffer.from(sql);
  measure(`scan: ${name} (${buf.length} B)`, calls, () => scanner.scan(buf, 0, buf.length, context));
}
const buf = Buffer.from(HUNDRED_BYTES);
measure(`scan: 100 bytes, gbk (${buf.length} B)`, 200_000, () => scanner.scan(buf, 0, buf.length, gbk));
