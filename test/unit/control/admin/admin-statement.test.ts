import t from 'tap';
import {
  joinTokens,
  readAdminStatement,
  sourceAfter,
  splitAtCommas,
  unquote,
} from '../../../../src/control/admin/admin-statement.ts';

function textOf(statement: string): string {
  return readAdminStatement(Buffer.from(statement)).text;
}

t.test('the normal form', async (t) => {
  const cases: readonly [string, string][] = [
    ['SHOW TOPOLOGY', 'SHOW TOPOLOGY'],
    ['  show\n\t topology ; ', 'show topology'],
    ['LOAD  SCHEDULER TO RUNTIME;;', 'LOAD SCHEDULER TO RUNTIME'],
    ['/* a */SHOW/* b */TOPOLOGY-- c', 'SHOW TOPOLOGY'],
    ['# one\n-- two\nSHOW TOPOLOGY # three', 'SHOW TOPOLOGY'],
    ['/*!40101 SET NAMES utf8 */', 'SET NAMES utf8'],
    ['SHOW /*+ hint */ TOPOLOGY', 'SHOW TOPOLOGY'],
    ["DRAIN 'a  b;c /* d */'", "DRAIN 'a  b;c /* d */'"],
    ['DRAIN 10.0.0.5:3306', 'DRAIN 10.0.0.5:3306'],
    ['SET a=1,b = 2', 'SET a=1,b = 2'],
    ['SHOW A; SHOW B', 'SHOW A; SHOW B'],
    ['', ''],
    [' ; -- nothing\n', ''],
    ["SELECT 'é' x", "SELECT 'é' x"],
  ];
  for (const [statement, expected] of cases) {
    const read = readAdminStatement(Buffer.from(statement));
    t.equal(read.text, expected, JSON.stringify(statement));
    t.equal(read.isWhole, true);
  }
});

t.test('a statement that is cut', async (t) => {
  for (const statement of ["DRAIN 'x", 'SHOW TOPOLOGY /* open', `SELECT ${'1,'.repeat(600)}1`]) {
    t.equal(readAdminStatement(Buffer.from(statement)).isWhole, false, statement.slice(0, 20));
  }
});

t.test('of a long statement no more is cut into tokens than a command may have', async (t) => {
  const statement = Buffer.from(`EXPLAIN ROUTE SELECT ${'(1),'.repeat(250_000)}1`);
  const read = readAdminStatement(statement);
  t.equal(read.tokens.length, 1000);
  t.equal(
    sourceAfter(read, 2).length,
    statement.length - 'EXPLAIN ROUTE '.length,
    'the whole is still there',
  );
});

t.test('bytes that are not UTF-8', async (t) => {
  t.throws(() => readAdminStatement(Buffer.from([0x53, 0xff, 0xfe])), {
    message: 'The statement is not valid UTF-8',
  });
});

t.test('what stands behind the words, unchanged', async (t) => {
  const after = (text: string) => sourceAfter(readAdminStatement(Buffer.from(text)), 2);
  t.equal(after('explain /* x */ route\n SELECT  1 ;  '), 'SELECT  1 ;  ');
  t.equal(after('EXPLAIN ROUTE/* sluice:primary */ SELECT 1'), '/* sluice:primary */ SELECT 1');
  t.equal(after('EXPLAIN ROUTE'), '');
});

t.test('quotes', async (t) => {
  const cases: readonly [string, string][] = [
    ["'a'", 'a'],
    ["'it''s'", "it's"],
    ["'a\\'b'", "a'b"],
    ['"a""b"', 'a"b'],
    ['`a\\b`', 'a\\b'],
    ['plain', 'plain'],
    ["'", "'"],
    ['\'a"', '\'a"'],
  ];
  for (const [quotedText, expected] of cases) t.equal(unquote(quotedText), expected, quotedText);
});

t.test('commas inside brackets do not split', async (t) => {
  const { tokens } = readAdminStatement(Buffer.from("f(a, b) , 'x,y', 3"));
  t.strictSame(splitAtCommas(tokens).map(joinTokens), ['f(a, b)', "'x,y'", '3']);
});

t.equal(textOf('SHOW\u0000TOPOLOGY') === 'SHOW TOPOLOGY', false, 'a NUL is no blank');
