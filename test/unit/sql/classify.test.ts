import t from 'tap';
import { classify } from '../../../src/sql/classify.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { NO_HINT } from '../../../src/sql/route-hint.ts';
import type { StatementClass } from '../../../src/sql/statement-class.ts';
import { OTHER_STATEMENTS } from './other-statement-groups.ts';
import { PROVEN_READS } from './proven-reads.ts';
import type { StatementGroup } from './statement-group.ts';
import { UNPROVEN_READS } from './unproven-reads.ts';

const MARIADB = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mariadb', versionId: 101100 });
const MYSQL = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 80400 });

function classOf(sql: string, context = MARIADB): StatementClass {
  const buf = Buffer.from(sql);
  return classify(buf, 0, buf.length, context);
}

function check(group: StatementGroup, sql: string): void {
  const found = classOf(sql);
  const { kind, reason, pins } = group;
  t.match(found, { kind, reason, provenRead: reason === 'proven-read' }, sql);
  t.same([...found.pins].sort(), [...pins].sort(), `pins: ${sql}`);
  if (group.mayWrite !== undefined) t.equal(found.mayWrite, group.mayWrite, `mayWrite: ${sql}`);
  if (group.transactionControl !== undefined) {
    t.equal(found.transactionControl, group.transactionControl, `transactionControl: ${sql}`);
  }
}

let statements = 0;
for (const group of [PROVEN_READS, ...UNPROVEN_READS, ...OTHER_STATEMENTS]) {
  for (const sql of group.statements) {
    statements++;
    check(group, sql);
  }
}
t.ok(statements >= 300, `${statements} statements`);

t.test('tables', async (t) => {
  const table: readonly [string, string][] = [
    ['SELECT 1', ''],
    ['SELECT * FROM t', 't'],
    ['SELECT * FROM `a``b`.`c d`', 'a`b.c d'],
    ['SELECT * FROM a, b JOIN c ON a.x = c.x, d', 'a b c d'],
    ['SELECT * FROM (a, b), (c JOIN (d))', 'a b c d'],
    ['SELECT a.b, c.d FROM e.f', 'e.f'],
    ['SELECT (SELECT 1 FROM a) FROM b WHERE x IN (SELECT 1 FROM c) ORDER BY (SELECT 1 FROM d)', 'a b c d'],
    ['(SELECT 1 FROM a) UNION (SELECT 1 FROM b)', 'a b'],
    ['SELECT 1 FROM a UNION SELECT 1 FROM b EXCEPT SELECT 1 FROM c INTERSECT TABLE d', 'a b c d'],
    ['SELECT * FROM (SELECT * FROM a) x, (VALUES (1)) y, LATERAL (SELECT * FROM b) z', 'a b'],
    ['SELECT * FROM ((SELECT * FROM a) UNION (SELECT * FROM b)) x', 'a b'],
    ['WITH c AS (SELECT * FROM a) SELECT * FROM c, b', 'a b'],
    // Without RECURSIVE the expression's own name means a real table in its body.
    ['WITH c AS (SELECT * FROM c) SELECT * FROM c', 'c'],
    ['WITH RECURSIVE c AS (SELECT 1 FROM a UNION SELECT 1 FROM c) SELECT * FROM c', 'a'],
    // An expression is visible in its own query only.
    ['SELECT * FROM c WHERE x IN (WITH c AS (SELECT 1) SELECT * FROM c)', 'c'],
    ['SELECT * FROM (WITH c AS (SELECT 1) SELECT * FROM c) x, c', 'c'],
    // Names of tables may differ by case only.
    ['WITH c AS (SELECT 1) SELECT * FROM C', 'C'],
    ['WITH c AS (SELECT 1) SELECT * FROM db.c', 'db.c'],
    ['WITH c (a, b) AS (SELECT 1, 2), d AS (SELECT * FROM c, e) SELECT * FROM d', 'e'],
    ['SELECT EXTRACT(DAY FROM a), TRIM(LEADING b FROM c), SUBSTRING(d FROM 1 FOR 2) FROM t', 't'],
    ['SELECT * FROM t USE INDEX FOR ORDER BY (i), u', 't u'],
    ['SELECT * FROM t IGNORE INDEX FOR JOIN (i) JOIN u', 't u'],
    ['SELECT * FROM t window, u', 't u'],
    ['SELECT * FROM t except, u', 't u'],
    ['SELECT * FROM t PARTITION (p), u', 't u'],
    ['SELECT * FROM t GROUP BY a WITH ROLLUP', 't'],
    ['SELECT 1 FROM a;SELECT 1 FROM b', 'a b'],
    ['SELECT * FROM ä', 'ä'],
  ];
  for (const [sql, expected] of table) {
    const found = classOf(sql);
    const names = found.tables.map(({ schema, table }) => (schema === null ? table : `${schema}.${table}`));
    t.equal(names.join(' '), expected, sql);
    t.ok(found.provenRead, `proven: ${sql}`);
  }
});

