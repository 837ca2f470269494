import t from 'tap';
import { DigestScanner } from '../../../src/sql/digest.ts';
import { digestName, digestText } from '../../../src/sql/digest-text.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';

const CONTEXT = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: '',
  flavor: 'mariadb',
  versionId: 101_100,
});

function normalized(sql: string, seed = 1): Buffer {
  const scanner = new DigestScanner(seed);
  const bytes = Buffer.from(sql);
  scanner.scan(bytes, 0, bytes.length, CONTEXT);
  return Buffer.from(scanner.normalized.subarray(0, scanner.normalizedLength));
}

t.test('no literal is shown, whatever is wrong with the statement', async (t) => {
  const cases: readonly [string, string][] = [
    ["SELECT 'secret'", 'SELECT ?'],
    ["SELECT 'secret", 'SELECT…'],
    ['SELECT "secret', 'SELECT…'],
    ["SELECT 1 /* secret */, 'secret' -- secret", 'SELECT ?, ?'],
    ["CREATE USER u IDENTIFIED BY 'secret", 'CREATE user u identified BY…'],
    ["SELECT x'secret", 'SELECT…'],
  ];
  for (const [sql, text] of cases) {
    const shown = digestText(normalized(sql), 1000);
    t.notMatch(shown, /secret/, sql);
    t.equal(shown.toLowerCase(), text.toLowerCase(), sql);
  }
});

t.test('a long one is cut', async (t) => {
  t.equal(digestText(Buffer.from('SELECT abc'), 8), 'SELECT a…');
  t.equal(digestText(Buffer.from('SELECT abc'), 10), 'SELECT abc');
});

t.test('the name depends on the text only', async (t) => {
  t.equal(digestName(normalized('SELECT 1', 1)), digestName(normalized("SELECT  'x'", 2)));
  t.not(digestName(normalized('SELECT 1')), digestName(normalized('SELECT 1, 1')));
  t.match(digestName(Buffer.alloc(0)), /^0x[0-9A-F]{16}$/);
});
