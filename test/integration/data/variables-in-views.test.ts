/** A view may call a function that reads a user variable, and nothing in a statement that reads the view says so. */

import type { RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

const set = new ReplicationSet({
  replicas: 0,
  sql: [
    'CREATE FUNCTION app.told() RETURNS VARCHAR(20) DETERMINISTIC RETURN @told',
    'CREATE TABLE app.t (id INT)',
    'CREATE TABLE app.noted (v VARCHAR(20))',
    'CREATE TRIGGER app.notes AFTER INSERT ON app.t FOR EACH ROW INSERT INTO app.noted VALUES (@told)',
    'CREATE VIEW app.v AS SELECT app.told() AS told',
  ],
});
let sluice: SluiceProcess;
t.before(async () => {
  await set.start();
  sluice = await SluiceProcess.startFor(set, { config: { workers: 1, pool: { maxConnections: 1 } } });
});
t.teardown(async () => {
  await sluice?.dispose();
  await set.dispose();
});

t.test('each session has its own', async (t) => {
  const options = { multipleStatements: true };
  const [one, two] = [await sluice.connect(options), await sluice.connect(options)];
  await one.query("SET @told = 'mine'");
  const [other] = await two.query<RowDataPacket[]>('SELECT told FROM v');
  t.same(other, [{ told: null }], 'another session has none');
  const [own] = await one.query<RowDataPacket[]>('SELECT told FROM v');
  t.same(own, [{ told: 'mine' }]);
  await two.query('SELECT 1; INSERT INTO t VALUES (1)');
  const [noted] = await two.query<RowDataPacket[]>('SELECT v FROM noted');
  t.same(noted, [{ v: null }], 'nor has a trigger behind a read in the same packet');
  await one.end();
  await two.end();
});
