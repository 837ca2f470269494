import t from 'tap';
import { ConditionalMode, Lexer, TokenKind } from '../../../src/sql/lexer.ts';
import {
  type LexicalContext,
  lexicalCharsetOf,
  makeLexicalContext,
} from '../../../src/sql/lexical-context.ts';

const NAMES = new Map(Object.entries(TokenKind).map(([name, kind]) => [kind as number, name]));
const settings = { charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 80400 } as const;
const MYSQL = makeLexicalContext(settings);
const MARIADB = makeLexicalContext({ ...settings, flavor: 'mariadb', versionId: 101100 });

/** `kind:text` of every token, separated by blanks. */
function tokens(
  sql: string | Buffer,
  context: LexicalContext = MYSQL,
  mode: ConditionalMode = ConditionalMode.byServer,
): string {
  const buf = typeof sql === 'string' ? Buffer.from(sql) : sql;
  const lexer = new Lexer();
  lexer.reset(buf, 0, buf.length, context, mode);
  const found: string[] = [];
  while (lexer.next() !== TokenKind.end) {
    const isSign = lexer.kind === TokenKind.operator;
    const text = buf.toString('latin1', lexer.start, lexer.end);
    found.push(isSign ? text : `${NAMES.get(lexer.kind)}:${text}`);
  }
  return found.join(' ');
}

t.test('tokens', async (t) => {
  const table: readonly [string, string][] = [
    ['', ''],
    ['a b$1 _c', 'name:a name:b$1 name:_c'],
    ['`a``b`', 'quotedName:`a``b`'],
    ['``', 'quotedName:``'],
    ["'a''b'", "string:'a''b'"],
    ["'a\\'b'", "string:'a\\'b'"],
    ["'a\\\\'", "string:'a\\\\'"],
    ['"a""b"', 'string:"a""b"'],
    ["'a' 'b'", "string:'a' string:'b'"],
    ["_utf8'a'", "name:_utf8 string:'a'"],
    ["N'a' n'b'", "string:N'a' string:n'b'"],
    ['N"a"', 'name:N string:"a"'],
    ["X'1f' x'' B'01'", "string:X'1f' string:x'' string:B'01'"],
    ["x 'a'", "name:x string:'a'"],
    ['0x1F 0x 0xg 0X1F', 'number:0x1F name:0x name:0xg name:0X1F'],
    ['0b01 0b2 0B01', 'number:0b01 name:0b2 name:0B01'],
    [
      '1 1.5 .5 1. 1e5 1e+5 1.5e-5',
      'number:1 number:1.5 number:.5 number:1. number:1e5 number:1e+5 number:1.5e-5',
    ],
    ['1a 1e 1ea 1_0', 'name:1a name:1e name:1ea name:1_0'],
    ['1e5a', 'number:1e5 name:a'],
    ['t.1a t.5 t.1e5', 'name:t . name:1a name:t . name:5 name:t . name:1e5'],
    ['t .5', 'name:t number:.5'],
    ['`t`.5', 'quotedName:`t` number:.5'],
    ['t. 5a', 'name:t . name:5a'],
    ["t.x'1'", "name:t . name:x string:'1'"],
    ['t.select', 'name:t . name:select'],
    ['\\N', 'number:\\N'],
    ['?', 'number:?'],
    ['a:=1', 'name:a assign::= number:1'],
    [': =', ': ='],
    ['<=> != ->>', '< = > ! = - > >'],
    [
      '@a @a.b @`a` @"a" @\'a\' @',
      'userVariable:@a userVariable:@a.b userVariable:@`a` userVariable:@"a" userVariable:@\'a\' userVariable:@',
    ],
    ['@@a @@`a` @@session.b', 'systemVariable:@@a systemVariable:@@`a` systemVariable:@@session . name:b'],
    ["'u'@'h'", "string:'u' userVariable:@'h'"],
    ['a;b', 'name:a semicolon:; name:b'],
    ['a-- b', 'name:a'],
    ['a--b', 'name:a - - name:b'],
    ['a --', 'name:a'],
    ['a --\tb\nc', 'name:a name:c'],
    ['a#b\nc', 'name:a name:c'],
    ['a/* b */c', 'name:a name:c'],
    ['a/**/c', 'name:a name:c'],
    ['a/*/c*/d', 'name:a name:d'],
    ['a / b', 'name:a / name:b'],
    ['/*+ h */', 'optimizerHint:/*+ h */'],
    ['/* Sluice:x */', 'routeHint:/* Sluice:x */'],
    ['/*! a */', 'conditionalOpen:/*! name:a conditionalClose:*/'],
    ['/*!80400a*/', 'conditionalOpen:/*!80400 name:a conditionalClose:*/'],
    ['/*!080400 a */', 'conditionalOpen:/*!080400 name:a conditionalClose:*/'],
    ['/*!80401 a */b', 'name:b'],
    ['/*!4000 a */', 'conditionalOpen:/*! number:4000 name:a conditionalClose:*/'],
    ['/*M! a */b', 'name:b'],
    ['ä ☃', 'name:Ã¤ name:â\u0098\u0083'],
    // The rest of the text is one token where it means nothing.
    ["a 'b", "name:a malformed:'b"],
    ['a `b', 'name:a malformed:`b'],
    ['a "b', 'name:a malformed:"b'],
    ["a 'b\\'", "name:a malformed:'b\\'"],
    ['a /* b', 'name:a malformed:/* b'],
    ['/*! a', 'malformed:/*! a'],
    ['/*! /* a */ */', 'malformed:/*! /* a */ */'],
    ["/*! '*/'", "conditionalOpen:/*! malformed:'*/'"],
    ['/*! # a */ b', 'conditionalOpen:/*! malformed:# a */ b'],
    ['/*! -- a */ b', 'conditionalOpen:/*! malformed:-- a */ b'],
    ['/*!! a */', 'malformed:/*!! a */'],
    ['/*!0804001 a */', 'malformed:/*!0804001 a */'],
    ['/*+ "*/ a', 'malformed:/*+ "*/ a'],
    ["x'1", "malformed:x'1"],
    ["x'g'", "malformed:x'g'"],
    ['.5e', 'malformed:.5e'],
    ['@@', 'malformed:@@'],
    ['a \0 b', 'name:a malformed:\0 b'],
    ['a # \0', 'name:a malformed:# \0'],
    ['`a\0`', 'malformed:`a\0`'],
    ['\\n', 'malformed:\\n'],
  ];
  for (const [sql, expected] of table) t.equal(tokens(sql), expected, JSON.stringify(sql));
});

