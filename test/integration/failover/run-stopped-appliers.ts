/**
 * An operator has stopped the SQL threads of replicas, and then the primary dies. What they have received was acknowledged: it is
 * executed before anybody is promoted. MariaDB throws it away when a thread is started while both stand: they were stopped and
 * started in the wrong order once, and the heir waited for what it did not have any more.
 */

import t from 'tap';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { FailoverStage } from './failover-stage.ts';

const ROWS = 5;

async function received(server: DatabaseServer): Promise<string> {
  const [status] = await server.query<Record<string, string>>('SHOW SLAVE STATUS');
  return `${status?.Master_Log_File}:${status?.Read_Master_Log_Pos}`;
}

/** Rows from `first` on, that every replica has received and the stopped ones have not executed. */
async function writeBehind(
  stage: FailoverStage,
  primary: DatabaseServer,
  stopped: readonly DatabaseServer[],
  first: number,
): Promise<void> {
  for (const replica of stopped) await replica.query('STOP SLAVE SQL_THREAD');
  for (let n = 0; n < ROWS; n++) await stage.write(first + n);
  const [end] = await primary.query<Record<string, string>>('SHOW MASTER STATUS');
  const all = `${end?.File}:${end?.Position}`;
  for (const replica of stage.set.servers.filter((server) => server !== primary))
    await waitUntil(`${replica.name} has received it`, async () => (await received(replica)) === all);
  for (const replica of stopped) await seeRows(replica, first);
}

async function seeRows(server: DatabaseServer, count: number): Promise<void> {
  let seen = -1;
  const hasAll = async (): Promise<boolean> => {
    seen = Number(await server.queryValue('SELECT COUNT(*) FROM app.t'));
    return seen === count;
  };
  await waitUntil(`${server.name} has ${count} rows`, hasAll).catch((error: Error) => {
    throw new Error(`${error.message}; it has ${seen}`);
  });
}

export function runStoppedAppliers(flavor: ServerFlavor): void {
  t.test('a primary dies whose replicas’ SQL threads an operator has stopped', { bail: true }, async (t) => {
    const stage = await FailoverStage.start({
      flavor,
      semiSync: flavor === 'mariadb',
      // The first one to die is to be an heir again.
      config: { failover: { minIntervalMs: 1 } },
    });
    t.teardown(() => stage.dispose());
    const { primary, replicas } = stage.set;
    const [one, two] = [replicas[0]!, replicas[1]!];
    await stage.seeCalm();

    await t.test('of all: they are started, and the heir has everything', async (t) => {
      await writeBehind(stage, primary, replicas, 0);
      await primary.kill();
      const steps = await stage.steps('failover');
      t.same(steps.slice(0, 4), ['fence', 'start-sql', 'stop-io', 'apply']);
      await stage.see(one, { role: 'primary', status: 'ONLINE' });
      await seeRows(one, ROWS);
      await stage.seeEvent(/operation-step .*step=start-sql .*text="replica1, replica2"/);
      await stage.see(two, { role: 'replica', source: 'replica1', replication_running: 'YES' });
      await seeRows(two, ROWS);
    });

    await t.test('of one: the other one is the heir', async (t) => {
      await primary.start();
      await stage.see(primary, { role: 'replica', source: 'replica1', replication_running: 'YES' });
      await writeBehind(stage, one, [two], ROWS);
      await seeRows(primary, 2 * ROWS);
      await one.kill();
      const steps = await stage.steps('failover', 2);
      t.same(steps.slice(0, 4), ['fence', 'start-sql', 'stop-io', 'apply']);
      await stage.see(primary, { role: 'primary', status: 'ONLINE' });
      await stage.see(two, { role: 'replica', source: 'primary', replication_running: 'YES' });
      await seeRows(two, 2 * ROWS);
    });
  });
}
