import t from 'tap';
import { parseKill, parseLeadingKill } from '../../../src/sql/kill-statement.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { readDefinition } from '../../../src/sql/view-safety.ts';

const MYSQL = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 80400 });
const MARIADB = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mariadb', versionId: 101100 });

t.test('parseLeadingKill', async (t) => {
  const rest = (sql: string): string | null => {
    const found = parseLeadingKill(Buffer.from(sql), 0, sql.length, MYSQL);
    return found === null ? null : `${found.kill.id}|${sql.slice(found.rest)}`;
  };
  t.equal(rest('KILL 5; SELECT 1; SELECT 2'), '5| SELECT 1; SELECT 2');
  t.equal(rest('KILL QUERY 6 /* ; */;SELECT 1'), '6|SELECT 1');
  for (const sql of [
    'KILL 5',
    'KILL 5;',
    'SELECT 1; KILL 5',
    'KILL 5 + 1; SELECT 1',
    '/*! KILL 5; */ SELECT 1',
  ])
    t.equal(rest(sql), null, sql);
});

t.test('parseKill', async (t) => {
  const kill = (sql: string, context = MYSQL): unknown => parseKill(Buffer.from(sql), 0, sql.length, context);
  const ofConnection = (id: number | null): unknown => ({
    target: 'connection',
    queryOnly: false,
    id,
    user: '',
  });
  const ofQuery = (id: number | null): unknown => ({ target: 'query', queryOnly: true, id, user: '' });
  t.same(kill('KILL 5'), ofConnection(5));
  t.same(kill(' kill /* x */ connection 7 ; -- y'), ofConnection(7));
  t.same(kill('KILL QUERY 8'), ofQuery(8));
  t.same(kill('KILL HARD QUERY 9'), ofQuery(9));
  t.same(kill('/*!50000 KILL 5 */'), ofConnection(5));
  t.same(kill('KILL CONNECTION_ID()'), ofConnection(null));
  t.same(kill('kill query connection_id ( );'), ofQuery(null));
  const ofUser = (user: string, queryOnly = false): unknown => ({
    target: 'user',
    queryOnly,
    id: null,
    user,
  });
  t.same(kill('KILL USER bob', MARIADB), ofUser('bob'));
  t.same(kill("KILL SOFT CONNECTION USER 'bob'", MARIADB), ofUser('bob'));
  t.same(kill('KILL QUERY USER `b``b`', MARIADB), ofUser('b`b', true));
  t.same(kill('KILL USER CURRENT_USER', MARIADB), ofUser(''));
  t.same(kill('KILL USER CURRENT_USER()', MARIADB), ofUser(''));
  for (const sql of [
    "KILL USER bob@'%'",
    "KILL USER 'bo''b'",
    "KILL USER 'bo\\b'",
    'KILL USER',
    'KILL USER a b',
  ])
    t.equal(kill(sql, MARIADB), null, sql);
  for (const sql of [
    'KILL',
    'KILL USER x',
    'KILL QUERY ID 5',
    'KILL @x',
    'KILL 5 + 1',
    'KILL CONNECTION_ID() + 1',
    'KILL 5; SELECT 1',
    'KILL 0x5',
    'SELECT 5',
    '',
  ]) {
    t.equal(kill(sql), null, sql);
  }
});

t.test('readDefinition', async (t) => {
  const read = (definition: string) => readDefinition(definition, MYSQL);
  t.match(
    read(
      'select `a`.`x` AS `x`,count(0) AS `n`,now() AS `now()` from (`home`.`a` join `other`.`b`) group by `a`.`x`',
    ),
    {
      safe: true,
      tables: [
        { schema: 'home', table: 'a' },
        { schema: 'other', table: 'b' },
      ],
      varies: 'clock',
    },
  );
  t.strictSame(read('select 1 from c'), {
    safe: true,
    tables: [{ schema: null, table: 'c' }],
    varies: null,
  });
  t.match(read('select cast(`a` as time) from `home`.`a`'), { safe: true, varies: 'time-of-day' });
  t.match(read('select sql_no_cache `a` from `home`.`a`'), { safe: true, varies: 'sql-no-cache' });
  for (const unsafe of [
    'select `home`.`f`(1) AS `x` from `home`.`a`',
    'select get_lock(_utf8mb4"x",1) AS `x`',
    'select * from information_schema.processlist',
    'select 1; select 2',
    '',
    'delete from t',
  ])
    t.equal(read(unsafe).safe, false, unsafe);
});
