/** Which statements stay in a read-only transaction on a replica, and which must leave it for the primary. */

import t from 'tap';
import { ReadOnlyTransaction } from '../../../../src/data/frontend/read-only-transaction.ts';
import type { Session } from '../../../../src/data/frontend/session.ts';
import type { WorkerContext } from '../../../../src/data/worker-context.ts';
import { classify } from '../../../../src/sql/classify.ts';
import { makeLexicalContext } from '../../../../src/sql/lexical-context.ts';

const context = makeLexicalContext({
  charset: 'utf8mb4',
  sqlMode: '',
  flavor: 'mariadb',
  versionId: 101_119,
});
/** Whether a statement stays is asked without a look at the session. */
const transactionOn = (flavor: 'mysql' | 'mariadb'): ReadOnlyTransaction =>
  new ReadOnlyTransaction(
    undefined as unknown as Session,
    { backends: { dialect: { flavor } } } as unknown as WorkerContext,
  );
const transaction = transactionOn('mariadb');

function stays(sql: string): boolean {
  const bytes = Buffer.from(sql);
  return transaction.admits(classify(bytes, 0, bytes.length, context));
}

const STAY = [
  'SELECT a FROM t',
  'SELECT a FROM t; SELECT b FROM t',
  'SHOW TABLES',
  'COMMIT',
  'COMMIT AND CHAIN',
  'ROLLBACK',
  'SAVEPOINT a',
  'ROLLBACK TO SAVEPOINT a',
  'USE other',
  "SET sql_mode = 'ANSI'",
  'SET NAMES utf8mb4',
  // The replica refuses them, as the transaction would on the primary.
  'INSERT INTO t VALUES (1)',
  'UPDATE t SET a = 1',
];

const LEAVE = [
  'SELECT a FROM t FOR UPDATE',
  'SELECT f() FROM t',
  'SELECT a INTO @b FROM t',
  "SELECT GET_LOCK('a', 1)",
  'CREATE TEMPORARY TABLE x (a INT)',
  'LOCK TABLES t READ',
  'CALL p()',
  'SET @a = 1',
  'SET ROLE r',
  // It changed the replica's setting instead of the primary's.
  'SET GLOBAL max_connections = 5',
  'SET @@global.max_connections = 5',
  "SET PASSWORD = 'x'",
  'START TRANSACTION',
  'CREATE TABLE x (a INT)',
  'COMMIT; INSERT INTO t VALUES (1)',
  'SELECT 1; INSERT INTO t VALUES (1)',
  "PREPARE s FROM 'SELECT 1'",
  'XA START "a"',
  'HANDLER t OPEN',
];

for (const sql of STAY) t.test(sql, async (t) => t.ok(stays(sql)));
for (const sql of LEAVE) t.test(sql, async (t) => t.notOk(stays(sql)));

t.test('the error of a read-only server reads as that of the transaction', async (t) => {
  t.equal(transaction.replaceError(1064), null);
  const message = 'Cannot execute statement in a READ ONLY transaction';
  t.match(transaction.replaceError(1290), { errno: 1792, sqlState: '25006', message });
  t.match(transactionOn('mysql').replaceError(1290), { errno: 1792, message: `${message}.` });
});
