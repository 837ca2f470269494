import t from 'tap';
import { COMMAND_PLACES } from '../../../src/common/shared-statistics.ts';
import { classify } from '../../../src/sql/classify.ts';
import { COMMAND_NAMES, commandName, specialName } from '../../../src/sql/command-counter.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';

const CONTEXT = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: '',
  flavor: 'mariadb',
  versionId: 101_119,
});

const NAMES: readonly (readonly [string, string])[] = [
  ['ALTER TABLE t ADD x int', 'ALTER_TABLE'],
  ['ANALYZE TABLE t', 'ANALYZE_TABLE'],
  ['begin', 'BEGIN'],
  ["CHANGE MASTER TO MASTER_HOST='x'", 'CHANGE_MASTER'],
  ['CREATE SCHEMA d', 'CREATE_DATABASE'],
  ['CREATE UNIQUE INDEX i ON t(a)', 'CREATE_INDEX'],
  ['CREATE TABLE t(a int)', 'CREATE_TABLE'],
  ['CREATE TEMPORARY TABLE t(a int)', 'CREATE_TEMPORARY'],
  ['CREATE OR REPLACE VIEW v AS SELECT 1', 'CREATE_VIEW'],
  ['DEALLOCATE PREPARE s', 'DEALLOCATE'],
  ['DESC t', 'DESCRIBE'],
  ['EXPLAIN SELECT 1', 'EXPLAIN'],
  ['FLUSH TABLES', 'FLUSH'],
  ['LOCK TABLES t READ', 'LOCK_TABLE'],
  ['OPTIMIZE TABLE t', 'OPTIMIZE'],
  ['RELEASE SAVEPOINT a', 'RELEASE_SAVEPOINT'],
  ['RESET MASTER', 'RESET_MASTER'],
  ["RESET SLAVE 'a'", 'RESET_SLAVE'],
  ['RESET QUERY CACHE', 'UNKNOWN'],
  ['ROLLBACK', 'ROLLBACK'],
  ['ROLLBACK TO SAVEPOINT a', 'ROLLBACK_SAVEPOINT'],
  ['SELECT 1', 'SELECT'],
  ['WITH x AS (SELECT 1) SELECT * FROM x', 'SELECT'],
  ['VALUES (1)', 'SELECT'],
  ['SELECT 1 FROM t FOR UPDATE', 'SELECT_FOR_UPDATE'],
  ['SET autocommit=0', 'SET'],
  ["SET PASSWORD = 'x'", 'SET'],
  ['SET TRANSACTION READ ONLY', 'SET'],
  ['SHOW TABLES', 'SHOW'],
  ['SHOW TABLE STATUS', 'SHOW_TABLE_STATUS'],
  ['START TRANSACTION', 'START_TRANSACTION'],
  ['TRUNCATE t', 'TRUNCATE_TABLE'],
  ['UNLOCK TABLES', 'UNLOCK_TABLES'],
  ['WITH x AS (SELECT 1) UPDATE t SET a=1', 'UPDATE'],
  ['USE d', 'USE'],
  ['DO 1', 'UNKNOWN'],
  ['', 'UNKNOWN'],
];

function counted(text: string) {
  const bytes = Buffer.from(text);
  const statement = classify(bytes, 0, bytes.length, CONTEXT);
  return { name: commandName(statement, bytes), special: specialName(statement, bytes) };
}

t.test('statements are counted under the names that tools know', async (t) => {
  t.strictSame(
    NAMES.map(([text]) => [text, counted(text).name]),
    NAMES,
  );
});

t.test('SET NAMES and the setting of autocommit are counted besides', async (t) => {
  t.equal(counted('SET NAMES utf8mb4').special, 'set-names');
  for (const text of ['SET autocommit=1', 'SET @@session.autocommit = 0', 'set sql_mode=?, AUTOCOMMIT:=?'])
    t.equal(counted(text).special, 'autocommit', text);
  for (const text of ['SELECT autocommit=1', 'SET sql_mode=?', 'SET my_autocommit=1'])
    t.equal(counted(text).special, null, text);
});

t.test('there is a place for each', async (t) => {
  t.ok(COMMAND_NAMES.length <= COMMAND_PLACES);
  t.equal(new Set(COMMAND_NAMES).size, COMMAND_NAMES.length);
});
