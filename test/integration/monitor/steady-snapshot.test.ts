/** Workers are told of changes, not of every check: positions and lag move all the time. */

import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const CHECKS = 30;
const set = new ReplicationSet({ sql: ['CREATE TABLE app.t (n INT)'] });
t.before(() => set.start());
t.teardown(() => set.dispose());

t.test('checks that find nothing new make no new snapshot', async (t) => {
  const sluice = await SluiceProcess.startFor(set, { config: { monitor: { intervalMs: 50 } } });
  t.teardown(() => sluice.dispose());
  const writer = await sluice.connect();
  const version = (): Promise<number> => sluice.metric('sluice_snapshot_version');
  const checks = (): Promise<number> => sluice.metric('proxysql_mysql_monitor_read_only_check_total');
  // Discovery and the first readings of the catalogue are changes.
  await waitUntil(`${CHECKS} checks without a new version, with writes going on`, async () => {
    const before = await version();
    const until = (await checks()) + CHECKS;
    await waitUntil('checks', async () => {
      await writer.query('INSERT INTO t VALUES (1)');
      return (await checks()) >= until;
    });
    return (await version()) === before;
  });
  const before = await version();
  const admin = await sluice.adminConnection();
  await admin.query(`DRAIN '${set.replicas[0]!.address}'`);
  await waitUntil('a drained server is told', async () => (await version()) > before);
  await writer.end();
  await admin.end();
});
