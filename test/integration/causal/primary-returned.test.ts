/** A primary that was started anew may have lost what it had acknowledged: whoever keeps results is told. */

import t from 'tap';
import { GtidWatch } from '../../../src/control/causal/gtid-watch.ts';
import { MONITOR_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { madeServer, madeSnapshot } from '../data/made-snapshot.ts';

t.test('once for each return', async (t) => {
  const set = new ReplicationSet({ flavor: 'mariadb', replicas: 0 });
  t.teardown(() => set.dispose());
  await set.start();
  let returns = 0;
  const watch = new GtidWatch({
    credentials: () => MONITOR_ACCOUNT,
    timeoutMs: () => 2000,
    changed: () => undefined,
    log: { warn: () => undefined },
    primaryReturned: () => returns++,
  });
  t.teardown(() => watch.stop());
  watch.follow(madeSnapshot({ servers: [madeServer(set.primary.address)] }));
  await waitUntil('it is known where it is', () => watch.keeper.sources.length === 1);
  t.equal(returns, 0, 'the first time');
  await set.primary.kill();
  await set.primary.start();
  await waitUntil('it is reached again', () => returns > 0, { timeoutMs: 30_000 });
  t.equal(returns, 1);
});
