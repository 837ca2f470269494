import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import t from 'tap';
import type { AdminError } from '../../../../src/control/admin/admin-error.ts';
import { toSqlite } from '../../../../src/control/admin/sql/sqlite-text.ts';

const CASES: readonly (readonly [source: string, text: string, why: string])[] = [
  ['SELECT 1;', 'SELECT 1', 'no semicolon'],
  ['SELECT 1 ;  -- done\n# really\n/* yes */ ;', 'SELECT 1 ', 'nothing but comments behind it'],
  ['SELECT/* a ; b */1', 'SELECT 1', 'a comment is a blank'],
  ["SELECT 1 # it's\n, 2", 'SELECT 1  \n, 2', 'quotes in comments are none'],
  ["SELECT '# -- /* */ ;'", "SELECT '# -- /* */ ;'", 'comments in quotes are none'],
  ['SELECT/*!40101 1, *//*M!100100 2 */', 'SELECT 1, 2', 'conditional comments are code'],
  ['SELECT `a;b`, "c;d", [e;f]', 'SELECT `a;b`, "c;d", [e;f]', 'quoted names'],
  [String.raw`SELECT '^\d+\.$'`, String.raw`SELECT '^\d+\.$'`, 'a regular expression stays as it was typed'],
  [String.raw`SELECT 'C:\'`, String.raw`SELECT 'C:\'`, 'a backslash at the end as well'],
  [String.raw`SELECT 'it''s \n'`, String.raw`SELECT 'it''s \n'`, 'what SQLite reads is not touched'],
  [String.raw`SELECT 'it\'s'`, "SELECT 'it''s'", "MySQL's escapes where SQLite could not read it"],
  [String.raw`SELECT 'it\'s \\ \n \% "x"'`, "SELECT 'it''s \\ \n \\% \"x\"'", 'all of them then'],
  [String.raw`SELECT "say \"hi\"", 'a''b'`, `SELECT "say ""hi""", 'a''b'`, 'in either quotes'],
  [String.raw`SELECT 'a\'b'''`, "SELECT 'a''b'''", 'both ways in one text'],
  ["SELECT 'ü😀', 5 - 3, a*b, a/b", "SELECT 'ü😀', 5 - 3, a*b, a/b", 'operators'],
];

const blanksFolded = (text: string): string => text.replace(/ +/g, ' ').trimEnd();

t.test('what clients write, for SQLite', async (t) => {
  for (const [source, text, why] of CASES) t.equal(blanksFolded(toSqlite(source)), blanksFolded(text), why);
});

t.test('what is no statement', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['SELECT 1; SELECT 2', /One statement at a time/],
    ["DELETE FROM a; 'x'", /One statement at a time/],
    ["SELECT 'open", /A quote is not closed/],
    ['SELECT "open', /A quote is not closed/],
    ['SELECT /* open', /A comment is not closed/],
    ['SELECT /*! 1', /A comment is not closed/],
    [String.raw`UPDATE t SET a = '\'#' WHERE b = 1`, /It cannot be told/],
    [String.raw`UPDATE t SET a = '\'-- ' WHERE b = 1`, /It cannot be told/],
    ['SELECT 1 \0 OR 1', /A NUL character/],
    [String.raw`SELECT 'it\'s \0'`, /A NUL character/],
  ];
  for (const [source, message] of cases) {
    try {
      t.fail(`${source} was taken for ${toSqlite(source)}`);
    } catch (error) {
      t.match((error as AdminError).toClientError(), { errno: 1064, message }, JSON.stringify(source));
    }
  }
});

const RAW_OF: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r' };
/** As drivers write a text that know of the status flag, and as those do that do not. */
const withDoubledQuotes = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const withBackslashes = (text: string): string =>
  `'${text.replace(/[\\'"\n\r]/g, (character) => `\\${RAW_OF[character] ?? character}`)}'`;

t.test('a text arrives as it was meant', async (t) => {
  const database = new DatabaseSync(':memory:');
  t.teardown(() => database.close());
  const read = (sql: string) => Object.values(database.prepare(toSqlite(sql)).get() ?? {})[0];
  const characters = ['a', "'", '"', '\\', '`', ';', '#', '-', '/', '*', '\n', '%', 'ü'];
  const texts = fc.string({ unit: fc.constantFrom(...characters), maxLength: 12 });
  fc.assert(
    fc.property(texts, (text) => read(`SELECT ${withDoubledQuotes(text)}`) === text),
    { numRuns: 3000 },
  );
  // The statement goes on behind the text: whatever the text is, the rest must not be lost.
  const rest = " AS a WHERE 'x' = 'x'";
  fc.assert(
    fc.property(texts, (text) => {
      const sql = `SELECT ${withBackslashes(text)}`;
      const asItStands = /^SELECT '(?:[^']|'')*'$/.test(sql);
      try {
        return asItStands || read(sql + rest) === text;
      } catch {
        return true;
      }
    }),
    { numRuns: 3000 },
  );
});

t.test('a large statement takes no long time', async (t) => {
  const rows = Array.from({ length: 40_000 }, (_, index) => `(${index}, 'text ''${index}''')`).join(', ');
  const startedAt = performance.now();
  t.equal(toSqlite(`INSERT INTO t VALUES ${rows}`).length, `INSERT INTO t VALUES ${rows}`.length);
  t.throws(() => toSqlite(`SELECT '${"\\'".repeat(400_000)}`), { message: 'A quote is not closed' });
  t.ok(performance.now() - startedAt < 5000);
});
