/** Steps after which the session needs no particular server connection: the next one may run on any. */

import type { SeededRandom } from '../../support/seeded-random.ts';
import type { SessionModel } from './session-model.ts';
import { fillIn, oneOf, type StepKind } from './step-kind.ts';

/** Values that change what statements do, or how their results look. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  sql_mode: [
    "''",
    "'ANSI_QUOTES'",
    "'NO_BACKSLASH_ESCAPES'",
    "'PIPES_AS_CONCAT,ANSI_QUOTES'",
    "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO'",
    "'IGNORE_SPACE'",
    "'PAD_CHAR_TO_FULL_LENGTH'",
    "'ANSI'",
    "'TRADITIONAL'",
    "'NO_UNSIGNED_SUBTRACTION,HIGH_NOT_PRECEDENCE'",
    'DEFAULT',
    "'nonsense'",
    "CONCAT(@@sql_mode, ',ANSI_QUOTES')",
  ],
  time_zone: ["'+00:00'", "'+05:30'", "'-08:00'", "'SYSTEM'", 'DEFAULT', "'nowhere'"],
  lc_time_names: ["'de_DE'", "'fr_FR'", "'en_US'", 'DEFAULT'],
  group_concat_max_len: ['4', '10', '1024', 'DEFAULT', '-1'],
  sql_select_limit: ['1', '3', '1000', 'DEFAULT'],
  div_precision_increment: ['0', '4', '10', 'DEFAULT'],
  default_week_format: ['0', '3', '7', 'DEFAULT', '100'],
  sql_safe_updates: ['0', '1', 'ON', 'OFF'],
  sql_auto_is_null: ['0', '1'],
  sql_notes: ['0', '1'],
  sql_warnings: ['0', '1'],
  max_error_count: ['1', '64', 'DEFAULT'],
  foreign_key_checks: ['0', '1'],
  unique_checks: ['0', '1'],
  auto_increment_increment: ['1', '5'],
  auto_increment_offset: ['1', '2'],
  net_write_timeout: ['60', '61', 'DEFAULT', "'x'"],
  sort_buffer_size: ['65536', 'DEFAULT'],
  collation_connection: ['utf8mb4_bin', 'utf8mb4_general_ci', 'latin1_swedish_ci', 'nonsense'],
  character_set_results: ['utf8mb4', 'latin1', 'NULL', 'binary'],
  character_set_connection: ['utf8mb4', 'latin1'],
  character_set_client: ['utf8mb4', 'latin1', 'ucs2'],
  nosuch_variable: ['1'],
};
const SCOPES = ['', '', 'SESSION ', 'LOCAL ', '@@', '@@session.', '@@local.'] as const;

function assignment(random: SeededRandom): string {
  const name = random.pick(Object.keys(VARIABLES));
  return `${random.pick(SCOPES)}${name} = ${random.pick(VARIABLES[name] as readonly string[])}`;
}

function setVariables(random: SeededRandom): string {
  const count = random.below(3) === 0 ? 1 + random.below(3) : 1;
  return `SET ${Array.from({ length: count }, () => assignment(random)).join(', ')}`;
}

/** What a session is made of, in one row. */
const PROBE = `SELECT ${[
  ...['sql_mode', 'time_zone', 'lc_time_names', 'group_concat_max_len', 'sql_select_limit', 'autocommit'],
  ...['div_precision_increment', 'default_week_format', 'sql_safe_updates', 'sql_auto_is_null', 'sql_notes'],
  ...['max_error_count', 'foreign_key_checks', 'auto_increment_increment', 'auto_increment_offset'],
  ...['net_write_timeout', 'character_set_client', 'character_set_connection', 'character_set_results'],
  ...['collation_connection', 'sql_warnings', 'unique_checks'],
]
  .map((name) => `@@${name}`)
  .join(', ')}, DATABASE(), CURRENT_USER()`;