t.test('conditional comments by server and mode', async (t) => {
  t.equal(tokens('/*!50701 a */b', MARIADB), 'name:b', 'MariaDB skips the numbers of MySQL 5.7 and later');
  t.equal(tokens('/*M!100100 a */', MARIADB), 'conditionalOpen:/*M!100100 name:a conditionalClose:*/');
  t.equal(tokens('/*!100100 a */', MARIADB), 'conditionalOpen:/*!100100 name:a conditionalClose:*/');
  t.equal(tokens('/*!101101 a */b', MARIADB), 'name:b');
  t.equal(tokens('/*! a */b', MYSQL, ConditionalMode.skipAll), 'name:b');
  t.match(tokens('/*M!999999 a */', MYSQL, ConditionalMode.runAll), /name:a/);
  const unknown = makeLexicalContext({ ...settings, versionId: 0 });
  t.match(tokens('/*!99999 a */', unknown), /name:a/);
});

t.test('sql_mode', async (t) => {
  const ansi = makeLexicalContext({ ...settings, sqlMode: 'STRICT_TRANS_TABLES,ANSI_QUOTES' });
  t.equal(tokens('"a""b" @"c"', ansi), 'quotedName:"a""b" userVariable:@"c"');
  const noEscapes = makeLexicalContext({ ...settings, sqlMode: 'NO_BACKSLASH_ESCAPES' });
  t.equal(tokens("'a\\' b", noEscapes), "string:'a\\' name:b");
  t.same(
    ['ANSI', 'ansi_quotes, ignore_space', ''].map((sqlMode) => {
      const { ansiQuotes, ignoreSpace } = makeLexicalContext({ ...settings, sqlMode });
      return [ansiQuotes, ignoreSpace];
    }),
    [
      [true, true],
      [true, true],
      [false, false],
    ],
  );
});