t.test(
  'what is in a table’s place and is no table is asked of the parser, and not proven if it fails',
  async (t) => {
    for (const sql of [
      'SELECT * FROM { OJ a LEFT JOIN b ON 1 }',
      'SELECT * FROM',
      'SELECT * FROM a,,b',
      'SELECT * FROM (a',
    ]) {
      t.match(classOf(sql), { provenRead: false, reason: /parser-failed|parser-disagrees/ }, sql);
    }
  },
);

t.test('hints', async (t) => {
  const hints: readonly [string, string | null, number | null, boolean][] = [
    ['/* sluice:primary */ SELECT 1', 'primary', null, false],
    ['SELECT 1 /*sluice:replica*/', 'replica', null, false],
    ['SELECT /* \n SLUICE : Primary \t*/ 1', null, null, false],
    ['SELECT /* \n SLUICE: Primary \t*/ 1', 'primary', null, false],
    ['SELECT /* sluice:hostgroup=7 */ 1', null, 7, false],
    ['SELECT /* sluice: hostgroup = 7, nocache */ 1', null, 7, true],
    ['/* sluice:replica sluice:nocache */ SELECT 1', 'replica', null, true],
    ['/* sluice:replica */ SELECT 1 /* sluice:primary */', 'primary', null, false],
    ["SELECT '/* sluice:primary */'", null, null, false],
    ['SELECT `/* sluice:primary */` FROM t', null, null, false],
    ['SELECT 1 /* not sluice:primary */', null, null, false],
    ['SELECT 1 /* sluice:unheard */', null, null, false],
  ];
  for (const [sql, target, hostgroup, noCache] of hints) {
    const found = classOf(sql);
    t.same(found.hint, { ...NO_HINT, target, hostgroup, noCache }, sql);
    t.ok(found.provenRead, sql);
  }
});

t.test('residue', async (t) => {
  const uses: readonly [string, keyof StatementClass['residue']][] = [
    ['SELECT LAST_INSERT_ID()', 'lastInsertId'],
    ['INSERT INTO t VALUES (LAST_INSERT_ID())', 'lastInsertId'],
    ['SELECT @@identity', 'lastInsertId'],
    ['SHOW WARNINGS', 'diagnostics'],
    ['SHOW COUNT(*) ERRORS', 'diagnostics'],
    ['SELECT @@warning_count', 'diagnostics'],
    ['SET @a = @@error_count', 'diagnostics'],
    ['GET DIAGNOSTICS CONDITION 1 @a = MESSAGE_TEXT', 'diagnostics'],
    ['SELECT FOUND_ROWS()', 'foundRows'],
    ['DO ROW_COUNT()', 'rowCount'],
    ['SELECT CONNECTION_ID()', 'connectionId'],
  ];
  for (const [sql, use] of uses) {
    const used = Object.entries(classOf(sql).residue).filter(([, isUsed]) => isUsed);
    t.same(used, [[use, true]], sql);
  }
});

t.test('read-only transactions and changes of views', async (t) => {
  t.ok(classOf('START TRANSACTION READ ONLY').beginReadOnly);
  t.ok(classOf('start transaction with consistent snapshot , read/**/only;').beginReadOnly);
  for (const sql of ['BEGIN', 'START TRANSACTION', 'START TRANSACTION READ ONLY; SELECT 1']) {
    t.notOk(classOf(sql).beginReadOnly, sql);
  }
  t.notOk(classOf('START TRANSACTION /*!999999 READ ONLY */').beginReadOnly);
  for (const sql of [
    'CREATE VIEW v AS SELECT 1',
    'ALTER SQL SECURITY INVOKER VIEW v AS SELECT 1',
    'DROP VIEW IF EXISTS v',
    'RENAME TABLE v TO w',
    'DROP DATABASE d',
    'SELECT 1; CREATE VIEW v AS SELECT 1',
    "EXECUTE IMMEDIATE 'x'",
  ]) {
    t.ok(classOf(sql).changesViews, sql);
  }
  for (const sql of ['CREATE TABLE t (a INT)', 'INSERT INTO t VALUES (1)', 'SELECT 1', 'DROP TABLE t']) {
    t.notOk(classOf(sql).changesViews, sql);
  }
});

t.test('the server decides what is a function and what is a comment', async (t) => {
  const mysql57 = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 50729 });
  const unknown = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 0 });
  t.ok(classOf("SELECT PASSWORD('x')", mysql57).provenRead);
  t.equal(classOf("SELECT PASSWORD('x')", MYSQL).reason, 'unknown-function');
  t.equal(classOf("SELECT PASSWORD('x')", unknown).reason, 'unknown-function');
  t.ok(classOf('SELECT RANK() OVER ()', MYSQL).provenRead);
  t.equal(classOf('SELECT RANK()', mysql57).reason, 'unknown-function');
  t.equal(classOf('SELECT NEXTVAL(s)', MYSQL).reason, 'unknown-function');
  t.ok(classOf('VALUES ROW(1, 2)', MYSQL).provenRead);
  t.ok(classOf('SELECT * FROM JSON_TABLE(a, "$[*]" COLUMNS (b INT PATH "$.b")) AS j, u', MYSQL).provenRead);
  t.equal(classOf('SELECT 1 /*M! FOR UPDATE */', MYSQL).reason, 'conditional-comment');
  // MariaDB does not run these numbers.
  t.equal(classOf('SELECT 1 /*!50701 FOR UPDATE */').reason, 'conditional-comment');
  t.equal(classOf('SELECT 1 /*!50701 FOR UPDATE */', MYSQL).reason, 'locking-read');
});