const READS = [
  'SELECT 1',
  'SELECT id, name FROM diff.f_org ORDER BY id',
  'SELECT name FROM diff.f_org WHERE id = {n}',
  'SELECT COUNT(*), SUM(salary) FROM diff.f_org',
  'SELECT id FROM f_org ORDER BY id LIMIT {n}',
  'SELECT * FROM diff.f_int ORDER BY id',
  'SELECT * FROM diff.f_time WHERE id = 4',
  'SELECT ts, ts6 FROM diff.f_time ORDER BY id',
  "SELECT 'a' || 'b', 1 / 3, 5 DIV 2",
  'SELECT "id" FROM diff.f_org WHERE id = {n}',
  "SELECT 'back\\\\slash', 'it''s'",
  "SELECT DATE_FORMAT('2024-05-06', '%W %M'), WEEK('2024-01-01')",
  'SELECT GROUP_CONCAT(name ORDER BY id) FROM diff.f_org',
  "SELECT COLLATION('x'), CHARSET('x'), 'ä' = 'A', 'ü'",
  'SELECT v FROM diff.f_latin1 ORDER BY id',
  'SELECT c FROM diff.f_text WHERE id = 3',
  'SELECT DATABASE()',
  'SELECT id FROM diff.f_view ORDER BY id',
  'SELECT id FROM diff.f_org WHERE id IS NULL',
  "SHOW VARIABLES LIKE 'sql_mode'",
  "SHOW TABLES LIKE 'f\\_o%'",
  'SELECT @@global.sql_mode, @@session.time_zone',
  'SELECT a.id FROM diff.f_org a JOIN diff.f_org b ON a.id = b.parent ORDER BY a.id, b.id',
  '(SELECT 1) UNION (SELECT 2) ORDER BY 1',
  'SELECT id FROM f_empty',
  'DESCRIBE diff.f_org',
  '/* sluice:primary */ SELECT 2',
] as const;

const ERRORS = [
  'SELECT nope',
  'SELECT * FROM nosuch.t',
  'SELECT id FROM diff.nosuch',
  'INSERT INTO {t} (nope) VALUES (1)',
  'SELECT (SELECT id FROM diff.f_org)',
  'DROP TABLE diff.nosuch',
  'USE nosuch',
  'SET @@nosuch.x = 1',
  'KILL 999999999',
  'ROLLBACK TO nosuch',
  "SELECT ST_GeomFromText('x')",
] as const;

const WARNINGS = [
  "SELECT CAST('1x' AS SIGNED)",
  "SELECT CAST('1x' AS SIGNED), CAST('2x' AS SIGNED)",
  'SELECT 1 / 0',
  'DROP TABLE IF EXISTS diff.nosuch',
  "SELECT id FROM diff.f_org WHERE id = '1x'",
] as const;

const WRITES = [
  "INSERT INTO {t} (n, v) VALUES ({n}, 'a')",
  "INSERT INTO {t} (v) VALUES ('b'), ('c')",
  "INSERT INTO {t} (id, v) VALUES (1000, 'd')",
  "INSERT INTO {t} (n, v) VALUES ({n}, 'e') ON DUPLICATE KEY UPDATE v = 'f', id = LAST_INSERT_ID(id)",
  "INSERT IGNORE INTO {t} (n, v) VALUES ({n}, 'g'), ({n}, 'h')",
  "REPLACE INTO {t} (n, v) VALUES ({n}, 'i')",
  'INSERT INTO {t} (v) SELECT name FROM diff.f_org WHERE id > {n} ORDER BY id',
  "UPDATE {t} SET v = 'j' WHERE n = {n}",
  'UPDATE {t} SET n = n + 100 WHERE n = {n}',
  "UPDATE {t} SET v = CONCAT(v, 'k') ORDER BY id LIMIT 2",
  'DELETE FROM {t} WHERE n = {n}',
  'DELETE FROM {t} ORDER BY id LIMIT 1',
  "INSERT INTO {t} (v) VALUES ('a value that is much too long')",
  'SELECT id, n, v FROM {t} ORDER BY id',
  'SELECT COUNT(*) FROM {t}',
  'SELECT id FROM {t} WHERE id IS NULL',
  'SELECT id FROM {t} WHERE n = {n} FOR UPDATE',
  'SELECT MAX(id) FROM {t}',
] as const;

const SHARED = [
  "INSERT INTO diff.shared (n, v) VALUES (NULL, 'of {name}')",
  'INSERT INTO diff.shared (n) VALUES ({n})',
  "UPDATE diff.shared SET v = 'by {name}' WHERE n = {n}",
  'DELETE FROM diff.shared WHERE n = {n}',
] as const;

