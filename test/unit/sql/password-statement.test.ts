import t from 'tap';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { parsePasswordChange } from '../../../src/sql/password-statement.ts';

function parse(text: string, flavor: 'mysql' | 'mariadb', sqlMode = '', charset = 'utf8mb4') {
  const buf = Buffer.from(text);
  const context = makeLexicalContext({ charset, sqlMode, flavor, versionId: 0 });
  return parsePasswordChange(buf, 0, buf.length, context);
}

const own = (password: string, plugin: string | null = null) => ({ account: null, password, plugin });
const of = (username: string, host: string, password: string, plugin: string | null = null) => ({
  account: { username, host },
  password,
  plugin,
});

t.test('what both servers understand', async (t) => {
  for (const flavor of ['mysql', 'mariadb'] as const) {
    t.strictSame(parse("set password = password('a b')", flavor), own('a b'));
    t.strictSame(parse("SET PASSWORD FOR CURRENT_USER() = PASSWORD('x');", flavor), own('x'));
    t.strictSame(parse("SET PASSWORD FOR me@'10.%' := PASSWORD('x')", flavor), of('me', '10.%', 'x'));
    t.strictSame(parse("SET PASSWORD FOR 'm''e'@`h` = PASSWORD('x')", flavor), of("m'e", 'h', 'x'));
    t.strictSame(parse("SET PASSWORD FOR me = PASSWORD('x')", flavor), of('me', '%', 'x'));
    t.strictSame(parse("ALTER USER CURRENT_USER IDENTIFIED BY 'x'", flavor), own('x'));
    t.strictSame(parse("ALTER USER IF EXISTS USER() IDENTIFIED BY ''", flavor), own(''));
    t.strictSame(
      parse("ALTER USER me@h IDENTIFIED BY 'é\\'' REQUIRE SSL WITH MAX_USER_CONNECTIONS 3", flavor),
      of('me', 'h', "é'"),
    );
    t.strictSame(parse('/* c */ ALTER USER me@\'%\' IDENTIFIED BY "x"', flavor), of('me', '%', 'x'));
  }
});

t.test('what one of them understands', async (t) => {
  t.strictSame(parse("SET PASSWORD = 'x' REPLACE 'y' RETAIN CURRENT PASSWORD", 'mysql'), own('x'));
  t.equal(parse("SET PASSWORD = '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'", 'mariadb'), null, 'a hash');
  t.strictSame(
    parse("ALTER USER USER() IDENTIFIED WITH 'caching_sha2_password' BY 'x'", 'mysql'),
    own('x', 'caching_sha2_password'),
  );
  t.strictSame(
    parse("ALTER USER me@'%' IDENTIFIED VIA ed25519 USING PASSWORD('x')", 'mariadb'),
    of('me', '%', 'x', 'ed25519'),
  );
});

t.test('what tells no password of one account', async (t) => {
  for (const text of [
    "ALTER USER a IDENTIFIED BY 'x', b IDENTIFIED BY 'y'",
    "ALTER USER a IDENTIFIED BY 'x'; SELECT 1",
    "ALTER USER a IDENTIFIED VIA ed25519 USING PASSWORD('x') OR unix_socket",
    "ALTER USER a IDENTIFIED BY PASSWORD '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'",
    "ALTER USER a IDENTIFIED WITH mysql_native_password AS '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'",
    "ALTER USER a IDENTIFIED VIA mysql_native_password USING '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'",
    'ALTER USER a IDENTIFIED BY RANDOM PASSWORD',
    'SET PASSWORD FOR a TO RANDOM',
    'ALTER USER a PASSWORD EXPIRE',
    'ALTER USER a ACCOUNT LOCK',
    "SET PASSWORD = OLD_PASSWORD('x')",
    "SET PASSWORD = PASSWORD(CONCAT('x','y'))",
    "SET PASSWORD = PASSWORD('x' 'y')",
    "SET PASSWORD = PASSWORD(N'x')",
    "SET PASSWORD = PASSWORD(x'61')",
    "SET PASSWORD = PASSWORD('x'",
    "SET PASSWORD = 'x",
    "SET /*!50000 PASSWORD = PASSWORD('x') */",
    "CREATE USER a IDENTIFIED BY 'x'",
    'SET PASSWORD',
    '',
  ])
    for (const flavor of ['mysql', 'mariadb'] as const) t.equal(parse(text, flavor), null, text);
  t.equal(parse('SET PASSWORD = PASSWORD("x")', 'mysql', 'ANSI_QUOTES'), null);
  t.equal(parse("SET PASSWORD = PASSWORD('é')", 'mysql', '', 'latin1'), null, 'other bytes than the text');
  t.strictSame(parse("SET PASSWORD = PASSWORD('a\\b')", 'mysql', 'NO_BACKSLASH_ESCAPES'), own('a\\b'));
});
