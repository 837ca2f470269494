/** Which texts have the same hash. */

import t from 'tap';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { hashBytes, hashTokens } from '../../../src/sql/token-hash.ts';

const context = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: '',
  flavor: 'mariadb',
  versionId: 101_100,
});

function hash(text: string): number {
  const bytes = Buffer.from(`\x03${text}`);
  return hashTokens(bytes, 1, bytes.length, context);
}

t.test('comments, hints, white space and case of words do not matter', async (t) => {
  const text = "SELECT c FROM t WHERE id = 5 AND name = 'x'";
  for (const same of [
    "select c from t where id=5 and name='x'",
    "SELECT  c\nFROM t -- what\n WHERE id = 5 AND name = 'x'",
    "/* traceparent=00-1 */ SELECT c FROM t WHERE id = 5 AND name = 'x' # end",
    "/* sluice:max_lag_ms=200 */ SELECT c FROM t WHERE id = 5 AND name = 'x'",
  ])
    t.equal(hash(same), hash(text), same);
});

t.test('literals and names do', async (t) => {
  const texts = [
    'SELECT 1',
    'SELECT 2',
    "SELECT '1'",
    "SELECT 'a'",
    "SELECT 'A'",
    "SELECT 'a', 'b'",
    "SELECT 'ab', ''",
    'SELECT a',
    'SELECT `a`',
    'SELECT 1, 2',
    'SELECT 12',
    'SELECT 1 IN (1, 2, 3)',
    'SELECT 1 IN (1, 2, 4)',
    '',
  ];
  t.equal(new Set(texts.map(hash)).size, texts.length);
});

t.test('of a long literal the beginning and the length count', async (t) => {
  const long = (tail: string) => hash(`SELECT '${'x'.repeat(5000)}${tail}'`);
  t.equal(long('a'), long('b'));
  t.not(long('a'), long('ab'));
  const bytes = Buffer.from('0123456789');
  t.not(hashBytes(bytes, 0, 4, 1), hashBytes(bytes, 0, 5, 1));
  t.not(hashBytes(bytes, 0, 4, 1), hashBytes(bytes, 0, 4, 2));
});