t.test('character sets whose characters end in ASCII bytes', async (t) => {
  const context = (charset: string): LexicalContext => makeLexicalContext({ ...settings, charset });
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
  // A backslash or a quote byte as the tail of a character ends no string and escapes nothing.
  t.equal(tokens(bytes("'\xbf\\' a"), context('gbk')), "string:'\xbf\\' name:a");
  t.equal(tokens(bytes("'\xbf\\' a"), MYSQL), "malformed:'\xbf\\' a");
  t.equal(tokens(bytes("'\x95\\' a"), context('sjis')), "string:'\x95\\' name:a");
  t.equal(tokens(bytes("'\x95\\' a"), context('cp932')), "string:'\x95\\' name:a");
  t.equal(tokens(bytes("'\xa5\\' a"), context('big5')), "string:'\xa5\\' name:a");
  t.equal(tokens(bytes("'\xbf\\' a"), context('gb18030')), "string:'\xbf\\' name:a");
  t.equal(tokens(bytes("'\x81\x30\x81\x30' a"), context('gb18030')), "string:'\x81\x30\x81\x30' name:a");
  // A quote is no tail: the classic injection \xbf' stays a lone byte and the end of the string.
  t.equal(tokens(bytes("'\xbf' a"), context('gbk')), "string:'\xbf' name:a");
  // Behind a backslash one byte is skipped, whatever it could begin.
  t.equal(tokens(bytes("'\\\xbf' a"), context('gbk')), "string:'\\\xbf' name:a");
  t.equal(tokens(bytes('`\xbf`` a'), context('gbk')), 'quotedName:`\xbf`` name:a');
  t.equal(tokens(bytes('\xbf` a'), context('gbk')), 'name:\xbf` name:a');
  t.equal(tokens(bytes('a\xbf\xff b'), context('gbk')), 'malformed:a\xbf\xff b');
  // White space of latin1 is white space; what is neither letter nor space there is nothing.
  t.equal(tokens(bytes('for\xa0update'), context('latin1')), 'name:for name:update');
  t.equal(tokens(bytes('stra\xdfe'), context('latin1')), 'name:stra\xdfe');
  t.equal(tokens(bytes('a \xa7'), context('latin1')), 'name:a malformed:\xa7');
  t.equal(tokens(bytes('for\xa0update'), context('cp850')), 'name:for malformed:\xa0update');
  t.equal(tokens(bytes("'\xa0\xff'"), context('cp850')), "string:'\xa0\xff'");
  // MySQL skips a tail unseen in quoted names, MariaDB looks at it.
  t.equal(tokens(bytes('`\xe4`` a')), 'malformed:`\xe4`` a');
  t.equal(tokens('`☃` a'), 'quotedName:`â\u0098\u0083` name:a');
  t.equal(tokens(bytes('`\xe4` a'), context('latin1')), 'quotedName:`\xe4` name:a');
});

t.test('contexts are shared and named', async (t) => {
  t.equal(makeLexicalContext(settings), MYSQL);
  t.not(MARIADB.key, MYSQL.key);
  const names = [
    'utf8mb4',
    'latin1',
    'gbk_chinese_ci',
    'BIG5',
    'sjis',
    'cp932',
    'gb18030',
    'ujis',
    'nonsense',
  ];
  t.same(names.map(lexicalCharsetOf), [
    'safe',
    'safe',
    'gbk',
    'big5',
    'sjis',
    'sjis',
    'gb18030',
    'safe',
    'safe',
  ]);
});
