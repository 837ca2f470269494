/** On MySQL a KILL QUERY that finds nothing to kill ends the next statement of its connection, if nobody takes care. */

import type { RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

const ER_QUERY_TIMEOUT = 3024;
const TIMES = 30;
const STEP_MS = 7;

const set = new ReplicationSet({
  flavor: 'mysql',
  replicas: 0,
  sql: ['CREATE TABLE app.t (n INT)', 'INSERT INTO app.t VALUES (1)'],
});
t.before(() => set.start());
t.teardown(() => set.dispose());

t.test('a KILL that comes late hits nobody', async (t) => {
  const sluice = await SluiceProcess.startFor(set, {
    config: { workers: 1, queryRules: [{ ruleId: 1, matchDigest: 'SLEEP', timeoutMs: 100 }] },
  });
  t.teardown(() => sluice.dispose());
  const client = await sluice.connect();
  t.teardown(() => client.end());
  await client.beginTransaction();
  let killed = 0;
  let sleepMs = 85;
  for (let i = 0; i < TIMES; i++) {
    // Around the moment at which the timer fires; alone in a SELECT, a SLEEP that is killed answers 1.
    const sql = `SELECT n FROM t WHERE SLEEP(${sleepMs / 1000}) = 0`;
    const error = await client.query(sql).then(
      () => null,
      (reason: { errno: number; message: string }) => reason,
    );
    if (error !== null) {
      killed++;
      t.match(error, { errno: ER_QUERY_TIMEOUT, message: /100 ms \(query rule 1\)/ });
    }
    // How late a timer fires depends on the machine: the moment is searched for.
    sleepMs += error === null ? STEP_MS : -STEP_MS;
    const [rows] = await client.query<RowDataPacket[]>('SELECT n FROM t');
    t.strictSame(rows, [{ n: 1 }], 'the next statement is left alone');
  }
  await client.rollback();
  t.ok(killed > 0 && killed < TIMES, `${killed} of ${TIMES} were killed`);
});
