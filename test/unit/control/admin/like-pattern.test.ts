import t from 'tap';
import { isLike } from '../../../../src/control/admin/like-pattern.ts';

for (const [text, pattern, expected] of [
  ['mysql_servers', 'mysql%', true],
  ['mysql_servers', '%servers', true],
  ['MYSQL_SERVERS', 'mysql_s%s', true],
  ['mysql_servers', 'mysql', false],
  ['mysqlxservers', 'mysql_servers', true],
  ['mysqlxservers', 'mysql\\_servers', false],
  ['mysql_servers', 'mysql\\_servers', true],
  ['', '%', true],
  ['', '', true],
  ['a', '', false],
  ['a.b', 'a.b', true],
  ['axb', 'a.b', false],
  ['abcabc', '%abc', true],
  ['aab', '%a_', true],
  ['100%', '100\\%', true],
  ['1000', '100\\%', false],
] as const) {
  t.equal(isLike(text, pattern), expected, `${text} LIKE ${pattern}`);
}

t.test('patterns that would keep a backtracking matcher busy for ever', async (t) => {
  t.equal(isLike('a'.repeat(5000), `${'%a'.repeat(2000)}b`), false);
});
