/**
 * When COM_RESET_CONNECTION or COM_CHANGE_USER is answered, what the session had on its server is gone, as at a server:
 * the OK came at once, and who looked right behind it on another connection found the lock still taken.
 */

import t from 'tap';
import { APP_ACCOUNT, APP_SCHEMA, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

const ROUNDS = 50;
const set = new ReplicationSet({ replicas: 0 });
t.before(() => set.start());
t.teardown(() => set.dispose());

t.test('locks are free once the answer is there', async (t) => {
  const sluice = await SluiceProcess.startFor(set, { config: { workers: 1 } });
  t.teardown(() => sluice.dispose());
  const owner = await sluice.connect();
  const other = await sluice.connect();
  const account = { user: APP_ACCOUNT.username, password: APP_ACCOUNT.password, database: APP_SCHEMA };
  const ends = [
    ['COM_RESET_CONNECTION', () => owner.reset()],
    ['COM_CHANGE_USER', () => owner.changeUser(account)],
  ] as const;
  for (const [name, end] of ends) {
    let taken = 0;
    for (let round = 0; round < ROUNDS; round++) {
      await owner.query("DO GET_LOCK('clean_after_reset', 0)");
      await end();
      const [rows] = await other.query("SELECT IS_FREE_LOCK('clean_after_reset') AS free");
      if ((rows as { free: number }[])[0]?.free !== 1) taken++;
    }
    t.equal(taken, 0, `${name}: never found taken in ${ROUNDS} rounds`);
  }
  await owner.end();
  await other.end();
});