t.test('sql_mode decides what is a string and what is a call', async (t) => {
  const settings = { charset: 'utf8mb4', flavor: 'mysql', versionId: 80400 } as const;
  const ansi = makeLexicalContext({ ...settings, sqlMode: 'ANSI_QUOTES' });
  t.equal(classOf('SELECT "my_function"(1)', ansi).reason, 'unknown-function');
  t.same(classOf('SELECT * FROM "a""b"', ansi).tables, [{ schema: null, table: 'a"b' }]);
  const noEscapes = makeLexicalContext({ ...settings, sqlMode: 'NO_BACKSLASH_ESCAPES' });
  t.equal(classOf("SELECT '\\' FOR UPDATE -- '", noEscapes).reason, 'locking-read');
  t.ok(classOf("SELECT '\\' FOR UPDATE -- '", MYSQL).provenRead);
  const ignoreSpace = makeLexicalContext({ ...settings, sqlMode: 'IGNORE_SPACE' });
  t.ok(classOf('SELECT COUNT \n (*) FROM t', ignoreSpace).provenRead);
  t.equal(classOf('SELECT COUNT /**/ (*) FROM t', ignoreSpace).reason, 'unknown-function');
});

t.test('texts made to be slow, and texts too long to be looked at', async (t) => {
  const many = 60_000;
  const slow: readonly [string, RegExp][] = [
    [`SELECT ${',f('.repeat(many)}`, /unknown-function/],
    [`SELECT * FROM ${'('.repeat(many)}a`, /parser-failed/],
    [`SELECT ${'('.repeat(many)}1${')'.repeat(many)}`, /parser-failed/],
    [`SELECT * FROM ${Array.from({ length: many }, (_, i) => `t${i}`).join(', ')}`, /proven-read/],
    [
      `WITH ${Array.from({ length: many }, (_, i) => `c${i} AS (SELECT 1 FROM c${i})`).join(', ')} SELECT 1`,
      /proven-read/,
    ],
    ['SELECT 1;'.repeat(many), /multi-statement/],
    [`SELECT ${'/*!50000 1,*/'.repeat(many)} 1`, /proven-read/],
    [`SELECT ${'/* '.repeat(many)}`, /malformed/],
    [`SET ${'@a = (1), '.repeat(many)} @b = 1`, /not-a-read/],
  ];
  for (const [sql, reason] of slow) {
    const before = process.cpuUsage();
    t.match(classOf(sql).reason, reason, sql.slice(0, 40));
    const { user, system } = process.cpuUsage(before);
    // Quadratic time would be tens of seconds.
    t.ok(user + system < 3_000_000, `${user + system} µs for ${sql.length} bytes of ${sql.slice(0, 40)}`);
  }
  const long = classOf(`SELECT ${'a+'.repeat(600_000)}1; DELETE FROM t`);
  t.match(long, { reason: 'too-long', provenRead: false, mayWrite: true, transactionControl: true });
  t.same(long.pins, ['stored-routine']);
  const bulk = classOf(`INSERT INTO t VALUES ${"(1, 'x', NULL, -5), ".repeat(250_000)}(2, 'y', 3, 4)`);
  t.match(bulk, { kind: 'write', reason: 'not-a-read', pins: [] }, 'a long list of rows is no long text');
});

t.test('names that cannot be read as text are not proven', async (t) => {
  const settings = { sqlMode: '', flavor: 'mysql', versionId: 80400 } as const;
  const found = (charset: string): StatementClass => {
    const buf = Buffer.from('SELECT * FROM caf\xe9', 'latin1');
    return classify(buf, 0, buf.length, makeLexicalContext({ ...settings, charset }));
  };
  for (const charset of ['latin1', 'utf8mb4', 'gbk', 'latin2']) {
    t.match(found(charset), { provenRead: false, tables: [] }, charset);
  }
});

t.test('variables that MariaDB does not report when they are set are named', async (t) => {
  const names = (statement: string, flavor: 'mysql' | 'mariadb') => {
    const bytes = Buffer.from(statement);
    const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor, versionId: 0 });
    return classify(bytes, 0, bytes.length, context).unreportedVariables;
  };
  const statement =
    'SET @@Sql_Mode = "", @@session.time_zone = "+00:00", lc_time_names = 1, @@autocommit = 0';
  t.strictSame(names(statement, 'mariadb'), ['sql_mode', 'autocommit']);
  t.strictSame(names(statement, 'mysql'), [], 'MySQL reports every spelling');
  t.strictSame(names('SELECT 1; SET @@sql_mode = ""', 'mariadb'), ['sql_mode'], 'in any part');
  t.strictSame(names('SET @@global.sql_mode = ""', 'mariadb'), [], 'of no session');
});