const DDL = [
  'ALTER TABLE {t} ADD COLUMN x INT',
  'ALTER TABLE {t} DROP COLUMN x',
  'ALTER TABLE {t} MODIFY v VARCHAR(30)',
  'TRUNCATE TABLE {t}',
  'CREATE INDEX ix ON {t} (v)',
  'DROP INDEX ix ON {t}',
  "ALTER TABLE {t} COMMENT = 'x{n}'",
] as const;

const SEVERAL = [
  'SELECT 1; SELECT 2',
  "SELECT {n}; INSERT INTO {t} (v) VALUES ('m'); SELECT LAST_INSERT_ID()",
  'SET sql_mode = \'ANSI_QUOTES\'; SELECT "id" FROM diff.f_org WHERE id = 1',
  'SELECT 1; SELECT nope; SELECT 3',
  "SET time_zone = '+03:00'; SET NAMES latin1; SELECT @@time_zone",
  'USE diff2; SELECT DATABASE(); USE diff',
  'SELECT 1;',
] as const;

const NAMES = [
  'utf8mb4',
  'latin1',
  'utf8',
  'gbk',
  'sjis',
  'big5',
  'cp932',
  'binary',
  'utf8mb4 COLLATE utf8mb4_bin',
  'DEFAULT',
];

/** Implicit commits end a transaction whether it was one or not. */
function ddl(random: SeededRandom, model: SessionModel): string | null {
  if (model.holds.has('locks') || model.handler || model.xa !== 'none') return null;
  model.end();
  return fillIn(random.pick(DDL), random, model);
}

export const PLAIN_KINDS: readonly StepKind[] = [
  oneOf('probe', 14, [PROBE]),
  oneOf('read', 16, READS),
  { name: 'set', weight: 14, make: setVariables },
  { name: 'set names', weight: 4, make: (random) => `SET NAMES ${random.pick(NAMES)}` },
  oneOf('set character set', 1, [
    'SET CHARACTER SET latin1',
    'SET CHARACTER SET utf8mb4',
    'SET CHARACTER SET DEFAULT',
  ]),
  oneOf('use', 3, ['USE diff', 'USE diff', 'USE diff2']),
  { name: 'init db', weight: 2, make: (random) => ({ initDb: random.pick(['diff', 'diff2', 'nosuch']) }) },
  oneOf('error', 6, ERRORS),
  oneOf('warning', 3, WARNINGS),
  oneOf('write', 18, WRITES),
  {
    name: 'write to what all use',
    weight: 5,
    make: (random, model) => (model.mayShare ? fillIn(random.pick(SHARED), random, model) : null),
  },
  {
    name: 'read what all use',
    weight: 3,
    make: (_, model) =>
      model.serializable ? null : '/* sluice:primary */ SELECT id, n, v FROM diff.shared ORDER BY id',
  },
  { name: 'ddl', weight: 2, make: ddl },
  oneOf('insert id', 5, [
    'SELECT LAST_INSERT_ID()',
    'SELECT @@last_insert_id',
    'SELECT LAST_INSERT_ID() AS a, 1',
  ]),
  oneOf('row count', 4, [
    'SELECT ROW_COUNT()',
    'SELECT FOUND_ROWS()',
    'SELECT ROW_COUNT() AS r, FOUND_ROWS() AS f',
  ]),
  oneOf('show warnings', 5, ['SHOW WARNINGS', 'SHOW ERRORS', 'SHOW WARNINGS LIMIT 1']),
  oneOf('count warnings', 3, [
    'SHOW COUNT(*) WARNINGS',
    'SELECT @@warning_count, @@error_count',
    'SHOW COUNT(*) ERRORS',
  ]),
  oneOf('several statements', 3, SEVERAL),
  { name: 'ping', weight: 1, make: () => ({ ping: true }) },
  { name: 'set option', weight: 1, make: (random) => ({ setOption: random.below(2) }) },
  {
    name: 'field list',
    weight: 1,
    make: (random) => ({
      fieldList: {
        table: random.pick(['f_org', 'f_empty', 'nosuch']),
        wildcard: '',
      },
    }),
  },
];
