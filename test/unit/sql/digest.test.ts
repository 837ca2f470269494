import t from 'tap';
import { DigestScanner } from '../../../src/sql/digest.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { shownForm } from './shown-form.ts';

const settings = { charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 80400 } as const;
const MYSQL = makeLexicalContext(settings);
const scanner = new DigestScanner(1);

function digest(sql: string, context = MYSQL): string {
  const buf = Buffer.from(sql);
  scanner.scan(buf, 0, buf.length, context);
  return shownForm(scanner);
}

t.test('normal forms', async (t) => {
  const table: readonly [string, string][] = [
    ['select  *\nfrom t where id=5', 'SELECT * FROM t WHERE id = ?'],
    ["SELECT 1, 'a', \"b\", 0x1F, x'1f', N'c', 1.5e3, \\N", 'SELECT ?, ?, ?, ?, ?, ?, ?, ?'],
    ['SELECT a FROM t -- c', 'SELECT a FROM t'],
    ['SELECT /* c */ a # d\n FROM t;', 'SELECT a FROM t'],
    ['SELECT a;;/* x */; ', 'SELECT a'],
    ['SELECT a;SELECT b', 'SELECT a; SELECT b'],
    ['SELECT count( * ),f (a) FROM t', 'SELECT count(*), f (a) FROM t'],
    ['SELECT a IN(1,2,3)', 'SELECT a IN (?)'],
    ['SELECT a IN ( 1 , NULL, -3 )', 'SELECT a IN (?)'],
    ['SELECT a IN (1, b, 2, 3)', 'SELECT a IN (?, b, ?)'],
    ['SELECT a IN (SELECT 1, 2 FROM t) AND b IN (1, 2)', 'SELECT a IN (SELECT ?, ? FROM t) AND b IN (?)'],
    ['SELECT f(1, 2)', 'SELECT f(?, ?)'],
    ['INSERT INTO t VALUES (1, 2), (3, 4), (5, NULL)', 'INSERT INTO t VALUES (?)'],
    ['insert into t(a) values (1,now()),(2,now())', 'INSERT INTO t(a) VALUES (?, now())'],
    ['INSERT INTO t VALUES (f(1,2),3),(f(4,5),6)', 'INSERT INTO t VALUES (f(?, ?), ?)'],
    ['INSERT INTO t VALUES (1),(a),(a),(2)', 'INSERT INTO t VALUES (?), (a), (?)'],
    ['SELECT -5, - 5, a-5, (-5), a = -5, a>=+5', 'SELECT ?, ?, a - ?, (?), a = ?, a >= ?'],
    ['LIMIT 5,10', 'LIMIT ?, ?'],
    ['SELECT @x, @`X`, @@Session.a', 'SELECT @x, @`X`, @@Session.a'],
    ['SELECT `Select` , t . `a`,Select_1 FROM db.Select', 'SELECT `Select`, t.`a`, Select_1 FROM db.Select'],
    ['Status status STATUS', 'Status status STATUS'],
    [
      'SELECT /*+ X(1) */ 1 /*!50000 ,2 */ /* sluice:primary */',
      'SELECT /*+ X(1) */ ? /*!50000, ? */ /* sluice:primary */',
    ],
    ['a > = 1 or a >= 1', 'a > = ? OR a >= ?'],
    ["SELECT 'open", "SELECT 'open"],
    ['', ''],
    [' ; -- x', ''],
  ];
  for (const [sql, expected] of table) t.equal(digest(sql), expected, JSON.stringify(sql));
});

t.test('ANSI_QUOTES keeps names', async (t) => {
  t.equal(
    digest('SELECT "a", \'b\'', makeLexicalContext({ ...settings, sqlMode: 'ANSI_QUOTES' })),
    'SELECT "a", ?',
  );
});

t.test('statements are counted', async (t) => {
  const counts = ['', ';', '-- x', 'SELECT 1', 'SELECT 1;', 'SELECT 1; SELECT 2', ';SELECT 1;;SELECT 2;;'];
  t.same(
    counts.map((sql) => {
      digest(sql);
      return scanner.statementCount;
    }),
    [0, 0, 0, 1, 1, 2, 2],
  );
});

t.test('hashes', async (t) => {
  const hash = (seed: number, sql: string): string => {
    const own = new DigestScanner(seed);
    own.scan(Buffer.from(sql), 0, sql.length, MYSQL);
    t.ok(own.hashHigh >>> 0 === own.hashHigh && own.hashLow >>> 0 === own.hashLow, 'unsigned');
    return `${own.hashHigh}:${own.hashLow}`;
  };
  t.equal(hash(5, 'SELECT 1'), hash(5, 'select  2 -- x'));
  t.not(hash(5, 'SELECT 1'), hash(6, 'SELECT 1'), 'another seed, another hash');
  const seen = new Set<string>();
  const low = new Set<number>();
  for (let i = 0; i < 100_000; i++) {
    digest(`SELECT a${i} FROM t${i % 7}`);
    seen.add(`${scanner.hashHigh}:${scanner.hashLow}`);
    low.add(scanner.hashLow % 65_536);
  }
  t.equal(seen.size, 100_000, 'no collision among 100,000 similar statements');
  t.ok(low.size > 49_000, `low bits spread: ${low.size} of 65,536 slots`);
});

t.test('scratch memory grows with a text and shrinks again', async (t) => {
  digest(`SELECT '${'x'.repeat(1_000_000)}', ${'a'.repeat(1_000_000)}`);
  t.ok(scanner.normalized.length > 1_000_000);
  t.equal(scanner.normalizedLength, 'SELECT ?, '.length + 1_000_000);
  digest('SELECT 1');
  t.ok(scanner.normalized.length <= 0x1_0000);
});

t.test('only the given range is read', async (t) => {
  const buf = Buffer.from("xxSELECT 'a'yy");
  scanner.scan(buf, 2, 12, MYSQL);
  t.equal(shownForm(scanner), 'SELECT ?');
  scanner.scan(buf, 2, 11, MYSQL);
  t.equal(shownForm(scanner), "SELECT 'a");
});
