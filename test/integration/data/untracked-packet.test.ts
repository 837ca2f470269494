/**
 * Showing variables switches the reports of the server off for that packet: what else changes the session in it must
 * not reach another session.
 */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

const set = new ReplicationSet({
  replicas: 0,
  sql: ['CREATE DATABASE other', "GRANT ALL ON other.* TO 'app'@'%'"],
});
let sluice: SluiceProcess;
t.before(async () => {
  await set.start();
  // All sessions share one connection.
  sluice = await SluiceProcess.startFor(set, { config: { workers: 1, pool: { maxConnections: 1 } } });
});
t.teardown(async () => {
  await sluice?.dispose();
  await set.dispose();
});

async function value(connection: Connection, sql: string): Promise<unknown> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return Object.values(rows[0] ?? {})[0];
}

for (const { change, question, changed, unchanged } of [
  { change: 'USE other', question: 'SELECT DATABASE()', changed: 'other', unchanged: 'app' },
  { change: 'SET sql_auto_is_null=1', question: 'SELECT @@sql_auto_is_null', changed: 1, unchanged: 0 },
  {
    change: 'SET @@group_concat_max_len=77',
    question: 'SELECT @@group_concat_max_len',
    changed: 77,
    unchanged: 1048576,
  },
]) {
  for (const text of [
    `${change}; SHOW VARIABLES LIKE 'version'`,
    `SHOW VARIABLES LIKE 'version'; ${change}`,
    `SELECT @@session_track_schema; ${change}`,
  ])
    t.test(text, async (t) => {
      const one = await sluice.connect({ multipleStatements: true });
      const two = await sluice.connect({ multipleStatements: true });
      t.equal(await value(two, question), unchanged, 'at first');
      await one.query(text);
      t.equal(await value(one, question), changed, 'the session has it');
      await one.end();
      t.equal(await value(two, question), unchanged, 'and the other has not');
      await two.end();
    });
}

t.test('a question about the session that is refused', async (t) => {
  const options = { multipleStatements: true };
  const [one, two] = [await sluice.connect(options), await sluice.connect(options)];
  // Too short a time for whatever Sluice asks behind it.
  await one.query('SET @@group_concat_max_len = 78, @@max_statement_time = 0.000001');
  await one.end();
  t.equal(await value(two, 'SELECT @@group_concat_max_len'), 1048576, 'the other session is what it was');
  await two.end();
});
