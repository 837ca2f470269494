/** A replica of MySQL counts an XA COMMIT in one phase as executed before its rows are visible: it must have more than that. */

import type { Connection } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { CausalStage, numberOf } from './causal-stage.ts';

const ONE_PHASE = "XA START 'x'; UPDATE t SET n = ?; XA END 'x'; XA COMMIT 'x' ONE PHASE";
const CASES: readonly (readonly [name: string, statements: readonly string[]])[] = [
  ['one by one', ONE_PHASE.split('; ')],
  ['in one text', [ONE_PHASE]],
  ['begun before', ["XA START 'x'", "UPDATE t SET n = ?; XA END 'x'; XA COMMIT 'x' ONE PHASE"]],
  ['in a procedure', ['CALL commits(?)']],
];
const READ = 'SELECT n FROM t WHERE id = 1';
/** Nothing else is to be written. */
const WITHOUT_HEARTBEAT = { heartbeat: { table: null, write: false } };

async function seesOnReplica(stage: CausalStage, reader: Connection): Promise<boolean> {
  return (await numberOf(reader, 'SELECT @@server_id FROM t LIMIT 1')) === stage.replica.serverId;
}

async function runCases(t: Test): Promise<void> {
  const stage = await CausalStage.start(t, 'mysql');
  await stage.set.primary.query(
    `CREATE PROCEDURE app.commits(v INT) BEGIN ${ONE_PHASE.replace('?', 'v')}; END`,
  );
  await stage.set.waitForSync();
  const sluice = await stage.sluice(t, { monitor: WITHOUT_HEARTBEAT });
  let value = 0;
  for (const [name, statements] of CASES)
    await t.test(name, async (t) => {
      const writer = await sluice.connect({ multipleStatements: true });
      const reader = await sluice.connect();
      t.teardown(() => [writer, reader].map((one) => one.destroy()));
      value += 1;
      for (const sql of statements) await writer.query(sql.replace('?', String(value)));
      const gtid = await stage.set.gtidPosition();
      const known = `/* sluice:causal=none min_gtid=${gtid} */ SELECT @@server_id FROM other`;
      await waitUntil(
        'Sluice knows that the replica says that it has it',
        async () => (await numberOf(reader, known)) === stage.replica.serverId,
      );
      for (const connection of [writer, reader]) {
        t.equal(await numberOf(connection, READ), value);
        t.notOk(await seesOnReplica(stage, connection), 'there it may not be visible');
      }
      await stage.set.primary.query('UPDATE app.other SET n = n + 1');
      await waitUntil('it has the next one', () => seesOnReplica(stage, reader));
      t.equal(await numberOf(reader, READ), value);
    });
}

async function runParallel(t: Test): Promise<void> {
  const stage = await CausalStage.start(t, 'mysql');
  const { replica, set } = stage;
  await replica.query('SET GLOBAL slave_parallel_workers = 4');
  await replica.query('STOP SLAVE SQL_THREAD');
  await replica.query('START SLAVE SQL_THREAD');
  const sluice = await stage.sluice(t, { monitor: WITHOUT_HEARTBEAT });
  const writer = await sluice.connect();
  await writer.query('UPDATE t SET n = 5');
  await waitUntil('plain writes are read there', () => seesOnReplica(stage, writer));
  for (const sql of ONE_PHASE.split('; ')) await writer.query(sql.replace('?', '6'));
  for (let count = 0; count < 3; count++) await set.primary.query('UPDATE app.other SET n = n + 1');
  await set.waitForSync();
  await sluice.waitForLog(/applies transactions side by side/);
  t.equal(await numberOf(writer, READ), 6);
  t.notOk(await seesOnReplica(stage, writer), 'what comes behind it there tells nothing');
  t.equal(
    await numberOf(writer, '/* sluice:causal=none */ SELECT @@server_id FROM t LIMIT 1'),
    replica.serverId,
    'who does not mind reads there',
  );
  await writer.end();
}

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL 5.7', { skip: missing ?? false }, runCases);
t.test('MySQL 5.7, parallel appliers', { skip: missing ?? false }, runParallel);
